
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* what the scan lets pass is read to the same place */


#include "proof.h"


#include "clockodo_json_text.c"
#include "clockodo_json.c"


/* an escape of two surrogates, and more */
#define ESCAPE_MAX  14

/* room for one escape, and the quote behind it */
#define STRING_LEN  7


static json_scan_t            s;
static clockodo_json_error_t  error;


static const unsigned char *
any_start(size_t len)
{
    s.text = any_text(len);
    s.end = s.text + len;
    s.error = &error;

    return s.text;
}


void
prove_clockodo_json_string_escape(void)
{
    int                      c;
    const unsigned char     *p, *end;
    clockodo_json_string_t   string;

    p = any_start(any_up_to(ESCAPE_MAX));
    assume(p < s.end && *p == '\\');

    end = json_escape(&s, p);

    if (end == NULL) {
        return;
    }

    string.p = p;
    string.nrest = 0;

    c = clockodo_json_string_escape(&string);

    __CPROVER_assert(string.p == end, "it ends where the scan says");
    __CPROVER_assert(string.nrest <= 3, "there is room for the rest");
    __CPROVER_assert(c > 0 && c <= 0xff, "it stands for a byte");
}


void
prove_clockodo_json_string_next(void)
{
    const unsigned char     *p, *end;
    clockodo_json_value_t    value;
    clockodo_json_string_t   string;

    p = any_start(STRING_LEN);
    end = json_string_rest(&s, p, p, &value);

    if (end == NULL) {
        return;
    }

    string.p = value.data;
    string.nrest = 0;

    while (clockodo_json_string_next(&string) != -1) { /* void */ }

    __CPROVER_assert(string.p == end - 1, "it ends at the closing quote");
}
