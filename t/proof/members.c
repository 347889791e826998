
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * The list of members, and names in it: those that the scan let pass.  Here a
 * list starts with two members, grows to 8 and then to 32.
 */


#include "libc.h"


#include "clockodo_json_text.c"
#include "clockodo_json_members.c"
#include "clockodo_json.c"


/* lists that have grown, of known types */

typedef struct {
    clockodo_json_member_t  list[8];
    uint32_t                slots[16];
} list_8_t;

typedef struct {
    clockodo_json_member_t  list[32];
    uint32_t                slots[64];
} list_32_t;

#define members_memory(size)                                                  \
    (void *) ((size) == 8 ? malloc(sizeof(list_8_t))                          \
                          : malloc(sizeof(list_32_t)))

#include "members.h"


#define LIST_MAX   8
#define LIST_TEXT  8
#define NAME_MAX   7


static const unsigned char      *text;
static const unsigned char      *end;
static clockodo_json_members_t   members;


/* names of the list, and of the member that is being added */

static bool
names_in_order(void)
{
    size_t  i;

    for (i = 0; i <= members.n && i < members.size; i++) {
        if (!is_name(text, end, &members.list[i].name)) {
            return false;
        }
    }

    return true;
}


/* a slot is 0 or leads to a member; there is one that is 0 */

static bool
slots_in_order(void)
{
    size_t  i, n;

    if (members.slots == NULL) {
        return true;
    }

    n = 0;

    for (i = 0; i < 2 * members.size; i++) {

        if (members.slots[i] > members.n) {
            return false;
        }

        n += members.slots[i] != 0;
    }

    return n <= members.size;
}


static void
any_names(void)
{
    size_t  i;

    for (i = 0; i <= members.n && i < members.size; i++) {
        members.list[i].name.data = text + any_up_to(end - text);

        assume(is_name(text, end, &members.list[i].name));
    }

    assume(slots_in_order());
}


static void
any_list(size_t size)
{
    size_t  len;

    len = any_up_to(LIST_TEXT);

    text = any_text(len);
    end = text + len;

    any_members(&members, size);
    any_names();
}


/* json_hash(), of a name that the scan let pass */

uint32_t
stub_json_hash(uint32_t key, const clockodo_json_member_t *member)
{
    __CPROVER_assert(is_name(text, end, &member->name), "json_hash requires");

    return nondet_int();
}


int
stub_json_same(const clockodo_json_member_t *member,
    const clockodo_json_member_t *other)
{
    __CPROVER_assert(is_name(text, end, &member->name)
                     && is_name(text, end, &other->name),
                     "json_same requires");

    return nondet_int();
}


/* json_insert(), of one of the list */

#define insert_requires(m, member)                                            \
    ((m) == &members && members_in_order(m) && (m)->slots                     \
     && names_in_order() && slots_in_order()                                  \
     && BETWEEN((m)->list, member, &(m)->list[(m)->n])                        \
     && (member) != &(m)->list[(m)->n])

int
stub_json_insert(const clockodo_json_members_t *m,
    const clockodo_json_member_t *member)
{
    __CPROVER_assert(insert_requires(m, member), "json_insert requires");

    m->slots[any_up_to(2 * m->size - 1)] = member - m->list + 1;

    assume(slots_in_order());

    return nondet_bool();
}


void
prove_json_insert(void)
{
    size_t  i;

    any_list(LIST_MAX);

    i = any_up_to(LIST_MAX - 1);
    assume(i < members.n);

    (void) json_insert(&members, &members.list[i]);

    __CPROVER_assert(members_in_order(&members) && names_in_order(),
                     "json_insert ensures");
}


/* clockodo_json_members_grow(), from either size */

static void
grow(size_t size)
{
    int     rc;
    size_t  n;

    any_list(size);

    n = members.n;
    rc = clockodo_json_members_grow(&members);

    __CPROVER_assert(grow_ensures(&members, n, size, rc) && names_in_order(),
                     "clockodo_json_members_grow ensures");
}


void
prove_clockodo_json_members_grow(void)
{
    grow(CLOCKODO_JSON_MEMBERS);
}


void
prove_clockodo_json_members_grow_again(void)
{
    grow(LIST_MAX);
}


/* adding, hashed or not */

int
stub_clockodo_json_members_grow_named(clockodo_json_members_t *m)
{
    int  rc;

    __CPROVER_assert(names_in_order() && slots_in_order(),
                     "clockodo_json_members_grow requires names");

    rc = stub_clockodo_json_members_grow(m);

    any_names();

    return rc;
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

    change_members(m, nondet_bool() ? size : 4 * size);

    assume(add_ensures(m, n, size, rc));

    return rc;
}


static size_t
any_size(void)
{
    return nondet_bool() ? CLOCKODO_JSON_MEMBERS : LIST_MAX;
}


void
prove_clockodo_json_members_add(void)
{
    int     rc;
    size_t  n, size;

    size = any_size();

    any_list(size);
    assume(add_requires(&members, text, end));

    n = members.n;
    rc = clockodo_json_members_add(&members, nondet_int());

    __CPROVER_assert(add_ensures(&members, n, size, rc),
                     "clockodo_json_members_add ensures");
}


void
prove_clockodo_json_members_add_hashed(void)
{
    int     rc;
    size_t  n, size;

    size = any_size();

    any_list(size);
    assume(add_requires(&members, text, end));

    n = members.n;
    rc = clockodo_json_members_add_hashed(&members);

    __CPROVER_assert(add_ensures(&members, n, size, rc) && slots_in_order(),
                     "clockodo_json_members_add_hashed ensures");
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


/* names that the scan let pass, by itself */

static bool
any_name(clockodo_json_value_t *name)
{
    size_t                  len;
    json_scan_t             s;
    clockodo_json_error_t   error;

    len = any_up_to(NAME_MAX);

    s.text = any_text(len);
    s.end = s.text + len;
    s.error = &error;

    return json_string(&s, s.text, name) != NULL;
}


void
prove_json_hash(void)
{
    clockodo_json_member_t  member;

    if (any_name(&member.name)) {
        (void) json_hash(nondet_int(), &member);
    }
}


void
prove_json_same(void)
{
    clockodo_json_member_t  member, other;

    if (any_name(&member.name) && any_name(&other.name)) {
        (void) json_same(&member, &other);
    }
}
