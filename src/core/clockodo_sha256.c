
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

#include <string.h>

#include <openssl/evp.h>


#ifdef OPENSSL_NO_DEPRECATED_3_0

/* what an OpenSSL has that was built without them; no state can be kept */

int
clockodo_sha256(const void *text, size_t len,
    unsigned char digest[CLOCKODO_SHA256_LEN])
{
    return EVP_Digest(text, len, digest, NULL, EVP_sha256(), NULL) == 1
           ? 0 : -1;
}


int
clockodo_sha256_start(clockodo_sha256_t *state,
    const unsigned char block[CLOCKODO_SHA256_BLOCK])
{
    memcpy(state->block, block, CLOCKODO_SHA256_BLOCK);

    return 0;
}


int
clockodo_sha256_finish(const clockodo_sha256_t *state, const void *head,
    size_t head_len, const void *body, size_t body_len,
    unsigned char digest[CLOCKODO_SHA256_LEN])
{
    int          ok;
    EVP_MD_CTX  *ctx;

    ctx = EVP_MD_CTX_new();
    if (ctx == NULL) {
        return -1;
    }

    ok = EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1
         && EVP_DigestUpdate(ctx, state->block, CLOCKODO_SHA256_BLOCK) == 1
         && EVP_DigestUpdate(ctx, head, head_len) == 1
         && EVP_DigestUpdate(ctx, body, body_len) == 1
         && EVP_DigestFinal_ex(ctx, digest, NULL) == 1;

    EVP_MD_CTX_free(ctx);

    return ok ? 0 : -1;
}


#else

int
clockodo_sha256(const void *text, size_t len,
    unsigned char digest[CLOCKODO_SHA256_LEN])
{
    SHA256_CTX  ctx;

    return SHA256_Init(&ctx) == 1
           && SHA256_Update(&ctx, text, len) == 1
           && SHA256_Final(digest, &ctx) == 1
           ? 0 : -1;
}


int
clockodo_sha256_start(clockodo_sha256_t *state,
    const unsigned char block[CLOCKODO_SHA256_BLOCK])
{
    return SHA256_Init(&state->ctx) == 1
           && SHA256_Update(&state->ctx, block, CLOCKODO_SHA256_BLOCK) == 1
           ? 0 : -1;
}


int
clockodo_sha256_finish(const clockodo_sha256_t *state, const void *head,
    size_t head_len, const void *body, size_t body_len,
    unsigned char digest[CLOCKODO_SHA256_LEN])
{
    SHA256_CTX  ctx;

    ctx = state->ctx;

    return SHA256_Update(&ctx, head, head_len) == 1
           && SHA256_Update(&ctx, body, body_len) == 1
           && SHA256_Final(digest, &ctx) == 1
           ? 0 : -1;
}

#endif
