
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_escape.h"

#include <stdint.h>


/* a bit for each byte: controls, blank, what is not ASCII, and "%&'<>\ */

static const uint32_t  clockodo_escape_bytes[8] = {
    0xffffffff, 0x500000e5, 0x10000000, 0x80000000,
    0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff
};


size_t
clockodo_escape(unsigned char *dst, size_t size, const void *text, size_t len)
{
    size_t                i, n;
    unsigned char         c;
    const unsigned char  *p;

    static const char  hex[] = "0123456789ABCDEF";

    p = text;
    n = 0;

    for (i = 0; i < len; i++) {
        c = p[i];

        if (!(clockodo_escape_bytes[c >> 5] & ((uint32_t) 1 << (c & 0x1f)))) {

            if (n == size) {
                break;
            }

            dst[n++] = c;
            continue;
        }

        if (size - n < CLOCKODO_ESCAPED) {
            break;
        }

        dst[n++] = '%';
        dst[n++] = hex[c >> 4];
        dst[n++] = hex[c & 0xf];
    }

    return n;
}
