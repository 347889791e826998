
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_DEDUPE_H_INCLUDED_
#define _CLOCKODO_DEDUPE_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "clockodo_token.h"


#pragma GCC visibility push(hidden)


/*
 * Remembers which events were delivered.  Who is to deliver an event claims
 * its key for a while, and then commits or releases the claim; in between it
 * is in flight.  A claim that is too old is nobody's: who claims the key next
 * gets it, and the first one can settle it no more.
 *
 * All is in memory of the caller, which may be shared between processes at
 * the same address.  The caller sees to it that one process at a time calls.
 * One that is killed amid a call does no harm: the next call, by whomever,
 * puts the table in order.  The order of what was committed is then lost.
 *
 * Times are in milliseconds of any clock that does not go back, as that of
 * clockodo_dedupe_now().
 */


typedef struct {
    unsigned char              digest[CLOCKODO_SHA256_LEN];

    /* volatile: the order of these two matters where a process is killed */
    volatile uint64_t          owner;      /* of the claim, 0: committed */
    volatile uint64_t          expires;    /* 0: the entry is free */

    uint32_t                   scope;
    uint32_t                   chain;      /* the next of the bucket */
    uint32_t                   next;       /* that was committed, 0: none */
    uint32_t                   prev;
    uint32_t                   place;      /* in the heap */
} clockodo_dedupe_entry_t;


/* entries are counted from 1 */

typedef struct {
    uint32_t                   capacity;   /* entries */
    uint32_t                   mask;       /* buckets - 1 */

    uint32_t                   busy;       /* a call has not ended */
    uint32_t                   free;       /* the first, by their chain */

    /* in the order in which they were committed */
    uint32_t                   oldest;
    uint32_t                   newest;

    uint64_t                   clock;      /* that was seen last, 0: none */

    uint64_t                   nclaims;    /* there were, ever */
    uint64_t                   entries;    /* there are */
    uint64_t                   evictions;  /* committed, before their time */

    uint32_t                  *buckets;
    uint32_t                  *heap;       /* by the time that they expire */
    clockodo_dedupe_entry_t    entry[];    /* from 0 */
} clockodo_dedupe_t;


typedef enum {
    CLOCKODO_DEDUPE_NEW = 0,
    CLOCKODO_DEDUPE_IN_FLIGHT,
    CLOCKODO_DEDUPE_COMMITTED,
    CLOCKODO_DEDUPE_FULL                   /* of what is in flight */
} clockodo_dedupe_e;


typedef struct {
    uint64_t                   owner;      /* 0: nothing is claimed */
    uint32_t                   entry;
} clockodo_claim_t;


/*
 * Makes an empty table in memory of that many bytes, aligned to 8.  Returns
 * NULL if it is too small for one entry.
 */
clockodo_dedupe_t *clockodo_dedupe_init(void *memory, size_t size)
    __attribute__((warn_unused_result));

/*
 * Makes a time of 64 bits of a clock that starts again at 0 after max, which
 * is 2^32 - 1 or 2^64 - 1.  The clocks of processes may differ, by a day at
 * most: the time is that of the one that is ahead, and never goes back.  Who
 * looks at a clock of 32 bits must do so within 48 days, or each further round
 * of it, of 49.7 days, is missed: claims and commits then last longer.
 */
uint64_t clockodo_dedupe_now(clockodo_dedupe_t *t, uint64_t clock,
    uint64_t max);

/*
 * Claims a key for lease milliseconds.  Keys of different scopes differ.
 * If all entries are taken, the oldest committed one goes.
 *
 * Returns CLOCKODO_DEDUPE_NEW and sets *claim; otherwise nothing is claimed,
 * and claim->owner is 0.
 */
clockodo_dedupe_e clockodo_dedupe_claim(clockodo_dedupe_t *t,
    const unsigned char digest[CLOCKODO_SHA256_LEN], uint32_t scope,
    uint64_t now, uint64_t lease, clockodo_claim_t *claim);

/* likewise, but claims nothing; returns anything but CLOCKODO_DEDUPE_FULL */
clockodo_dedupe_e clockodo_dedupe_find(clockodo_dedupe_t *t,
    const unsigned char digest[CLOCKODO_SHA256_LEN], uint32_t scope,
    uint64_t now);

/*
 * Settle a claim, which then is 0: the key is committed for ttl milliseconds,
 * or forgotten.  Nothing happens if it is somebody else's by now.
 */
void clockodo_dedupe_commit(clockodo_dedupe_t *t, clockodo_claim_t *claim,
    uint64_t now, uint64_t ttl);
void clockodo_dedupe_release(clockodo_dedupe_t *t, clockodo_claim_t *claim);

/* frees up to max entries whose time is over */
void clockodo_dedupe_expire(clockodo_dedupe_t *t, uint64_t now, size_t max);


#pragma GCC visibility pop


#endif /* _CLOCKODO_DEDUPE_H_INCLUDED_ */
