
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include <string.h>

#include "clockodo_json_internal.h"


#define JSON_END  (-1)


typedef struct {
    const unsigned char      *text;
    const unsigned char      *end;
    clockodo_json_error_t    *error;
    clockodo_json_members_t  *members;
    const unsigned char      *name;        /* the last one's start */
    clockodo_json_value_t     element;     /* the last one of an array */
    unsigned                  depth;
    uint32_t                  objects;     /* the newest one's number */
} json_scan_t;


typedef struct {
    unsigned char         first;           /* the range of the lead byte */
    unsigned char         last;
    unsigned char         low;             /* the range of the second byte */
    unsigned char         high;
    size_t                len;
} json_utf8_t;


static inline int json_peek(const json_scan_t *s, const unsigned char **p);
static const unsigned char *json_value(json_scan_t *s,
    const unsigned char *p, clockodo_json_value_t *value);
static const unsigned char *json_object(json_scan_t *s,
    const unsigned char *p, clockodo_json_value_t *value);
static const unsigned char *json_object_inside(json_scan_t *s,
    const unsigned char *p, uint32_t object);
static const unsigned char *json_member(json_scan_t *s,
    const unsigned char *p, uint32_t object);
static const unsigned char *json_array(json_scan_t *s,
    const unsigned char *p, clockodo_json_value_t *value);
static const unsigned char *json_array_inside(json_scan_t *s,
    const unsigned char *p);
static const unsigned char *json_literal(json_scan_t *s,
    const unsigned char *p, const char *literal, size_t len,
    clockodo_json_value_t *value);
static const unsigned char *json_number(json_scan_t *s,
    const unsigned char *p, clockodo_json_value_t *value);
static const unsigned char *json_digits(json_scan_t *s,
    const unsigned char *p);
static inline const unsigned char *json_skip_plain(const unsigned char *p,
    const unsigned char *end);
static inline const unsigned char *json_string(json_scan_t *s,
    const unsigned char *p, clockodo_json_value_t *value);
static const unsigned char *json_string_rest(json_scan_t *s,
    const unsigned char *start, const unsigned char *p,
    clockodo_json_value_t *value);
static const unsigned char *json_escape(json_scan_t *s,
    const unsigned char *p);
static int json_hex(json_scan_t *s, const unsigned char *p);
static const unsigned char *json_utf8(json_scan_t *s,
    const unsigned char *p);
static inline void json_set(clockodo_json_value_t *value,
    clockodo_json_type_e type, const unsigned char *p,
    const unsigned char *last);
static const unsigned char *json_fail(json_scan_t *s, const unsigned char *p,
    clockodo_json_e error);


/*
 * Of eight bytes, the top bit of the lowest one that is not plain, and maybe
 * of some above it.  Subtracting borrows from a byte that is smaller, so that
 * its top bit is set; what is a quote or a backslash becomes 0, smaller than
 * 1, by the exclusive or.
 */

#define json_each(byte)  (0x0101010101010101ULL * (byte))

#define json_special(bytes)                                                   \
    (((bytes)                                                                 \
      | ((bytes) - json_each(' '))                                            \
      | (((bytes) ^ json_each('"')) - json_each(1))                           \
      | (((bytes) ^ json_each('\\')) - json_each(1)))                         \
     & json_each(0x80))


const char *const  clockodo_json_errors[CLOCKODO_JSON_ERRORS] = {
    [CLOCKODO_JSON_OK]             = "",
    [CLOCKODO_JSON_NO_MEMORY]      = "out of memory",
    [CLOCKODO_JSON_BOM]            = "byte order mark",
    [CLOCKODO_JSON_END]            = "unexpected end of the body",
    [CLOCKODO_JSON_TRAILING]       = "text after the object",
    [CLOCKODO_JSON_NOT_OBJECT]     = "the body is not a JSON object",
    [CLOCKODO_JSON_VALUE]          = "not a JSON value",
    [CLOCKODO_JSON_LITERAL]        = "malformed literal",
    [CLOCKODO_JSON_NUMBER]         = "malformed number",
    [CLOCKODO_JSON_CONTROL]        = "control character in string",
    [CLOCKODO_JSON_ESCAPE]         = "malformed escape in string",
    [CLOCKODO_JSON_NUL]            = "U+0000 in string",
    [CLOCKODO_JSON_SURROGATE]      = "lone surrogate in string",
    [CLOCKODO_JSON_UTF8]           = "invalid UTF-8 in string",
    [CLOCKODO_JSON_NAME]           = "no member name in quotes",
    [CLOCKODO_JSON_COLON]          = "no \":\" after a member name",
    [CLOCKODO_JSON_COMMA]          = "neither \",\" nor the closing bracket",
    [CLOCKODO_JSON_DEPTH_EXCEEDED] = "nested deeper than 32 levels",
    [CLOCKODO_JSON_DUPLICATE]      = "duplicate member in object"
};


/* what a string has but quotes, escapes and sequences of several bytes */

static const unsigned char  json_plain[256] = {
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
    1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1,
    1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1
};


/* well-formed sequences of two and more bytes: Unicode, table 3-7 */

static const json_utf8_t  json_utf8_table[] = {
    { 0xc2, 0xdf, 0x80, 0xbf, 2 },
    { 0xe0, 0xe0, 0xa0, 0xbf, 3 },
    { 0xe1, 0xec, 0x80, 0xbf, 3 },
    { 0xed, 0xed, 0x80, 0x9f, 3 },
    { 0xee, 0xef, 0x80, 0xbf, 3 },
    { 0xf0, 0xf0, 0x90, 0xbf, 4 },
    { 0xf1, 0xf3, 0x80, 0xbf, 4 },
    { 0xf4, 0xf4, 0x80, 0x8f, 4 }
};


clockodo_json_e
clockodo_json_scan(const unsigned char *text, size_t len, uint32_t key,
    clockodo_json_error_t *error, clockodo_json_members_t *members)
{
    json_scan_t           s;
    const unsigned char  *p;

    error->code = CLOCKODO_JSON_OK;
    error->offset = 0;

    if (len == 0) {

        /* text may be NULL, to which not even 0 may be added: C11, 6.5.6 */

        error->code = CLOCKODO_JSON_END;
        return error->code;
    }

    memset(&s, 0, sizeof(json_scan_t));

    s.text = text;
    s.end = text + len;
    s.error = error;
    s.members = members;

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        (void) json_fail(&s, text, CLOCKODO_JSON_BOM);
        return error->code;
    }

    p = text;

    if (json_peek(&s, &p) != '{') {
        (void) json_fail(&s, p, CLOCKODO_JSON_NOT_OBJECT);
        return error->code;
    }

    clockodo_json_members_init(members, key);

    p = json_object(&s, p, &s.element);

    if (p && json_peek(&s, &p) != JSON_END) {
        (void) json_fail(&s, p, CLOCKODO_JSON_TRAILING);
    }

    if (error->code) {
        clockodo_json_members_free(members);
    }

    return error->code;
}


/* skips white space, RFC 8259, section 2, and returns what comes then */

static inline int
json_peek(const json_scan_t *s, const unsigned char **p)
{
    while (*p < s->end) {

        if (**p > ' ' || (**p != ' ' && **p != '\t' && **p != '\n'
                          && **p != '\r'))
        {
            return **p;
        }

        (*p)++;
    }

    return JSON_END;
}


/*
 * The value is written where it stays, not copied there afterwards: reading
 * at once what was just written in parts would stall the processor.
 */

static const unsigned char *
json_value(json_scan_t *s, const unsigned char *p,
    clockodo_json_value_t *value)
{
    switch (json_peek(s, &p)) {

    case JSON_END:
        return json_fail(s, p, CLOCKODO_JSON_END);

    case '"':
        return json_string(s, p + 1, value);

    case '{':
        return json_object(s, p, value);

    case '[':
        return json_array(s, p, value);

    case 't':
        return json_literal(s, p, "true", 4, value);

    case 'f':
        return json_literal(s, p, "false", 5, value);

    case 'n':
        return json_literal(s, p, "null", 4, value);

    default:
        return json_number(s, p, value);
    }
}


static const unsigned char *
json_object(json_scan_t *s, const unsigned char *p,
    clockodo_json_value_t *value)
{
    const unsigned char  *last;

    if (s->depth == CLOCKODO_JSON_DEPTH) {
        return json_fail(s, p, CLOCKODO_JSON_DEPTH_EXCEEDED);
    }

    /* before the members inside it, which may make the list move */

    json_set(value, CLOCKODO_JSON_OBJECT_TYPE, p, p);
    value->object = ++s->objects;

    s->depth++;
    last = json_object_inside(s, p + 1, s->objects);
    s->depth--;

    return last;
}


static const unsigned char *
json_object_inside(json_scan_t *s, const unsigned char *p, uint32_t object)
{
    if (json_peek(s, &p) == '}') {
        return p + 1;
    }

    for ( ;; ) {
        p = json_member(s, p, object);

        if (p == NULL) {
            return NULL;
        }

        switch (json_peek(s, &p)) {

        case ',':
            p++;
            break;

        case '}':
            return p + 1;

        default:
            return json_fail(s, p, CLOCKODO_JSON_COMMA);
        }
    }
}


static const unsigned char *
json_member(json_scan_t *s, const unsigned char *p, uint32_t object)
{
    int                      rc;
    clockodo_json_member_t  *member;

    if (json_peek(s, &p) != '"') {
        return json_fail(s, p, CLOCKODO_JSON_NAME);
    }

    s->name = p;

    member = clockodo_json_members_next(s->members);
    if (member == NULL) {
        return json_fail(s, s->name, CLOCKODO_JSON_NO_MEMORY);
    }

    p = json_string(s, p + 1, &member->name);

    if (p == NULL) {
        return NULL;
    }

    rc = clockodo_json_members_add(s->members, object);

    if (rc != 0) {
        return json_fail(s, s->name, rc == 1 ? CLOCKODO_JSON_DUPLICATE
                                             : CLOCKODO_JSON_NO_MEMORY);
    }

    if (json_peek(s, &p) != ':') {
        return json_fail(s, p, CLOCKODO_JSON_COLON);
    }

    return json_value(s, p + 1, &s->members->list[s->members->n - 1].value);
}


static const unsigned char *
json_array(json_scan_t *s, const unsigned char *p,
    clockodo_json_value_t *value)
{
    const unsigned char  *last;

    if (s->depth == CLOCKODO_JSON_DEPTH) {
        return json_fail(s, p, CLOCKODO_JSON_DEPTH_EXCEEDED);
    }

    json_set(value, CLOCKODO_JSON_ARRAY_TYPE, p, p);

    s->depth++;
    last = json_array_inside(s, p + 1);
    s->depth--;

    return last;
}


static const unsigned char *
json_array_inside(json_scan_t *s, const unsigned char *p)
{
    if (json_peek(s, &p) == ']') {
        return p + 1;
    }

    for ( ;; ) {
        p = json_value(s, p, &s->element);

        if (p == NULL) {
            return NULL;
        }

        switch (json_peek(s, &p)) {

        case ',':
            p++;
            break;

        case ']':
            return p + 1;

        default:
            return json_fail(s, p, CLOCKODO_JSON_COMMA);
        }
    }
}


static const unsigned char *
json_literal(json_scan_t *s, const unsigned char *p, const char *literal,
    size_t len, clockodo_json_value_t *value)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (p + i == s->end || p[i] != (unsigned char) literal[i]) {
            return json_fail(s, p + i, CLOCKODO_JSON_LITERAL);
        }
    }

    json_set(value, CLOCKODO_JSON_LITERAL_TYPE, p, p + len);

    return p + len;
}


/* RFC 8259, section 6 */

static const unsigned char *
json_number(json_scan_t *s, const unsigned char *p,
    clockodo_json_value_t *value)
{
    const unsigned char  *start;

    start = p;

    if (*p == '-') {
        p++;

    } else if (*p < '0' || *p > '9') {
        return json_fail(s, p, CLOCKODO_JSON_VALUE);
    }

    if (p < s->end && *p == '0') {
        p++;

        if (p < s->end && *p >= '0' && *p <= '9') {
            return json_fail(s, p, CLOCKODO_JSON_NUMBER);
        }

    } else {
        p = json_digits(s, p);
    }

    if (p && p < s->end && *p == '.') {
        p = json_digits(s, p + 1);
    }

    if (p && p < s->end && (*p == 'e' || *p == 'E')) {
        p++;

        if (p < s->end && (*p == '+' || *p == '-')) {
            p++;
        }

        p = json_digits(s, p);
    }

    if (p) {
        json_set(value, CLOCKODO_JSON_NUMBER_TYPE, start, p);
    }

    return p;
}


static const unsigned char *
json_digits(json_scan_t *s, const unsigned char *p)
{
    if (p == s->end || *p < '0' || *p > '9') {
        return json_fail(s, p, CLOCKODO_JSON_NUMBER);
    }

    do {
        p++;
    } while (p < s->end && *p >= '0' && *p <= '9');

    return p;
}


static inline const unsigned char *
json_skip_plain(const unsigned char *p, const unsigned char *end)
{
#if (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

    uint64_t  bytes, special;

    /* eight at a time, the first one is the lowest */

    for ( /* void */ ; end - p >= 8; p += 8) {
        memcpy(&bytes, p, 8);

        special = json_special(bytes);

        if (special) {
            return p + __builtin_ctzll(special) / 8;
        }
    }

#endif

    while (p < end && json_plain[*p]) {
        p++;
    }

    return p;
}


/* p is after the opening quote, the result after the closing one */

static inline const unsigned char *
json_string(json_scan_t *s, const unsigned char *p,
    clockodo_json_value_t *value)
{
    const unsigned char  *last;

    last = json_skip_plain(p, s->end);

    if (last == s->end || *last != '"') {
        return json_string_rest(s, p, last, value);
    }

    json_set(value, CLOCKODO_JSON_STRING_TYPE, p, last);

    return last + 1;
}


/* from what is not plain on */

static const unsigned char *
json_string_rest(json_scan_t *s, const unsigned char *start,
    const unsigned char *p, clockodo_json_value_t *value)
{
    unsigned  escaped;

    escaped = 0;

    for ( /* void */ ; p < s->end && *p != '"'; /* void */ ) {

        if (json_plain[*p]) {
            p++;

        } else if (*p == '\\') {
            escaped = 1;
            p = json_escape(s, p);

        } else if (*p >= 0x80) {
            p = json_utf8(s, p);

        } else {
            p = json_fail(s, p, CLOCKODO_JSON_CONTROL);
        }

        if (p == NULL) {
            return NULL;
        }
    }

    if (p == s->end) {
        return json_fail(s, p, CLOCKODO_JSON_END);
    }

    json_set(value, CLOCKODO_JSON_STRING_TYPE, start, p);
    value->escaped = escaped;

    return p + 1;
}


static const unsigned char *
json_escape(json_scan_t *s, const unsigned char *p)
{
    int                   code, low;
    size_t                i;
    const unsigned char  *start;

    start = p++;

    for (i = 0; i < CLOCKODO_JSON_ESCAPES; i++) {
        if (p < s->end && *p == (unsigned char) clockodo_json_escapes[i][0]) {
            return p + 1;
        }
    }

    if (p == s->end || *p != 'u') {
        return json_fail(s, p, CLOCKODO_JSON_ESCAPE);
    }

    code = json_hex(s, p + 1);

    if (code == -1) {
        return NULL;
    }

    if (code == 0) {
        return json_fail(s, start, CLOCKODO_JSON_NUL);
    }

    p += 5;

    if (code < 0xd800 || code > 0xdfff) {
        return p;
    }

    /* a pair, RFC 8259, section 7 */

    if (code > 0xdbff) {
        return json_fail(s, start, CLOCKODO_JSON_SURROGATE);
    }

    if ((p < s->end && p[0] != '\\') || (s->end - p > 1 && p[1] != 'u')) {
        return json_fail(s, start, CLOCKODO_JSON_SURROGATE);
    }

    if (s->end - p < 2) {
        return json_fail(s, s->end, CLOCKODO_JSON_END);
    }

    low = json_hex(s, p + 2);

    if (low == -1) {
        return NULL;
    }

    if (low < 0xdc00 || low > 0xdfff) {
        return json_fail(s, start, CLOCKODO_JSON_SURROGATE);
    }

    return p + 6;
}


/* four digits, or -1 */

static int
json_hex(json_scan_t *s, const unsigned char *p)
{
    int                   code;
    unsigned              c;
    const unsigned char  *last;

    code = 0;

    for (last = p; last - p < 4; last++) {

        if (last == s->end) {
            (void) json_fail(s, last, CLOCKODO_JSON_END);
            return -1;
        }

        c = *last | 0x20;

        if (*last >= '0' && *last <= '9') {
            code = code * 16 + (*last - '0');

        } else if (c >= 'a' && c <= 'f') {
            code = code * 16 + (c - 'a' + 10);

        } else {
            (void) json_fail(s, last, CLOCKODO_JSON_ESCAPE);
            return -1;
        }
    }

    return code;
}


static const unsigned char *
json_utf8(json_scan_t *s, const unsigned char *p)
{
    size_t              i, n;
    const json_utf8_t  *row;

    row = json_utf8_table;
    n = sizeof(json_utf8_table) / sizeof(json_utf8_table[0]);

    for (i = 0; i < n; i++, row++) {
        if (*p >= row->first && *p <= row->last) {
            break;
        }
    }

    if (i == n) {
        return json_fail(s, p, CLOCKODO_JSON_UTF8);
    }

    for (i = 1; i < row->len; i++) {

        if (p + i == s->end) {
            return json_fail(s, s->end, CLOCKODO_JSON_END);
        }

        if (p[i] < (i == 1 ? row->low : 0x80)
            || p[i] > (i == 1 ? row->high : 0xbf))
        {
            return json_fail(s, p + i, CLOCKODO_JSON_UTF8);
        }
    }

    return p + row->len;
}


static inline void
json_set(clockodo_json_value_t *value, clockodo_json_type_e type,
    const unsigned char *p, const unsigned char *last)
{
    value->data = p;
    value->len = last - p;
    value->type = type;
    value->object = 0;
    value->escaped = 0;
}


static const unsigned char *
json_fail(json_scan_t *s, const unsigned char *p, clockodo_json_e error)
{
    if (p == s->end) {
        error = CLOCKODO_JSON_END;
    }

    s->error->code = error;
    s->error->offset = p - s->text;

    return NULL;
}
