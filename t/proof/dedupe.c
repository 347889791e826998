
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * The table of duplicates, of three entries and two buckets: one call, from
 * any state that is in order, leaves one that is.  clockodo_dedupe_init()
 * makes the first one, so that is so after any number of calls.  A call that
 * was killed leaves entries of any kind, and the next one starts with
 * dedupe_rebuild().
 *
 * What is in order, and what each function ensures, is said once: a proof
 * asserts what its stub makes so.
 */


#include "libc.h"

#include "clockodo_dedupe.c"

#include "dedupe.h"


/*
 * Entries, heap and buckets are objects of their own here, so that one beyond
 * the end of any is found: see "change" in the table.
 */

static clockodo_dedupe_t        table;
static clockodo_dedupe_entry_t  entries[ENTRIES];
static uint32_t                 heap[ENTRIES];
static uint32_t                 buckets[BUCKETS];


/* after a kill: nothing that leads to the entries is relied upon */

static bool
killed(void)
{
    return t->capacity == ENTRIES && t->mask == BUCKETS - 1
           && owners_in_order();
}


/* a table of any content */

static void
any_table(void)
{
    size_t             i;
    clockodo_dedupe_t  any;

    table = any;
    t = &table;

    t->capacity = ENTRIES;
    t->mask = BUCKETS - 1;
    t->entry = entries;
    t->heap = heap;
    t->buckets = buckets;

    for (i = 0; i < ENTRIES; i++) {
        clockodo_dedupe_entry_t  entry;

        entries[i] = entry;
        heap[i] = nondet_size();
    }

    for (i = 0; i < BUCKETS; i++) {
        buckets[i] = nondet_size();
    }
}


/* any other content, but for what the entries are of */

static void
change(void)
{
    size_t                   i;
    clockodo_dedupe_t        old;
    clockodo_dedupe_entry_t  olds[ENTRIES];

    old = table;
    memcpy(olds, entries, sizeof(entries));

    any_table();

    t->busy = old.busy;
    t->clock = old.clock;
    t->nclaims = old.nclaims;

    for (i = 0; i < ENTRIES; i++) {
        memcpy(entries[i].digest, olds[i].digest, CLOCKODO_SHA256_LEN);
        entries[i].owner = olds[i].owner;
        entries[i].expires = olds[i].expires;
        entries[i].scope = olds[i].scope;
    }
}


/* dedupe_free() */

#define free_requires(n)                                                      \
    (in_order() && n > 0 && n <= ENTRIES && t->entry[n - 1].expires)

#define free_ensures(n)                                                       \
    (in_order() && t->entry[n - 1].expires == 0 && t->free == n)

void
stub_dedupe_free(clockodo_dedupe_t *given, uint32_t n)
{
    __CPROVER_assert(given == t && free_requires(n), "dedupe_free requires");

    change();

    t->entry[n - 1].expires = 0;
    t->entry[n - 1].owner = 0;

    assume(free_ensures(n));
}


void
prove_dedupe_free(void)
{
    uint32_t  n;

    any_table();

    n = nondet_size();

    assume(free_requires(n));

    dedupe_free(t, n);

    __CPROVER_assert(free_ensures(n), "dedupe_free ensures");
}


/* dedupe_rebuild() */

void
stub_dedupe_rebuild(clockodo_dedupe_t *given)
{
    __CPROVER_assert(given == t && killed(), "dedupe_rebuild requires");

    change();

    assume(in_order());
}


void
prove_dedupe_rebuild(void)
{
    any_table();

    assume(killed());

    dedupe_rebuild(t);

    __CPROVER_assert(in_order(), "dedupe_rebuild ensures");
}


/* dedupe_expire() */

void
stub_dedupe_expire(clockodo_dedupe_t *given, uint64_t now, size_t max)
{
    size_t  i;

    __CPROVER_assert(given == t && in_order(), "dedupe_expire requires");

    change();

    for (i = 0; i < ENTRIES; i++) {
        if (nondet_bool()) {
            t->entry[i].expires = 0;
            t->entry[i].owner = 0;
        }
    }

    assume(in_order());
}


void
prove_dedupe_expire(void)
{
    uint64_t  now;

    any_table();

    assume(in_order());

    dedupe_expire(t, now, nondet_size());

    __CPROVER_assert(in_order(), "dedupe_expire ensures");
}


/* dedupe_new() */

#define new_ensures(n)                                                        \
    (is_place(n) && in_order_but(n)                                           \
     && (n == 0 || (t->entry[n - 1].expires == 0                              \
                    && t->entry[n - 1].owner == 0)))

uint32_t
stub_dedupe_new(clockodo_dedupe_t *given)
{
    uint32_t  n, gone;

    __CPROVER_assert(given == t && in_order(), "dedupe_new requires");

    n = nondet_size();
    gone = nondet_size();

    change();

    if (gone > 0 && gone <= ENTRIES) {
        t->entry[gone - 1].expires = 0;
        t->entry[gone - 1].owner = 0;
    }

    assume(new_ensures(n));

    return n;
}


void
prove_dedupe_new(void)
{
    uint32_t  n;

    any_table();

    assume(in_order());

    n = dedupe_new(t);

    __CPROVER_assert(new_ensures(n), "dedupe_new ensures");
}


/* dedupe_link(), as a claim calls it */

#define link_requires(n)                                                      \
    (n > 0 && n <= ENTRIES && in_order_but(n) && t->entry[n - 1].expires      \
     && t->entry[n - 1].owner)

void
stub_dedupe_link(clockodo_dedupe_t *given, uint32_t n)
{
    __CPROVER_assert(given == t && link_requires(n), "dedupe_link requires");

    change();

    assume(in_order());
}


void
prove_dedupe_link(void)
{
    uint32_t  n;

    any_table();

    n = nondet_size();

    assume(link_requires(n));

    dedupe_link(t, n);

    __CPROVER_assert(in_order(), "dedupe_link ensures");
}


/* the calls from outside: in order, or killed amid one */

#define usable()                                                              \
    (t->busy ? killed() : in_order())

#define settled()                                                             \
    (t->busy == 0 && in_order())


/* a claim that has an entry, whoever's that is now */

static clockodo_claim_t
any_claim(void)
{
    clockodo_claim_t  claim;

    assume(claim.owner == 0 || (claim.entry > 0 && claim.entry <= ENTRIES));
    assume(claim.owner <= t->nclaims);

    return claim;
}


/* a time to come, not beyond the end of all times */

static uint64_t
any_span(uint64_t now)
{
    uint64_t  span;

    assume(span > 0 && span <= UINT64_MAX - now);

    return span;
}


void
prove_clockodo_dedupe_claim(void)
{
    uint32_t           scope;
    uint64_t           now;
    clockodo_claim_t   claim;
    clockodo_dedupe_e  state;
    unsigned char      digest[CLOCKODO_SHA256_LEN];

    any_table();

    assume(usable() && t->nclaims < UINT64_MAX);

    state = clockodo_dedupe_claim(t, digest, scope, now, any_span(now),
                                  &claim);

    __CPROVER_assert(settled(), "clockodo_dedupe_claim ensures");

    __CPROVER_assert(state == CLOCKODO_DEDUPE_NEW
                     ? claim.owner == t->nclaims && claim.owner
                       && claim.entry > 0 && claim.entry <= ENTRIES
                       && t->entry[claim.entry - 1].owner == claim.owner
                     : claim.owner == 0, "clockodo_dedupe_claim claims");
}


void
prove_clockodo_dedupe_find(void)
{
    uint32_t           scope;
    uint64_t           now;
    clockodo_dedupe_e  state;
    unsigned char      digest[CLOCKODO_SHA256_LEN];

    any_table();

    assume(usable());

    state = clockodo_dedupe_find(t, digest, scope, now);

    __CPROVER_assert(settled(), "clockodo_dedupe_find ensures");
    __CPROVER_assert(state != CLOCKODO_DEDUPE_FULL, "not full");
}


void
prove_clockodo_dedupe_commit(void)
{
    uint64_t          now;
    clockodo_claim_t  claim;

    any_table();

    assume(usable());

    claim = any_claim();

    clockodo_dedupe_commit(t, &claim, now, any_span(now));

    __CPROVER_assert(settled() && claim.owner == 0,
                     "clockodo_dedupe_commit ensures");
}


void
prove_clockodo_dedupe_release(void)
{
    clockodo_claim_t  claim;

    any_table();

    assume(usable());

    claim = any_claim();

    clockodo_dedupe_release(t, &claim);

    __CPROVER_assert(settled() && claim.owner == 0,
                     "clockodo_dedupe_release ensures");
}


void
prove_clockodo_dedupe_expire(void)
{
    uint64_t  now;

    any_table();

    assume(usable());

    clockodo_dedupe_expire(t, now, nondet_size());

    __CPROVER_assert(settled(), "clockodo_dedupe_expire ensures");
}


void
prove_clockodo_dedupe_now(void)
{
    uint64_t  clock, before, now;

    any_table();

    before = t->clock;

    now = clockodo_dedupe_now(t, clock, nondet_bool() ? UINT32_MAX
                                                      : UINT64_MAX);

    __CPROVER_assert(now == t->clock, "it is kept");
}
