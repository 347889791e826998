
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


/* from a pointer to the end of its object, which is a NUL */

#define ROOM(s)        (__CPROVER_OBJECT_SIZE(s) - OFFSET(s))
#define TERMINATED(s)  (READABLE(s, 1) && (s)[ROOM(s) - 1] == '\0')


/* 7.24.5.1 */

void *
memchr(const void *s, int c, size_t n)
REQUIRES(READABLE(s, n))
ASSIGNS()
ENSURES(RESULT == NULL
        || (n > 0 && NEAR((const char *) s, RESULT, (const char *) s + n - 1)
            && *(const unsigned char *) RESULT == (unsigned char) c));


void *
stub_memchr(const void *s, int c, size_t n)
{
    size_t                i;
    const unsigned char  *p;

    __CPROVER_assert(READABLE(s, n), "memchr requires");

    p = s;
    i = nondet_size();

    return i < n && p[i] == (unsigned char) c ? (void *) (p + i) : NULL;
}


/* 7.24.5.2 */

char *
strchr(const char *s, int c)
REQUIRES(TERMINATED(s))
ASSIGNS()
ENSURES(RESULT == NULL
        || NEAR((char *) s, RESULT, (char *) s + ROOM(s) - 1));


/* 7.24.6.3 */

size_t
strlen(const char *s)
REQUIRES(TERMINATED(s))
ASSIGNS()
ENSURES(RESULT < ROOM(s) && s[RESULT] == '\0');


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


/* 7.24.2.1, 7.24.6.1 and 7.22.3.2: harnesses have stubs of their own for these,
   which know of what type the memory is */

void *
memcpy(void *to, const void *from, size_t n)
REQUIRES(WRITABLE(to, n) && READABLE(from, n))
ASSIGNS(__CPROVER_object_upto(to, n))
ENSURES(RESULT == to);


void *
memset(void *s, int c, size_t n)
REQUIRES(WRITABLE(s, n))
ASSIGNS(__CPROVER_object_upto(s, n))
ENSURES(RESULT == s);


void *
calloc(size_t n, size_t size)
REQUIRES(true)
ASSIGNS()
ENSURES(RESULT == NULL || READABLE(RESULT, n * size));


#endif /* _PROOF_LIBC_H_INCLUDED_ */
