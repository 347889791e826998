
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_JSON_INTERNAL_H_INCLUDED_
#define _CLOCKODO_JSON_INTERNAL_H_INCLUDED_


/* what the files of the scan share, and nobody else needs */


#include "clockodo_json.h"


#pragma GCC visibility push(hidden)


#define CLOCKODO_JSON_ESCAPES  8


/* reads a string that has passed the scan, decoded, byte by byte */

typedef struct {
    const unsigned char  *p;               /* starts after the quote */
    unsigned char         rest[3];         /* of an escape, last byte first */
    unsigned              nrest;           /* starts as 0 */
} clockodo_json_string_t;


/* RFC 8259, section 7: the escapes of two characters, and what they mean */
extern const char  clockodo_json_escapes[CLOCKODO_JSON_ESCAPES][2];


/* s->p is at a backslash; returns the first byte of what it stands for */
int clockodo_json_string_escape(clockodo_json_string_t *s);


/* the next byte, in UTF-8; -1 at the closing quote */

static inline int
clockodo_json_string_next(clockodo_json_string_t *s)
{
    if (s->nrest) {
        return s->rest[--s->nrest];
    }

    if (*s->p == '"') {
        return -1;
    }

    if (*s->p == '\\') {
        return clockodo_json_string_escape(s);
    }

    return *s->p++;
}


/* key is that of clockodo_json_scan() */
void clockodo_json_members_init(clockodo_json_members_t *members,
    uint32_t key);

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


#pragma GCC visibility pop


#endif /* _CLOCKODO_JSON_INTERNAL_H_INCLUDED_ */
