
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_SIGN_H_INCLUDED_
#define _CLOCKODO_SIGN_H_INCLUDED_


#include <stddef.h>

#include "clockodo_sha256.h"


#pragma GCC visibility push(hidden)


/* bytes of a key */
#define CLOCKODO_SIGN_KEY_MIN  24
#define CLOCKODO_SIGN_KEY_MAX  64


/* a key of HMAC (RFC 2104): what comes of its blocks, not the key itself */

typedef struct {
    clockodo_sha256_t     inner;
    clockodo_sha256_t     outer;
} clockodo_sign_key_t;


typedef enum {
    CLOCKODO_SIGN_KEY_OK = 0,
    CLOCKODO_SIGN_KEY_PREFIX,              /* does not start with "whsec_" */
    CLOCKODO_SIGN_KEY_BASE64,              /* malformed behind it */
    CLOCKODO_SIGN_KEY_SHORT,
    CLOCKODO_SIGN_KEY_LONG,
    CLOCKODO_SIGN_KEY_NO_MEMORY            /* libcrypto failed */
} clockodo_sign_key_e;


/*
 * Reads a key of Standard Webhooks: "whsec_" and base64 (RFC 4648, section 4)
 * with its padding, and nothing else; bits that are left over are 0.  Time and
 * memory access depend on the length of the key and on whether it is one, not
 * on what it is.
 */
clockodo_sign_key_e clockodo_sign_key_parse(const unsigned char *text,
    size_t len, clockodo_sign_key_t *key)
    __attribute__((warn_unused_result));

/* whether two keys sign alike */
int clockodo_sign_key_equal(const clockodo_sign_key_t *a,
    const clockodo_sign_key_t *b);

/* overwrites what would sign as the key does */
void clockodo_sign_key_clear(clockodo_sign_key_t *key);

/*
 * Sets mac to HMAC-SHA256 of head and body put end to end; Standard Webhooks
 * signs "ID.TIMESTAMP.BODY".  Time and memory access do not depend on the key.
 * Returns 0, or -1 if libcrypto failed (out of memory).
 */
int clockodo_sign(const clockodo_sign_key_t *key, const void *head,
    size_t head_len, const void *body, size_t body_len,
    unsigned char mac[CLOCKODO_SHA256_LEN])
    __attribute__((warn_unused_result));


#pragma GCC visibility pop


#endif /* _CLOCKODO_SIGN_H_INCLUDED_ */
