
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _PROOF_LIBC_H_INCLUDED_
#define _PROOF_LIBC_H_INCLUDED_


#include "proof.h"


/*
 * What the C standard says of functions of libc, as far as proofs rely upon
 * it.  CBMC has no body for some of them, and a loop for others.  These
 * contracts are assumed, all others are proved.
 */


/* 7.24.4.1 */

int
memcmp(const void *a, const void *b, size_t n)
REQUIRES(READABLE(a, n) && READABLE(b, n))
ASSIGNS();


/* the same, for proofs without contracts */

int
stub_memcmp(const void *a, const void *b, size_t n)
{
    __CPROVER_assert(READABLE(a, n) && READABLE(b, n), "memcmp requires");

    return nondet_int();
}


#endif /* _PROOF_LIBC_H_INCLUDED_ */
