
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* SHA-256, by the functions that every OpenSSL still has */


#include "libcrypto.h"
#include "core.h"
#include "any.h"


#include "clockodo_sha256.c"


void
prove_clockodo_sha256(void)
{
    size_t         len;
    unsigned char  digest[CLOCKODO_SHA256_LEN];

    len = any_up_to(PROOF_TEXT);

    (void) clockodo_sha256(any_text_or_null(len), len, digest);
}


void
prove_clockodo_sha256_start(void)
{
    clockodo_sha256_t  state;

    (void) clockodo_sha256_start(&state, any_text(CLOCKODO_SHA256_BLOCK));
}


void
prove_clockodo_sha256_finish(void)
{
    size_t             head, body;
    unsigned char      digest[CLOCKODO_SHA256_LEN];
    clockodo_sha256_t  state;

    head = any_up_to(PROOF_TEXT);
    body = any_up_to(PROOF_TEXT);

    (void) clockodo_sha256_finish(&state, any_text_or_null(head), head,
                                  any_text_or_null(body), body, digest);
}
