
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * The scan, for texts of 0 to 65536 bytes: from any place in one, each of its
 * functions stays in it.
 */


#include "libc.h"
#include "members.h"


/* a scan that is under way, and what the values in it may change */

#define SCAN(s)                                                               \
    ((s)->depth <= CLOCKODO_JSON_DEPTH && MEMBERS((s)->members))

#define SCAN_ASSIGNS                                                          \
    *s->error, s->name, s->element, s->depth, s->objects, *s->members,        \
    __CPROVER_object_whole(s->members->list)

#define LOOP_json_peek_0                                                      \
    LOOP((*p), (BETWEEN(LOOP_ENTRY(*p), *p, s->end)), (s->end - *p))

#define LOOP_json_digits_0                                                    \
    LOOP((p), (BETWEEN(LOOP_ENTRY(p), p, s->end) && p != s->end),             \
         (s->end - p))

#define LOOP_json_skip_plain_0                                                \
    LOOP((p, bytes, special), (BETWEEN(LOOP_ENTRY(p), p, end)), (end - p))

#define LOOP_json_skip_plain_1                                                \
    LOOP((p), (BETWEEN(LOOP_ENTRY(p), p, end)), (end - p))

#define LOOP_json_string_rest_0                                               \
    LOOP((p, escaped, *s->error), (BETWEEN(LOOP_ENTRY(p), p, s->end)),        \
         (s->end - p))

#define LOOP_json_object_inside_0                                             \
    LOOP((p, SCAN_ASSIGNS), (BETWEEN(LOOP_ENTRY(p), p, s->end) && SCAN(s)),   \
         (s->end - p))

#define LOOP_json_array_inside_0                                              \
    LOOP((p, SCAN_ASSIGNS), (BETWEEN(LOOP_ENTRY(p), p, s->end) && SCAN(s)),   \
         (s->end - p))


#include "clockodo_json.c"


#define IN_TEXT(s, p)  BETWEEN((s)->text, p, (s)->end)

/* the result is a place behind p, or at it */
#define STAYS  ENSURES(RESULT == NULL || NEAR(p, RESULT, s->end))

#define NAME_OR_VALUE(value)                                                  \
    WRITABLE(value, sizeof(clockodo_json_value_t))


static const unsigned char *
json_fail(json_scan_t *s, const unsigned char *p, clockodo_json_e error)
REQUIRES(IN_TEXT(s, p))
REQUIRES(error > CLOCKODO_JSON_OK && error < CLOCKODO_JSON_ERRORS)
ASSIGNS(*s->error)
ENSURES(RESULT == NULL)
ENSURES(s->error->code > CLOCKODO_JSON_OK
        && s->error->code < CLOCKODO_JSON_ERRORS)
ENSURES(s->error->offset <= s->end - s->text);


static inline int
json_peek(const json_scan_t *s, const unsigned char **p)
REQUIRES(IN_TEXT(s, *p))
ASSIGNS(*p)
ENSURES(NEAR(OLD(*p), *p, s->end))
ENSURES(*p == s->end ? RESULT == JSON_END : RESULT == **p);


static const unsigned char *
json_literal(json_scan_t *s, const unsigned char *p, const char *literal,
    size_t len, clockodo_json_value_t *value)
REQUIRES(IN_TEXT(s, p) && len <= 5 && READABLE(literal, len))
REQUIRES(NAME_OR_VALUE(value))
ASSIGNS(*value, *s->error)
STAYS;


static const unsigned char *
json_number(json_scan_t *s, const unsigned char *p,
    clockodo_json_value_t *value)
REQUIRES(IN_TEXT(s, p) && p != s->end && NAME_OR_VALUE(value))
ASSIGNS(*value, *s->error)
STAYS;


static const unsigned char *
json_digits(json_scan_t *s, const unsigned char *p)
REQUIRES(IN_TEXT(s, p))
ASSIGNS(*s->error)
STAYS;


static inline const unsigned char *
json_skip_plain(const unsigned char *p, const unsigned char *end)
REQUIRES(BETWEEN(p, p, end) && READABLE(p, end - p))
ASSIGNS()
ENSURES(NEAR(p, RESULT, end));


static inline const unsigned char *
json_string(json_scan_t *s, const unsigned char *p,
    clockodo_json_value_t *value)
REQUIRES(IN_TEXT(s, p) && NAME_OR_VALUE(value))
ASSIGNS(*value, *s->error)
STAYS
ENSURES(RESULT == NULL
        || (RESULT != p && RESULT[-1] == '"'
            && value->data == p && value->len == RESULT - 1 - p));


static const unsigned char *
json_string_rest(json_scan_t *s, const unsigned char *start,
    const unsigned char *p, clockodo_json_value_t *value)
REQUIRES(IN_TEXT(s, p) && BETWEEN(s->text, start, p) && NAME_OR_VALUE(value))
ASSIGNS(*value, *s->error)
STAYS
ENSURES(RESULT == NULL
        || (RESULT != p && RESULT[-1] == '"'
            && value->data == start && value->len == RESULT - 1 - start));


static const unsigned char *
json_escape(json_scan_t *s, const unsigned char *p)
REQUIRES(IN_TEXT(s, p) && p != s->end && *p == '\\')
ASSIGNS(*s->error)
STAYS
ENSURES(RESULT == NULL || RESULT != p);


/* a code, if its digits are there */

static int
json_hex(json_scan_t *s, const unsigned char *p)
REQUIRES(IN_TEXT(s, p))
ASSIGNS(*s->error)
ENSURES(RESULT >= -1 && RESULT <= 0xffff)
ENSURES(RESULT == -1 || s->end - p >= 4);


static const unsigned char *
json_utf8(json_scan_t *s, const unsigned char *p)
REQUIRES(IN_TEXT(s, p) && p != s->end)
ASSIGNS(*s->error)
STAYS
ENSURES(RESULT == NULL || RESULT != p);


/* a value, or a part of one, and all that is in it */

#define INSIDE                                                                \
    REQUIRES(IN_TEXT(s, p) && SCAN(s))                                        \
    ASSIGNS(SCAN_ASSIGNS)                                                     \
    FREES(s->members->list != s->members->first: s->members->list)            \
    ENSURES(SCAN(s))                                                          \
    ENSURES(s->depth == OLD(s->depth))                                        \
    STAYS


static const unsigned char *
json_value(json_scan_t *s, const unsigned char *p,
    clockodo_json_value_t *value)
REQUIRES(NAME_OR_VALUE(value))
ASSIGNS(*value)
INSIDE
ENSURES(RESULT == NULL || RESULT != p);


static const unsigned char *
json_object(json_scan_t *s, const unsigned char *p,
    clockodo_json_value_t *value)
REQUIRES(NAME_OR_VALUE(value) && p != s->end)
ASSIGNS(*value)
INSIDE
ENSURES(RESULT == NULL || RESULT != p);


static const unsigned char *
json_object_inside(json_scan_t *s, const unsigned char *p, uint32_t object)
INSIDE;


static const unsigned char *
json_member(json_scan_t *s, const unsigned char *p, uint32_t object)
INSIDE
ENSURES(RESULT == NULL || RESULT != p);


static const unsigned char *
json_array(json_scan_t *s, const unsigned char *p,
    clockodo_json_value_t *value)
REQUIRES(NAME_OR_VALUE(value) && p != s->end)
ASSIGNS(*value)
INSIDE
ENSURES(RESULT == NULL || RESULT != p);


static const unsigned char *
json_array_inside(json_scan_t *s, const unsigned char *p)
INSIDE;


static json_scan_t             s;
static clockodo_json_error_t   error;
static clockodo_json_value_t   value;

static clockodo_json_members_t  members;


/* a scan that has come to any place */

static const unsigned char *
any_place(void)
{
    size_t       len;
    json_scan_t  any;

    len = any_up_to(PROOF_TEXT);

    s = any;
    s.members = &members;

    s.text = any_text(len);
    s.end = s.text + len;
    s.error = &error;

    return s.text + any_up_to(len);
}


void
prove_json_fail(void)
{
    clockodo_json_e  any;

    (void) json_fail(&s, any_place(), any);
}


void
prove_json_peek(void)
{
    const unsigned char  *p;

    p = any_place();

    (void) json_peek(&s, &p);
}


void
prove_json_literal(void)
{
    size_t  len;

    len = any_up_to(5);

    (void) json_literal(&s, any_place(), (char *) any_text(len), len, &value);
}


void
prove_json_number(void)
{
    (void) json_number(&s, any_place(), &value);
}


void
prove_json_digits(void)
{
    (void) json_digits(&s, any_place());
}


void
prove_json_skip_plain(void)
{
    const unsigned char  *p;

    p = any_place();

    (void) json_skip_plain(p, s.end);
}


void
prove_json_string(void)
{
    (void) json_string(&s, any_place(), &value);
}


void
prove_json_string_rest(void)
{
    const unsigned char  *p;

    p = any_place();

    (void) json_string_rest(&s, s.text + any_up_to(p - s.text), p, &value);
}


void
prove_json_escape(void)
{
    (void) json_escape(&s, any_place());
}


void
prove_json_hex(void)
{
    (void) json_hex(&s, any_place());
}


void
prove_json_utf8(void)
{
    (void) json_utf8(&s, any_place());
}


/* in the list as it starts, or in one that has grown */

static const unsigned char *
any_value(void)
{
    clockodo_json_members_t  any;

    members = any;

    if (nondet_bool()) {
        members.list = members.first;
        members.slots = NULL;
        members.size = CLOCKODO_JSON_MEMBERS;

    } else {
        assume(members.size <= MEMBERS_MOST);

        members.list = malloc(MEMBERS_BYTES(members.size));
        assume(members.list != NULL);

        members.slots = (uint32_t *) &members.list[members.size];
    }

    return any_place();
}


void
prove_json_value(void)
{
    (void) json_value(&s, any_value(), &s.element);
}


void
prove_json_object(void)
{
    (void) json_object(&s, any_value(), &s.element);
}


void
prove_json_object_inside(void)
{
    (void) json_object_inside(&s, any_value(), s.objects);
}


void
prove_json_array(void)
{
    (void) json_array(&s, any_value(), &s.element);
}


void
prove_json_array_inside(void)
{
    (void) json_array_inside(&s, any_value());
}
