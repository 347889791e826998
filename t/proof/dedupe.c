
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


/* what holds before a round of this loop does before the next: one shows all */

#define ROUND_dedupe_expire_0  if (a_round())

static bool a_round(void);


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

static unsigned                 rounds;

/* no one looks into the table between these calls */
static bool                     unseen;


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


/* anything that leads to the entries is another, and what they are of stays */

static void
change(void)
{
    size_t  i;

    t->free = nondet_size();
    t->oldest = nondet_size();
    t->newest = nondet_size();
    t->entries = nondet_size();
    t->evictions = nondet_size();

    for (i = 0; i < ENTRIES; i++) {
        heap[i] = nondet_size();

        entries[i].chain = nondet_size();
        entries[i].next = nondet_size();
        entries[i].prev = nondet_size();
        entries[i].place = nondet_size();
    }

    for (i = 0; i < BUCKETS; i++) {
        buckets[i] = nondet_size();
    }
}


/* entries are freed, any of them */

static void
free_some(void)
{
    size_t  i;

    for (i = 0; i < ENTRIES; i++) {
        if (nondet_bool()) {
            entries[i].expires = 0;
            entries[i].owner = 0;
        }
    }
}


/*
 * The last state that was found in order.  Where nothing was written since, it
 * still is, and needs no second look; busy and clocks do not matter.
 */

static clockodo_dedupe_t        kept;
static clockodo_dedupe_entry_t  kept_entries[ENTRIES];
static uint32_t                 kept_heap[ENTRIES];
static uint32_t                 kept_buckets[BUCKETS];


static void
keep(void)
{
    size_t  i;

    kept = table;

    for (i = 0; i < ENTRIES; i++) {
        kept_entries[i] = entries[i];
        kept_heap[i] = heap[i];
    }

    for (i = 0; i < BUCKETS; i++) {
        kept_buckets[i] = buckets[i];
    }
}


/* no state is in order */

static void
keep_none(void)
{
    kept.entry = NULL;
}


#define now_in_order(found)                                                   \
    do {                                                                      \
        assume(unseen || (found));                                            \
        keep();                                                               \
    } while (0)


static bool
still_in_order(void)
{
    bool    same;
    size_t  i, k;

    same = t->capacity == kept.capacity && t->mask == kept.mask
           && t->free == kept.free
           && t->oldest == kept.oldest && t->newest == kept.newest
           && t->nclaims == kept.nclaims && t->entries == kept.entries
           && t->buckets == kept.buckets && t->heap == kept.heap
           && t->entry == kept.entry;

    for (i = 0; i < ENTRIES; i++) {
        same = same && heap[i] == kept_heap[i]
               && entries[i].owner == kept_entries[i].owner
               && entries[i].expires == kept_entries[i].expires
               && entries[i].scope == kept_entries[i].scope
               && entries[i].chain == kept_entries[i].chain
               && entries[i].next == kept_entries[i].next
               && entries[i].prev == kept_entries[i].prev
               && entries[i].place == kept_entries[i].place;

        for (k = 0; k < CLOCKODO_SHA256_LEN; k++) {
            same = same && entries[i].digest[k] == kept_entries[i].digest[k];
        }
    }

    for (i = 0; i < BUCKETS; i++) {
        same = same && buckets[i] == kept_buckets[i];
    }

    return same;
}


/* dedupe_free() */

#define free_requires(n)                                                      \
    (n > 0 && n <= ENTRIES && t->entry[n - 1].expires)

#define free_ensures(n)                                                       \
    (in_order() && t->entry[n - 1].expires == 0 && t->free == n)

void
stub_dedupe_free(clockodo_dedupe_t *given, uint32_t n)
{
    __CPROVER_assert(given == t && still_in_order() && free_requires(n),
                     "dedupe_free requires");

    change();

    t->entry[n - 1].expires = 0;
    t->entry[n - 1].owner = 0;

    now_in_order(free_ensures(n));
}


void
prove_dedupe_free(void)
{
    uint32_t  n;

    any_table();

    n = nondet_size();

    assume(in_order() && free_requires(n));

    dedupe_free(t, n);

    __CPROVER_assert(free_ensures(n), "dedupe_free ensures");
}


/* dedupe_rebuild() */

void
stub_dedupe_rebuild(clockodo_dedupe_t *given)
{
    __CPROVER_assert(given == t && killed(), "dedupe_rebuild requires");

    change();

    now_in_order(in_order());
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
    __CPROVER_assert(given == t && still_in_order(), "dedupe_expire requires");

    change();
    free_some();

    now_in_order(in_order());
}


/* any number of rounds has been, each of which frees one */

static bool
a_round(void)
{
    static uint64_t  left;

    __CPROVER_assert(still_in_order() && t->entries > 0,
                     "this holds before a round");
    __CPROVER_assert(rounds == 0 || t->entries < left, "it comes to an end");

    assume(rounds++ == 0);

    change();
    free_some();

    assume(in_order() && t->entries > 0);

    keep();

    left = t->entries;

    return true;
}


void
prove_dedupe_expire(void)
{
    uint64_t  now;

    any_table();

    assume(in_order());

    keep();

    dedupe_expire(t, now, nondet_size());

    __CPROVER_assert(still_in_order(), "dedupe_expire ensures");
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

    __CPROVER_assert(given == t && still_in_order(), "dedupe_new requires");

    n = nondet_size();
    gone = nondet_size();

    change();

    if (gone > 0 && gone <= ENTRIES) {
        t->entry[gone - 1].expires = 0;
        t->entry[gone - 1].owner = 0;
    }

    assume(new_ensures(n));

    if (n == 0) {
        keep();

    } else {
        keep_none();
    }

    return n;
}


void
prove_dedupe_new(void)
{
    uint32_t  n;

    any_table();

    assume(in_order());

    keep();

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

    now_in_order(in_order());
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

static void
any_usable_table(void)
{
    any_table();

    if (t->busy) {
        assume(killed());

        keep_none();

    } else {
        assume(in_order());

        keep();
    }
}


#define settled()                                                             \
    (t->busy == 0 && still_in_order())


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


/* dedupe_enter(), the first of each call */

void
stub_dedupe_enter(clockodo_dedupe_t *given)
{
    __CPROVER_assert(given == t && still_in_order(), "dedupe_enter requires");

    change();

    t->busy = 1;

    now_in_order(in_order());
}


void
prove_dedupe_enter(void)
{
    any_usable_table();

    dedupe_enter(t);

    __CPROVER_assert(t->busy == 1 && still_in_order(), "dedupe_enter ensures");
}


/* dedupe_lookup() */

#define lookup_ensures(n)                                                     \
    (is_place(n) && (n == 0 || t->entry[n - 1].expires))

uint32_t
stub_dedupe_lookup(clockodo_dedupe_t *given, const unsigned char *digest,
    uint32_t scope)
{
    uint32_t  n;

    __CPROVER_assert(given == t && still_in_order()
                     && READABLE(digest, CLOCKODO_SHA256_LEN),
                     "dedupe_lookup requires");

    n = nondet_size();
    assume(lookup_ensures(n));

    return n;
}


void
prove_dedupe_lookup(void)
{
    uint32_t       n, scope;
    unsigned char  digest[CLOCKODO_SHA256_LEN];

    any_table();

    assume(in_order());

    n = dedupe_lookup(t, digest, scope);

    __CPROVER_assert(lookup_ensures(n), "dedupe_lookup ensures");
}


/*
 * A claim looks into no state but that of dedupe_new(): of the others it needs
 * no more than that they are in order when the next function is called.
 */

void
prove_clockodo_dedupe_claim(void)
{
    uint32_t           scope;
    uint64_t           now;
    clockodo_claim_t   claim;
    clockodo_dedupe_e  state;
    unsigned char      digest[CLOCKODO_SHA256_LEN];

    any_table();
    keep();

    unseen = true;

    assume(t->nclaims < UINT64_MAX);

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

    any_usable_table();

    state = clockodo_dedupe_find(t, digest, scope, now);

    __CPROVER_assert(settled(), "clockodo_dedupe_find ensures");
    __CPROVER_assert(state != CLOCKODO_DEDUPE_FULL, "not full");
}


void
prove_clockodo_dedupe_commit(void)
{
    uint64_t          now;
    clockodo_claim_t  claim;

    any_usable_table();

    claim = any_claim();

    clockodo_dedupe_commit(t, &claim, now, any_span(now));

    __CPROVER_assert(t->busy == 0 && in_order() && claim.owner == 0,
                     "clockodo_dedupe_commit ensures");
}


void
prove_clockodo_dedupe_release(void)
{
    clockodo_claim_t  claim;

    any_usable_table();

    claim = any_claim();

    clockodo_dedupe_release(t, &claim);

    __CPROVER_assert(settled() && claim.owner == 0,
                     "clockodo_dedupe_release ensures");
}


void
prove_clockodo_dedupe_expire(void)
{
    uint64_t  now;

    any_usable_table();

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
