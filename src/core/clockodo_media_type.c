
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


/* of a parameter, decoded; a charset with more bytes is not UTF-8 */

typedef struct {
    size_t                len;
    unsigned char         data[64];
} clockodo_media_type_value_t;


static const unsigned char *clockodo_media_type_value(const unsigned char *p,
    const unsigned char *last, clockodo_media_type_value_t *value);
static const unsigned char *clockodo_media_type_quoted(const unsigned char *p,
    const unsigned char *last, clockodo_media_type_value_t *value);
static void clockodo_media_type_add(clockodo_media_type_value_t *value,
    unsigned char c);
static int clockodo_media_type_charset_ok(const unsigned char *name,
    const unsigned char *end, const clockodo_media_type_value_t *value);
static int clockodo_media_type_extended_ok(const unsigned char *p,
    const unsigned char *last);
static int clockodo_media_type_hex(unsigned char c);
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
static const char  clockodo_media_type_charset[] = "charset";
static const char  clockodo_media_type_utf8[] = "utf-8";


int
clockodo_media_type_is_json(const unsigned char *text, size_t len)
{
    size_t                       json;
    const unsigned char         *p, *last, *name, *end;
    clockodo_media_type_value_t  value;

    json = sizeof(clockodo_media_type_json) - 1;

    /* mostly it is just that */

    if (len == json && memcmp(text, clockodo_media_type_json, json) == 0) {
        return 1;
    }

    if (len < json) {
        return 0;
    }

    last = text + len;
    p = clockodo_media_type_ows(text, last);

    if ((size_t) (last - p) < json
        || !clockodo_media_type_equal(p, p + json, clockodo_media_type_json))
    {
        return 0;
    }

    /* more of the subtype is not what may follow */

    p += json;

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

        p = clockodo_media_type_value(p, last, &value);

        if (p == NULL || !clockodo_media_type_charset_ok(name, end, &value)) {
            return 0;
        }
    }
}


static const unsigned char *
clockodo_media_type_value(const unsigned char *p, const unsigned char *last,
    clockodo_media_type_value_t *value)
{
    const unsigned char  *end;

    value->len = 0;

    if (p < last && *p == '"') {
        return clockodo_media_type_quoted(p + 1, last, value);
    }

    end = clockodo_media_type_token(p, last);

    if (end == p) {
        return NULL;
    }

    for ( /* void */ ; p < end; p++) {
        clockodo_media_type_add(value, *p);
    }

    return end;
}


static const unsigned char *
clockodo_media_type_quoted(const unsigned char *p, const unsigned char *last,
    clockodo_media_type_value_t *value)
{
    for ( /* void */ ; p < last; p++) {

        if (*p == '"') {
            return p + 1;
        }

        if (*p == '\\' && ++p == last) {
            return NULL;
        }

        if (!clockodo_media_type_is_text(*p)) {
            return NULL;
        }

        clockodo_media_type_add(value, *p);
    }

    return NULL;
}


static void
clockodo_media_type_add(clockodo_media_type_value_t *value, unsigned char c)
{
    if (value->len < sizeof(value->data)) {
        value->data[value->len] = c;
    }

    value->len++;
}


/*
 * RFC 2231 has more forms than "charset": "charset*0" is its first part,
 * "charset*" and "charset*0*" are encoded.  Each part has to be all of it.
 */

static int
clockodo_media_type_charset_ok(const unsigned char *name,
    const unsigned char *end, const clockodo_media_type_value_t *value)
{
    const unsigned char  *star, *p, *last;

    star = memchr(name, '*', end - name);

    if (!clockodo_media_type_equal(name, star ? star : end,
                                   clockodo_media_type_charset))
    {
        return 1;
    }

    if (value->len > sizeof(value->data)) {
        return 0;
    }

    p = value->data;
    last = p + value->len;

    if (star && end[-1] == '*') {
        return clockodo_media_type_extended_ok(p, last);
    }

    return clockodo_media_type_equal(p, last, clockodo_media_type_utf8);
}


/* RFC 2231, 4: an encoding, a language and, with "%", the value */

static int
clockodo_media_type_extended_ok(const unsigned char *p,
    const unsigned char *last)
{
    int                   high, low;
    size_t                n;
    unsigned char         text[sizeof(clockodo_media_type_utf8) - 1], c;
    const unsigned char  *quote;

    quote = memchr(p, '\'', last - p);

    if (quote) {
        if (!clockodo_media_type_equal(p, quote, clockodo_media_type_utf8)) {
            return 0;
        }

        p = memchr(quote + 1, '\'', last - (quote + 1));
        if (p == NULL) {
            return 0;
        }

        p++;
    }

    for (n = 0; p < last; n++) {
        c = *p++;

        if (c == '%') {
            high = p < last ? clockodo_media_type_hex(*p++) : -1;
            low = p < last ? clockodo_media_type_hex(*p++) : -1;

            if (high == -1 || low == -1) {
                return 0;
            }

            c = high * 16 + low;
        }

        if (n == sizeof(text)) {
            return 0;
        }

        text[n] = c;
    }

    return clockodo_media_type_equal(text, text + n, clockodo_media_type_utf8);
}


static int
clockodo_media_type_hex(unsigned char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
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
