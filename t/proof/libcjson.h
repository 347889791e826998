
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _PROOF_LIBCJSON_H_INCLUDED_
#define _PROOF_LIBCJSON_H_INCLUDED_


/*
 * What cJSON.h says of functions of libcjson, as far as proofs rely upon it.
 * These contracts are assumed.
 */


#include "proof.h"

#include <cjson/cJSON.h>


/* of a string, what it decodes to is no longer, and ends with a NUL */

cJSON *
cJSON_ParseWithLengthOpts(const char *value, size_t buffer_length,
    const char **return_parse_end, cJSON_bool require_null_terminated)
REQUIRES(buffer_length > 0 && READABLE(value, buffer_length))
REQUIRES(value[0] != '"' || buffer_length >= 2)
REQUIRES(return_parse_end == NULL)
ASSIGNS()
ENSURES(RESULT == NULL || __CPROVER_is_fresh(RESULT, sizeof(cJSON)))
ENSURES(RESULT == NULL || value[0] != '"'
        || __CPROVER_is_fresh(RESULT->valuestring, buffer_length - 1))
ENSURES(RESULT == NULL || value[0] != '"'
        || RESULT->valuestring[buffer_length - 2] == '\0');


void
cJSON_Delete(cJSON *item)
REQUIRES(READABLE(item, sizeof(cJSON)))
ASSIGNS();


#endif /* _PROOF_LIBCJSON_H_INCLUDED_ */
