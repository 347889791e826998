
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* names that the scan let pass, compared with documented ones */


#include "core.h"
#include "any.h"


/* none of what is proved here takes memory */

#define calloc(n, size)  NULL
#define free(p)          (void) (p)

#include "clockodo_json_text.c"
#include "clockodo_json_members.c"
#include "clockodo_json.c"


#define TEXT_MAX  7


static clockodo_json_value_t  name;


static bool
any_name(void)
{
    size_t                   len;
    json_scan_t              s;
    const unsigned char     *p;
    clockodo_json_error_t    error;

    len = any_up_to(TEXT_MAX);
    p = any_text(len);

    s.text = p;
    s.end = p + len;
    s.error = &error;

    return len > 0 && *p == '"'
           && json_string_rest(&s, p + 1, p + 1, &name) != NULL;
}


void
prove_clockodo_json_name_folds_to(void)
{
    size_t  len;

    len = any_up_to(TEXT_MAX);

    if (any_name()) {
        (void) clockodo_json_name_folds_to(&name, (char *) any_text(len), len);
    }
}


void
prove_clockodo_json_name_decodes_to(void)
{
    size_t  len;

    len = any_up_to(TEXT_MAX);

    if (any_name()) {
        (void) clockodo_json_name_decodes_to(&name, (char *) any_text(len),
                                             len);
    }
}
