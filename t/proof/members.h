
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _PROOF_MEMBERS_H_INCLUDED_
#define _PROOF_MEMBERS_H_INCLUDED_


/*
 * The list of members: what the scan relies upon, and members.c proves.  The
 * list that a stub leaves is another one, and the old one is freed.
 */


/* a list can't get longer: a member takes six bytes of a text */
#define MEMBERS_MOST  131072

#define MEMBERS_BYTES(size)                                                   \
    ((size) * (sizeof(clockodo_json_member_t) + 2 * sizeof(uint32_t)))


/* whether a list that has grown is as it should, in memory of its own with
   slots behind it */

#define members_memory_in_order(m)                                            \
    ((m)->size > CLOCKODO_JSON_MEMBERS                                        \
     && ((m)->size & ((m)->size - 1)) == 0                                    \
     && WRITABLE((m)->list, MEMBERS_BYTES((m)->size))                         \
     && (m)->slots == (uint32_t *) &(m)->list[(m)->size])

#ifndef members_grown
#define members_grown(m)  members_memory_in_order(m)
#endif


/* in the struct itself, or grown */

static bool
members_in_order(const clockodo_json_members_t *m)
{
    if (m->n > m->size) {
        return false;
    }

    if (m->list == m->first) {
        return m->slots == NULL && m->size == CLOCKODO_JSON_MEMBERS;
    }

    return members_grown(m);
}


/* any that is in order */

static void
any_members(clockodo_json_members_t *m, size_t size)
{
    clockodo_json_members_t  any;

    *m = any;

    m->size = size;

    if (size == CLOCKODO_JSON_MEMBERS) {
        m->list = m->first;
        m->slots = NULL;

    } else {
        m->list = malloc(MEMBERS_BYTES(size));
        assume(m->list != NULL);

        m->slots = (uint32_t *) &m->list[size];
    }

    assume(members_in_order(m));
}


/* one of those that a list has */

static size_t
any_members_size(void)
{
    size_t  size;

    size = any_up_to(MEMBERS_MOST);

    assume(size >= CLOCKODO_JSON_MEMBERS && (size & (size - 1)) == 0);

    return size;
}


static void
change_members(clockodo_json_members_t *m, size_t size)
{
    if (m->list != m->first) {
        free(m->list);
    }

    any_members(m, size);
}


/* a name stands in the text, its quotes around it */

static bool
is_name(const unsigned char *text, const unsigned char *end,
    const clockodo_json_value_t *name)
{
    return BETWEEN(text, name->data, end)
           && name->len < end - name->data
           && name->data[name->len] == '"';
}


#define grow_ensures(m, old_n, old_size, rc)                                  \
    ((m)->n == (old_n)                                                        \
     && ((rc) == 0                                                            \
         ? (m)->size == 4 * (old_size) && members_memory_in_order(m)          \
         : (rc) == -1 && (m)->size == (old_size)))


/* a list that has slots stays where it is until it grows */

#define add_requires(m, text, end)                                            \
    (members_in_order(m) && (m)->n < (m)->size                                \
     && is_name(text, end, &(m)->list[(m)->n].name))

#define add_ensures(m, old_n, old_size, rc)                                   \
    (members_in_order(m) && (rc) >= -1 && (rc) <= 1                           \
     && ((m)->size == (old_size) || (m)->size == 4 * (old_size))              \
     && ((m)->n == (old_n) || (m)->n == (old_n) + 1)                          \
     && ((rc) != 0 || (m)->n == (old_n) + 1))


#endif /* _PROOF_MEMBERS_H_INCLUDED_ */
