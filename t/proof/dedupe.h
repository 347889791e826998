
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _PROOF_DEDUPE_H_INCLUDED_
#define _PROOF_DEDUPE_H_INCLUDED_


/* what is in order, for a table of three entries and two buckets */


#define ENTRIES  3
#define BUCKETS  2


static clockodo_dedupe_t  *t;


/*
 * The fields of the entries, each as an array: CBMC would look up whole entries
 * for each place that is not known.
 */

typedef struct {
    uint32_t  bucket[ENTRIES];
    uint32_t  chain[ENTRIES];
    uint32_t  next[ENTRIES];
    uint32_t  prev[ENTRIES];
    uint32_t  place[ENTRIES];
    uint64_t  owner[ENTRIES];
    uint64_t  expires[ENTRIES];
} fields_t;


/* whether n is one, or 0 */

static bool
is_place(uint32_t n)
{
    return n <= ENTRIES;
}


static void
get_fields(fields_t *f)
{
    size_t    i;
    uint32_t  hash;

    for (i = 0; i < ENTRIES; i++) {
        memcpy(&hash, t->entry[i].digest, sizeof(hash));

        f->bucket[i] = (hash ^ t->entry[i].scope) & t->mask;
        f->chain[i] = t->entry[i].chain;
        f->next[i] = t->entry[i].next;
        f->prev[i] = t->entry[i].prev;
        f->place[i] = t->entry[i].place;
        f->owner[i] = t->entry[i].owner;
        f->expires[i] = t->entry[i].expires;
    }
}


static bool
heap_in_order(const fields_t *f, uint32_t but)
{
    size_t    i;
    uint32_t  n;

    if (t->entries > ENTRIES) {
        return false;
    }

    for (i = 0; i < ENTRIES && i < t->entries; i++) {
        n = t->heap[i];

        if (n == 0 || n > ENTRIES || n == but
            || f->place[n - 1] != i
            || f->expires[n - 1] == 0
            || (i > 0 && f->expires[n - 1]
                         < f->expires[t->heap[(i - 1) / 2] - 1]))
        {
            return false;
        }
    }

    return true;
}


/* each chain ends, and has those entries that it is to have */

static bool
chain_in_order(const fields_t *f, uint32_t n, uint32_t bucket, bool *seen)
{
    size_t  i;

    for (i = 0; n; i++) {

        if (i == ENTRIES || n > ENTRIES || seen[n - 1]) {
            return false;
        }

        seen[n - 1] = true;

        if (bucket < BUCKETS
            ? f->expires[n - 1] == 0 || f->bucket[n - 1] != bucket
            : f->expires[n - 1] || f->owner[n - 1])
        {
            return false;
        }

        n = f->chain[n - 1];
    }

    return true;
}


/* those that are committed, by the order in which they were */

static bool
list_in_order(const fields_t *f, uint32_t but)
{
    size_t    i, committed;
    uint32_t  n, prev;

    committed = 0;

    for (i = 0; i < ENTRIES; i++) {
        committed += i + 1 != but && f->expires[i] && f->owner[i] == 0;
    }

    prev = 0;
    n = t->oldest;

    for (i = 0; i < ENTRIES && n; i++) {

        if (n > ENTRIES || n == but || f->prev[n - 1] != prev
            || f->expires[n - 1] == 0 || f->owner[n - 1])
        {
            return false;
        }

        prev = n;
        n = f->next[n - 1];
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
    bool      seen[ENTRIES] = { false, false, false };
    size_t    i, taken;
    fields_t  f;

    get_fields(&f);

    taken = 0;

    for (i = 0; i < ENTRIES; i++) {
        taken += i + 1 != but && f.expires[i];
    }

    return t->capacity == ENTRIES && t->mask == BUCKETS - 1
           && taken == t->entries
           && owners_in_order()
           && heap_in_order(&f, but)
           && list_in_order(&f, but)
           && chain_in_order(&f, t->buckets[0], 0, seen)
           && chain_in_order(&f, t->buckets[1], 1, seen)
           && chain_in_order(&f, t->free, BUCKETS, seen)
           && (seen[0] || but == 1) && (seen[1] || but == 2)
           && (seen[2] || but == 3)
           && (but == 0 || !seen[but - 1]);
}


#define in_order()  in_order_but(0)


#endif /* _PROOF_DEDUPE_H_INCLUDED_ */
