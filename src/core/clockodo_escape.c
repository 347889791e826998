
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_escape.h"


/* what is written as it is: not blanks, controls, DEL and " % & ' < > \ */

static const unsigned char  clockodo_escape_plain[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0
};

static const char  clockodo_escape_hex[] = "0123456789ABCDEF";


size_t
clockodo_escape(unsigned char *dst, size_t size, const void *text, size_t len)
{
    unsigned char        *d, *end;
    const unsigned char  *p, *last;

    if (len == 0) {
        return 0;
    }

    d = dst;
    end = dst + size;

    p = text;

    for (last = p + len; p < last; p++) {

        if (clockodo_escape_plain[*p]) {
            if (d == end) {
                break;
            }

            *d++ = *p;
            continue;
        }

        if (end - d < CLOCKODO_ESCAPED) {
            break;
        }

        *d++ = '%';
        *d++ = clockodo_escape_hex[*p >> 4];
        *d++ = clockodo_escape_hex[*p & 0xf];
    }

    return d - dst;
}
