
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * Names that the scan let pass, hashed and compared, of any length: what reads
 * them byte by byte goes on, or is at the end, as json_text.c proves.
 */


#include "libc.h"
#include "core.h"
#include "any.h"


/*
 * What holds before a round of these loops holds before the next one, so one
 * round from any such state shows all.
 */

#define ROUND_json_hash_escaped_0  if (a_round(&string, NULL, NULL, 0))
#define ROUND_json_same_decoded_0  if (a_round(&a, &b, NULL, 0))

#define ROUND_clockodo_json_name_decodes_to_0                                 \
    if (a_round(&string, NULL, &i, len))
#define ROUND_clockodo_json_name_folds_to_0                                   \
    if (a_round(&string, NULL, &i, len))

#define a_round(s, other, i, n)  any_round((void *) s, (void *) other, i, n)

static bool any_round(void *s, void *other, size_t *i, size_t n);


#include "clockodo_json_text.c"
#include "clockodo_json_members.c"


/* a name, and where what reads it has come to */

typedef struct {
    clockodo_json_value_t  name;
    const unsigned char   *place;
} name_t;


static name_t    first;
static name_t    second;
static unsigned  rounds;


/* any string between quotes */

static clockodo_json_value_t *
any_name(name_t *n)
{
    size_t                  len;
    clockodo_json_value_t   any;

    len = any_up_to(PROOF_TEXT);

    n->name = any;
    n->name.type = CLOCKODO_JSON_STRING_TYPE;
    n->name.data = any_text(len + 2) + 1;
    n->name.len = len;

    assume(NAME(&n->name));

    n->place = n->name.data;

    return &n->name;
}


static name_t *
name_of(const clockodo_json_string_t *s)
{
    return __CPROVER_same_object(s->p, first.place) ? &first : &second;
}


/* nothing but the reader itself has moved it */

#define reads(s)                                                              \
    ((s)->p == name_of(s)->place && (s)->nrest <= sizeof((s)->rest))


static void
move(clockodo_json_string_t *s, size_t least)
{
    name_t  *n;

    n = name_of(s);

    s->p += least + any_up_to(n->name.data + n->name.len - s->p - least);
    s->nrest = any_up_to(sizeof(s->rest));

    n->place = s->p;
}


/* clockodo_json_string_next(), as prove_clockodo_json_string_next() shows it */

int
stub_clockodo_json_string_next(clockodo_json_string_t *s)
{
    __CPROVER_assert(reads(s), "clockodo_json_string_next requires");

    if (s->nrest) {
        s->nrest--;

    } else if (s->p == name_of(s)->name.data + name_of(s)->name.len) {
        return -1;

    } else {
        move(s, 1);
    }

    return any_byte();
}


/* json_hash_sent(), as its contract in hash.c says */

uint32_t
stub_json_hash_sent(uint32_t key, uint64_t hash,
    const clockodo_json_value_t *name)
{
    __CPROVER_assert(READABLE(name->data, name->len),
                     "json_hash_sent requires");

    return nondet_int();
}


static bool
any_round(void *string, void *other, size_t *i, size_t n)
{
    size_t                   left;
    static size_t            before;
    clockodo_json_string_t  *s, *o;

    s = string;
    o = other;

    __CPROVER_assert(reads(s) && (o == NULL || reads(o))
                     && (i == NULL || *i < n), "this holds before a round");

    left = i ? n - *i
             : 4 * (first.name.data + first.name.len - first.place) + s->nrest;

    __CPROVER_assert(rounds == 0 || left < before, "it comes to an end");

    assume(rounds++ == 0);

    move(s, 0);

    if (o) {
        move(o, 0);
    }

    if (i) {
        *i = any_up_to(n - 1);
    }

    before = i ? n - *i
               : 4 * (first.name.data + first.name.len - first.place)
                 + s->nrest;

    return true;
}


void
prove_json_hash(void)
{
    clockodo_json_member_t  member;

    member.name = *any_name(&first);

    (void) json_hash(nondet_int(), &member);
}


void
prove_json_same(void)
{
    clockodo_json_member_t  member, other;

    member.name = *any_name(&first);
    other.name = *any_name(&second);

    (void) json_same(&member, &other);
}


/* what is expected can be empty, and nothing then */

static void
name_is(int (*is)(const clockodo_json_value_t *name, const char *expected,
    size_t len))
{
    int     rc;
    size_t  len;

    len = any_up_to(PROOF_TEXT);

    rc = is(any_name(&first), (char *) any_text_or_null(len), len);

    __CPROVER_assert(rc == 0 || rc == 1, "yes or no");
}


void
prove_clockodo_json_name_folds_to(void)
{
    name_is(clockodo_json_name_folds_to);
}


void
prove_clockodo_json_name_decodes_to(void)
{
    name_is(clockodo_json_name_decodes_to);
}
