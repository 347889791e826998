
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_media_type.h"

#include <string.h>


#define clockodo_media_type_lower(c)                                          \
    ((c) >= 'A' && (c) <= 'Z' ? (c) | 0x20 : (c))

/* HTAB, SP, VCHAR and obs-text */
#define clockodo_media_type_is_text(c)                                        \
    ((c) == '\t' || ((c) >= ' ' && (c) != 0x7f))


static const unsigned char *clockodo_media_type_value(const unsigned char *p,
    const unsigned char *last, int *utf8);
static const unsigned char *clockodo_media_type_quoted(const unsigned char *p,
    const unsigned char *last, int *utf8);
static const unsigned char *clockodo_media_type_token(const unsigned char *p,
    const unsigned char *last);
static const unsigned char *clockodo_media_type_ows(const unsigned char *p,
    const unsigned char *last);
static int clockodo_media_type_equal(const unsigned char *p,
    const unsigned char *last, const char *lower);


static const char  clockodo_media_type_tchar[] =
    "!#$%&'*+-.^_`|~"
    "0123456789"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    "abcdefghijklmnopqrstuvwxyz";

static const char  clockodo_media_type_json[] = "application/json";
static const char  clockodo_media_type_utf8[] = "utf-8";


int
clockodo_media_type_is_json(const unsigned char *text, size_t len)
{
    int                   utf8;
    const unsigned char  *p, *last, *name, *end;

    /* mostly it is just that */

    if (len == sizeof(clockodo_media_type_json) - 1
        && memcmp(text, clockodo_media_type_json, len) == 0)
    {
        return 1;
    }

    last = text + len;
    p = clockodo_media_type_ows(text, last);
    end = p + sizeof(clockodo_media_type_json) - 1;

    if (end > last || !clockodo_media_type_equal(p, end,
                                                 clockodo_media_type_json))
    {
        return 0;
    }

    /* more of the subtype is not what may follow */

    p = end;

    for ( ;; ) {
        p = clockodo_media_type_ows(p, last);

        if (p == last) {
            return 1;
        }

        if (*p++ != ';') {
            return 0;
        }

        name = clockodo_media_type_ows(p, last);
        end = clockodo_media_type_token(name, last);
        p = end;

        if (end == name) {
            /* an empty parameter */
            continue;
        }

        if (p == last || *p++ != '=') {
            return 0;
        }

        p = clockodo_media_type_value(p, last, &utf8);
        if (p == NULL) {
            return 0;
        }

        if (!utf8 && clockodo_media_type_equal(name, end, "charset")) {
            return 0;
        }
    }
}


static const unsigned char *
clockodo_media_type_value(const unsigned char *p, const unsigned char *last,
    int *utf8)
{
    const unsigned char  *end;

    if (p < last && *p == '"') {
        return clockodo_media_type_quoted(p + 1, last, utf8);
    }

    end = clockodo_media_type_token(p, last);

    if (end == p) {
        return NULL;
    }

    *utf8 = clockodo_media_type_equal(p, end, clockodo_media_type_utf8);

    return end;
}


/* compares while it decodes, so that there is no need of a buffer */

static const unsigned char *
clockodo_media_type_quoted(const unsigned char *p, const unsigned char *last,
    int *utf8)
{
    const char  *rest;

    rest = clockodo_media_type_utf8;

    for ( /* void */ ; p < last; p++) {

        if (*p == '"') {
            *utf8 = (rest != NULL && *rest == '\0');
            return p + 1;
        }

        if (*p == '\\' && ++p == last) {
            return NULL;
        }

        if (!clockodo_media_type_is_text(*p)) {
            return NULL;
        }

        if (rest != NULL && clockodo_media_type_lower(*p) == *rest) {
            rest++;

        } else {
            rest = NULL;
        }
    }

    return NULL;
}


static const unsigned char *
clockodo_media_type_token(const unsigned char *p, const unsigned char *last)
{
    while (p < last
           && memchr(clockodo_media_type_tchar, *p,
                     sizeof(clockodo_media_type_tchar) - 1)
              != NULL)
    {
        p++;
    }

    return p;
}


static const unsigned char *
clockodo_media_type_ows(const unsigned char *p, const unsigned char *last)
{
    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    return p;
}


static int
clockodo_media_type_equal(const unsigned char *p, const unsigned char *last,
    const char *lower)
{
    if ((size_t) (last - p) != strlen(lower)) {
        return 0;
    }

    for ( /* void */ ; p < last; p++, lower++) {
        if (clockodo_media_type_lower(*p) != *lower) {
            return 0;
        }
    }

    return 1;
}
