
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_escape.h"

#include <stdint.h>


#define clockodo_escape_is_plain(c)                                           \
    (clockodo_escape_plain[(c) >> 5] & (1U << ((c) & 0x1f)))


/* what is written as it is: a bit for each byte */

static const uint32_t  clockodo_escape_plain[] = {
    0x00000000,                            /* control characters */
    0xafffff1a,                            /* not blank " % & ' < > */
    0xefffffff,                            /* not \ */
    0x7fffffff,                            /* not DEL */
    0x00000000, 0x00000000, 0x00000000, 0x00000000
};

static const char  clockodo_escape_hex[] = "0123456789ABCDEF";


size_t
clockodo_escape(unsigned char *dst, size_t size, const void *text, size_t len)
{
    unsigned char        *d, *end;
    const unsigned char  *p, *last;

    d = dst;
    end = dst + size;

    p = text;

    for (last = p + len; p < last; p++) {

        if (clockodo_escape_is_plain(*p)) {
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
