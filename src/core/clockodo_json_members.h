
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_JSON_MEMBERS_H_INCLUDED_
#define _CLOCKODO_JSON_MEMBERS_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>


#pragma GCC visibility push(hidden)


/* this many need no memory, unless a name has escapes */
#define CLOCKODO_JSON_MEMBERS  32

/* the number of the outermost object */
#define CLOCKODO_JSON_ROOT     1


typedef enum {
    CLOCKODO_JSON_LITERAL_TYPE = 0,        /* true, false, null */
    CLOCKODO_JSON_NUMBER_TYPE,
    CLOCKODO_JSON_STRING_TYPE,
    CLOCKODO_JSON_ARRAY_TYPE,
    CLOCKODO_JSON_OBJECT_TYPE
} clockodo_json_type_e;


/*
 * The text of a name or a value, as it was sent: strings without quotes,
 * nothing of arrays and objects
 */

typedef struct {
    const unsigned char      *data;
    size_t                    len;
    clockodo_json_type_e      type;
    uint32_t                  object;      /* its number, if it is one */
    unsigned                  escaped;     /* a string with escapes */
} clockodo_json_value_t;


typedef struct {
    clockodo_json_value_t     name;
    clockodo_json_value_t     value;
    uint32_t                  object;      /* that it is a member of */
    uint32_t                  hash;        /* set if there are slots */
} clockodo_json_member_t;


/* those of all objects of a text, in the order in which they start */

typedef struct {
    size_t                    n;
    size_t                    size;        /* there is room for */
    uint32_t                  key;
    uint32_t                 *slots;       /* NULL: not hashed yet */
    clockodo_json_member_t   *list;
    clockodo_json_member_t    first[CLOCKODO_JSON_MEMBERS];
} clockodo_json_members_t;


/* key is that of clockodo_json_scan() */
void clockodo_json_members_init(clockodo_json_members_t *members,
    uint32_t key);

void clockodo_json_members_free(clockodo_json_members_t *members);

/*
 * Whether the decoded name is what is expected, of [a-z0-9_], after Unicode's
 * simple case folding, as encoding/json of Go compares names.
 */
int clockodo_json_name_folds_to(const clockodo_json_value_t *name,
    const char *expected, size_t len);

/* that of a name with escapes */
int clockodo_json_name_decodes_to(const clockodo_json_value_t *name,
    const char *expected, size_t len);


/* the parts of the next two that take memory and hash names; 0 or -1, or 1 */
int clockodo_json_members_grow(clockodo_json_members_t *members)
    __attribute__((warn_unused_result));
int clockodo_json_members_add_hashed(clockodo_json_members_t *members)
    __attribute__((warn_unused_result));


/*
 * Where a name is to be written, behind the members that there are: once more
 * for a name that is not added then.  NULL without memory.
 */

static inline clockodo_json_member_t *
clockodo_json_members_next(clockodo_json_members_t *members)
{
    if (members->n == members->size
        && clockodo_json_members_grow(members) != 0)
    {
        return NULL;
    }

    return &members->list[members->n];
}


/*
 * Adds what clockodo_json_members_next() returned, its name set, to the
 * members of an object.  Returns 0; 1 if that has one of this (decoded) name;
 * or -1 without memory.  The list may move.
 *
 * A few names without escapes are compared faster than hashed.
 */

static inline int
clockodo_json_members_add(clockodo_json_members_t *members, uint32_t object)
{
    clockodo_json_member_t  *member, *other;

    member = &members->list[members->n];

    member->object = object;

    if (members->slots || member->name.escaped) {
        return clockodo_json_members_add_hashed(members);
    }

    for (other = members->list; other < member; other++) {
        if (other->name.len == member->name.len
            && other->object == object
            && memcmp(other->name.data, member->name.data, member->name.len)
               == 0)
        {
            return 1;
        }
    }

    members->n++;

    return 0;
}


/* whether this is the decoded name */

static inline int
clockodo_json_name_is(const clockodo_json_value_t *name, const char *expected,
    size_t len)
{
    if (name->escaped) {
        return clockodo_json_name_decodes_to(name, expected, len);
    }

    return name->len == len && memcmp(name->data, expected, len) == 0;
}


#pragma GCC visibility pop


#endif /* _CLOCKODO_JSON_MEMBERS_H_INCLUDED_ */
