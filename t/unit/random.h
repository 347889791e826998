
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _RANDOM_H_INCLUDED_
#define _RANDOM_H_INCLUDED_


#include <stdint.h>


/* splitmix64, the same numbers at every run */

static inline uint64_t
test_random(void)
{
    uint64_t         z;
    static uint64_t  seed;

    seed += 0x9e3779b97f4a7c15;

    z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;

    return z ^ (z >> 31);
}


#endif /* _RANDOM_H_INCLUDED_ */
