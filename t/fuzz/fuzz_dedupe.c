
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * A table of claims against a plain list of what ought to be in it.  The first
 * byte is the size of the table, the others say what is done with it.
 */


#include "clockodo_dedupe.h"
#include "fuzz.h"

#include <string.h>


#define KEYS     16
#define CLAIMS   8
#define ENTRIES  32

/* a size for each byte: none, or up to some 25 entries */
#define SIZE(byte)  ((size_t) (byte) * 8)

/* what is known of the order of committed entries: nothing */
#define UNKNOWN  0


typedef struct {
    uint32_t            key;
    uint32_t            scope;
    uint64_t            owner;             /* 0: committed */
    uint64_t            expires;
    uint64_t            order;             /* of what is committed */
} entry_t;


typedef struct {
    clockodo_dedupe_t  *t;
    uint64_t            now;

    entry_t             entries[ENTRIES];
    size_t              n;
    uint64_t            evictions;
    uint64_t            commits;

    clockodo_claim_t    claims[CLAIMS];
} model_t;


typedef struct {
    const uint8_t      *data;
    size_t              size;
} input_t;


static void do_claim(model_t *m, input_t *in);
static void do_find(model_t *m, input_t *in);
static void do_commit(model_t *m, input_t *in);
static void do_release(model_t *m, input_t *in);
static void do_time(model_t *m, input_t *in);
static void do_expire(model_t *m, input_t *in);
static void do_kill(model_t *m, input_t *in);
static void half_done(model_t *m, uint8_t what);
static void scramble(clockodo_dedupe_t *t, uint32_t seed);
static clockodo_dedupe_e expected(model_t *m, uint32_t key, uint32_t scope);
static entry_t *lookup(model_t *m, uint32_t key, uint32_t scope);
static entry_t *owned(model_t *m, uint64_t owner);
static size_t expired(model_t *m);
static void add(model_t *m, uint32_t key, uint32_t scope,
    clockodo_claim_t *claim, uint64_t lease);
static entry_t *oldest(model_t *m);
static void forget(model_t *m, entry_t *entry);
static size_t purge(model_t *m);
static void same(model_t *m);
static clockodo_dedupe_entry_t *in_table(model_t *m, entry_t *entry);
static uint32_t key_of(clockodo_dedupe_entry_t *entry);
static void buckets(model_t *m);
static void heap(model_t *m);
static void order(model_t *m);
static const unsigned char *digest(uint32_t key);
static uint8_t next(input_t *in);


static void (*const operations[])(model_t *m, input_t *in) = {
    do_claim, do_claim, do_claim, do_commit, do_commit, do_find, do_release,
    do_time, do_expire, do_kill
};


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void     *memory;
    size_t    bytes;
    input_t   in;
    model_t   m;

    in.data = data;
    in.size = size;

    memset(&m, 0, sizeof(m));

    m.now = 1;

    /* of just that size */

    bytes = SIZE(next(&in));
    memory = malloc(bytes + (bytes == 0));
    fuzz_check(memory != NULL);

    m.t = clockodo_dedupe_init(memory, bytes);

    fuzz_check((m.t != NULL)
               == (bytes >= offsetof(clockodo_dedupe_t, entry)
                            + sizeof(clockodo_dedupe_entry_t)
                            + 2 * sizeof(uint32_t)));

    while (m.t && in.size) {
        operations[next(&in) % (sizeof(operations) / sizeof(operations[0]))](
                                                                     &m, &in);
        same(&m);
    }

    free(memory);

    return 0;
}


static void
do_claim(model_t *m, input_t *in)
{
    size_t             gone;
    uint8_t            byte;
    entry_t           *victim;
    uint32_t           key, scope;
    uint64_t           lease;
    clockodo_claim_t   claim;
    clockodo_dedupe_e  rc, state;

    byte = next(in);
    key = byte % KEYS;
    scope = byte / KEYS % 2;
    lease = 1 + next(in) % 16;

    state = expected(m, key, scope);
    victim = NULL;

    /* what is over makes room first, then the oldest of what is committed */

    if (state == CLOCKODO_DEDUPE_NEW && m->n == m->t->capacity
        && expired(m) == 0)
    {
        victim = oldest(m);

        if (victim == NULL) {
            state = CLOCKODO_DEDUPE_FULL;
        }
    }

    rc = clockodo_dedupe_claim(m->t, digest(key), scope, m->now, lease,
                               &claim);

    fuzz_check(rc == state);

    gone = purge(m);

    if (victim) {
        fuzz_check(gone == 1);
        m->evictions++;

    } else {
        fuzz_check(gone == 0);
    }

    if (rc != CLOCKODO_DEDUPE_NEW) {
        fuzz_check(claim.owner == 0);
        return;
    }

    fuzz_check(claim.owner != 0 && owned(m, claim.owner) == NULL);

    add(m, key, scope, &claim, lease);

    m->claims[claim.owner % CLAIMS] = claim;
}


static void
do_find(model_t *m, input_t *in)
{
    uint8_t  byte;

    byte = next(in);

    fuzz_check(clockodo_dedupe_find(m->t, digest(byte % KEYS),
                                    byte / KEYS % 2, m->now)
               == expected(m, byte % KEYS, byte / KEYS % 2));
}


/* the claim may be settled already, or be somebody else's by now */

static void
do_commit(model_t *m, input_t *in)
{
    entry_t           *entry;
    uint64_t           ttl;
    clockodo_claim_t   claim;

    claim = m->claims[next(in) % CLAIMS];
    ttl = 1 + next(in) % 64;

    entry = owned(m, claim.owner);

    if (entry) {
        entry->owner = 0;
        entry->expires = m->now + ttl;
        entry->order = ++m->commits;
    }

    clockodo_dedupe_commit(m->t, &claim, m->now, ttl);

    fuzz_check(claim.owner == 0);
}


static void
do_release(model_t *m, input_t *in)
{
    entry_t           *entry;
    clockodo_claim_t   claim;

    claim = m->claims[next(in) % CLAIMS];
    entry = owned(m, claim.owner);

    if (entry) {
        forget(m, entry);
    }

    clockodo_dedupe_release(m->t, &claim);

    fuzz_check(claim.owner == 0);
}


static void
do_time(model_t *m, input_t *in)
{
    m->now += next(in) % 32;
}


static void
do_expire(model_t *m, input_t *in)
{
    size_t  before, over, max;

    max = next(in) % 4;
    before = m->n;
    over = expired(m);

    clockodo_dedupe_expire(m->t, m->now, max);

    fuzz_check(purge(m) == 0);
    fuzz_check(before - m->n == (over < max ? over : max));
}


/* as if a process had been killed at the worst of moments */

static void
do_kill(model_t *m, input_t *in)
{
    size_t  i;

    half_done(m, next(in));
    scramble(m->t, next(in));

    for (i = 0; i < m->n; i++) {
        m->entries[i].order = UNKNOWN;
    }
}


/* what is left of a claim, a commit, a release that did not come to its end */

static void
half_done(model_t *m, uint8_t what)
{
    size_t                    i;
    entry_t                  *entry;
    clockodo_dedupe_entry_t  *e;

    if (what % 4 == 0) {
        for (i = 0; i < m->t->capacity; i++) {
            e = &m->t->entry[i];

            if (e->expires == 0) {
                memcpy(e->digest, digest(what % KEYS), sizeof(e->digest));
                e->scope = what / KEYS % 2;
                e->owner = ++m->t->nclaims;
                return;
            }
        }
    }

    entry = owned(m, m->claims[what / 4 % CLAIMS].owner);

    if (entry == NULL) {
        return;
    }

    e = in_table(m, entry);

    if (what % 4 == 1) {
        e->owner = 0;
        entry->owner = 0;
    }

    if (what % 4 == 2) {
        e->expires = 0;
        forget(m, entry);
    }
}


/* nothing that leads to the entries is as it was */

static void
scramble(clockodo_dedupe_t *t, uint32_t seed)
{
    uint32_t  n;

#define any()  (seed = seed * 1664525 + 1013904223)

    t->busy = 1;
    t->free = any();
    t->oldest = any();
    t->newest = any();
    t->entries = any();

    for (n = 0; n <= t->mask; n++) {
        t->buckets[n] = any();
    }

    for (n = 0; n < t->capacity; n++) {
        t->heap[n] = any();
        t->entry[n].chain = any();
        t->entry[n].next = any();
        t->entry[n].prev = any();
        t->entry[n].place = any();
    }

#undef any
}


static clockodo_dedupe_e
expected(model_t *m, uint32_t key, uint32_t scope)
{
    entry_t  *entry;

    entry = lookup(m, key, scope);

    if (entry == NULL || entry->expires <= m->now) {
        return CLOCKODO_DEDUPE_NEW;
    }

    return entry->owner ? CLOCKODO_DEDUPE_IN_FLIGHT
                        : CLOCKODO_DEDUPE_COMMITTED;
}


static entry_t *
lookup(model_t *m, uint32_t key, uint32_t scope)
{
    size_t  i;

    for (i = 0; i < m->n; i++) {
        if (m->entries[i].key == key && m->entries[i].scope == scope) {
            return &m->entries[i];
        }
    }

    return NULL;
}


static entry_t *
owned(model_t *m, uint64_t owner)
{
    size_t  i;

    for (i = 0; i < m->n; i++) {
        if (owner && m->entries[i].owner == owner) {
            return &m->entries[i];
        }
    }

    return NULL;
}


static size_t
expired(model_t *m)
{
    size_t  i, n;

    for (n = 0, i = 0; i < m->n; i++) {
        n += (m->entries[i].expires <= m->now);
    }

    return n;
}


static void
add(model_t *m, uint32_t key, uint32_t scope, clockodo_claim_t *claim,
    uint64_t lease)
{
    entry_t  *entry;

    fuzz_check(m->n < m->t->capacity);

    entry = &m->entries[m->n++];

    entry->key = key;
    entry->scope = scope;
    entry->owner = claim->owner;
    entry->expires = m->now + lease;
    entry->order = UNKNOWN;
}


/* one of them, if there are several of unknown order */

static entry_t *
oldest(model_t *m)
{
    size_t    i;
    entry_t  *first;

    for (first = NULL, i = 0; i < m->n; i++) {
        if (m->entries[i].owner == 0
            && (first == NULL || m->entries[i].order < first->order))
        {
            first = &m->entries[i];
        }
    }

    return first;
}


static void
forget(model_t *m, entry_t *entry)
{
    *entry = m->entries[--m->n];
}


/*
 * Forgets what the table has given up: entries whose time is over, and others,
 * that must have been the oldest ones.  Returns how many of these there were.
 */

static size_t
purge(model_t *m)
{
    size_t    i, gone;
    entry_t  *entry;

    for (gone = 0, i = m->n; i > 0; i--) {
        entry = &m->entries[i - 1];

        if (in_table(m, entry)) {
            continue;
        }

        if (entry->expires > m->now) {
            fuzz_check(entry->owner == 0
                       && entry->order == oldest(m)->order);
            gone++;
        }

        forget(m, entry);
    }

    return gone;
}


/* what is in the table is what is in the list, and it is found there */

static void
same(model_t *m)
{
    size_t                    i, n;
    entry_t                  *entry;
    clockodo_dedupe_entry_t  *e;

    for (n = 0, i = 0; i < m->t->capacity; i++) {
        e = &m->t->entry[i];

        if (e->expires == 0) {
            continue;
        }

        entry = lookup(m, key_of(e), e->scope);

        fuzz_check(entry != NULL);
        fuzz_check(e->owner == entry->owner);
        fuzz_check(e->expires == entry->expires);
        n++;
    }

    fuzz_check(n == m->n);
    fuzz_check(m->t->evictions == m->evictions);

    if (m->t->busy == 0) {
        fuzz_check(m->t->entries == n);

        buckets(m);
        heap(m);
        order(m);
    }
}


static clockodo_dedupe_entry_t *
in_table(model_t *m, entry_t *entry)
{
    size_t                    i;
    clockodo_dedupe_entry_t  *e;

    for (i = 0; i < m->t->capacity; i++) {
        e = &m->t->entry[i];

        if (e->expires == entry->expires && e->owner == entry->owner
            && key_of(e) == entry->key && e->scope == entry->scope)
        {
            return e;
        }
    }

    return NULL;
}


static uint32_t
key_of(clockodo_dedupe_entry_t *entry)
{
    return entry->digest[CLOCKODO_SHA256_LEN - 1];
}


/* each entry is in one bucket or is free */

static void
buckets(model_t *m)
{
    size_t              i;
    uint32_t            n, chained, unused;
    clockodo_dedupe_t  *t;

    t = m->t;

    for (chained = 0, i = 0; i <= t->mask; i++) {
        for (n = t->buckets[i]; n; n = t->entry[n - 1].chain) {
            fuzz_check(n <= t->capacity && ++chained <= t->capacity);
            fuzz_check(t->entry[n - 1].expires != 0);
        }
    }

    for (unused = 0, n = t->free; n; n = t->entry[n - 1].chain) {
        fuzz_check(n <= t->capacity && ++unused <= t->capacity);
        fuzz_check(t->entry[n - 1].expires == 0);
    }

    fuzz_check(chained == m->n && unused == t->capacity - m->n);
}


static void
heap(model_t *m)
{
    size_t                    i;
    clockodo_dedupe_t        *t;
    clockodo_dedupe_entry_t  *e;

    t = m->t;

    for (i = 0; i < m->n; i++) {
        fuzz_check(t->heap[i] > 0 && t->heap[i] <= t->capacity);

        e = &t->entry[t->heap[i] - 1];

        fuzz_check(e->place == i);
        fuzz_check(i == 0 || e->expires
                             >= t->entry[t->heap[(i - 1) / 2] - 1].expires);
    }
}


/* of what is committed, all of it */

static void
order(model_t *m)
{
    size_t              i, n, committed;
    entry_t            *entry, *earlier;
    uint32_t            at, prev;
    clockodo_dedupe_t  *t;

    t = m->t;

    for (committed = 0, i = 0; i < m->n; i++) {
        committed += (m->entries[i].owner == 0);
    }

    prev = 0;
    earlier = NULL;

    for (n = 0, at = t->oldest; at; at = t->entry[at - 1].next) {
        fuzz_check(at <= t->capacity && ++n <= committed);

        entry = lookup(m, key_of(&t->entry[at - 1]), t->entry[at - 1].scope);

        fuzz_check(entry != NULL && entry->owner == 0);
        fuzz_check(earlier == NULL || earlier->order <= entry->order);
        fuzz_check(t->entry[at - 1].prev == prev);

        earlier = entry;
        prev = at;
    }

    fuzz_check(n == committed && t->newest == prev);
}


/* of which several come into one bucket */

static const unsigned char *
digest(uint32_t key)
{
    static unsigned char  digest[CLOCKODO_SHA256_LEN];

    digest[0] = key % 4;
    digest[CLOCKODO_SHA256_LEN - 1] = key;

    return digest;
}


/* 0 behind the end */

static uint8_t
next(input_t *in)
{
    if (in->size == 0) {
        return 0;
    }

    in->size--;

    return *in->data++;
}
