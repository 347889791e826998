
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#define _GNU_SOURCE

#include "clockodo_dedupe.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>


#define ENTRIES     8
#define KEYS        40
#define SCOPES      2
#define STEPS       400000
#define KILLS       200
#define KILLS_MAX   10000

#define LEASE       50
#define TTL         200

#define DAY         (24 * 60 * 60 * 1000)
#define WRAP        0x100000000

#define SIZE(n)                                                               \
    (offsetof(clockodo_dedupe_t, entry) + (n) * sizeof(clockodo_dedupe_entry_t)\
     + 2 * (n) * sizeof(uint32_t))


/* what a key ought to be: the plainest thing that can be told apart from it */

typedef struct {
    clockodo_claim_t   claim;
    int                owned;
    uint64_t           in_flight;          /* until then */
    uint64_t           committed;
} test_key_t;


static clockodo_dedupe_t *test_table(size_t n);
static void test_unmap(clockodo_dedupe_t *t);
static const unsigned char *test_digest(unsigned n);
static clockodo_dedupe_e test_claim(clockodo_dedupe_t *t, unsigned n,
    uint64_t now, clockodo_claim_t *claim);
static void test_commit(clockodo_dedupe_t *t, unsigned n, uint64_t now);
static clockodo_dedupe_e test_find(clockodo_dedupe_t *t, unsigned n,
    uint64_t now);
static void test_clock(clockodo_dedupe_t *t, uint64_t time, uint64_t max);
static void test_whole(clockodo_dedupe_t *t);
static void test_scramble(clockodo_dedupe_t *t);
static void test_child(clockodo_dedupe_t *t, uint64_t now);


static void
init_sizes(void **state)
{
    size_t              size;
    clockodo_dedupe_t  *t;
    static uint64_t     memory[4096];

    (void) state;

    assert_null(clockodo_dedupe_init(memory, 0));
    assert_null(clockodo_dedupe_init(memory, SIZE(1) - 1));

    for (size = SIZE(1); size <= sizeof(memory); size++) {
        t = clockodo_dedupe_init(memory, size);

        assert_non_null(t);
        assert_true((char *) (t->buckets + t->mask + 1)
                    <= (char *) memory + size);
        assert_true(t->mask < t->capacity);
        assert_true(t->capacity < 3 * (t->mask + 1));
        assert_true(size < SIZE(0) + (t->mask + 1) * sizeof(uint32_t)
                           + (t->capacity + 1)
                             * (sizeof(clockodo_dedupe_entry_t)
                                + sizeof(uint32_t)));
    }
}


static void
claim_commit_release(void **state)
{
    clockodo_claim_t    one, two;
    clockodo_dedupe_t  *t;

    (void) state;

    t = test_table(ENTRIES);

    assert_int_equal(test_find(t, 1, 0), CLOCKODO_DEDUPE_NEW);
    assert_int_equal(t->entries, 0);

    assert_int_equal(test_claim(t, 1, 0, &one), CLOCKODO_DEDUPE_NEW);
    assert_int_not_equal(one.owner, 0);
    assert_int_equal(test_find(t, 1, 1), CLOCKODO_DEDUPE_IN_FLIGHT);
    assert_int_equal(test_claim(t, 1, 1, &two), CLOCKODO_DEDUPE_IN_FLIGHT);
    assert_int_equal(two.owner, 0);
    assert_int_equal(t->entries, 1);

    /* settling nothing does nothing */

    clockodo_dedupe_release(t, &two);
    clockodo_dedupe_commit(t, &two, 1, TTL);
    assert_int_equal(test_find(t, 1, 1), CLOCKODO_DEDUPE_IN_FLIGHT);

    clockodo_dedupe_release(t, &one);
    assert_int_equal(one.owner, 0);
    assert_int_equal(test_find(t, 1, 1), CLOCKODO_DEDUPE_NEW);
    assert_int_equal(t->entries, 0);

    assert_int_equal(test_claim(t, 1, 1, &one), CLOCKODO_DEDUPE_NEW);
    clockodo_dedupe_commit(t, &one, 2, TTL);
    assert_int_equal(one.owner, 0);
    assert_int_equal(test_find(t, 1, 1 + TTL), CLOCKODO_DEDUPE_COMMITTED);
    assert_int_equal(test_claim(t, 1, 1 + TTL, &one),
                     CLOCKODO_DEDUPE_COMMITTED);

    /* ttl is over */

    assert_int_equal(test_find(t, 1, 2 + TTL), CLOCKODO_DEDUPE_NEW);
    assert_int_equal(test_claim(t, 1, 2 + TTL, &one), CLOCKODO_DEDUPE_NEW);
    assert_int_equal(t->evictions, 0);

    test_whole(t);
    test_unmap(t);
}


/* whose lease is over has lost the claim once somebody else has it */

static void
lease_over(void **state)
{
    clockodo_claim_t    old, new, late;
    clockodo_dedupe_t  *t;

    (void) state;

    t = test_table(ENTRIES);

    assert_int_equal(test_claim(t, 1, 0, &old), CLOCKODO_DEDUPE_NEW);
    assert_int_equal(test_claim(t, 1, LEASE - 1, &new),
                     CLOCKODO_DEDUPE_IN_FLIGHT);
    assert_int_equal(test_claim(t, 1, LEASE, &new), CLOCKODO_DEDUPE_NEW);

    late = old;
    clockodo_dedupe_commit(t, &late, LEASE, TTL);
    assert_int_equal(test_find(t, 1, LEASE), CLOCKODO_DEDUPE_IN_FLIGHT);

    late = old;
    clockodo_dedupe_release(t, &late);
    assert_int_equal(test_find(t, 1, LEASE), CLOCKODO_DEDUPE_IN_FLIGHT);

    clockodo_dedupe_commit(t, &new, LEASE, TTL);
    clockodo_dedupe_release(t, &old);
    assert_int_equal(test_find(t, 1, LEASE), CLOCKODO_DEDUPE_COMMITTED);

    /* it is still its own as long as nobody else wants it */

    assert_int_equal(test_claim(t, 2, LEASE, &old), CLOCKODO_DEDUPE_NEW);
    clockodo_dedupe_commit(t, &old, 3 * LEASE, TTL);
    assert_int_equal(test_find(t, 2, 3 * LEASE), CLOCKODO_DEDUPE_COMMITTED);

    test_whole(t);
    test_unmap(t);
}


static void
keys_and_scopes(void **state)
{
    size_t              i;
    unsigned char       digest[CLOCKODO_SHA256_LEN];
    clockodo_claim_t    claim;
    clockodo_dedupe_t  *t;

    (void) state;

    t = test_table(CLOCKODO_SHA256_LEN + 2);

    memset(digest, 0, sizeof(digest));

    assert_int_equal(clockodo_dedupe_claim(t, digest, 1, 0, LEASE, &claim),
                     CLOCKODO_DEDUPE_NEW);
    /* the second one comes into the same bucket */

    assert_int_equal(clockodo_dedupe_claim(t, digest, 1025, 0, LEASE, &claim),
                     CLOCKODO_DEDUPE_NEW);
    assert_int_equal(clockodo_dedupe_claim(t, digest, 1, 0, LEASE, &claim),
                     CLOCKODO_DEDUPE_IN_FLIGHT);

    for (i = 0; i < CLOCKODO_SHA256_LEN; i++) {
        digest[i] = 1;
        assert_int_equal(clockodo_dedupe_claim(t, digest, 1, 0, LEASE,
                                               &claim),
                         CLOCKODO_DEDUPE_NEW);
        digest[i] = 0;
    }

    test_whole(t);
    test_unmap(t);
}


/* the oldest committed ones go first, and nothing that is in flight */

static void
full(void **state)
{
    unsigned            i;
    clockodo_claim_t    claim, claims[ENTRIES];
    clockodo_dedupe_t  *t;

    (void) state;

    t = test_table(ENTRIES);

    assert_int_equal(t->capacity, ENTRIES);

    for (i = 0; i < 3; i++) {
        assert_int_equal(test_claim(t, i, 0, &claims[i]),
                         CLOCKODO_DEDUPE_NEW);
    }

    for (i = 3; i < ENTRIES; i++) {
        test_commit(t, i, i);
    }

    /* 4 again, in another order than they were claimed in */

    clockodo_dedupe_commit(t, &claims[1], ENTRIES, TTL);

    for (i = 0; i < ENTRIES - 2; i++) {
        assert_int_equal(test_claim(t, 100 + i, 10, &claim),
                         CLOCKODO_DEDUPE_NEW);
        assert_int_equal(t->evictions, i + 1);
        assert_int_equal(test_find(t, i == ENTRIES - 3 ? 1 : 3 + i, 10),
                         CLOCKODO_DEDUPE_NEW);
    }

    assert_int_equal(test_claim(t, 200, 10, &claim), CLOCKODO_DEDUPE_FULL);
    assert_int_equal(claim.owner, 0);
    assert_int_equal(t->evictions, ENTRIES - 2);
    assert_int_equal(test_find(t, 0, 10), CLOCKODO_DEDUPE_IN_FLIGHT);

    /* what is known is known all the same */

    assert_int_equal(test_claim(t, 100, 10, &claim),
                     CLOCKODO_DEDUPE_IN_FLIGHT);

    /* one whose lease is over makes room, and that is no eviction */

    assert_int_equal(test_claim(t, 200, LEASE, &claim), CLOCKODO_DEDUPE_NEW);
    assert_int_equal(t->evictions, ENTRIES - 2);

    test_whole(t);
    test_unmap(t);
}


/* a table of one: whatever makes room does, and who was evicted is out */

static void
one_entry(void **state)
{
    clockodo_claim_t    first, second;
    clockodo_dedupe_t  *t;

    (void) state;

    t = test_table(1);

    assert_int_equal(t->capacity, 1);

    assert_int_equal(test_claim(t, 1, 0, &first), CLOCKODO_DEDUPE_NEW);
    assert_int_equal(test_claim(t, 2, 0, &second), CLOCKODO_DEDUPE_FULL);
    assert_int_equal(test_find(t, 2, 0), CLOCKODO_DEDUPE_NEW);

    /* what was not claimed is not settled either */

    clockodo_dedupe_commit(t, &second, 0, TTL);
    assert_int_equal(test_find(t, 2, 0), CLOCKODO_DEDUPE_NEW);
    assert_int_equal(test_find(t, 1, 0), CLOCKODO_DEDUPE_IN_FLIGHT);

    clockodo_dedupe_release(t, &first);
    assert_int_equal(test_claim(t, 2, 0, &second), CLOCKODO_DEDUPE_NEW);

    clockodo_dedupe_commit(t, &second, 0, TTL);
    assert_int_equal(test_claim(t, 1, 0, &first), CLOCKODO_DEDUPE_NEW);
    assert_int_equal(test_find(t, 2, 0), CLOCKODO_DEDUPE_NEW);
    assert_int_equal(t->evictions, 1);

    /* its lease is over, another one comes to its place */

    assert_int_equal(test_claim(t, 2, LEASE, &second), CLOCKODO_DEDUPE_NEW);
    clockodo_dedupe_commit(t, &first, LEASE, TTL);
    assert_int_equal(test_find(t, 1, LEASE), CLOCKODO_DEDUPE_NEW);
    assert_int_equal(test_find(t, 2, LEASE), CLOCKODO_DEDUPE_IN_FLIGHT);
    assert_int_equal(t->evictions, 1);

    /* as much room as before, after a call that did not come to its end */

    test_scramble(t);
    assert_int_equal(test_claim(t, 1, LEASE, &first), CLOCKODO_DEDUPE_FULL);
    clockodo_dedupe_release(t, &second);
    assert_int_equal(test_claim(t, 1, LEASE, &first), CLOCKODO_DEDUPE_NEW);

    test_whole(t);
    test_unmap(t);
}


static void
expire(void **state)
{
    unsigned            i;
    clockodo_dedupe_t  *t;

    (void) state;

    t = test_table(ENTRIES);

    for (i = 0; i < ENTRIES; i++) {
        test_commit(t, i, i);
    }

    clockodo_dedupe_expire(t, TTL - 1, 100);
    assert_int_equal(t->entries, ENTRIES);

    clockodo_dedupe_expire(t, TTL + 4, 2);
    assert_int_equal(t->entries, ENTRIES - 2);

    clockodo_dedupe_expire(t, TTL + 4, 100);
    assert_int_equal(t->entries, ENTRIES - 5);
    assert_int_equal(t->evictions, 0);

    test_whole(t);
    test_unmap(t);
}


/* one that lives long keeps none of those that are over in memory */

static void
different_times(void **state)
{
    unsigned            i;
    clockodo_claim_t    claim, claims[ENTRIES];
    clockodo_dedupe_t  *t;

    (void) state;

    t = test_table(ENTRIES);

    for (i = 0; i < ENTRIES; i++) {
        assert_int_equal(clockodo_dedupe_claim(t, test_digest(i), 1, 0,
                                               i ? LEASE : 1000, &claims[i]),
                         CLOCKODO_DEDUPE_NEW);
    }

    for (i = 0; i < ENTRIES; i++) {
        clockodo_dedupe_commit(t, &claims[i], 0, i ? TTL : 10 * TTL);
    }

    assert_int_equal(test_claim(t, 100, TTL, &claim), CLOCKODO_DEDUPE_NEW);
    assert_int_equal(t->evictions, 0);
    assert_int_equal(test_find(t, 0, TTL), CLOCKODO_DEDUPE_COMMITTED);

    clockodo_dedupe_expire(t, TTL, 100);
    assert_int_equal(t->entries, 2);

    /* so it is with claims */

    for (i = 0; i < ENTRIES - 2; i++) {
        assert_int_equal(clockodo_dedupe_claim(t, test_digest(200 + i), 1,
                                               TTL, i ? 1 : 1000, &claim),
                         CLOCKODO_DEDUPE_NEW);
    }

    assert_int_equal(test_claim(t, 300, TTL + 1, &claim),
                     CLOCKODO_DEDUPE_NEW);
    assert_int_equal(t->evictions, 0);
    assert_int_equal(test_find(t, 200, TTL + 1), CLOCKODO_DEDUPE_IN_FLIGHT);

    test_whole(t);
    test_unmap(t);
}


/* a clock of 32 bits that starts again, and those of other processes */

static void
clock_wraps(void **state)
{
    unsigned            i, j;
    uint64_t            time, last;
    clockodo_dedupe_t  *t;

    static const uint64_t  maxima[] = { UINT32_MAX, UINT64_MAX };

    /* when it is looked at first: also just before it starts again */

    static const uint64_t  starts[] = {
        0, 1, 1000, WRAP / 2 - 1, WRAP / 2, WRAP - DAY - 1, WRAP - DAY,
        WRAP - DAY + 1, WRAP - 1
    };

    /* between two looks: often, and after idle days */

    static const uint64_t  steps[] = {
        1, 5, 999, DAY, 20 * (uint64_t) DAY, 30 * (uint64_t) DAY,
        48 * (uint64_t) DAY
    };

    (void) state;

    for (i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
        for (j = 0; j < 2; j++) {
            t = test_table(1);

            time = starts[i];
            test_clock(t, time, maxima[j]);

            while (time < 5 * WRAP) {
                time += steps[random() % (sizeof(steps) / sizeof(steps[0]))];
                test_clock(t, time, maxima[j]);
            }

            /* each millisecond around a start */

            while (time % WRAP < WRAP - DAY) {
                time += DAY / 2;
                test_clock(t, time, maxima[j]);
            }

            time += WRAP - 10 - time % WRAP;

            for (last = time + 20; time < last; time++) {
                test_clock(t, time, maxima[j]);
            }

            test_unmap(t);
        }
    }
}


/* claims and commits of before the start last as long as all others */

static void
wrap_claim_commit(void **state)
{
    uint64_t            clock, now;
    clockodo_claim_t    claim, other;
    clockodo_dedupe_t  *t;

    (void) state;

    for (clock = WRAP - 2 * TTL; clock <= WRAP; clock++) {

        t = test_table(ENTRIES);

#define now(ms)  clockodo_dedupe_now(t, (uint32_t) (clock + (ms)), UINT32_MAX)

        now = now(0);

        assert_int_equal(test_claim(t, 1, now, &claim), CLOCKODO_DEDUPE_NEW);
        assert_int_equal(test_claim(t, 2, now, &other), CLOCKODO_DEDUPE_NEW);

        assert_int_equal(test_find(t, 1, now(LEASE - 1)),
                         CLOCKODO_DEDUPE_IN_FLIGHT);

        /* another process, whose clock is behind */

        assert_int_equal(test_find(t, 1, now(LEASE - 9)),
                         CLOCKODO_DEDUPE_IN_FLIGHT);

        clockodo_dedupe_commit(t, &claim, now(LEASE - 1), TTL);

        assert_int_equal(test_find(t, 2, now(LEASE)), CLOCKODO_DEDUPE_NEW);
        assert_int_equal(test_find(t, 1, now(LEASE)),
                         CLOCKODO_DEDUPE_COMMITTED);
        assert_int_equal(test_find(t, 1, now(LEASE + TTL - 2)),
                         CLOCKODO_DEDUPE_COMMITTED);
        assert_int_equal(test_find(t, 1, now(LEASE + TTL - 1)),
                         CLOCKODO_DEDUPE_NEW);

        clockodo_dedupe_expire(t, now(LEASE + TTL - 1), 2);
        assert_int_equal(t->entries, 0);

#undef now

        test_whole(t);
        test_unmap(t);
    }
}


/*
 * Any number of steps does what a plain list of keys would do, also if what
 * leads to the entries is garbage now and then.
 */

static void
model(void **state)
{
    unsigned             i, n, scope;
    uint64_t             now, time;
    test_key_t           keys[KEYS][SCOPES], *key;
    clockodo_claim_t     claim;
    clockodo_dedupe_e    expected;
    clockodo_dedupe_t   *t;

    (void) state;

    t = test_table(KEYS * SCOPES);
    memset(keys, 0, sizeof(keys));
    srandom(1);

    now = 1;

    for (i = 0; i < STEPS; i++) {
        n = random() % KEYS;
        scope = random() % SCOPES;
        key = &keys[n][scope];
        now += random() % 4;
        time = 1 + random() % TTL;

        if (i % 100 == 0) {
            test_scramble(t);
        }

        expected = key->committed > now ? CLOCKODO_DEDUPE_COMMITTED
                   : key->in_flight > now ? CLOCKODO_DEDUPE_IN_FLIGHT
                                          : CLOCKODO_DEDUPE_NEW;

        assert_int_equal(clockodo_dedupe_find(t, test_digest(n), scope, now),
                         expected);

        switch (random() % 3) {

        case 0:
            assert_int_equal(clockodo_dedupe_claim(t, test_digest(n), scope,
                                                   now, time, &claim),
                             expected);

            if (expected == CLOCKODO_DEDUPE_NEW) {
                key->claim = claim;
                key->owned = 1;
                key->in_flight = now + time;
                key->committed = 0;
            }

            break;

        case 1:
            if (key->owned && key->in_flight > now) {
                clockodo_dedupe_commit(t, &key->claim, now, time);
                key->committed = now + time;
                key->in_flight = 0;
                key->owned = 0;
            }

            break;

        default:
            if (key->owned && key->in_flight > now) {
                clockodo_dedupe_release(t, &key->claim);
                key->in_flight = 0;
                key->owned = 0;
            }
        }

        if (i % 1000 == 0) {
            test_whole(t);
        }
    }

    assert_int_equal(t->evictions, 0);

    test_unmap(t);
}


/*
 * A process that is killed while it works on the table leaves one that works,
 * and nothing that it has not delivered counts as committed.
 */

static void
killed(void **state)
{
    int                 status, amid;
    pid_t               pid;
    unsigned            i, n;
    uint64_t            now;
    clockodo_claim_t    claim;
    struct timespec     ts;
    clockodo_dedupe_t  *t;

    (void) state;

    t = test_table(ENTRIES);
    amid = 0;

    /* on a busy machine a child may not have come far */

    for (i = 0; i < KILLS || (amid == 0 && i < KILLS_MAX); i++) {
        now = 1 + i * 1000;

        pid = fork();
        assert_true(pid != -1);

        if (pid == 0) {
            test_child(t, now);
        }

        ts.tv_sec = 0;
        ts.tv_nsec = 200000 + random() % 1000000;
        (void) nanosleep(&ts, NULL);

        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, &status, 0), pid);

        amid += t->busy;

        /* the child commits keys with an even number only */

        for (n = 1; n < KEYS; n += 2) {
            assert_int_not_equal(test_find(t, n, now),
                                 CLOCKODO_DEDUPE_COMMITTED);
        }

        test_whole(t);

        assert_int_equal(test_claim(t, 1000 + i, now, &claim),
                         CLOCKODO_DEDUPE_NEW);
        clockodo_dedupe_release(t, &claim);
    }

    /* or the test has shown nothing */

    assert_true(amid > 0);

    test_unmap(t);
}


static void
test_child(clockodo_dedupe_t *t, uint64_t now)
{
    unsigned          n;
    clockodo_claim_t  claim;

    for (srandom(now); ; /* void */ ) {
        n = random() % KEYS;

        if (test_claim(t, n, now, &claim) != CLOCKODO_DEDUPE_NEW) {
            continue;
        }

        if (n % 2 == 0 && random() % 2) {
            clockodo_dedupe_commit(t, &claim, now, TTL);

        } else {
            clockodo_dedupe_release(t, &claim);
        }
    }
}


/* shared memory, with a page behind it that must not be touched */

static clockodo_dedupe_t *
test_table(size_t n)
{
    char    *p;
    size_t   size, page, pages, buckets;

    for (buckets = 1; buckets * 2 <= n; buckets *= 2) { /* void */ }

    size = offsetof(clockodo_dedupe_t, entry)
           + n * (sizeof(clockodo_dedupe_entry_t) + sizeof(uint32_t))
           + buckets * sizeof(uint32_t);

    size = (size + 7) / 8 * 8;

    page = sysconf(_SC_PAGESIZE);
    pages = (size + page - 1) / page;

    p = mmap(NULL, (pages + 1) * page, PROT_READ|PROT_WRITE,
             MAP_SHARED|MAP_ANONYMOUS, -1, 0);
    assert_true(p != MAP_FAILED);

    assert_int_equal(mprotect(p + pages * page, page, PROT_NONE), 0);

    return clockodo_dedupe_init(p + pages * page - size, size);
}


static void
test_unmap(clockodo_dedupe_t *t)
{
    char    *p;
    size_t   page, pages;

    page = sysconf(_SC_PAGESIZE);
    pages = ((uintptr_t) (t->buckets + t->mask + 1) - (uintptr_t) t + page)
            / page + 1;

    p = (char *) ((uintptr_t) t / page * page);

    assert_int_equal(munmap(p, pages * page), 0);
}


/* keys of which several come into one bucket */

static const unsigned char *
test_digest(unsigned n)
{
    static unsigned char  digest[CLOCKODO_SHA256_LEN];

    memset(digest, 0, sizeof(digest));

    digest[0] = n % 4;
    memcpy(&digest[8], &n, sizeof(n));

    return digest;
}


static clockodo_dedupe_e
test_claim(clockodo_dedupe_t *t, unsigned n, uint64_t now,
    clockodo_claim_t *claim)
{
    return clockodo_dedupe_claim(t, test_digest(n), 1, now, LEASE, claim);
}


static void
test_commit(clockodo_dedupe_t *t, unsigned n, uint64_t now)
{
    clockodo_claim_t  claim;

    assert_int_equal(test_claim(t, n, now, &claim), CLOCKODO_DEDUPE_NEW);
    clockodo_dedupe_commit(t, &claim, now, TTL);
}


static clockodo_dedupe_e
test_find(clockodo_dedupe_t *t, unsigned n, uint64_t now)
{
    return clockodo_dedupe_find(t, test_digest(n), 1, now);
}


/* clocks that are right, behind by up to a day, and right again */

static void
test_clock(clockodo_dedupe_t *t, uint64_t time, uint64_t max)
{
    unsigned  i;

    static const uint64_t  behind[] = { 0, 1, 2, 500, DAY - 1, 0 };

    for (i = 0; i < sizeof(behind) / sizeof(behind[0]); i++) {
        if (behind[i] <= time) {
            assert_int_equal(clockodo_dedupe_now(t, (time - behind[i]) & max,
                                                 max),
                             time);
        }
    }
}


/* each entry is in one bucket and in the heap, or free */

static void
test_whole(clockodo_dedupe_t *t)
{
    unsigned                  i, n, prev, chained, unused, committed, listed;
    clockodo_dedupe_entry_t  *entry;

    chained = 0;

    for (i = 0; i <= t->mask; i++) {
        for (n = t->buckets[i]; n; n = t->entry[n - 1].chain) {
            assert_true(++chained <= t->capacity);
            assert_true(t->entry[n - 1].expires != 0);
        }
    }

    unused = 0;

    for (n = t->free; n; n = t->entry[n - 1].chain) {
        assert_true(++unused <= t->capacity);
        assert_true(t->entry[n - 1].expires == 0);
    }

    assert_int_equal(chained, t->entries);
    assert_int_equal(unused, t->capacity - t->entries);

    committed = 0;

    for (i = 0; i < t->entries; i++) {
        entry = &t->entry[t->heap[i] - 1];

        assert_int_equal(entry->place, i);
        assert_true(entry->expires
                    >= t->entry[t->heap[i ? (i - 1) / 2 : 0] - 1].expires);

        committed += (entry->owner == 0);
    }

    listed = 0;
    prev = 0;

    for (n = t->oldest; n; n = t->entry[n - 1].next) {
        assert_true(++listed <= t->capacity);
        assert_true(t->entry[n - 1].owner == 0);
        assert_int_equal(t->entry[n - 1].prev, prev);
        prev = n;
    }

    assert_int_equal(listed, committed);
    assert_int_equal(t->newest, prev);
}


/* as if a process had been killed at the worst of moments */

static void
test_scramble(clockodo_dedupe_t *t)
{
    uint32_t  n;

    t->busy = 1;
    t->free = random();
    t->entries = random();
    t->oldest = random();
    t->newest = random();

    for (n = 0; n <= t->mask; n++) {
        t->buckets[n] = random();
    }

    for (n = 0; n < t->capacity; n++) {
        t->entry[n].chain = random();
        t->entry[n].next = random();
        t->entry[n].prev = random();
        t->entry[n].place = random();
        t->heap[n] = random();
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(init_sizes),
        cmocka_unit_test(claim_commit_release),
        cmocka_unit_test(lease_over),
        cmocka_unit_test(keys_and_scopes),
        cmocka_unit_test(full),
        cmocka_unit_test(one_entry),
        cmocka_unit_test(expire),
        cmocka_unit_test(different_times),
        cmocka_unit_test(clock_wraps),
        cmocka_unit_test(wrap_claim_commit),
        cmocka_unit_test(model),
        cmocka_unit_test(killed)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
