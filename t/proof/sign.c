
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* keys that sign, and signatures */


#include "libc.h"
#include "libcrypto.h"
#include "core.h"
#include "any.h"


/* 64 bytes in base64, less their padding */
#define BASE64_MAX  86

#define LOOP_clockodo_base64_decode_0                                         \
    LOOP((i, bytes, value, bits, nbits, malformed,                            \
          __CPROVER_object_whole(bytes)),                                     \
         (i <= len && nbits == i * 6 % 8 && bits < 1U << nbits                \
          && __CPROVER_same_object(bytes, LOOP_ENTRY(bytes))                  \
          && OFFSET(bytes) == OFFSET(LOOP_ENTRY(bytes)) + i * 6 / 8),         \
         (len - i))


#include "clockodo_sign.c"


static int
clockodo_sign_key_start(clockodo_sha256_t *state, const unsigned char *bytes,
    unsigned char pad)
REQUIRES(WRITABLE(state, sizeof(clockodo_sha256_t))
         && READABLE(bytes, CLOCKODO_SHA256_BLOCK))
ASSIGNS(*state)
ENSURES(RESULT == 0 || RESULT == -1);


static unsigned
clockodo_base64_decode(const unsigned char *text, size_t len,
    unsigned char *bytes)
REQUIRES(len <= BASE64_MAX && READABLE(text, len))
REQUIRES(WRITABLE(bytes, len * 6 / 8))
ASSIGNS(__CPROVER_object_upto(bytes, len * 6 / 8))
ENSURES(RESULT == 0 || RESULT == 1);


static unsigned
clockodo_base64_value(unsigned c)
REQUIRES(c <= 255)
ASSIGNS()
ENSURES(RESULT <= 64);


void
prove_clockodo_sign_key_parse(void)
{
    size_t               len;
    clockodo_sign_key_e  rc;
    clockodo_sign_key_t  key;

    len = any_up_to(PROOF_TEXT);

    rc = clockodo_sign_key_parse(any_text_or_null(len), len, &key);

    __CPROVER_assert(rc <= CLOCKODO_SIGN_KEY_NO_MEMORY, "one of the results");
}


void
prove_clockodo_sign_key_start(void)
{
    unsigned char      pad;
    clockodo_sha256_t  state;

    (void) clockodo_sign_key_start(&state, any_text(CLOCKODO_SHA256_BLOCK),
                                   pad);
}


void
prove_clockodo_base64_decode(void)
{
    size_t  len;

    len = any_up_to(BASE64_MAX);

    (void) clockodo_base64_decode(any_text(len), len, any_text(len * 6 / 8));
}


void
prove_clockodo_base64_value(void)
{
    unsigned char  c;

    (void) clockodo_base64_value(c);
}


/* all that is done with a key, and with what it signs */

void
prove_clockodo_sign(void)
{
    size_t               head, body;
    unsigned char        mac[CLOCKODO_SHA256_LEN];
    clockodo_sign_key_t  key, other;

    head = any_up_to(PROOF_TEXT);
    body = any_up_to(PROOF_TEXT);

    (void) clockodo_sign_key_equal(&key, &other);

    (void) clockodo_sign(&key, any_text_or_null(head), head,
                         any_text_or_null(body), body, mac);

    clockodo_sign_encode(mac, (char *) any_text(CLOCKODO_SIGN_LEN));
    clockodo_sign_key_clear(&key);
}
