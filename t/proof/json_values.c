
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * The scan, for texts of 0 to 65536 bytes: values, what is inside them, and the
 * whole.  Each function is called from any place and with any list of members,
 * and has stubs for the others; they leave any place behind it, and another
 * list.  What a stub may do is what is asserted of the function.
 */


#include "libc.h"


/*
 * A loop that goes on for as long as there are values: what holds before a
 * round holds before the next one, so one round from any such state shows all.
 */

#define ROUND_json_object_inside_0  if (a_round(s, &p))
#define ROUND_json_array_inside_0   if (a_round(s, &p))

#define a_round(s, p)  any_round((void *) s, p)

static bool any_round(void *scan, const unsigned char **p);


#include "clockodo_json_text.c"
#include "clockodo_json_members.c"
#include "clockodo_json.c"

#include "json.h"
#include "members.h"


static json_scan_t              s;
static clockodo_json_error_t    error;
static clockodo_json_value_t    value;
static clockodo_json_members_t  members;

static unsigned                 depth;
static unsigned                 rounds;


#define is_value(v)  WRITABLE(v, sizeof(clockodo_json_value_t))

/* for what is called at p, and has come to last */

#define requires(scan, p)                                                     \
    (IN_TEXT(scan, p) && (scan)->error == &error                              \
     && (scan)->members == &members && members_in_order(&members)             \
     && (scan)->depth <= CLOCKODO_JSON_DEPTH)

#define ensures(scan, p, old_depth, last)                                     \
    (requires(scan, p) && (scan)->depth == (old_depth)                        \
     && ((last) == NULL ? error.code > CLOCKODO_JSON_OK                       \
                          && error.code < CLOCKODO_JSON_ERRORS                \
                        : BETWEEN(p, last, (scan)->end) && (last) != (p)))


/* what is left of a scan when values were read */

static void
change(json_scan_t *scan)
{
    json_scan_t            any;
    clockodo_json_error_t  any_error;

    scan->name = any.name;
    scan->element = any.element;
    scan->objects = any.objects;

    error = any_error;

    change_members(&members, any_members_size());
}


/* a scan that has come to any place */

static const unsigned char *
any_place(void)
{
    any_scan(&s, &error, PROOF_TEXT);
    s.members = &members;

    any_members(&members, any_members_size());

    assume(s.depth <= CLOCKODO_JSON_DEPTH);

    /* with contracts, CBMC lets static variables start as anything */

    depth = s.depth;
    rounds = 0;

    return any_place_from(&s, s.text);
}


static bool
any_round(void *scan, const unsigned char **p)
{
    static const unsigned char  *start;

    __CPROVER_assert(requires((json_scan_t *) scan, *p) && s.depth == depth,
                     "this holds before a round");
    __CPROVER_assert(rounds == 0 || (BETWEEN(start, *p, s.end) && *p != start),
                     "a round reads something");

    assume(rounds++ == 0);

    change(&s);

    *p = any_place_from(&s, *p);
    start = *p;

    return true;
}


static const unsigned char *
inside(json_scan_t *scan, const unsigned char *p)
{
    unsigned              old;
    const unsigned char  *last;

    __CPROVER_assert(requires(scan, p), "a part of the scan requires");

    old = scan->depth;

    change(scan);

    last = nondet_bool() ? NULL : any_place_from(scan, p);

    assume(ensures(scan, p, old, last));

    return last;
}


const unsigned char *
stub_json_value(json_scan_t *scan, const unsigned char *p,
    clockodo_json_value_t *v)
{
    clockodo_json_value_t  any;

    __CPROVER_assert(is_value(v), "json_value requires");

    *v = any;

    return inside(scan, p);
}


const unsigned char *
stub_json_object(json_scan_t *scan, const unsigned char *p,
    clockodo_json_value_t *v)
{
    clockodo_json_value_t  any;

    __CPROVER_assert(is_value(v) && p != scan->end, "json_object requires");

    *v = any;

    return inside(scan, p);
}


const unsigned char *
stub_json_array(json_scan_t *scan, const unsigned char *p,
    clockodo_json_value_t *v)
{
    clockodo_json_value_t  any;

    __CPROVER_assert(is_value(v) && p != scan->end, "json_array requires");

    *v = any;

    return inside(scan, p);
}


const unsigned char *
stub_json_object_inside(json_scan_t *scan, const unsigned char *p,
    uint32_t object)
{
    return inside(scan, p);
}


const unsigned char *
stub_json_array_inside(json_scan_t *scan, const unsigned char *p)
{
    return inside(scan, p);
}


const unsigned char *
stub_json_member(json_scan_t *scan, const unsigned char *p, uint32_t object)
{
    return inside(scan, p);
}


int
stub_clockodo_json_members_grow(clockodo_json_members_t *m)
{
    int     rc;
    size_t  n, size;

    __CPROVER_assert(members_in_order(m),
                     "clockodo_json_members_grow requires");

    n = m->n;
    size = m->size;
    rc = nondet_bool() ? 0 : -1;

    if (rc == 0) {
        change_members(m, 4 * size);
        m->n = n;
    }

    assume(grow_ensures(m, n, size, rc));

    return rc;
}


int
stub_clockodo_json_members_add(clockodo_json_members_t *m, uint32_t object)
{
    int     rc;
    size_t  n, size;

    __CPROVER_assert(add_requires(m, s.text, s.end),
                     "clockodo_json_members_add requires");

    n = m->n;
    size = m->size;
    rc = nondet_int();

    change_members(m, nondet_bool() ? size : 4 * size);

    assume(add_ensures(m, n, size, rc));

    return rc;
}


void
prove_json_value(void)
{
    const unsigned char  *p, *last;

    p = any_place();
    last = json_value(&s, p, &value);

    __CPROVER_assert(ensures(&s, p, depth, last), "json_value ensures");
}


/* where a value is, in the list or for itself */

static clockodo_json_value_t *
any_value(void)
{
    return nondet_bool() || members.n == 0
           ? &s.element : &members.list[members.n - 1].value;
}


void
prove_json_object(void)
{
    const unsigned char  *p, *last;

    p = any_place();
    assume(p != s.end);

    last = json_object(&s, p, any_value());

    __CPROVER_assert(ensures(&s, p, depth, last), "json_object ensures");
}


void
prove_json_array(void)
{
    const unsigned char  *p, *last;

    p = any_place();
    assume(p != s.end);

    last = json_array(&s, p, any_value());

    __CPROVER_assert(ensures(&s, p, depth, last), "json_array ensures");
}


void
prove_json_object_inside(void)
{
    const unsigned char  *p, *last;

    p = any_place();
    last = json_object_inside(&s, p, s.objects);

    __CPROVER_assert(ensures(&s, p, depth, last),
                     "json_object_inside ensures");
}


void
prove_json_array_inside(void)
{
    const unsigned char  *p, *last;

    p = any_place();
    last = json_array_inside(&s, p);

    __CPROVER_assert(ensures(&s, p, depth, last),
                     "json_array_inside ensures");
}


void
prove_json_member(void)
{
    const unsigned char  *p, *last;

    p = any_place();
    last = json_member(&s, p, s.objects);

    __CPROVER_assert(ensures(&s, p, depth, last), "json_member ensures");
}


/* the whole, also of no text at all */

void
prove_clockodo_json_scan(void)
{
    size_t                len;
    uint32_t              key;
    clockodo_json_e       rc;
    const unsigned char  *text;

    len = any_up_to(PROOF_TEXT);
    text = len == 0 && nondet_bool() ? NULL : any_text(len);

    rc = clockodo_json_scan(text, len, key, &error, &members);

    __CPROVER_assert(rc == error.code, "the result is the code of the error");

    if (rc == CLOCKODO_JSON_OK) {
        clockodo_json_members_free(&members);
    }
}
