
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_sign.h"

#include <string.h>

#include <openssl/crypto.h>


typedef struct {
    unsigned char         first;
    unsigned char         last;
    unsigned char         value;           /* of the first one */
} clockodo_base64_t;


static int clockodo_sign_key_start(clockodo_sha256_t *state,
    const unsigned char *bytes, unsigned char pad);
static unsigned clockodo_base64_decode(const unsigned char *text, size_t len,
    unsigned char *bytes);
static unsigned clockodo_base64_value(unsigned c);


static const char  clockodo_sign_key_prefix[] = "whsec_";


static const clockodo_base64_t  clockodo_base64[] = {
    { 'A', 'Z', 0 },
    { 'a', 'z', 26 },
    { '0', '9', 52 },
    { '+', '+', 62 },
    { '/', '/', 63 }
};


clockodo_sign_key_e
clockodo_sign_key_parse(const unsigned char *text, size_t len,
    clockodo_sign_key_t *key)
{
    size_t         prefix, padding, size;
    unsigned       malformed;
    unsigned char  bytes[CLOCKODO_SHA256_BLOCK];

    prefix = sizeof(clockodo_sign_key_prefix) - 1;

    if (len < prefix || memcmp(text, clockodo_sign_key_prefix, prefix) != 0) {
        return CLOCKODO_SIGN_KEY_PREFIX;
    }

    text += prefix;
    len -= prefix;

    if (len % 4 != 0) {
        return CLOCKODO_SIGN_KEY_BASE64;
    }

    padding = 0;

    while (padding < 2 && padding < len && text[len - 1 - padding] == '=') {
        padding++;
    }

    size = len / 4 * 3 - padding;

    if (size < CLOCKODO_SIGN_KEY_MIN) {
        return CLOCKODO_SIGN_KEY_SHORT;
    }

    if (size > CLOCKODO_SIGN_KEY_MAX) {
        return CLOCKODO_SIGN_KEY_LONG;
    }

    memset(bytes, 0, CLOCKODO_SHA256_BLOCK);

    malformed = clockodo_base64_decode(text, len - padding, bytes);

    if (clockodo_sign_key_start(&key->inner, bytes, 0x36) != 0
        || clockodo_sign_key_start(&key->outer, bytes, 0x5c) != 0)
    {
        OPENSSL_cleanse(bytes, CLOCKODO_SHA256_BLOCK);
        return CLOCKODO_SIGN_KEY_NO_MEMORY;
    }

    OPENSSL_cleanse(bytes, CLOCKODO_SHA256_BLOCK);

    /* arithmetic: this is as far as a key goes without a branch */

    return (clockodo_sign_key_e) (CLOCKODO_SIGN_KEY_BASE64 * malformed);
}


static int
clockodo_sign_key_start(clockodo_sha256_t *state, const unsigned char *bytes,
    unsigned char pad)
{
    int            rc;
    size_t         i;
    unsigned char  block[CLOCKODO_SHA256_BLOCK];

    for (i = 0; i < CLOCKODO_SHA256_BLOCK; i++) {
        block[i] = bytes[i] ^ pad;
    }

    rc = clockodo_sha256_start(state, block);

    OPENSSL_cleanse(block, CLOCKODO_SHA256_BLOCK);

    return rc;
}


/* text is without its padding; returns 1 if it is malformed */

static unsigned
clockodo_base64_decode(const unsigned char *text, size_t len,
    unsigned char *bytes)
{
    size_t    i;
    unsigned  value, bits, nbits, malformed;

    bits = 0;
    nbits = 0;
    malformed = 0;

    for (i = 0; i < len; i++) {
        value = clockodo_base64_value(text[i]);
        malformed |= value >> 6;

        bits = bits << 6 | (value & 0x3f);
        nbits += 6;

        if (nbits >= 8) {
            nbits -= 8;
            *bytes++ = bits >> nbits;
            bits &= (1U << nbits) - 1;
        }
    }

    malformed |= bits;

    /* any bit borrows into the top one: no comparison */

    return (0 - malformed) >> (sizeof(malformed) * 8 - 1);
}


/* 64 for what is not of the alphabet; a table would be seen from outside */

static unsigned
clockodo_base64_value(unsigned c)
{
    size_t                    i;
    unsigned                  value, within, known;
    const clockodo_base64_t  *range;

    value = 0;
    known = 0;

    for (i = 0; i < sizeof(clockodo_base64) / sizeof(clockodo_base64[0]); i++) {
        range = &clockodo_base64[i];

        /* both borrow and set the top bit, or else it is outside */

        within = ((range->first - 1U - c) & (c - 1U - range->last))
                 >> (sizeof(within) * 8 - 1);

        value |= (0 - within) & (c - range->first + range->value);
        known |= within;
    }

    return value | (1 - known) << 6;
}


int
clockodo_sign_key_equal(const clockodo_sign_key_t *a,
    const clockodo_sign_key_t *b)
{
    return CRYPTO_memcmp(a, b, sizeof(clockodo_sign_key_t)) == 0;
}


void
clockodo_sign_key_clear(clockodo_sign_key_t *key)
{
    OPENSSL_cleanse(key, sizeof(clockodo_sign_key_t));
}


int
clockodo_sign(const clockodo_sign_key_t *key, const void *head,
    size_t head_len, const void *body, size_t body_len,
    unsigned char mac[CLOCKODO_SHA256_LEN])
{
    unsigned char  digest[CLOCKODO_SHA256_LEN];

    if (clockodo_sha256_finish(&key->inner, head, head_len, body, body_len,
                               digest)
        != 0)
    {
        return -1;
    }

    return clockodo_sha256_finish(&key->outer, digest, CLOCKODO_SHA256_LEN,
                                  NULL, 0, mac);
}
