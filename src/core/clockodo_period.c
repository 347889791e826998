
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_period.h"


uintptr_t
clockodo_period_add(uintptr_t word, uint64_t round)
{
    uintptr_t  count;

    count = clockodo_period_count(word, round);

    if (count < CLOCKODO_PERIOD_MAX) {
        count++;
    }

    return ((uintptr_t) round << CLOCKODO_PERIOD_SHIFT) | count;
}


uintptr_t
clockodo_period_count(uintptr_t word, uint64_t round)
{
    uintptr_t  stamp;

    stamp = (uintptr_t) round << CLOCKODO_PERIOD_SHIFT;

    return ((word ^ stamp) & ~CLOCKODO_PERIOD_MAX)
           ? 0 : word & CLOCKODO_PERIOD_MAX;
}
