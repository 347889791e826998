
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_PERIOD_H_INCLUDED_
#define _CLOCKODO_PERIOD_H_INCLUDED_


#include <stdint.h>


#pragma GCC visibility push(hidden)


/*
 * Counting in periods, such as minutes, with a row of words that are used in
 * turn, round after round.  A word holds its round in the upper bits and the
 * count in the lower ones, so that one atomic operation replaces both.  Of a
 * word of 32 bits the round has 10: what was counted 1024 rounds ago and not
 * replaced since would count again.
 */

#if (UINTPTR_MAX > UINT32_MAX)
#define CLOCKODO_PERIOD_SHIFT  32
#else
#define CLOCKODO_PERIOD_SHIFT  22
#endif

/* more than this are not counted: 4,194,303 in a word of 32 bits */
#define CLOCKODO_PERIOD_MAX                                                   \
    (((uintptr_t) 1 << CLOCKODO_PERIOD_SHIFT) - 1)


/* returns the word with one more; what is of another round is forgotten */
uintptr_t clockodo_period_add(uintptr_t word, uint64_t round);

/* returns how many there were in this round */
uintptr_t clockodo_period_count(uintptr_t word, uint64_t round);


#pragma GCC visibility pop


#endif /* _CLOCKODO_PERIOD_H_INCLUDED_ */
