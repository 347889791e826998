
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include <stdlib.h>
#include <string.h>

#include "clockodo_json.h"
#include "clockodo_json_text.h"


/* enough for 32 names before the first malloc(); a power of two */
#define JSON_SLOTS  64

/* 2^31 - 1 is prime: names are hashed as polynomials over that field */
#define JSON_PRIME  0x7fffffff


/* a member's name in a hash table with open addressing */

typedef struct {
    size_t                offset;          /* of the name, 0: free */
    uint32_t              object;
    uint32_t              hash;
} json_slot_t;


typedef struct {
    const unsigned char  *text;
    const unsigned char  *end;
    clockodo_json_t      *json;
    clockodo_json_e       error;
    unsigned              depth;
    uint32_t              key;

    uint32_t              objects;         /* the newest one's number */
    size_t                names;
    size_t                nslots;
    json_slot_t          *slots;
    json_slot_t           first[JSON_SLOTS];
} json_scan_t;


typedef struct {
    unsigned char         first;           /* the range of the lead byte */
    unsigned char         last;
    unsigned char         low;             /* the range of the second byte */
    unsigned char         high;
    size_t                len;
} json_utf8_t;


static const unsigned char *json_value(json_scan_t *s,
    const unsigned char *p);
static const unsigned char *json_object(json_scan_t *s,
    const unsigned char *p);
static const unsigned char *json_array(json_scan_t *s,
    const unsigned char *p);
static const unsigned char *json_member(json_scan_t *s,
    const unsigned char *p, uint32_t object);
static const unsigned char *json_literal(json_scan_t *s,
    const unsigned char *p, const char *literal, size_t len);
static const unsigned char *json_number(json_scan_t *s,
    const unsigned char *p);
static const unsigned char *json_digits(json_scan_t *s,
    const unsigned char *p);
static const unsigned char *json_string(json_scan_t *s,
    const unsigned char *p);
static const unsigned char *json_escape(json_scan_t *s,
    const unsigned char *p);
static const unsigned char *json_hex(json_scan_t *s, const unsigned char *p,
    unsigned *code);
static const unsigned char *json_utf8(json_scan_t *s,
    const unsigned char *p);
static int json_unique(json_scan_t *s, const unsigned char *name,
    uint32_t object);
static int json_grow(json_scan_t *s);
static uint32_t json_hash(const json_scan_t *s, const unsigned char *name,
    uint32_t object);
static int json_same(const unsigned char *name, const unsigned char *other);
static const unsigned char *json_fail(json_scan_t *s, const unsigned char *p,
    clockodo_json_e error);


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
    clockodo_json_t *json)
{
    json_scan_t           s;
    const unsigned char  *p;

    memset(json, 0, sizeof(clockodo_json_t));
    memset(&s, 0, sizeof(json_scan_t));

    s.text = text;
    s.end = text + len;
    s.json = json;
    s.key = key % (JSON_PRIME - 1) + 1;
    s.nslots = JSON_SLOTS;
    s.slots = s.first;

    if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        (void) json_fail(&s, text, CLOCKODO_JSON_BOM);
        return s.error;
    }

    p = clockodo_json_space(text, s.end);

    if (p < s.end && *p != '{') {
        (void) json_fail(&s, p, CLOCKODO_JSON_NOT_OBJECT);
        return s.error;
    }

    p = json_value(&s, p);

    if (p) {
        p = clockodo_json_space(p, s.end);

        if (p < s.end) {
            (void) json_fail(&s, p, CLOCKODO_JSON_TRAILING);
        }
    }

    if (s.slots != s.first) {
        free(s.slots);
    }

    return s.error;
}


static const unsigned char *
json_value(json_scan_t *s, const unsigned char *p)
{
    if (p == s->end) {
        return json_fail(s, p, CLOCKODO_JSON_END);
    }

    switch (*p) {

    case '{':
        return json_object(s, p);

    case '[':
        return json_array(s, p);

    case '"':
        return json_string(s, p + 1);

    case 't':
        return json_literal(s, p, "true", 4);

    case 'f':
        return json_literal(s, p, "false", 5);

    case 'n':
        return json_literal(s, p, "null", 4);

    default:
        return json_number(s, p);
    }
}


static const unsigned char *
json_object(json_scan_t *s, const unsigned char *p)
{
    uint32_t  object;

    if (++s->depth > CLOCKODO_JSON_DEPTH) {
        return json_fail(s, p, CLOCKODO_JSON_DEPTH_EXCEEDED);
    }

    object = ++s->objects;

    p = clockodo_json_space(p + 1, s->end);

    if (p < s->end && *p == '}') {
        s->depth--;
        return p + 1;
    }

    for ( ;; ) {
        p = json_member(s, clockodo_json_space(p, s->end), object);

        if (p == NULL) {
            return NULL;
        }

        p = clockodo_json_space(p, s->end);

        if (p < s->end && *p == '}') {
            s->depth--;
            return p + 1;
        }

        if (p == s->end || *p != ',') {
            return json_fail(s, p, CLOCKODO_JSON_COMMA);
        }

        p++;
    }
}


static const unsigned char *
json_member(json_scan_t *s, const unsigned char *p, uint32_t object)
{
    const unsigned char  *name;

    if (p == s->end || *p != '"') {
        return json_fail(s, p, CLOCKODO_JSON_NAME);
    }

    name = p + 1;

    p = json_string(s, name);

    if (p == NULL || json_unique(s, name, object) != 0) {
        return NULL;
    }

    p = clockodo_json_space(p, s->end);

    if (p == s->end || *p != ':') {
        return json_fail(s, p, CLOCKODO_JSON_COLON);
    }

    return json_value(s, clockodo_json_space(p + 1, s->end));
}


static const unsigned char *
json_array(json_scan_t *s, const unsigned char *p)
{
    if (++s->depth > CLOCKODO_JSON_DEPTH) {
        return json_fail(s, p, CLOCKODO_JSON_DEPTH_EXCEEDED);
    }

    p = clockodo_json_space(p + 1, s->end);

    if (p < s->end && *p == ']') {
        s->depth--;
        return p + 1;
    }

    for ( ;; ) {
        p = json_value(s, clockodo_json_space(p, s->end));

        if (p == NULL) {
            return NULL;
        }

        p = clockodo_json_space(p, s->end);

        if (p < s->end && *p == ']') {
            s->depth--;
            return p + 1;
        }

        if (p == s->end || *p != ',') {
            return json_fail(s, p, CLOCKODO_JSON_COMMA);
        }

        p++;
    }
}


static const unsigned char *
json_literal(json_scan_t *s, const unsigned char *p, const char *literal,
    size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (p + i == s->end || p[i] != (unsigned char) literal[i]) {
            return json_fail(s, p + i, CLOCKODO_JSON_LITERAL);
        }
    }

    return p + len;
}


/* RFC 8259, section 6 */

static const unsigned char *
json_number(json_scan_t *s, const unsigned char *p)
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

    if (p && p - start > CLOCKODO_JSON_NUMBER_LEN) {
        s->json->long_number = 1;
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


/* p is after the opening quote, the result after the closing one */

static const unsigned char *
json_string(json_scan_t *s, const unsigned char *p)
{
    while (p < s->end) {

        if (*p == '"') {
            return p + 1;
        }

        if (*p == '\\') {
            p = json_escape(s, p);

        } else if (*p >= 0x80) {
            p = json_utf8(s, p);

        } else if (*p >= 0x20) {
            p++;

        } else {
            p = json_fail(s, p, CLOCKODO_JSON_CONTROL);
        }

        if (p == NULL) {
            return NULL;
        }
    }

    return json_fail(s, p, CLOCKODO_JSON_END);
}


static const unsigned char *
json_escape(json_scan_t *s, const unsigned char *p)
{
    size_t                i;
    unsigned              code, low;
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

    p = json_hex(s, p + 1, &code);

    if (p == NULL) {
        return NULL;
    }

    if (code == 0) {
        return json_fail(s, start, CLOCKODO_JSON_NUL);
    }

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

    p = json_hex(s, p + 2, &low);

    if (p && (low < 0xdc00 || low > 0xdfff)) {
        return json_fail(s, start, CLOCKODO_JSON_SURROGATE);
    }

    return p;
}


static const unsigned char *
json_hex(json_scan_t *s, const unsigned char *p, unsigned *code)
{
    unsigned              c;
    const unsigned char  *last;

    *code = 0;

    for (last = p; last - p < 4; last++) {

        if (last == s->end) {
            return json_fail(s, last, CLOCKODO_JSON_END);
        }

        c = *last | 0x20;

        if (*last >= '0' && *last <= '9') {
            *code = *code * 16 + (*last - '0');

        } else if (c >= 'a' && c <= 'f') {
            *code = *code * 16 + (c - 'a' + 10);

        } else {
            return json_fail(s, last, CLOCKODO_JSON_ESCAPE);
        }
    }

    return last;
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


/*
 * All names of a text stand in one table, each with the number of its
 * object: an object that is closed needs no clean-up then.
 */

static int
json_unique(json_scan_t *s, const unsigned char *name, uint32_t object)
{
    size_t        i;
    uint32_t      hash;
    json_slot_t  *slots;

    if (2 * (s->names + 1) > s->nslots && json_grow(s) != 0) {
        (void) json_fail(s, name, CLOCKODO_JSON_NO_MEMORY);
        return -1;
    }

    slots = s->slots;
    hash = json_hash(s, name, object);

    for (i = hash & (s->nslots - 1);
         slots[i].offset;
         i = (i + 1) & (s->nslots - 1))
    {
        if (slots[i].hash == hash
            && slots[i].object == object
            && json_same(s->text + slots[i].offset, name))
        {
            (void) json_fail(s, name - 1, CLOCKODO_JSON_DUPLICATE);
            return -1;
        }
    }

    slots[i].offset = name - s->text;
    slots[i].object = object;
    slots[i].hash = hash;

    s->names++;

    return 0;
}


static int
json_grow(json_scan_t *s)
{
    size_t        i, j, nslots;
    json_slot_t  *slots;

    nslots = s->nslots * 4;

    slots = calloc(nslots, sizeof(json_slot_t));
    if (slots == NULL) {
        return -1;
    }

    for (i = 0; i < s->nslots; i++) {

        if (s->slots[i].offset == 0) {
            continue;
        }

        j = s->slots[i].hash & (nslots - 1);

        while (slots[j].offset) {
            j = (j + 1) & (nslots - 1);
        }

        slots[j] = s->slots[i];
    }

    if (s->slots != s->first) {
        free(s->slots);
    }

    s->slots = slots;
    s->nslots = nslots;

    return 0;
}


/*
 * A polynomial, the object's number and the name's bytes being its
 * coefficients, at a point that senders don't know: two names of at most
 * n bytes collide with a probability of at most (n + 1) / 2^31, whatever
 * they are (Carter and Wegman, 1979).
 */

static uint32_t
json_hash(const json_scan_t *s, const unsigned char *name, uint32_t object)
{
    int                     c;
    uint32_t                mixed;
    uint64_t                hash;
    clockodo_json_string_t  string;

    string.p = name;
    string.nrest = 0;

    hash = object;

    for (c = clockodo_json_string_next(&string);
         c >= 0;
         c = clockodo_json_string_next(&string))
    {
        hash = (hash * s->key + c + 1) % JSON_PRIME;
    }

    /*
     * Names that differ in their last byte alone have hashes side by side,
     * which linear probing cannot bear: they are spread by a bijection, the
     * last step of MurmurHash3.
     */

    mixed = (uint32_t) hash;

    mixed = (mixed ^ (mixed >> 16)) * 0x85ebca6b;
    mixed = (mixed ^ (mixed >> 13)) * 0xc2b2ae35;

    return mixed ^ (mixed >> 16);
}


static int
json_same(const unsigned char *name, const unsigned char *other)
{
    int                     c;
    clockodo_json_string_t  a, b;

    a.p = name;
    a.nrest = 0;

    b.p = other;
    b.nrest = 0;

    do {
        c = clockodo_json_string_next(&a);

        if (c != clockodo_json_string_next(&b)) {
            return 0;
        }

    } while (c >= 0);

    return 1;
}


static const unsigned char *
json_fail(json_scan_t *s, const unsigned char *p, clockodo_json_e error)
{
    if (p == s->end && error != CLOCKODO_JSON_NO_MEMORY) {
        error = CLOCKODO_JSON_END;
    }

    s->error = error;
    s->json->offset = p - s->text;

    return NULL;
}
