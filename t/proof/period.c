
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* counts of a period */


#include "proof.h"


#include "clockodo_period.c"


void
prove_clockodo_period_add(void)
{
    uint64_t   round;
    uintptr_t  word, count;

    count = clockodo_period_count(word, round);
    word = clockodo_period_add(word, round);

    __CPROVER_assert(clockodo_period_count(word, round)
                     == (count < CLOCKODO_PERIOD_MAX ? count + 1 : count),
                     "one more, up to the most");
}
