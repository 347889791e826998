
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


#define INIT_MOST  ((size_t) 1 << 30)


#define settled()  (t->busy == 0 && in_order())


void
prove_clockodo_dedupe_init(void)
{
    void    *memory;
    size_t   size;

    size = offsetof(clockodo_dedupe_t, entry) + ENTRIES * DEDUPE_ENTRY_SIZE
           + BUCKETS * sizeof(uint32_t);

    memory = any_text(size);

    t = clockodo_dedupe_init(memory, size);

    __CPROVER_assert(t == memory && settled(), "clockodo_dedupe_init ensures");
}


/* memory of any size: all is in it */

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
    size_t              size;
    clockodo_dedupe_t  *table;

    size = any_up_to(INIT_MOST);

    table = clockodo_dedupe_init(any_text(size), size);
}
