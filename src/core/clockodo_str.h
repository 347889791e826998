
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_STR_H_INCLUDED_
#define _CLOCKODO_STR_H_INCLUDED_


#include <stddef.h>


/* text of somebody else; those of clockodo_string() have a NUL behind it */

typedef struct {
    size_t                len;
    const char           *data;
} clockodo_str_t;


#define clockodo_string(s)  { sizeof(s) - 1, s }


#endif /* _CLOCKODO_STR_H_INCLUDED_ */
