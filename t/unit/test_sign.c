
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_sign.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cmocka.h>


#define TEST_PREFIX    "whsec_"

/* bytes 0 to 31, and bytes 0 to 63 */
#define TEST_KEY_32    TEST_PREFIX                                            \
                       "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define TEST_KEY_64    TEST_PREFIX                                            \
                       "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIj"     \
                       "JCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="

#define TEST_HEAD      "633b8f56106c4032c21ce18598d8e9054f032c96514af2fc"     \
                       "0e9530f5d5cd1991.1700000000."
#define TEST_EVENT     "{\"subscription_id\":42,\"company_id\":1337,"         \
                       "\"occurred_at\":\"1986-05-10T17:02:00Z\","            \
                       "\"payload\":{\"team\":{\"id\":9001}},"                \
                       "\"event_name\":\"team.updated\","                     \
                       "\"token\":\"**************\"}"

#define test_text(s)   s, sizeof(s) - 1
#define test_count(a)  (sizeof(a) / sizeof((a)[0]))


typedef struct {
    const char           *key;
    const char           *head;
    const char           *body;
    const char           *hex;
} test_vector_t;


typedef struct {
    const char           *text;
    size_t                len;
    clockodo_sign_key_e   rc;
} test_key_t;


/*
 * printf '%s%s' HEAD BODY \
 * | openssl dgst -sha256 -mac HMAC -macopt hexkey:"$(printf %s KEY \
 *   | base64 -d | xxd -p -c 64)", KEY without "whsec_"
 */

static const test_vector_t  test_vectors[] = {

    /* of Standard Webhooks' own tests */
    { TEST_PREFIX "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
      "msg_p5jXN8AQM9LWM0D4loKWxJek.1614265330.", "{\"test\": 2432232314}",
      "83484cf52b04f8e4cf2531adfed9882ad4b2665137b852442d594d20e2c9d4e1" },

    { TEST_KEY_32, TEST_HEAD, TEST_EVENT,
      "e6175d96d1100fa542c169515eeff74d2f64dbf3e8a8f541eaadee11cca8ace2" },
    { TEST_KEY_64, TEST_HEAD, TEST_EVENT,
      "2ba0f5f7ba6b4625d7be5023dd79dc4a1746b735ebfdba1eae99248a7f00bc21" },
    { TEST_KEY_32, "", "",
      "d38b42096d80f45f826b44a9d5607de72496a415d3f4a1a8c88e3bb9da8dc1cb" },
    { TEST_PREFIX "////////////////////////////////", "a", "b",
      "282ae106b419b38ed1eb5a0bed971d1f1b5ad976374fb03b246337a28e7ae22f" }
};


static const test_key_t  test_keys[] = {
    { test_text(TEST_KEY_32), CLOCKODO_SIGN_KEY_OK },
    { test_text(TEST_KEY_64), CLOCKODO_SIGN_KEY_OK },

    /* 24 bytes */
    { test_text("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
      CLOCKODO_SIGN_KEY_OK },
    { test_text("whsec_++++++++++++++++////////////////"),
      CLOCKODO_SIGN_KEY_OK },

    /* another start, or none */
    { test_text(""), CLOCKODO_SIGN_KEY_PREFIX },
    { test_text("whsec"), CLOCKODO_SIGN_KEY_PREFIX },
    { test_text("WHSEC_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
      CLOCKODO_SIGN_KEY_PREFIX },
    { test_text("whsek_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
      CLOCKODO_SIGN_KEY_PREFIX },
    { test_text("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
      CLOCKODO_SIGN_KEY_PREFIX },
    { test_text(" whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
      CLOCKODO_SIGN_KEY_PREFIX },

    /* padding: missing, too much, in the middle, none but padding */
    { test_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"),
      CLOCKODO_SIGN_KEY_BASE64 },
    { test_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=="),
      CLOCKODO_SIGN_KEY_BASE64 },
    { test_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdH==="),
      CLOCKODO_SIGN_KEY_BASE64 },
    { test_text("whsec_AAECAwQFBgcICQoLDA0=DxAREhMUFRYXGBkaGxwdHh8="),
      CLOCKODO_SIGN_KEY_BASE64 },
    { test_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh=8"),
      CLOCKODO_SIGN_KEY_BASE64 },
    { test_text("whsec_A"), CLOCKODO_SIGN_KEY_BASE64 },
    { test_text("whsec_="), CLOCKODO_SIGN_KEY_BASE64 },
    { test_text("whsec_===="), CLOCKODO_SIGN_KEY_SHORT },

    /* something behind it */
    { test_text(TEST_KEY_32 "\n"), CLOCKODO_SIGN_KEY_BASE64 },
    { test_text(TEST_KEY_32 "    "), CLOCKODO_SIGN_KEY_BASE64 },
    { test_text(TEST_KEY_32 ";"), CLOCKODO_SIGN_KEY_BASE64 },
    { test_text("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA    "),
      CLOCKODO_SIGN_KEY_BASE64 },

    /* bits that are left over: 2 of one byte's four, 4 of another's */
    { test_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9="),
      CLOCKODO_SIGN_KEY_BASE64 },
    { test_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg=="),
      CLOCKODO_SIGN_KEY_OK },
    { test_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh=="),
      CLOCKODO_SIGN_KEY_BASE64 },

    /* none, 23 and 65 bytes */
    { test_text("whsec_"), CLOCKODO_SIGN_KEY_SHORT },
    { test_text("whsec_AAAA"), CLOCKODO_SIGN_KEY_SHORT },
    { test_text("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
      CLOCKODO_SIGN_KEY_SHORT },
    { test_text("whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIj"
                "JCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0A="),
      CLOCKODO_SIGN_KEY_LONG }
};


static void test_parse(const char *text, clockodo_sign_key_t *key);
static void test_mac(const clockodo_sign_key_t *key, const void *head,
    size_t head_len, const void *body, size_t body_len, unsigned char *mac);


static void
sign_vectors(void **state)
{
    char                  hex[2 * CLOCKODO_SHA256_LEN + 1];
    size_t                i, n;
    unsigned char         mac[CLOCKODO_SHA256_LEN];
    const test_vector_t  *t;
    clockodo_sign_key_t   key;

    (void) state;

    for (i = 0; i < test_count(test_vectors); i++) {
        t = &test_vectors[i];

        test_parse(t->key, &key);
        test_mac(&key, t->head, strlen(t->head), t->body, strlen(t->body),
                 mac);

        for (n = 0; n < CLOCKODO_SHA256_LEN; n++) {
            (void) snprintf(hex + 2 * n, 3, "%02x", mac[n]);
        }

        assert_string_equal(hex, t->hex);
    }
}


/* the state is kept: what was signed before does not matter */

static void
sign_lengths(void **state)
{
    size_t               i, n, cut;
    unsigned             len;
    unsigned char        bytes[CLOCKODO_SIGN_KEY_MAX], text[300], mac[32],
                         expected[EVP_MAX_MD_SIZE];
    clockodo_sign_key_t  key;

    (void) state;

    test_parse(TEST_KEY_64, &key);

    for (i = 0; i < sizeof(bytes); i++) {
        bytes[i] = i;
    }

    for (i = 0; i < sizeof(text); i++) {
        text[i] = 7 * i;
    }

    for (n = 0; n <= sizeof(text); n++) {

        assert_non_null(HMAC(EVP_sha256(), bytes, sizeof(bytes), text, n,
                             expected, &len));

        for (cut = 0; cut <= n; cut += 13) {
            test_mac(&key, text, cut, text + cut, n - cut, mac);
            assert_memory_equal(mac, expected, sizeof(mac));
        }
    }
}


static void
sign_every_bit(void **state)
{
    char                 head[] = TEST_HEAD, body[] = TEST_EVENT;
    size_t               i;
    unsigned char        mac[CLOCKODO_SHA256_LEN],
                         other[CLOCKODO_SHA256_LEN];
    clockodo_sign_key_t  key;

    (void) state;

    test_parse(TEST_KEY_32, &key);
    test_mac(&key, head, sizeof(head) - 1, body, sizeof(body) - 1, mac);

    for (i = 0; i < 8 * (sizeof(head) - 1); i++) {
        head[i / 8] ^= 1 << i % 8;
        test_mac(&key, head, sizeof(head) - 1, body, sizeof(body) - 1, other);
        assert_memory_not_equal(mac, other, sizeof(mac));
        head[i / 8] ^= 1 << i % 8;
    }

    for (i = 0; i < 8 * (sizeof(body) - 1); i++) {
        body[i / 8] ^= 1 << i % 8;
        test_mac(&key, head, sizeof(head) - 1, body, sizeof(body) - 1, other);
        assert_memory_not_equal(mac, other, sizeof(mac));
        body[i / 8] ^= 1 << i % 8;
    }
}


static void
sign_keys(void **state)
{
    size_t                i;
    const test_key_t     *t;
    clockodo_sign_key_t   key;
    clockodo_sign_key_e   rc;
    const unsigned char  *p;

    (void) state;

    for (i = 0; i < test_count(test_keys); i++) {
        t = &test_keys[i];

        p = guard_text(t->text, t->len);
        rc = clockodo_sign_key_parse(p, t->len, &key);
        guard_free(p, t->len);

        if (rc != t->rc) {
            fail_msg("\"%s\": %d, not %d", t->text, rc, t->rc);
        }
    }
}


/* each letter at each place, as libcrypto decodes it; no other byte is one */

static void
sign_key_bytes(void **state)
{
    char                  text[] = TEST_PREFIX
                                   "AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
    size_t                i, n;
    unsigned              c, len;
    unsigned char         bytes[24], mac[CLOCKODO_SHA256_LEN],
                          expected[EVP_MAX_MD_SIZE];
    clockodo_sign_key_t   key;
    clockodo_sign_key_e   rc;
    static const char     letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "abcdefghijklmnopqrstuvwxyz0123456789+/";

    (void) state;

    for (i = 6; i < sizeof(text) - 1; i++) {
        for (c = 0; c < 256; c++) {
            text[i] = c;

            rc = clockodo_sign_key_parse((unsigned char *) text,
                                         sizeof(text) - 1, &key);

            if (memchr(letters, c, sizeof(letters) - 1) == NULL) {

                if (c == '=' && i == sizeof(text) - 2) {
                    assert_int_equal(rc, CLOCKODO_SIGN_KEY_SHORT);
                    continue;
                }

                if (rc != CLOCKODO_SIGN_KEY_BASE64) {
                    fail_msg("byte %u at %zu: %d", c, i, rc);
                }

                continue;
            }

            assert_int_equal(rc, CLOCKODO_SIGN_KEY_OK);

            n = EVP_DecodeBlock(bytes, (unsigned char *) text + 6, 32);
            assert_int_equal(n, 24);

            assert_non_null(HMAC(EVP_sha256(), bytes, 24,
                                 (unsigned char *) "ab", 2, expected, &len));

            test_mac(&key, "a", 1, "b", 1, mac);
            assert_memory_equal(mac, expected, sizeof(mac));
        }

        text[i] = 'A';
    }
}


static void
sign_key_same(void **state)
{
    clockodo_sign_key_t  a, b;

    (void) state;

    test_parse(TEST_KEY_32, &a);
    test_parse(TEST_KEY_32, &b);
    assert_true(clockodo_sign_key_equal(&a, &b));

    test_parse(TEST_KEY_64, &b);
    assert_false(clockodo_sign_key_equal(&a, &b));

    /* RFC 2104 fills a key up with zeros: these sign alike */

    test_parse("whsec_////////////////////////////////", &a);
    test_parse("whsec_////////////////////////////////AA==", &b);
    assert_true(clockodo_sign_key_equal(&a, &b));

    clockodo_sign_key_clear(&a);
    assert_false(clockodo_sign_key_equal(&a, &b));

    memset(&b, 0, sizeof(b));
    assert_memory_equal(&a, &b, sizeof(a));
}


static void
test_parse(const char *text, clockodo_sign_key_t *key)
{
    size_t                len;
    const unsigned char  *p;

    len = strlen(text);
    p = guard_text(text, len);

    assert_int_equal(clockodo_sign_key_parse(p, len, key),
                     CLOCKODO_SIGN_KEY_OK);

    guard_free(p, len);
}


static void
test_mac(const clockodo_sign_key_t *key, const void *head, size_t head_len,
    const void *body, size_t body_len, unsigned char *mac)
{
    const unsigned char  *h, *b;

    h = guard_text(head, head_len);
    b = guard_text(body, body_len);

    assert_int_equal(clockodo_sign(key, h, head_len, b, body_len, mac), 0);

    guard_free(h, head_len);
    guard_free(b, body_len);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(sign_vectors),
        cmocka_unit_test(sign_lengths),
        cmocka_unit_test(sign_every_bit),
        cmocka_unit_test(sign_keys),
        cmocka_unit_test(sign_key_bytes),
        cmocka_unit_test(sign_key_same)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
