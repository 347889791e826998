
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include <string.h>

#include "clockodo_dedupe.h"


/*
 * how many entries a claim frees at the most; one at least, or what is over
 * would stay while something committed goes
 */
#define DEDUPE_EXPIRE      2

/* by how much a clock may be behind, in milliseconds */
#define DEDUPE_BEHIND      (24 * 60 * 60 * 1000)

/* with its place in the heap */
#define DEDUPE_ENTRY_SIZE                                                     \
    (sizeof(clockodo_dedupe_entry_t) + sizeof(uint32_t))


static void dedupe_enter(clockodo_dedupe_t *t);
static void dedupe_leave(clockodo_dedupe_t *t);
static void dedupe_rebuild(clockodo_dedupe_t *t);
static void dedupe_link(clockodo_dedupe_t *t, uint32_t n);
static uint32_t *dedupe_bucket(clockodo_dedupe_t *t,
    const unsigned char *digest, uint32_t scope);
static uint32_t dedupe_lookup(clockodo_dedupe_t *t,
    const unsigned char *digest, uint32_t scope);
static clockodo_dedupe_e dedupe_state(clockodo_dedupe_t *t, uint32_t n,
    uint64_t now);
static uint32_t dedupe_new(clockodo_dedupe_t *t);
static void dedupe_expire(clockodo_dedupe_t *t, uint64_t now, size_t max);
static void dedupe_free(clockodo_dedupe_t *t, uint32_t n);
static uint32_t dedupe_owned(clockodo_dedupe_t *t,
    const clockodo_claim_t *claim);
static void dedupe_append(clockodo_dedupe_t *t, uint32_t n);
static void dedupe_remove(clockodo_dedupe_t *t, uint32_t n);
static void dedupe_place(clockodo_dedupe_t *t, uint32_t n, uint32_t place);
static void dedupe_move(clockodo_dedupe_t *t, uint32_t n);
static uint32_t dedupe_sooner(clockodo_dedupe_t *t, uint32_t place);


#define dedupe_entry(t, n)  (&(t)->entry[(n) - 1])


clockodo_dedupe_t *
clockodo_dedupe_init(void *memory, size_t size)
{
    size_t              used, buckets, capacity;
    clockodo_dedupe_t  *t;

    used = offsetof(clockodo_dedupe_t, entry);

    /* one to two entries a bucket */

    for (buckets = 1, capacity = 0; ; buckets *= 2) {
        if (size < used + buckets * (DEDUPE_ENTRY_SIZE + sizeof(uint32_t))
            /* not tested: takes a table of 86 GB */
            || buckets > UINT32_MAX / 4)
        {
            break;
        }

        capacity = (size - used - buckets * sizeof(uint32_t))
                   / DEDUPE_ENTRY_SIZE;
    }

    if (capacity == 0) {
        return NULL;
    }

    /* not tested: takes a table of 165 GB */

    if (capacity > UINT32_MAX / 2) {
        capacity = UINT32_MAX / 2;
    }

    t = memory;

    memset(t, 0, used);

    t->capacity = capacity;
    t->mask = buckets / 2 - 1;
    t->heap = (uint32_t *) &t->entry[capacity];
    t->buckets = t->heap + capacity;

    memset(t->entry, 0, capacity * sizeof(clockodo_dedupe_entry_t));

    dedupe_rebuild(t);

    return t;
}


uint64_t
clockodo_dedupe_now(clockodo_dedupe_t *t, uint64_t clock, uint64_t max)
{
    uint64_t  ahead;

    ahead = (clock - t->clock) & max;

    /* a clock that is a little behind seems to be far ahead */

    if (t->clock == 0 || ahead <= max - DEDUPE_BEHIND) {
        t->clock += ahead;
    }

    return t->clock;
}


clockodo_dedupe_e
clockodo_dedupe_claim(clockodo_dedupe_t *t,
    const unsigned char digest[CLOCKODO_SHA256_LEN], uint32_t scope,
    uint64_t now, uint64_t lease, clockodo_claim_t *claim)
{
    uint32_t                  n;
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

    n = dedupe_new(t);

    if (n == 0) {
        dedupe_leave(t);
        return CLOCKODO_DEDUPE_FULL;
    }

    entry = dedupe_entry(t, n);

    memcpy(entry->digest, digest, CLOCKODO_SHA256_LEN);
    entry->scope = scope;

    /* it is never there without an owner, as if it were committed */

    entry->owner = ++t->nclaims;
    entry->expires = now + lease;

    dedupe_link(t, n);

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
        dedupe_entry(t, n)->owner = 0;
        dedupe_entry(t, n)->expires = now + ttl;

        dedupe_append(t, n);
        dedupe_move(t, n);
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
    uint32_t                  n;
    clockodo_dedupe_entry_t  *entry;

    memset(t->buckets, 0, ((size_t) t->mask + 1) * sizeof(uint32_t));

    t->free = 0;
    t->oldest = 0;
    t->newest = 0;
    t->entries = 0;

    for (n = t->capacity; n > 0; n--) {
        entry = dedupe_entry(t, n);

        if (entry->expires) {
            dedupe_link(t, n);

            if (entry->owner == 0) {
                dedupe_append(t, n);
            }

            continue;
        }

        entry->owner = 0;
        entry->chain = t->free;
        t->free = n;
    }
}


/* into its bucket and the heap */

static void
dedupe_link(clockodo_dedupe_t *t, uint32_t n)
{
    uint32_t                 *bucket;
    clockodo_dedupe_entry_t  *entry;

    entry = dedupe_entry(t, n);
    bucket = dedupe_bucket(t, entry->digest, entry->scope);

    entry->chain = *bucket;
    *bucket = n;

    dedupe_place(t, n, t->entries++);
    dedupe_move(t, n);
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
dedupe_new(clockodo_dedupe_t *t)
{
    uint32_t  n;

    if (t->free == 0 && t->oldest) {
        dedupe_free(t, t->oldest);
        t->evictions++;
    }

    n = t->free;

    if (n) {
        t->free = dedupe_entry(t, n)->chain;
    }

    return n;
}


static void
dedupe_expire(clockodo_dedupe_t *t, uint64_t now, size_t max)
{
    size_t  i;

    for (i = 0; i < max && t->entries; i++) {

        if (dedupe_entry(t, t->heap[0])->expires > now) {
            return;
        }

        dedupe_free(t, t->heap[0]);
    }
}


static void
dedupe_free(clockodo_dedupe_t *t, uint32_t n)
{
    uint32_t                 *link, last;
    clockodo_dedupe_entry_t  *entry;

    entry = dedupe_entry(t, n);

    if (entry->owner == 0) {
        dedupe_remove(t, n);
    }

    for (link = dedupe_bucket(t, entry->digest, entry->scope);
         *link != n;
         link = &dedupe_entry(t, *link)->chain)
    {
        /* void */
    }

    *link = entry->chain;

    /* the last one of the heap comes to its place */

    last = t->heap[--t->entries];

    if (last != n) {
        dedupe_place(t, last, entry->place);
        dedupe_move(t, last);
    }

    entry->expires = 0;
    entry->owner = 0;
    entry->chain = t->free;

    t->free = n;
}


static uint32_t
dedupe_owned(clockodo_dedupe_t *t, const clockodo_claim_t *claim)
{
    return claim->owner && dedupe_entry(t, claim->entry)->owner == claim->owner
           ? claim->entry : 0;
}


static void
dedupe_append(clockodo_dedupe_t *t, uint32_t n)
{
    clockodo_dedupe_entry_t  *entry;

    entry = dedupe_entry(t, n);

    entry->next = 0;
    entry->prev = t->newest;

    if (t->newest) {
        dedupe_entry(t, t->newest)->next = n;

    } else {
        t->oldest = n;
    }

    t->newest = n;
}


static void
dedupe_remove(clockodo_dedupe_t *t, uint32_t n)
{
    clockodo_dedupe_entry_t  *entry;

    entry = dedupe_entry(t, n);

    if (entry->prev) {
        dedupe_entry(t, entry->prev)->next = entry->next;

    } else {
        t->oldest = entry->next;
    }

    if (entry->next) {
        dedupe_entry(t, entry->next)->prev = entry->prev;

    } else {
        t->newest = entry->prev;
    }
}


static void
dedupe_place(clockodo_dedupe_t *t, uint32_t n, uint32_t place)
{
    t->heap[place] = n;
    dedupe_entry(t, n)->place = place;
}


/* a binary heap: from where it is, up or down to where it belongs */

static void
dedupe_move(clockodo_dedupe_t *t, uint32_t n)
{
    uint32_t  place, other;
    uint64_t  expires;

    place = dedupe_entry(t, n)->place;
    expires = dedupe_entry(t, n)->expires;

    while (place > 0) {
        other = t->heap[(place - 1) / 2];

        if (dedupe_entry(t, other)->expires <= expires) {
            break;
        }

        dedupe_place(t, other, place);
        place = (place - 1) / 2;
    }

    while (2 * place + 1 < t->entries) {
        other = dedupe_sooner(t, 2 * place + 1);

        if (dedupe_entry(t, other)->expires >= expires) {
            break;
        }

        place = dedupe_entry(t, other)->place;
        dedupe_place(t, other, (place - 1) / 2);
    }

    dedupe_place(t, n, place);
}


/* the one of two neighbours that expires first */

static uint32_t
dedupe_sooner(clockodo_dedupe_t *t, uint32_t place)
{
    uint32_t  left, right;

    left = t->heap[place];

    if (place + 1 == t->entries) {
        return left;
    }

    right = t->heap[place + 1];

    return dedupe_entry(t, right)->expires < dedupe_entry(t, left)->expires
           ? right : left;
}
