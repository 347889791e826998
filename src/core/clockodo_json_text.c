
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_json_internal.h"


static unsigned json_code_unit(clockodo_json_string_t *s);


const char  clockodo_json_escapes[CLOCKODO_JSON_ESCAPES][2] = {
    { '"', '"' }, { '\\', '\\' }, { '/', '/' }, { 'b', '\b' },
    { 'f', '\f' }, { 'n', '\n' }, { 'r', '\r' }, { 't', '\t' }
};


int
clockodo_json_string_escape(clockodo_json_string_t *s)
{
    size_t    i, n;
    unsigned  code, lead;

    s->p++;

    if (*s->p != 'u') {

        for (i = 0; (unsigned char) clockodo_json_escapes[i][0] != *s->p; i++) {
            /* void */
        }

        s->p++;

        return clockodo_json_escapes[i][1];
    }

    code = json_code_unit(s);

    if (code >= 0xd800 && code <= 0xdfff) {
        s->p++;
        code = 0x10000 + ((code - 0xd800) << 10)
               + (json_code_unit(s) - 0xdc00);
    }

    if (code < 0x80) {
        n = 0;
        lead = 0;

    } else if (code < 0x800) {
        n = 1;
        lead = 0xc0;

    } else if (code < 0x10000) {
        n = 2;
        lead = 0xe0;

    } else {
        n = 3;
        lead = 0xf0;
    }

    for (i = 0; i < n; i++) {
        s->rest[i] = 0x80 | (code & 0x3f);
        code >>= 6;
    }

    s->nrest = n;

    return lead | code;
}


/* the four digits after "u" */

static unsigned
json_code_unit(clockodo_json_string_t *s)
{
    unsigned              c, code;
    const unsigned char  *last;

    code = 0;

    for (last = s->p + 5, s->p++; s->p < last; s->p++) {
        c = *s->p | 0x20;
        code = code * 16 + (c >= 'a' ? c - 'a' + 10 : *s->p - (unsigned) '0');
    }

    return code;
}
