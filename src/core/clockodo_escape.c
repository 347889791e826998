
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_escape.h"

#include <string.h>


static size_t clockodo_escape_byte(unsigned char *dst, unsigned char c);


size_t
clockodo_escape(unsigned char *dst, size_t size, const void *text, size_t len)
{
    size_t                i, n, written;
    unsigned char         escaped[CLOCKODO_ESCAPED];
    const unsigned char  *p;

    p = text;
    written = 0;

    for (i = 0; i < len; i++) {
        n = clockodo_escape_byte(escaped, p[i]);

        if (n > size - written) {
            break;
        }

        memcpy(dst + written, escaped, n);
        written += n;
    }

    return written;
}


static size_t
clockodo_escape_byte(unsigned char *dst, unsigned char c)
{
    static const char  hex[] = "0123456789ABCDEF";

    if (c > ' ' && c <= '~' && strchr("\"\\%<>&'", c) == NULL) {
        dst[0] = c;
        return 1;
    }

    dst[0] = '%';
    dst[1] = hex[c >> 4];
    dst[2] = hex[c & 0xf];

    return CLOCKODO_ESCAPED;
}
