
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include <stdlib.h>
#include <string.h>

#include "clockodo_json_internal.h"


/* 2^31 - 1 is prime: names are hashed as polynomials over that field */
#define JSON_PRIME  0x7fffffff


static int json_insert(const clockodo_json_members_t *members,
    const clockodo_json_member_t *member);
static uint32_t json_hash(uint32_t key, const clockodo_json_member_t *member);
static uint32_t json_hash_sent(uint32_t key, uint64_t hash,
    const clockodo_json_value_t *name);
static uint32_t json_hash_escaped(uint32_t key, uint64_t hash,
    const clockodo_json_value_t *name);
static int json_same(const clockodo_json_member_t *member,
    const clockodo_json_member_t *other);
static int json_same_decoded(const clockodo_json_value_t *name,
    const clockodo_json_value_t *other);
static int json_string_next_folded(clockodo_json_string_t *s);


void
clockodo_json_members_init(clockodo_json_members_t *members, uint32_t key)
{
    members->n = 0;
    members->size = CLOCKODO_JSON_MEMBERS;
    members->key = key % (JSON_PRIME - 1) + 1;
    members->slots = NULL;
    members->list = members->first;
}


void
clockodo_json_members_free(clockodo_json_members_t *members)
{
    if (members->list != members->first) {
        free(members->list);
    }
}


/*
 * All members of a text stand in one list, each with the number of its
 * object: an object that is closed needs no clean-up then.
 */

int
clockodo_json_members_add_hashed(clockodo_json_members_t *members)
{
    clockodo_json_member_t  *member;

    if (members->slots == NULL && clockodo_json_members_grow(members) != 0) {
        return -1;
    }

    member = &members->list[members->n++];

    member->hash = json_hash(members->key, member);

    return json_insert(members, member);
}


int
clockodo_json_members_grow(clockodo_json_members_t *members)
{
    size_t                   i, size;
    clockodo_json_member_t  *list;

    size = members->size * 4;

    /* with two slots a member, so that they are half full at most */

    list = calloc(size, sizeof(clockodo_json_member_t)
                        + 2 * sizeof(uint32_t));
    if (list == NULL) {
        return -1;
    }

    /* as a whole, with the one that is being added */

    memcpy(list, members->list,
           members->size * sizeof(clockodo_json_member_t));

    for (i = 0; members->slots == NULL && i < members->n; i++) {
        list[i].hash = json_hash(members->key, &list[i]);
    }

    clockodo_json_members_free(members);

    members->list = list;
    members->size = size;
    members->slots = (uint32_t *) &list[size];

    for (i = 0; i < members->n; i++) {
        (void) json_insert(members, &list[i]);
    }

    return 0;
}


/* a slot holds a place in the list, from 1; returns 1 if the name is known */

static int
json_insert(const clockodo_json_members_t *members,
    const clockodo_json_member_t *member)
{
    size_t                         i, mask;
    const clockodo_json_member_t  *other;

    mask = 2 * members->size - 1;

    for (i = member->hash & mask; members->slots[i]; i = (i + 1) & mask) {

        other = &members->list[members->slots[i] - 1];

        if (other->hash == member->hash && json_same(other, member)) {
            return 1;
        }
    }

    members->slots[i] = member - members->list + 1;

    return 0;
}


/*
 * A polynomial, the object's number and three bytes of the name at a time
 * being its coefficients, at a point that senders don't know: two names of at
 * most n bytes collide with a probability of at most (n / 3 + 2) / 2^31,
 * whatever they are (Carter and Wegman, 1979).  No name has a byte 0, so the
 * last coefficient tells how many bytes it is made of.
 */

static uint32_t
json_hash(uint32_t key, const clockodo_json_member_t *member)
{
    uint32_t  hash, mixed;

    hash = member->name.escaped
           ? json_hash_escaped(key, member->object, &member->name)
           : json_hash_sent(key, member->object, &member->name);

    /*
     * Names that differ in their last byte alone have hashes side by side,
     * which linear probing cannot bear: they are spread by a bijection, the
     * last step of MurmurHash3.
     */

    mixed = (hash ^ (hash >> 16)) * 0x85ebca6b;
    mixed = (mixed ^ (mixed >> 13)) * 0xc2b2ae35;

    return mixed ^ (mixed >> 16);
}


static uint32_t
json_hash_sent(uint32_t key, uint64_t hash, const clockodo_json_value_t *name)
{
    uint32_t              bytes;
    unsigned              shift;
    const unsigned char  *p, *last;

    p = name->data;
    last = p + name->len;

    for ( /* void */ ; last - p >= 3; p += 3) {
        bytes = p[0] | p[1] << 8 | p[2] << 16;
        hash = (hash * key + bytes + 1) % JSON_PRIME;
    }

    bytes = 0;

    for (shift = 0; p < last; p++, shift += 8) {
        bytes |= (uint32_t) *p << shift;
    }

    return (hash * key + bytes + 1) % JSON_PRIME;
}


/* the same of the decoded name */

static uint32_t
json_hash_escaped(uint32_t key, uint64_t hash,
    const clockodo_json_value_t *name)
{
    int                     c;
    uint32_t                bytes;
    unsigned                shift;
    clockodo_json_string_t  string;

    string.p = name->data;
    string.nrest = 0;

    do {
        c = 0;
        bytes = 0;

        for (shift = 0; shift < 24; shift += 8) {
            c = clockodo_json_string_next(&string);

            if (c == -1) {
                break;
            }

            bytes |= (uint32_t) c << shift;
        }

        hash = (hash * key + bytes + 1) % JSON_PRIME;

    } while (c != -1);

    return hash;
}


static int
json_same(const clockodo_json_member_t *member,
    const clockodo_json_member_t *other)
{
    if (member->object != other->object) {
        return 0;
    }

    if (member->name.escaped || other->name.escaped) {
        return json_same_decoded(&member->name, &other->name);
    }

    return member->name.len == other->name.len
           && memcmp(member->name.data, other->name.data, other->name.len)
              == 0;
}


static int
json_same_decoded(const clockodo_json_value_t *name,
    const clockodo_json_value_t *other)
{
    int                     c;
    clockodo_json_string_t  a, b;

    a.p = name->data;
    a.nrest = 0;

    b.p = other->data;
    b.nrest = 0;

    do {
        c = clockodo_json_string_next(&a);

        if (c != clockodo_json_string_next(&b)) {
            return 0;
        }

    } while (c >= 0);

    return 1;
}


int
clockodo_json_name_decodes_to(const clockodo_json_value_t *name,
    const char *expected, size_t len)
{
    size_t                  i;
    clockodo_json_string_t  string;

    string.p = name->data;
    string.nrest = 0;

    for (i = 0; i < len; i++) {
        if (clockodo_json_string_next(&string) != (unsigned char) expected[i]) {
            return 0;
        }
    }

    return clockodo_json_string_next(&string) == -1;
}


int
clockodo_json_name_folds_to(const clockodo_json_value_t *name,
    const char *expected, size_t len)
{
    size_t                  i;
    clockodo_json_string_t  string;

    string.p = name->data;
    string.nrest = 0;

    for (i = 0; i < len; i++) {
        if (json_string_next_folded(&string) != expected[i]) {
            return 0;
        }
    }

    return clockodo_json_string_next(&string) == -1;
}


/*
 * Besides capital letters two characters fold to ASCII, U+017F and U+212A:
 * Unicode, CaseFolding.txt.  What is in between is never ASCII.
 */

static int
json_string_next_folded(clockodo_json_string_t *s)
{
    int  c;

    c = clockodo_json_string_next(s);

    if (c >= 'A' && c <= 'Z') {
        return c | 0x20;
    }

    if (c == 0xc5 && clockodo_json_string_next(s) == 0xbf) {
        return 's';
    }

    if (c == 0xe2 && clockodo_json_string_next(s) == 0x84
        && clockodo_json_string_next(s) == 0xaa)
    {
        return 'k';
    }

    return c;
}
