
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_SHA256_H_INCLUDED_
#define _CLOCKODO_SHA256_H_INCLUDED_


#include <stddef.h>

#include <openssl/sha.h>


#pragma GCC visibility push(hidden)


#define CLOCKODO_SHA256_LEN    32
#define CLOCKODO_SHA256_BLOCK  64


/* what comes of a first block, and can be kept; the OpenSSL may be without */

typedef struct {
#ifdef OPENSSL_NO_DEPRECATED_3_0
    unsigned char         block[CLOCKODO_SHA256_BLOCK];
#else
    SHA256_CTX            ctx;
#endif
} clockodo_sha256_t;


/*
 * SHA-256 (FIPS 180-4) of text[0..len).
 * Returns 0, or -1 if libcrypto failed (out of memory).
 */
int clockodo_sha256(const void *text, size_t len,
    unsigned char digest[CLOCKODO_SHA256_LEN])
    __attribute__((warn_unused_result));

/*
 * The same in two steps: of a block, and of what follows it, in two parts.
 * The state after the block stays as it is.  Return 0, or -1 as above.
 */
int clockodo_sha256_start(clockodo_sha256_t *state,
    const unsigned char block[CLOCKODO_SHA256_BLOCK])
    __attribute__((warn_unused_result));
int clockodo_sha256_finish(const clockodo_sha256_t *state, const void *head,
    size_t head_len, const void *body, size_t body_len,
    unsigned char digest[CLOCKODO_SHA256_LEN])
    __attribute__((warn_unused_result));


#pragma GCC visibility pop


#endif /* _CLOCKODO_SHA256_H_INCLUDED_ */
