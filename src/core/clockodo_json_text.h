
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_JSON_TEXT_H_INCLUDED_
#define _CLOCKODO_JSON_TEXT_H_INCLUDED_


#include <stddef.h>


#pragma GCC visibility push(hidden)


#define CLOCKODO_JSON_ESCAPES  8


/* reads a string that has passed the scan, decoded, byte by byte */

typedef struct {
    const unsigned char  *p;               /* starts after the quote */
    unsigned char         rest[3];         /* of an escape, last byte first */
    unsigned              nrest;           /* starts as 0 */
} clockodo_json_string_t;


/* RFC 8259, section 7: the escapes of two characters, and what they mean */
extern const char  clockodo_json_escapes[CLOCKODO_JSON_ESCAPES][2];


/* s->p is at a backslash; returns the first byte of what it stands for */
int clockodo_json_string_escape(clockodo_json_string_t *s);


/* the next byte, in UTF-8; -1 at the closing quote */

static inline int
clockodo_json_string_next(clockodo_json_string_t *s)
{
    if (s->nrest) {
        return s->rest[--s->nrest];
    }

    if (*s->p == '"') {
        return -1;
    }

    if (*s->p == '\\') {
        return clockodo_json_string_escape(s);
    }

    return *s->p++;
}


#pragma GCC visibility pop


#endif /* _CLOCKODO_JSON_TEXT_H_INCLUDED_ */
