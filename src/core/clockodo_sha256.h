
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_SHA256_H_INCLUDED_
#define _CLOCKODO_SHA256_H_INCLUDED_


#include <stddef.h>


#pragma GCC visibility push(hidden)


#define CLOCKODO_SHA256_LEN  32


/*
 * SHA-256 (FIPS 180-4) of text[0..len).
 * Returns 0, or -1 if libcrypto failed (out of memory).
 */
int clockodo_sha256(const void *text, size_t len,
    unsigned char digest[CLOCKODO_SHA256_LEN])
    __attribute__((warn_unused_result));


#pragma GCC visibility pop


#endif /* _CLOCKODO_SHA256_H_INCLUDED_ */
