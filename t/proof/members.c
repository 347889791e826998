
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * The list of members, and where names in it are.  Here a list starts with two
 * members, grows to 8 and then to 32.
 */


#include "libc.h"


#include "clockodo_json_text.c"
#include "clockodo_json_members.c"
#include "clockodo_json.c"


/*
 * A list that has grown once.  It and its slots are objects of their own here,
 * so that one beyond the end of either is found, and of known types, which
 * makes proofs cheaper.  That clockodo_json_members_grow() takes memory for
 * both is shown of lists as they are.
 */

#define LIST_FIRST  CLOCKODO_JSON_MEMBERS
#define LIST_GROWN  8
#define LIST_TEXT   8

static clockodo_json_member_t  list[LIST_GROWN];
static uint32_t                slots[2 * LIST_GROWN];

typedef struct {
    clockodo_json_member_t  list[8];
    uint32_t                slots[16];
} list_8_t;

typedef struct {
    clockodo_json_member_t  list[32];
    uint32_t                slots[64];
} list_32_t;


#define members_grown(m)                                                      \
    ((m)->size == LIST_GROWN && (m)->list == list && (m)->slots == slots)

#include "members.h"


static const unsigned char      *text;
static const unsigned char      *end;
static clockodo_json_members_t   members;

/* how many slots are taken */
static size_t                    taken;


/* whether the first n have names */

static bool
are_names(size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (!is_name(text, end, &members.list[i].name)) {
            return false;
        }
    }

    return true;
}


/* those of the list, and of the member that is being added */

#define names_in_order()                                                      \
    are_names(members.n < members.size ? members.n + 1 : members.n)


/* counts them; each leads to a member */

static size_t
slots_taken(void)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < 2 * LIST_GROWN; i++) {

        if (slots[i] > members.n) {
            return SIZE_MAX;
        }

        n += slots[i] != 0;
    }

    return n;
}


static void
any_names(void)
{
    size_t  i;

    for (i = 0; i <= members.n && i < members.size; i++) {
        clockodo_json_member_t  any;

        members.list[i] = any;
        members.list[i].name.data = text + any_up_to(end - text);
        members.list[i].name.len = any_up_to(LIST_TEXT);

        assume(is_name(text, end, &members.list[i].name));
    }
}


static void
any_text_of_names(void)
{
    size_t  len;

    len = any_up_to(LIST_TEXT);

    text = any_text(len);
    end = text + len;
}


/* grown or not */

static void
any_list(size_t size)
{
    clockodo_json_members_t  any;

    members = any;
    members.size = size;
    members.n = any_up_to(size);

    if (size == LIST_FIRST) {
        members.list = members.first;
        members.slots = NULL;

    } else {
        members.list = list;
        members.slots = slots;
    }
}


/* one of the list, and so a name */

#define is_member(member)                                                     \
    (BETWEEN(members.list, member, &members.list[members.n])                  \
     && (member) != &members.list[members.n])


int
stub_json_same(const clockodo_json_member_t *member,
    const clockodo_json_member_t *other)
{
    __CPROVER_assert(is_member(member) && is_member(other),
                     "json_same requires");

    return nondet_int();
}


void
prove_json_insert(void)
{
    int     rc;
    size_t  i;

    any_list(LIST_GROWN);

    for (i = 0; i < LIST_GROWN; i++) {
        list[i].hash = nondet_int();
    }

    for (i = 0; i < 2 * LIST_GROWN; i++) {
        slots[i] = any_up_to(LIST_GROWN);
    }

    taken = slots_taken();
    assume(taken < members.n);

    i = any_up_to(members.n - 1);

    rc = json_insert(&members, &members.list[i]);

    __CPROVER_assert((rc == 0 || rc == 1) && slots_taken() == taken + 1 - rc,
                     "json_insert ensures");
}


/*
 * json_insert(), for what calls it: there are fewer slots taken than members
 * that are counted, and then there is one more, or none.
 */

int
stub_json_insert(const clockodo_json_members_t *m,
    const clockodo_json_member_t *member)
{
    __CPROVER_assert(m == &members && members.slots && taken < members.n
                     && is_member(member), "json_insert requires");

    if (nondet_bool()) {
        return 1;
    }

    taken++;

    return 0;
}


/* json_hash(), of a name that the scan let pass */

uint32_t
stub_json_hash(uint32_t key, const clockodo_json_member_t *member)
{
    __CPROVER_assert(is_name(text, end, &member->name), "json_hash requires");

    return nondet_int();
}


/*
 * clockodo_json_members_grow(), of lists as they are.  Names go along, and are
 * what they were; where they are does not matter.
 */

static clockodo_json_value_t  kept[LIST_GROWN];


static void
keep_names(size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        kept[i] = members.list[i].name;
    }
}


static bool
same_names(size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        if (members.list[i].name.data != kept[i].data
            || members.list[i].name.len != kept[i].len
            || members.list[i].name.escaped != kept[i].escaped)
        {
            return false;
        }
    }

    return true;
}


uint32_t
stub_json_hash_kept(uint32_t key, const clockodo_json_member_t *member)
{
    size_t  i;
    bool    found;

    found = false;

    for (i = 0; i < members.n; i++) {
        found = found || (member->name.data == kept[i].data
                          && member->name.len == kept[i].len
                          && member->name.escaped == kept[i].escaped);
    }

    __CPROVER_assert(found, "json_hash requires");

    return nondet_int();
}


void *
stub_calloc(size_t n, size_t size)
{
    void  *memory;

    __CPROVER_assert(n * size == sizeof(list_8_t)
                     || n * size == sizeof(list_32_t), "calloc requires");

    memory = n * size == sizeof(list_8_t) ? malloc(sizeof(list_8_t))
                                          : malloc(sizeof(list_32_t));
    taken = 0;

    return nondet_bool() ? memory : NULL;
}


void *
stub_memcpy(void *to, const void *from, size_t n)
{
    size_t                         i;
    clockodo_json_member_t        *t;
    const clockodo_json_member_t  *f;

    __CPROVER_assert(WRITABLE(to, n) && READABLE(from, n)
                     && n % sizeof(clockodo_json_member_t) == 0,
                     "memcpy requires");

    t = to;
    f = from;

    for (i = 0; i < n / sizeof(clockodo_json_member_t); i++) {
        t[i] = f[i];
    }

    return to;
}


static void
grow(size_t size)
{
    int     rc;
    size_t  n, names;

    members.n = n = any_up_to(size);
    names = n < size ? n + 1 : n;

    keep_names(names);

    rc = clockodo_json_members_grow(&members);

    __CPROVER_assert(grow_ensures(&members, n, size, rc) && same_names(names),
                     "clockodo_json_members_grow ensures");
}


void
prove_clockodo_json_members_grow(void)
{
    clockodo_json_members_t  any;

    members = any;
    members.size = LIST_FIRST;
    members.list = members.first;
    members.slots = NULL;

    grow(LIST_FIRST);
}


void
prove_clockodo_json_members_grow_again(void)
{
    members.size = LIST_GROWN;
    members.list = malloc(sizeof(list_8_t));
    assume(members.list != NULL);

    members.slots = (uint32_t *) &members.list[LIST_GROWN];

    grow(LIST_GROWN);
}


/* adding, hashed or not */

int
stub_clockodo_json_members_grow(clockodo_json_members_t *m)
{
    size_t  n;

    __CPROVER_assert(m == &members && members_in_order(m) && names_in_order()
                     && m->size == LIST_FIRST,
                     "clockodo_json_members_grow requires");

    if (nondet_bool()) {
        return -1;
    }

    n = members.n;

    any_list(LIST_GROWN);

    members.n = n;
    taken = any_up_to(n);

    any_names();

    return 0;
}


int
stub_clockodo_json_members_add_hashed(clockodo_json_members_t *m)
{
    int     rc;
    size_t  n, size;

    __CPROVER_assert(m == &members && add_requires(m, text, end),
                     "clockodo_json_members_add_hashed requires");

    n = m->n;
    size = m->size;
    rc = nondet_int();

    any_list(nondet_bool() ? size : LIST_GROWN);

    assume(add_ensures(m, n, size, rc));

    return rc;
}


static void
any_list_to_add_to(size_t size)
{
    any_text_of_names();
    any_list(size);
    any_names();

    taken = any_up_to(members.n);

    assume(add_requires(&members, text, end));
}


static void
add(size_t size)
{
    int     rc;
    size_t  n;

    any_list_to_add_to(size);

    n = members.n;
    rc = clockodo_json_members_add(&members, nondet_int());

    __CPROVER_assert(add_ensures(&members, n, size, rc),
                     "clockodo_json_members_add ensures");
}


void
prove_clockodo_json_members_add(void)
{
    add(LIST_FIRST);
}


void
prove_clockodo_json_members_add_grown(void)
{
    add(LIST_GROWN);
}


static void
add_hashed(size_t size)
{
    int     rc;
    size_t  n;

    any_list_to_add_to(size);

    n = members.n;
    rc = clockodo_json_members_add_hashed(&members);

    __CPROVER_assert(add_ensures(&members, n, size, rc)
                     && (members.slots == NULL || taken <= members.n),
                     "clockodo_json_members_add_hashed ensures");
}


void
prove_clockodo_json_members_add_hashed(void)
{
    add_hashed(LIST_GROWN);
}


void
prove_clockodo_json_members_add_hashed_first(void)
{
    add_hashed(LIST_FIRST);
}


void
prove_clockodo_json_members_init(void)
{
    clockodo_json_members_t  *m;

    m = malloc(sizeof(clockodo_json_members_t));
    assume(m != NULL);

    clockodo_json_members_init(m, nondet_int());

    __CPROVER_assert(members_in_order(m), "the first list is in order");

    clockodo_json_members_free(m);
}
