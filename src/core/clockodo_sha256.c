
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * OpenSSL 3.0 prefers EVP_Digest() to functions of one algorithm.  But for a
 * text as short as a token it takes longer to find SHA-256 and to set up its
 * context, on the heap each time, than to digest.
 */

#define OPENSSL_SUPPRESS_DEPRECATED

#include "clockodo_sha256.h"

#include <openssl/evp.h>
#include <openssl/sha.h>


int
clockodo_sha256(const void *text, size_t len,
    unsigned char digest[CLOCKODO_SHA256_LEN])
{
#ifdef OPENSSL_NO_DEPRECATED_3_0

    /* what an OpenSSL has that was built without them */

    return EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL) == 1
           ? 0 : -1;

#else

    SHA256_CTX  ctx;

    return SHA256_Init(&ctx) == 1
           && SHA256_Update(&ctx, text, len) == 1
           && SHA256_Final(digest, &ctx) == 1
           ? 0 : -1;

#endif
}
