
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _PROOF_H_INCLUDED_
#define _PROOF_H_INCLUDED_


#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>


/*
 * The words that CBMC has for contracts.  A contract is a declaration of the
 * function, after that of the source: what it requires is asserted of its
 * callers and assumed in its own proof, and what it ensures the other way
 * round.  It writes to nothing but what it assigns.
 */

#define REQUIRES(condition)   __CPROVER_requires(condition)
#define ENSURES(condition)    __CPROVER_ensures(condition)
#define ASSIGNS(...)          __CPROVER_assigns(__VA_ARGS__)
#define FREES(...)            __CPROVER_frees(__VA_ARGS__)

#define RESULT                __CPROVER_return_value
#define OLD(expression)       __CPROVER_old(expression)

/*
 * Whether a pointer is first, last, or in between.  NEAR is for what a caller
 * gets: there it makes such a pointer, so that it can be followed.
 */

#define OFFSET(p)             __CPROVER_POINTER_OFFSET(p)

#define BETWEEN(first, p, last)                                               \
    (__CPROVER_same_object(first, p) && __CPROVER_same_object(p, last)        \
     && OFFSET(first) <= OFFSET(p) && OFFSET(p) <= OFFSET(last))

#define NEAR(first, p, last)  __CPROVER_pointer_in_range_dfcc(first, p, last)

/* whether there are n bytes to read, or to write */

#define READABLE(p, n)        __CPROVER_r_ok(p, n)
#define WRITABLE(p, n)        __CPROVER_w_ok(p, n)

/* a loop's contract: what it writes to, what holds before each round, and what
   gets smaller by each one; a harness names it LOOP_FUNCTION_N, from 0 */

#define LOOP(assigned, invariant, left)                                       \
    __CPROVER_assigns assigned                                                \
    __CPROVER_loop_invariant invariant                                        \
    __CPROVER_decreases left

/* what an expression was before a loop */
#define LOOP_ENTRY(p)          __CPROVER_loop_entry(p)

#define assume(condition)     __CPROVER_assume(condition)


/* a text is never longer, unless a proof says so */
#define PROOF_TEXT  65536


/* CBMC takes these for any value, by their names */
size_t nondet_size(void);
bool nondet_bool(void);
int nondet_int(void);


/* a block of just len bytes, which can be anything */

static inline unsigned char *
any_text(size_t len)
{
    unsigned char  *text;

    text = malloc(len);

    assume(text != NULL);

    return text;
}


/* one of 0 to max, at the most a million: what is left of the number is 0 from
   the beginning, which makes it much cheaper to reckon with */

static inline size_t
any_up_to(size_t max)
{
    size_t  n;

    n = nondet_size() & 0xfffff;

    __CPROVER_assert(max <= 0xfffff, "not too much is asked for");

    assume(n <= max);

    return n;
}


#endif /* _PROOF_H_INCLUDED_ */
