
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include <string.h>

#include "clockodo_dedupe.h"


/* how many entries a claim frees at the most, besides the one that it needs */
#define DEDUPE_EXPIRE  2


static void dedupe_enter(clockodo_dedupe_t *t);
static void dedupe_leave(clockodo_dedupe_t *t);
static void dedupe_rebuild(clockodo_dedupe_t *t);
static uint32_t *dedupe_bucket(clockodo_dedupe_t *t,
    const unsigned char *digest, uint32_t scope);
static uint32_t dedupe_lookup(clockodo_dedupe_t *t,
    const unsigned char *digest, uint32_t scope);
static clockodo_dedupe_e dedupe_state(clockodo_dedupe_t *t, uint32_t n,
    uint64_t now);
static uint32_t dedupe_new(clockodo_dedupe_t *t, uint64_t now);
static void dedupe_expire(clockodo_dedupe_t *t, uint64_t now, size_t max);
static void dedupe_free(clockodo_dedupe_t *t, uint32_t n);
static uint32_t dedupe_owned(clockodo_dedupe_t *t,
    const clockodo_claim_t *claim);
static clockodo_dedupe_list_t *dedupe_list(clockodo_dedupe_t *t, uint32_t n);
static void dedupe_append(clockodo_dedupe_t *t, uint32_t n);
static void dedupe_remove(clockodo_dedupe_t *t, uint32_t n);


#define dedupe_entry(t, n)  (&(t)->entry[(n) - 1])


clockodo_dedupe_t *
clockodo_dedupe_init(void *memory, size_t size)
{
    size_t              used, buckets, capacity;
    clockodo_dedupe_t  *t;

    used = offsetof(clockodo_dedupe_t, entry);

    /* one to two entries a bucket */

    for (buckets = 1, capacity = 0; ; buckets *= 2) {
        if (size < used + buckets * (sizeof(clockodo_dedupe_entry_t)
                                     + sizeof(uint32_t))
            || buckets > UINT32_MAX / 4)
        {
            break;
        }

        capacity = (size - used - buckets * sizeof(uint32_t))
                   / sizeof(clockodo_dedupe_entry_t);
    }

    if (capacity == 0) {
        return NULL;
    }

    if (capacity > UINT32_MAX / 2) {
        capacity = UINT32_MAX / 2;
    }

    t = memory;

    memset(t, 0, used);

    t->capacity = capacity;
    t->mask = buckets / 2 - 1;
    t->buckets = (uint32_t *) &t->entry[capacity];

    memset(t->entry, 0, capacity * sizeof(clockodo_dedupe_entry_t));

    dedupe_rebuild(t);

    return t;
}


clockodo_dedupe_e
clockodo_dedupe_claim(clockodo_dedupe_t *t,
    const unsigned char digest[CLOCKODO_SHA256_LEN], uint32_t scope,
    uint64_t now, uint64_t lease, clockodo_claim_t *claim)
{
    uint32_t                  n, *bucket;
    clockodo_dedupe_e         state;
    clockodo_dedupe_entry_t  *entry;

    claim->owner = 0;

    dedupe_enter(t);
    dedupe_expire(t, now, DEDUPE_EXPIRE);

    n = dedupe_lookup(t, digest, scope);
    state = dedupe_state(t, n, now);

    if (state != CLOCKODO_DEDUPE_NEW) {
        dedupe_leave(t);
        return state;
    }

    if (n) {
        dedupe_free(t, n);
    }

    n = dedupe_new(t, now);

    if (n == 0) {
        dedupe_leave(t);
        return CLOCKODO_DEDUPE_FULL;
    }

    entry = dedupe_entry(t, n);
    bucket = dedupe_bucket(t, digest, scope);

    memcpy(entry->digest, digest, CLOCKODO_SHA256_LEN);
    entry->scope = scope;
    entry->chain = *bucket;

    /* it is never there without an owner, as if it were committed */

    entry->owner = ++t->nclaims;
    entry->expires = now + lease;

    *bucket = n;
    dedupe_append(t, n);
    t->entries++;

    claim->owner = entry->owner;
    claim->entry = n;

    dedupe_leave(t);

    return CLOCKODO_DEDUPE_NEW;
}


clockodo_dedupe_e
clockodo_dedupe_find(clockodo_dedupe_t *t,
    const unsigned char digest[CLOCKODO_SHA256_LEN], uint32_t scope,
    uint64_t now)
{
    clockodo_dedupe_e  state;

    dedupe_enter(t);

    state = dedupe_state(t, dedupe_lookup(t, digest, scope), now);

    dedupe_leave(t);

    return state;
}


void
clockodo_dedupe_commit(clockodo_dedupe_t *t, clockodo_claim_t *claim,
    uint64_t now, uint64_t ttl)
{
    uint32_t  n;

    dedupe_enter(t);

    n = dedupe_owned(t, claim);

    if (n) {
        dedupe_remove(t, n);

        dedupe_entry(t, n)->owner = 0;
        dedupe_entry(t, n)->expires = now + ttl;

        dedupe_append(t, n);
    }

    claim->owner = 0;

    dedupe_leave(t);
}


void
clockodo_dedupe_release(clockodo_dedupe_t *t, clockodo_claim_t *claim)
{
    uint32_t  n;

    dedupe_enter(t);

    n = dedupe_owned(t, claim);

    if (n) {
        dedupe_free(t, n);
    }

    claim->owner = 0;

    dedupe_leave(t);
}


void
clockodo_dedupe_expire(clockodo_dedupe_t *t, uint64_t now, size_t max)
{
    dedupe_enter(t);
    dedupe_expire(t, now, max);
    dedupe_leave(t);
}


/*
 * A process may be killed anywhere between these two, so what they write
 * must not move.
 */

static void
dedupe_enter(clockodo_dedupe_t *t)
{
    if (t->busy) {
        dedupe_rebuild(t);
    }

    t->busy = 1;

    __sync_synchronize();
}


static void
dedupe_leave(clockodo_dedupe_t *t)
{
    __sync_synchronize();

    t->busy = 0;
}


/* from the entries alone: nothing that leads to them is relied upon */

static void
dedupe_rebuild(clockodo_dedupe_t *t)
{
    uint32_t                  n, *bucket;
    clockodo_dedupe_entry_t  *entry;

    memset(&t->claims, 0, sizeof(clockodo_dedupe_list_t));
    memset(&t->committed, 0, sizeof(clockodo_dedupe_list_t));
    memset(t->buckets, 0, ((size_t) t->mask + 1) * sizeof(uint32_t));

    t->free = 0;
    t->entries = 0;

    for (n = t->capacity; n > 0; n--) {
        entry = dedupe_entry(t, n);

        if (entry->expires == 0) {
            entry->owner = 0;
            entry->chain = t->free;
            t->free = n;
            continue;
        }

        bucket = dedupe_bucket(t, entry->digest, entry->scope);

        entry->chain = *bucket;
        *bucket = n;

        dedupe_append(t, n);
        t->entries++;
    }
}


static uint32_t *
dedupe_bucket(clockodo_dedupe_t *t, const unsigned char *digest,
    uint32_t scope)
{
    uint32_t  hash;

    memcpy(&hash, digest, sizeof(hash));

    return &t->buckets[(hash ^ scope) & t->mask];
}


static uint32_t
dedupe_lookup(clockodo_dedupe_t *t, const unsigned char *digest,
    uint32_t scope)
{
    uint32_t                  n;
    clockodo_dedupe_entry_t  *entry;

    for (n = *dedupe_bucket(t, digest, scope); n; n = entry->chain) {
        entry = dedupe_entry(t, n);

        if (entry->scope == scope
            && memcmp(entry->digest, digest, CLOCKODO_SHA256_LEN) == 0)
        {
            break;
        }
    }

    return n;
}


static clockodo_dedupe_e
dedupe_state(clockodo_dedupe_t *t, uint32_t n, uint64_t now)
{
    if (n == 0 || dedupe_entry(t, n)->expires <= now) {
        return CLOCKODO_DEDUPE_NEW;
    }

    return dedupe_entry(t, n)->owner ? CLOCKODO_DEDUPE_IN_FLIGHT
                                     : CLOCKODO_DEDUPE_COMMITTED;
}


/* returns 0 if all that could go is in flight */

static uint32_t
dedupe_new(clockodo_dedupe_t *t, uint64_t now)
{
    uint32_t  n;

    if (t->free == 0) {
        dedupe_expire(t, now, 1);
    }

    if (t->free == 0 && t->committed.first) {
        dedupe_free(t, t->committed.first);
        t->evictions++;
    }

    n = t->free;

    if (n) {
        t->free = dedupe_entry(t, n)->chain;
    }

    return n;
}


/* those behind one that lives longer than they do wait for it */

static void
dedupe_expire(clockodo_dedupe_t *t, uint64_t now, size_t max)
{
    size_t    i;
    uint32_t  n;

    for (i = 0; i < max; i++) {

        n = t->claims.first;

        if (n == 0 || dedupe_entry(t, n)->expires > now) {
            n = t->committed.first;
        }

        if (n == 0 || dedupe_entry(t, n)->expires > now) {
            return;
        }

        dedupe_free(t, n);
    }
}


static void
dedupe_free(clockodo_dedupe_t *t, uint32_t n)
{
    uint32_t                 *link;
    clockodo_dedupe_entry_t  *entry;

    entry = dedupe_entry(t, n);

    dedupe_remove(t, n);

    for (link = dedupe_bucket(t, entry->digest, entry->scope);
         *link != n;
         link = &dedupe_entry(t, *link)->chain)
    {
        /* void */
    }

    *link = entry->chain;

    entry->expires = 0;
    entry->owner = 0;
    entry->chain = t->free;

    t->free = n;
    t->entries--;
}


static uint32_t
dedupe_owned(clockodo_dedupe_t *t, const clockodo_claim_t *claim)
{
    return claim->owner && dedupe_entry(t, claim->entry)->owner == claim->owner
           ? claim->entry : 0;
}


static clockodo_dedupe_list_t *
dedupe_list(clockodo_dedupe_t *t, uint32_t n)
{
    return dedupe_entry(t, n)->owner ? &t->claims : &t->committed;
}


static void
dedupe_append(clockodo_dedupe_t *t, uint32_t n)
{
    clockodo_dedupe_list_t   *list;
    clockodo_dedupe_entry_t  *entry;

    list = dedupe_list(t, n);
    entry = dedupe_entry(t, n);

    entry->next = 0;
    entry->prev = list->last;

    if (list->last) {
        dedupe_entry(t, list->last)->next = n;

    } else {
        list->first = n;
    }

    list->last = n;
}


static void
dedupe_remove(clockodo_dedupe_t *t, uint32_t n)
{
    clockodo_dedupe_list_t   *list;
    clockodo_dedupe_entry_t  *entry;

    list = dedupe_list(t, n);
    entry = dedupe_entry(t, n);

    if (entry->prev) {
        dedupe_entry(t, entry->prev)->next = entry->next;

    } else {
        list->first = entry->next;
    }

    if (entry->next) {
        dedupe_entry(t, entry->next)->prev = entry->prev;

    } else {
        list->last = entry->prev;
    }
}
