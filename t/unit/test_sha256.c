
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * Whichever call to libcrypto fails, the answer says so: an event is not taken
 * for one without a token, nor is anything signed by half a key.  What digests
 * gets here by the linker's --wrap.
 */


#define OPENSSL_SUPPRESS_DEPRECATED

#include "clockodo_event.h"
#include "clockodo_sign.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <openssl/evp.h>

#include <cmocka.h>


#define test_count(a)  (sizeof(a) / sizeof((a)[0]))

/* what stands for libcrypto's function of that name, which returns an int */

#define test_wrap(name, params, args)                                         \
                                                                              \
int __real_ ## name params;                                                   \
int __wrap_ ## name params;                                                   \
                                                                              \
int                                                                           \
__wrap_ ## name params                                                        \
{                                                                             \
    return test_fails() ? 0 : __real_ ## name args;                           \
}


/* how often libcrypto was called; the call with this number fails */

typedef struct {
    size_t               called;
    size_t               fail;
} test_crypto_t;


/* returns 0, or -1 if it says that libcrypto failed */

typedef int (*test_call_pt)(void);


static int test_fails(void);


static test_crypto_t        test_crypto;
static clockodo_sign_key_t  test_key;


test_wrap(SHA256_Init, (SHA256_CTX *ctx), (ctx))
test_wrap(SHA256_Update, (SHA256_CTX *ctx, const void *text, size_t len),
          (ctx, text, len))
test_wrap(SHA256_Final, (unsigned char *digest, SHA256_CTX *ctx),
          (digest, ctx))

/* where libcrypto was built without these */

test_wrap(EVP_Digest, (const void *text, size_t len, unsigned char *digest,
          unsigned int *size, const EVP_MD *type, ENGINE *engine),
          (text, len, digest, size, type, engine))
test_wrap(EVP_DigestInit_ex, (EVP_MD_CTX *ctx, const EVP_MD *type,
          ENGINE *engine), (ctx, type, engine))
test_wrap(EVP_DigestUpdate, (EVP_MD_CTX *ctx, const void *text, size_t len),
          (ctx, text, len))
test_wrap(EVP_DigestFinal_ex, (EVP_MD_CTX *ctx, unsigned char *digest,
          unsigned int *size), (ctx, digest, size))


EVP_MD_CTX *__real_EVP_MD_CTX_new(void);
EVP_MD_CTX *__wrap_EVP_MD_CTX_new(void);


EVP_MD_CTX *
__wrap_EVP_MD_CTX_new(void)
{
    return test_fails() ? NULL : __real_EVP_MD_CTX_new();
}


static int
test_fails(void)
{
    return ++test_crypto.called == test_crypto.fail;
}


static int
test_digest(void)
{
    unsigned char  digest[CLOCKODO_SHA256_LEN];

    return clockodo_sha256("abc", 3, digest);
}


static int
test_event(void)
{
    clockodo_json_e        error;
    clockodo_event_t       event;
    clockodo_json_error_t  json;

    static const char  text[] = "{\"token\":\"My_Sup3r_T0k3n\"}";

    error = clockodo_event_parse((const unsigned char *) text,
                                 sizeof(text) - 1, 1, &event, &json);

    assert_true(error == CLOCKODO_JSON_OK || error == CLOCKODO_JSON_NO_MEMORY);

    return error == CLOCKODO_JSON_OK ? 0 : -1;
}


static int
test_event_key(void)
{
    int               rc;
    clockodo_event_t  event;

    memset(&event, 0, sizeof(clockodo_event_t));

    rc = clockodo_event_key(&event);

    /* who has none asks again */

    assert_int_equal(event.key.len, rc == 0 ? CLOCKODO_KEY_LEN : 0);

    return rc;
}


static int
test_sign_key(void)
{
    clockodo_sign_key_e  rc;

    static const char  text[] = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

    rc = clockodo_sign_key_parse((const unsigned char *) text,
                                 sizeof(text) - 1, &test_key);

    assert_true(rc == CLOCKODO_SIGN_KEY_OK
                || rc == CLOCKODO_SIGN_KEY_NO_MEMORY);

    return rc == CLOCKODO_SIGN_KEY_OK ? 0 : -1;
}


static int
test_sign(void)
{
    unsigned char  mac[CLOCKODO_SHA256_LEN];

    return clockodo_sign(&test_key, "head", 4, "body", 4, mac);
}


static void
sha256_fails(void **state)
{
    size_t  i, n, calls;

    static const test_call_pt  test_calls[] = {
        test_digest, test_event, test_event_key, test_sign_key, test_sign
    };

    (void) state;

    for (i = 0; i < test_count(test_calls); i++) {

        memset(&test_crypto, 0, sizeof(test_crypto_t));

        assert_int_equal(test_calls[i](), 0);

        calls = test_crypto.called;

        for (n = 1; n <= calls; n++) {
            test_crypto.called = 0;
            test_crypto.fail = n;

            assert_int_equal(test_calls[i](), -1);
        }

        test_crypto.fail = 0;

        assert_int_equal(test_calls[i](), 0);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(sha256_fails)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
