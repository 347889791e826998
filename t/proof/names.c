
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* names that the scan let pass, compared with documented ones */


#include "core.h"
#include "any.h"


#include "clockodo_json_text.c"
#include "clockodo_json_members.c"
#include "clockodo_json.c"


/* room for one escape between quotes */
#define TEXT_LEN  8

/* of what is expected */
#define NAME_MAX  2


static clockodo_json_value_t  name;


static bool
any_name(void)
{
    json_scan_t              s;
    const unsigned char     *p;
    clockodo_json_error_t    error;

    p = any_text(TEXT_LEN);

    s.text = p;
    s.end = p + TEXT_LEN;
    s.error = &error;

    return *p == '"'
           && json_string_rest(&s, p + 1, p + 1, &name) != NULL;
}


void
prove_clockodo_json_name_folds_to(void)
{
    int     rc;
    size_t  len;

    len = any_up_to(NAME_MAX);

    if (any_name()) {
        __CPROVER_assert(NAME(&name), "it is what callers need");

        rc = clockodo_json_name_folds_to(&name, (char *) any_text(len), len);

        __CPROVER_assert(rc == 0 || rc == 1, "yes or no");
    }
}


void
prove_clockodo_json_name_decodes_to(void)
{
    int     rc;
    size_t  len;

    len = any_up_to(NAME_MAX);

    if (any_name()) {
        rc = clockodo_json_name_decodes_to(&name, (char *) any_text(len), len);

        __CPROVER_assert(rc == 0 || rc == 1, "yes or no");
    }
}
