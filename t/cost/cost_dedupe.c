
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * What claims, deliveries and look-ups cost among few and among many events,
 * under callgrind, for tools/cost: a level of the heap that holds so many costs
 * no more where there are more levels.
 */


#include "clockodo_dedupe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>


#define COST_SIZE   (1024 * 1024)
#define COST_CALLS  1000

#define cost_count(a)   (sizeof(a) / sizeof((a)[0]))


/* a full binary heap of so many entries has so many levels */

typedef struct {
    unsigned     entries;
    unsigned     levels;
    const char  *deliver;
    const char  *find;
} cost_table_t;


static const cost_table_t  cost_tables[] = {
    { 100, 7, "claim and commit among 100 events",
      "look-up among 100 events" },
    { 5000, 13, "claim and commit among 5,000 events",
      "look-up among 5,000 events" }
};


static void cost_digest(unsigned n, unsigned char *digest);
static void cost_deliver(clockodo_dedupe_t *t, unsigned n);
void cost_call_deliver(clockodo_dedupe_t *t, unsigned first)
    __attribute__((noinline));
void cost_call_find(clockodo_dedupe_t *t) __attribute__((noinline));


int
main(void)
{
    void                *memory;
    size_t               i;
    unsigned             n;
    clockodo_dedupe_t   *t;
    const cost_table_t  *table;

    memory = malloc(COST_SIZE);

    if (memory == NULL) {
        return 1;
    }

    for (i = 0; i < cost_count(cost_tables); i++) {
        table = &cost_tables[i];

        t = clockodo_dedupe_init(memory, COST_SIZE);

        for (n = 0; n < table->entries; n++) {
            cost_deliver(t, n);
        }

        cost_call_find(t);
        printf("%u %s\n", table->levels * COST_CALLS, table->find);
        CALLGRIND_DUMP_STATS_AT(table->find);

        cost_call_deliver(t, table->entries);
        printf("%u %s\n", table->levels * COST_CALLS, table->deliver);
        CALLGRIND_DUMP_STATS_AT(table->deliver);
    }

    free(memory);

    return 0;
}


/* bytes as by chance, the same each time */

static void
cost_digest(unsigned n, unsigned char *digest)
{
    size_t    i;
    uint64_t  x;

    x = n + 1;

    for (i = 0; i < CLOCKODO_SHA256_LEN; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        digest[i] = x >> 56;
    }
}


static void
cost_deliver(clockodo_dedupe_t *t, unsigned n)
{
    unsigned char     digest[CLOCKODO_SHA256_LEN];
    clockodo_claim_t  claim;

    cost_digest(n, digest);

    if (clockodo_dedupe_claim(t, digest, 1, 1, 300000, &claim)
        != CLOCKODO_DEDUPE_NEW)
    {
        abort();
    }

    clockodo_dedupe_commit(t, &claim, 1, 86400000);
}


void
cost_call_deliver(clockodo_dedupe_t *t, unsigned first)
{
    unsigned  n;

    for (n = first; n < first + COST_CALLS; n++) {
        cost_deliver(t, n);
    }
}


void
cost_call_find(clockodo_dedupe_t *t)
{
    unsigned       n;
    unsigned char  digest[CLOCKODO_SHA256_LEN];

    for (n = 0; n < COST_CALLS; n++) {
        cost_digest(n % 100, digest);

        if (clockodo_dedupe_find(t, digest, 1, 1)
            != CLOCKODO_DEDUPE_COMMITTED)
        {
            abort();
        }
    }
}
