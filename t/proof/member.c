
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * One member: a name, a colon and a value.  The list has room for two, and may
 * grow to 8 for this one; that is an object of its own here.
 */


#include "libc.h"


#include "clockodo_json_text.c"
#include "clockodo_json_members.c"
#include "clockodo_json.c"

#include "json.h"


static clockodo_json_member_t  list[8];
static uint32_t                slots[16];


#define members_grown(m)                                                      \
    ((m)->size == 8 && (m)->list == list && (m)->slots == slots)

#include "members.h"


static json_scan_t              s;
static clockodo_json_error_t    error;
static clockodo_json_members_t  members;

/* where a value is to go */
static clockodo_json_value_t   *place;


static void
grow(clockodo_json_members_t *m)
{
    m->size = 8;
    m->list = list;
    m->slots = slots;
}


static const unsigned char *
any_failure(json_scan_t *scan)
{
    clockodo_json_error_t  any;

    *scan->error = any;

    assume(FAILED(scan));

    return NULL;
}


/* contracts of json.h, for a proof without them */

int
stub_json_peek(const json_scan_t *scan, const unsigned char **p)
{
    int  c;

    __CPROVER_assert(IN_TEXT(scan, *p), "json_peek requires");

    *p = any_place_from(scan, *p);

    c = nondet_int();
    assume(PEEKED(scan, *p, c));

    return c;
}


const unsigned char *
stub_json_string(json_scan_t *scan, const unsigned char *p,
    clockodo_json_value_t *value)
{
    const unsigned char    *last;
    clockodo_json_value_t   any;

    __CPROVER_assert(IN_TEXT(scan, p) && NAME_OR_VALUE(value),
                     "json_string requires");

    if (nondet_bool()) {
        *value = any;
        return any_failure(scan);
    }

    last = any_place_from(scan, p);
    assume(last != p);

    any.data = p;
    any.len = last - 1 - p;
    *value = any;

    assume(STRING_UP_TO(value, p, last));

    return last;
}


int
stub_clockodo_json_members_grow(clockodo_json_members_t *m)
{
    __CPROVER_assert(m == &members && members_in_order(m) && m->n == m->size,
                     "clockodo_json_members_grow requires");

    if (nondet_bool()) {
        return -1;
    }

    grow(m);

    return 0;
}


int
stub_clockodo_json_members_add(clockodo_json_members_t *m, uint32_t object)
{
    int     rc;
    size_t  n, size;

    __CPROVER_assert(m == &members && add_requires(m, s.text, s.end),
                     "clockodo_json_members_add requires");

    n = m->n;
    size = m->size;
    rc = nondet_int();

    if (size == 2 && nondet_bool()) {
        grow(m);
    }

    m->n += nondet_bool();

    assume(add_ensures(m, n, size, rc));

    if (rc == 0) {
        place = &m->list[m->n - 1].value;
    }

    return rc;
}


const unsigned char *
stub_json_value(json_scan_t *scan, const unsigned char *p,
    clockodo_json_value_t *value)
{
    clockodo_json_value_t  any;

    __CPROVER_assert(value == place && WRITABLE(value, sizeof(any))
                     && IN_TEXT(scan, p) && members_in_order(&members),
                     "json_value requires");

    *value = any;

    if (nondet_bool()) {
        return any_failure(scan);
    }

    return any_place_from(scan, p);
}


void
prove_json_member(void)
{
    unsigned              depth;
    const unsigned char  *p, *last;

    any_scan(&s, &error, PROOF_TEXT);
    s.members = &members;

    depth = s.depth;

    members.n = any_up_to(CLOCKODO_JSON_MEMBERS);
    members.size = CLOCKODO_JSON_MEMBERS;
    members.list = members.first;
    members.slots = NULL;

    p = any_place_from(&s, s.text);
    last = json_member(&s, p, s.objects);

    __CPROVER_assert(members_in_order(&members) && s.depth == depth
                     && (last == NULL ? FAILED(&s)
                                      : BETWEEN(p, last, s.end) && last != p),
                     "json_member ensures");
}
