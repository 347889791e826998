
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * The first state of the table of duplicates, in memory as the module has it:
 * the base of the induction in dedupe.c.
 */


#include "proof.h"

#include "clockodo_dedupe.c"

#include "dedupe.h"


#define INIT_BITS  30

#define settled()  (t->busy == 0 && in_order())


/* memory of just the size for three entries, of known types */

typedef struct {
    clockodo_dedupe_t        table;
    clockodo_dedupe_entry_t  entries[ENTRIES];
    uint32_t                 heap[ENTRIES];
    uint32_t                 buckets[BUCKETS];
} __attribute__((packed)) memory_t;


void
prove_clockodo_dedupe_init(void)
{
    memory_t  *memory;

    memory = malloc(sizeof(memory_t));
    assume(memory != NULL);

    __CPROVER_assert(sizeof(memory_t)
                     == offsetof(clockodo_dedupe_t, entry)
                        + ENTRIES * DEDUPE_ENTRY_SIZE
                        + BUCKETS * sizeof(uint32_t), "nothing in between");

    t = clockodo_dedupe_init(memory, sizeof(memory_t));

    __CPROVER_assert((void *) t == memory && settled(),
                     "clockodo_dedupe_init ensures");
}


/* memory of any size: all is in it */

void *
stub_memset(void *p, int c, size_t n)
{
    __CPROVER_assert(c == 0 && WRITABLE(p, n), "memset requires");

    return p;
}


void
stub_dedupe_rebuild_any(clockodo_dedupe_t *table)
{
    uint64_t  buckets;

    buckets = (uint64_t) table->mask + 1;

    __CPROVER_assert(table->capacity > 0
                     && WRITABLE(table->entry, table->capacity
                                     * sizeof(clockodo_dedupe_entry_t))
                     && WRITABLE(table->heap,
                                 table->capacity * sizeof(uint32_t))
                     && WRITABLE(table->buckets, buckets * sizeof(uint32_t))
                     && (buckets & (buckets - 1)) == 0,
                     "dedupe_rebuild has a table");
}


void
prove_clockodo_dedupe_init_any(void)
{
    size_t  size;

    /* what is left of the number is 0 from the beginning */

    size = nondet_size() & (((size_t) 1 << INIT_BITS) - 1);

    t = clockodo_dedupe_init(any_text(size), size);
}
