
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _PROOF_DEDUPE_H_INCLUDED_
#define _PROOF_DEDUPE_H_INCLUDED_


/* what is in order, for a table of three entries and two buckets */


#define ENTRIES  3
#define BUCKETS  2


static clockodo_dedupe_t  *t;


/* whether n is one, or 0 */

static bool
is_place(uint32_t n)
{
    return n <= ENTRIES;
}


static bool
heap_in_order(uint32_t but)
{
    size_t    i;
    uint32_t  n;

    if (t->entries > ENTRIES) {
        return false;
    }

    for (i = 0; i < ENTRIES && i < t->entries; i++) {
        n = t->heap[i];

        if (n == 0 || n > ENTRIES || n == but
            || t->entry[n - 1].place != i
            || t->entry[n - 1].expires == 0
            || (i > 0 && t->entry[n - 1].expires
                         < t->entry[t->heap[(i - 1) / 2] - 1].expires))
        {
            return false;
        }
    }

    return true;
}


/* each chain ends, and has those entries that it is to have */

static bool
chain_in_order(uint32_t n, uint32_t bucket, bool *seen)
{
    size_t    i;
    uint32_t  hash;

    for (i = 0; n; i++) {

        if (i == ENTRIES || n > ENTRIES || seen[n - 1]) {
            return false;
        }

        seen[n - 1] = true;

        if (bucket < BUCKETS) {
            memcpy(&hash, t->entry[n - 1].digest, sizeof(hash));

            if (t->entry[n - 1].expires == 0
                || ((hash ^ t->entry[n - 1].scope) & t->mask) != bucket)
            {
                return false;
            }

        } else if (t->entry[n - 1].expires || t->entry[n - 1].owner) {
            return false;
        }

        n = t->entry[n - 1].chain;
    }

    return true;
}


/* those that are committed, by the order in which they were */

static bool
list_in_order(uint32_t but)
{
    size_t    i, committed;
    uint32_t  n, prev;

    committed = 0;

    for (i = 0; i < ENTRIES; i++) {
        committed += i + 1 != but && t->entry[i].expires
                     && t->entry[i].owner == 0;
    }

    prev = 0;
    n = t->oldest;

    for (i = 0; i < ENTRIES && n; i++) {

        if (n > ENTRIES || n == but || t->entry[n - 1].prev != prev
            || t->entry[n - 1].expires == 0 || t->entry[n - 1].owner)
        {
            return false;
        }

        prev = n;
        n = t->entry[n - 1].next;
    }

    return n == 0 && i == committed && t->newest == prev;
}


/* no two claims have one owner */

static bool
owners_in_order(void)
{
    return t->entry[0].owner <= t->nclaims && t->entry[1].owner <= t->nclaims
           && t->entry[2].owner <= t->nclaims
           && (t->entry[0].owner == 0
               || (t->entry[0].owner != t->entry[1].owner
                   && t->entry[0].owner != t->entry[2].owner))
           && (t->entry[1].owner == 0
               || t->entry[1].owner != t->entry[2].owner);
}


/* all entries but one, which is in no list (0: none is) */

static bool
in_order_but(uint32_t but)
{
    bool    seen[ENTRIES] = { false, false, false };
    size_t  i, taken;

    taken = 0;

    for (i = 0; i < ENTRIES; i++) {
        taken += i + 1 != but && t->entry[i].expires;
    }

    return t->capacity == ENTRIES && t->mask == BUCKETS - 1
           && taken == t->entries
           && owners_in_order()
           && heap_in_order(but)
           && list_in_order(but)
           && chain_in_order(t->buckets[0], 0, seen)
           && chain_in_order(t->buckets[1], 1, seen)
           && chain_in_order(t->free, BUCKETS, seen)
           && (seen[0] || but == 1) && (seen[1] || but == 2)
           && (seen[2] || but == 3)
           && (but == 0 || !seen[but - 1]);
}


#define in_order()  in_order_but(0)


#endif /* _PROOF_DEDUPE_H_INCLUDED_ */
