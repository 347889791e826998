
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _PROOF_JSON_H_INCLUDED_
#define _PROOF_JSON_H_INCLUDED_


/* what the scan's own functions rely upon of each other */


#define IN_TEXT(s, p)  BETWEEN((s)->text, p, (s)->end)

#define FAILED(s)                                                             \
    ((s)->error->code > CLOCKODO_JSON_OK                                      \
     && (s)->error->code < CLOCKODO_JSON_ERRORS)

/* the result is a place behind p, or at it, or there is an error */

#define STAYS                                                                 \
    ENSURES(RESULT == NULL || NEAR(p, RESULT, s->end))                        \
    ENSURES(RESULT != NULL || FAILED(s))

#define MOVES  ENSURES(RESULT == NULL || RESULT != p)

/* what comes next, at p */

#define PEEKED(s, p, c)                                                       \
    ((p) == (s)->end ? (c) == JSON_END : (c) == *(p))

/* a string from its first byte on, and behind its quote */

#define STRING_UP_TO(value, first, behind)                                    \
    ((behind) == NULL                                                         \
     || ((behind) != (first) && (behind)[-1] == '"'                           \
         && (value)->data == (first)                                          \
         && (value)->len == (behind) - 1 - (first)))

#define NAME_OR_VALUE(value)                                                  \
    WRITABLE(value, sizeof(clockodo_json_value_t))


static const unsigned char *
json_fail(json_scan_t *s, const unsigned char *p, clockodo_json_e error)
REQUIRES(IN_TEXT(s, p))
REQUIRES(error > CLOCKODO_JSON_OK && error < CLOCKODO_JSON_ERRORS)
ASSIGNS(*s->error)
ENSURES(RESULT == NULL)
ENSURES(FAILED(s))
ENSURES(s->error->offset <= s->end - s->text);


static inline int
json_peek(const json_scan_t *s, const unsigned char **p)
REQUIRES(IN_TEXT(s, *p))
ASSIGNS(*p)
ENSURES(NEAR(OLD(*p), *p, s->end))
ENSURES(PEEKED(s, *p, RESULT));


static const unsigned char *
json_literal(json_scan_t *s, const unsigned char *p, const char *literal,
    size_t len, clockodo_json_value_t *value)
REQUIRES(IN_TEXT(s, p) && len <= 5 && READABLE(literal, len))
REQUIRES(NAME_OR_VALUE(value))
ASSIGNS(*value, *s->error)
STAYS
ENSURES(RESULT == NULL || OFFSET(RESULT) == OFFSET(p) + len);


static const unsigned char *
json_number(json_scan_t *s, const unsigned char *p,
    clockodo_json_value_t *value)
REQUIRES(IN_TEXT(s, p) && p != s->end && NAME_OR_VALUE(value))
ASSIGNS(*value, *s->error)
STAYS
MOVES;


static const unsigned char *
json_digits(json_scan_t *s, const unsigned char *p)
REQUIRES(IN_TEXT(s, p))
ASSIGNS(*s->error)
STAYS
MOVES;


/* json_skip_plain(), from p on, which stays before the end */

#define SKIP_REQUIRES(p, end)  (BETWEEN(p, p, end) && READABLE(p, end - p))


static inline const unsigned char *
json_string(json_scan_t *s, const unsigned char *p,
    clockodo_json_value_t *value)
REQUIRES(IN_TEXT(s, p) && NAME_OR_VALUE(value))
ASSIGNS(*value, *s->error)
STAYS
ENSURES(STRING_UP_TO(value, p, RESULT));


static const unsigned char *
json_string_rest(json_scan_t *s, const unsigned char *start,
    const unsigned char *p, clockodo_json_value_t *value)
REQUIRES(IN_TEXT(s, p) && BETWEEN(s->text, start, p) && NAME_OR_VALUE(value))
ASSIGNS(*value, *s->error)
STAYS
ENSURES(RESULT == NULL || RESULT != p)
ENSURES(STRING_UP_TO(value, start, RESULT));


static const unsigned char *
json_escape(json_scan_t *s, const unsigned char *p)
REQUIRES(IN_TEXT(s, p) && p != s->end && *p == '\\')
ASSIGNS(*s->error)
STAYS
MOVES;


/* a code, if its digits are there */

static int
json_hex(json_scan_t *s, const unsigned char *p)
REQUIRES(IN_TEXT(s, p))
ASSIGNS(*s->error)
ENSURES(RESULT >= -1 && RESULT <= 0xffff)
ENSURES(RESULT == -1 ? FAILED(s) : s->end - p >= 4);


static const unsigned char *
json_utf8(json_scan_t *s, const unsigned char *p)
REQUIRES(IN_TEXT(s, p) && p != s->end)
ASSIGNS(*s->error)
STAYS
MOVES;


/* a scan of any text, and any place in it */

static inline void
any_scan(json_scan_t *s, clockodo_json_error_t *error, size_t most)
{
    size_t       len;
    json_scan_t  any;

    len = any_up_to(most);

    *s = any;

    s->text = any_text(len);
    s->end = s->text + len;
    s->error = error;
}


static inline const unsigned char *
any_place_from(const json_scan_t *s, const unsigned char *p)
{
    return p + any_up_to(s->end - p);
}


#endif /* _PROOF_JSON_H_INCLUDED_ */
