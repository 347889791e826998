
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_token.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define MAX_TOKENS     4
#define MAX_IDS        4

#define test_text(s)   s, sizeof(s) - 1
#define test_count(a)  (sizeof(a) / sizeof((a)[0]))


typedef struct {
    const char             *text;
    size_t                  len;
    const char             *hex;
} test_digest_t;


typedef struct {
    const char             *tokens[MAX_TOKENS];
    const char             *subscriptions[MAX_TOKENS];
    const char             *presented;
    uint64_t                subscription;
    clockodo_token_match_e  match;
    size_t                  number;
} test_match_t;


typedef struct {
    const char             *text;
    size_t                  len;
    clockodo_token_line_e   rc;
    const char             *token;
    const char             *subscriptions;
} test_line_t;


/* rcs has a letter for the text cut off after 0, 1, ... bytes */

typedef struct {
    const char             *text;
    const char             *rcs;
} test_cut_t;


typedef struct {
    const char             *text;
    size_t                  len;
    size_t                  n;
    uint64_t                ids[MAX_IDS];
} test_list_t;


/* FIPS 180-4, NIST's examples */

static const test_digest_t  test_digests[] = {
    { test_text(""),
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
    { test_text("abc"),
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
    { test_text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
    { test_text("\0"),
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d" }
};


static const test_match_t  test_matches[] = {

    /* no token at all fails closed */
    { { NULL }, { NULL }, "", 0, CLOCKODO_TOKEN_UNKNOWN, 0 },
    { { NULL }, { NULL }, "a", 42, CLOCKODO_TOKEN_UNKNOWN, 0 },

    /* one */
    { { "a" }, { NULL }, "a", 42, CLOCKODO_TOKEN_MATCH, 1 },
    { { "a" }, { NULL }, "a", 0, CLOCKODO_TOKEN_MATCH, 1 },
    { { "a" }, { NULL }, "b", 42, CLOCKODO_TOKEN_UNKNOWN, 0 },
    { { "a" }, { NULL }, "A", 42, CLOCKODO_TOKEN_UNKNOWN, 0 },
    { { "a" }, { NULL }, "aa", 42, CLOCKODO_TOKEN_UNKNOWN, 0 },
    { { "a" }, { NULL }, "", 42, CLOCKODO_TOKEN_UNKNOWN, 0 },

    /* first, in the middle, last, none */
    { { "a", "b", "c" }, { NULL }, "a", 42, CLOCKODO_TOKEN_MATCH, 1 },
    { { "a", "b", "c" }, { NULL }, "b", 42, CLOCKODO_TOKEN_MATCH, 2 },
    { { "a", "b", "c" }, { NULL }, "c", 42, CLOCKODO_TOKEN_MATCH, 3 },
    { { "a", "b", "c" }, { NULL }, "d", 42, CLOCKODO_TOKEN_UNKNOWN, 0 },

    /* tied to one */
    { { "a" }, { "42" }, "a", 42, CLOCKODO_TOKEN_MATCH, 1 },
    { { "a" }, { "42" }, "a", 43,
      CLOCKODO_TOKEN_OTHER_SUBSCRIPTION, 0 },
    { { "a" }, { "42" }, "a", 0,
      CLOCKODO_TOKEN_OTHER_SUBSCRIPTION, 0 },
    { { "a" }, { "42" }, "b", 42, CLOCKODO_TOKEN_UNKNOWN, 0 },
    { { "a" }, { "42" }, "b", 43, CLOCKODO_TOKEN_UNKNOWN, 0 },
    { { "a" }, { "9007199254740991" }, "a", 9007199254740991,
      CLOCKODO_TOKEN_MATCH, 1 },
    { { "a" }, { "4294967338" }, "a", 42,
      CLOCKODO_TOKEN_OTHER_SUBSCRIPTION, 0 },

    /* tied to several */
    { { "a" }, { "1,2,3" }, "a", 1, CLOCKODO_TOKEN_MATCH, 1 },
    { { "a" }, { "1,2,3" }, "a", 2, CLOCKODO_TOKEN_MATCH, 1 },
    { { "a" }, { "1,2,3" }, "a", 3, CLOCKODO_TOKEN_MATCH, 1 },
    { { "a" }, { "1,2,3" }, "a", 4,
      CLOCKODO_TOKEN_OTHER_SUBSCRIPTION, 0 },

    /* the subscriptions of one token are no other one's */
    { { "a", "b" }, { "1", "2" }, "a", 1, CLOCKODO_TOKEN_MATCH, 1 },
    { { "a", "b" }, { "1", "2" }, "b", 2, CLOCKODO_TOKEN_MATCH, 2 },
    { { "a", "b" }, { "1", "2" }, "a", 2,
      CLOCKODO_TOKEN_OTHER_SUBSCRIPTION, 0 },
    { { "a", "b" }, { "1", "2" }, "b", 1,
      CLOCKODO_TOKEN_OTHER_SUBSCRIPTION, 0 },
    { { "a", "b" }, { "1", "2" }, "c", 1, CLOCKODO_TOKEN_UNKNOWN, 0 },
    { { "a", "b" }, { "1", NULL }, "a", 2,
      CLOCKODO_TOKEN_OTHER_SUBSCRIPTION, 0 },
    { { "a", "b" }, { NULL, "1" }, "a", 2, CLOCKODO_TOKEN_MATCH, 1 },
    { { "a", "b" }, { NULL, "1" }, "b", 2,
      CLOCKODO_TOKEN_OTHER_SUBSCRIPTION, 0 },

    /* the same token on two levels of trust: either will do */
    { { "a", "a" }, { "1", "2" }, "a", 1, CLOCKODO_TOKEN_MATCH, 1 },
    { { "a", "a" }, { "1", "2" }, "a", 2, CLOCKODO_TOKEN_MATCH, 2 },
    { { "a", "a" }, { "1", "2" }, "a", 3,
      CLOCKODO_TOKEN_OTHER_SUBSCRIPTION, 0 },
    { { "a", "b", "c", "a" }, { "1", "2", "3", NULL }, "a", 4,
      CLOCKODO_TOKEN_MATCH, 4 }
};


static const test_line_t  test_lines[] = {

    /* nothing */
    { test_text(""), CLOCKODO_TOKEN_LINE_BLANK, NULL, NULL },
    { test_text("\r"), CLOCKODO_TOKEN_LINE_BLANK, NULL, NULL },
    { test_text(" \t "), CLOCKODO_TOKEN_LINE_BLANK, NULL, NULL },
    { test_text(" \t\r"), CLOCKODO_TOKEN_LINE_BLANK, NULL, NULL },

    /* comments, only at the very start */
    { test_text("#"), CLOCKODO_TOKEN_LINE_BLANK, NULL, NULL },
    { test_text("#\r"), CLOCKODO_TOKEN_LINE_BLANK, NULL, NULL },
    { test_text("#TOKEN"), CLOCKODO_TOKEN_LINE_BLANK, NULL, NULL },
    { test_text("# any number of words"), CLOCKODO_TOKEN_LINE_BLANK,
      NULL, NULL },
    { test_text(" #"), CLOCKODO_TOKEN_LINE_OK, "#", NULL },
    { test_text("  # x"), CLOCKODO_TOKEN_LINE_PARAMETER, NULL, NULL },
    { test_text("\t#TOKEN subscription=1"), CLOCKODO_TOKEN_LINE_OK,
      "#TOKEN", "1" },
    { test_text("TO#KEN"), CLOCKODO_TOKEN_LINE_OK, "TO#KEN", NULL },
    { test_text("TOKEN # x"), CLOCKODO_TOKEN_LINE_PARAMETER, NULL, NULL },
    { test_text("TOKEN #"), CLOCKODO_TOKEN_LINE_PARAMETER, NULL, NULL },

    /* a token */
    { test_text("TOKEN"), CLOCKODO_TOKEN_LINE_OK, "TOKEN", NULL },
    { test_text("T"), CLOCKODO_TOKEN_LINE_OK, "T", NULL },
    { test_text(" \t TOKEN\t "), CLOCKODO_TOKEN_LINE_OK, "TOKEN", NULL },
    { test_text("TOKEN\r"), CLOCKODO_TOKEN_LINE_OK, "TOKEN", NULL },
    { test_text("TOKEN \r"), CLOCKODO_TOKEN_LINE_OK, "TOKEN", NULL },
    { test_text("TOKEN\r\r"), CLOCKODO_TOKEN_LINE_OK, "TOKEN\r", NULL },
    { test_text("TO\rKEN"), CLOCKODO_TOKEN_LINE_OK, "TO\rKEN", NULL },
    { test_text("TOKEN\r "), CLOCKODO_TOKEN_LINE_OK, "TOKEN\r", NULL },
    { test_text("subscription=1"), CLOCKODO_TOKEN_LINE_OK,
      "subscription=1", NULL },
    { test_text("\"TO\xc3\xa4KEN\\;{}$"), CLOCKODO_TOKEN_LINE_OK,
      "\"TO\xc3\xa4KEN\\;{}$", NULL },

    /* subscriptions */
    { test_text("TOKEN subscription=1"), CLOCKODO_TOKEN_LINE_OK,
      "TOKEN", "1" },
    { test_text("TOKEN subscription=1\r"), CLOCKODO_TOKEN_LINE_OK,
      "TOKEN", "1" },
    { test_text("\tTOKEN \t subscription=1,22,9007199254740991 \t\r"),
      CLOCKODO_TOKEN_LINE_OK, "TOKEN", "1,22,9007199254740991" },
    { test_text("TOKEN subscription="), CLOCKODO_TOKEN_LINE_SUBSCRIPTION,
      NULL, NULL },
    { test_text("TOKEN subscription=\r"), CLOCKODO_TOKEN_LINE_SUBSCRIPTION,
      NULL, NULL },
    { test_text("TOKEN subscription=1,"), CLOCKODO_TOKEN_LINE_SUBSCRIPTION,
      NULL, NULL },
    { test_text("TOKEN subscription=,1"), CLOCKODO_TOKEN_LINE_SUBSCRIPTION,
      NULL, NULL },
    { test_text("TOKEN subscription=0"), CLOCKODO_TOKEN_LINE_SUBSCRIPTION,
      NULL, NULL },
    { test_text("TOKEN subscription=x"), CLOCKODO_TOKEN_LINE_SUBSCRIPTION,
      NULL, NULL },
    { test_text("TOKEN subscription=1\r\r"), CLOCKODO_TOKEN_LINE_SUBSCRIPTION,
      NULL, NULL },
    { test_text("TOKEN subscription==1"), CLOCKODO_TOKEN_LINE_SUBSCRIPTION,
      NULL, NULL },

    /* other parameters, or too many */
    { test_text("TOKEN x"), CLOCKODO_TOKEN_LINE_PARAMETER, NULL, NULL },
    { test_text("TOKEN 1"), CLOCKODO_TOKEN_LINE_PARAMETER, NULL, NULL },
    { test_text("TOKEN \r\r"), CLOCKODO_TOKEN_LINE_PARAMETER, NULL, NULL },
    { test_text("TOKEN subscription"), CLOCKODO_TOKEN_LINE_PARAMETER,
      NULL, NULL },
    { test_text("TOKEN subscriptions=1"), CLOCKODO_TOKEN_LINE_PARAMETER,
      NULL, NULL },
    { test_text("TOKEN Subscription=1"), CLOCKODO_TOKEN_LINE_PARAMETER,
      NULL, NULL },
    { test_text("TOKEN subscription =1"), CLOCKODO_TOKEN_LINE_PARAMETER,
      NULL, NULL },
    { test_text("TOKEN subscription= 1"), CLOCKODO_TOKEN_LINE_PARAMETER,
      NULL, NULL },
    { test_text("TOKEN subscription=1, 2"), CLOCKODO_TOKEN_LINE_PARAMETER,
      NULL, NULL },
    { test_text("TOKEN subscription=1 y"), CLOCKODO_TOKEN_LINE_PARAMETER,
      NULL, NULL },
    { test_text("TOKEN x subscription=1"), CLOCKODO_TOKEN_LINE_PARAMETER,
      NULL, NULL },
    { test_text("TOKEN subscription=1 subscription=2"),
      CLOCKODO_TOKEN_LINE_PARAMETER, NULL, NULL },

    /* NUL bytes, also in a comment: such a file is no text */
    { test_text("\0"), CLOCKODO_TOKEN_LINE_NUL, NULL, NULL },
    { test_text("TO\0KEN"), CLOCKODO_TOKEN_LINE_NUL, NULL, NULL },
    { test_text("TOKEN\0"), CLOCKODO_TOKEN_LINE_NUL, NULL, NULL },
    { test_text("TOKEN subscription=1\0"), CLOCKODO_TOKEN_LINE_NUL,
      NULL, NULL },
    { test_text("#\0"), CLOCKODO_TOKEN_LINE_NUL, NULL, NULL }
};


/* b: blank, o: ok, p: parameter, s: subscription */

static const test_cut_t  test_cuts[] = {
    { "\tT subscription=1,23 y\r",   "bb" "oo" "pppppppppppp" "sosooo" "pp" },
    { "# TOKEN subscription=1 x",    "bbbbbbbbbbbbbbbbbbbbbbbbb" },
    { " # TOKEN",                    "bbooppppp" }
};


static const test_list_t  test_lists[] = {
    { test_text("1"), 1, { 1 } },
    { test_text("42,7"), 2, { 42, 7 } },
    { test_text("7,7,7"), 3, { 7, 7, 7 } },
    { test_text("3,2,1,9007199254740991"), 4, { 3, 2, 1, 9007199254740991 } },
    { test_text(""), 0, { 0 } },
    { test_text(","), 0, { 0 } },
    { test_text("1,"), 0, { 0 } },
    { test_text(",1"), 0, { 0 } },
    { test_text("1,,2"), 0, { 0 } },
    { test_text("1,2,"), 0, { 0 } },
    { test_text("0"), 0, { 0 } },
    { test_text("1,0"), 0, { 0 } },
    { test_text("1,02"), 0, { 0 } },
    { test_text("1,-2"), 0, { 0 } },
    { test_text("1, 2"), 0, { 0 } },
    { test_text("1 "), 0, { 0 } },
    { test_text("1;2"), 0, { 0 } },
    { test_text("x,1"), 0, { 0 } },
    { test_text("1,x,2"), 0, { 0 } },
    { test_text("9007199254740992"), 0, { 0 } },
    { test_text("1\0,2"), 0, { 0 } },
    { test_text("1,2\0"), 0, { 0 } }
};


static void test_digest(const char *text, unsigned char *digest);
static void test_span_is(const unsigned char *line, const unsigned char *span,
    size_t len, const char *text, const char *expected);


static void
sha256(void **state)
{
    char                  hex[2 * CLOCKODO_SHA256_LEN + 1];
    size_t                i, n;
    unsigned char         digest[CLOCKODO_SHA256_LEN];
    const test_digest_t  *t;
    const unsigned char  *p;

    (void) state;

    for (i = 0; i < test_count(test_digests); i++) {
        t = &test_digests[i];

        p = guard_text(t->text, t->len);
        assert_int_equal(clockodo_sha256(p, t->len, digest), 0);
        guard_free(p, t->len);

        for (n = 0; n < CLOCKODO_SHA256_LEN; n++) {
            (void) snprintf(hex + 2 * n, 3, "%02x", digest[n]);
        }

        assert_string_equal(hex, t->hex);
    }
}


static void
token_match(void **state)
{
    size_t                  i, n, number;
    uint64_t                ids[MAX_TOKENS][MAX_IDS];
    const char             *list;
    unsigned char           digest[CLOCKODO_SHA256_LEN];
    clockodo_token_t        tokens[MAX_TOKENS];
    const test_match_t     *t;
    clockodo_token_match_e  match;

    (void) state;

    for (i = 0; i < test_count(test_matches); i++) {
        t = &test_matches[i];

        for (n = 0; n < MAX_TOKENS && t->tokens[n]; n++) {
            list = t->subscriptions[n];

            test_digest(t->tokens[n], tokens[n].digest);
            tokens[n].subscriptions = list ? ids[n] : NULL;
            tokens[n].nsubscriptions = 0;

            if (list) {
                tokens[n].nsubscriptions = clockodo_subscriptions_parse(
                          (const unsigned char *) list, strlen(list), ids[n]);
                assert_int_not_equal(tokens[n].nsubscriptions, 0);
            }
        }

        test_digest(t->presented, digest);

        match = clockodo_token_match(tokens, n, digest, t->subscription,
                                     &number);

        if (match != t->match || number != t->number) {
            fail_msg("match %zu: %d, number %zu", i, match, number);
        }
    }
}


/* digests that differ in one bit only */

static void
token_match_every_bit(void **state)
{
    size_t            i, number;
    unsigned char     digest[CLOCKODO_SHA256_LEN];
    clockodo_token_t  token;

    (void) state;

    test_digest("TOKEN", token.digest);
    token.subscriptions = NULL;
    token.nsubscriptions = 0;

    memcpy(digest, token.digest, CLOCKODO_SHA256_LEN);

    for (i = 0; i < CLOCKODO_SHA256_LEN * 8; i++) {
        digest[i / 8] ^= 1 << i % 8;

        assert_int_equal(clockodo_token_match(&token, 1, digest, 42, &number),
                         CLOCKODO_TOKEN_UNKNOWN);

        digest[i / 8] ^= 1 << i % 8;
    }

    assert_int_equal(clockodo_token_match(&token, 1, digest, 42, &number),
                     CLOCKODO_TOKEN_MATCH);
}


static void
test_digest(const char *text, unsigned char *digest)
{
    assert_int_equal(clockodo_sha256(text, strlen(text), digest), 0);
}


static void
token_line(void **state)
{
    size_t                  i;
    const test_line_t      *t;
    const unsigned char    *p;
    clockodo_token_line_e   rc;
    clockodo_token_line_t   tl;

    (void) state;

    for (i = 0; i < test_count(test_lines); i++) {
        t = &test_lines[i];

        p = guard_text(t->text, t->len);
        rc = clockodo_token_line_parse(p, t->len, &tl);

        if (rc != t->rc) {
            fail_msg("\"%s\": %d, not %d", t->text, rc, t->rc);
        }

        if (rc == CLOCKODO_TOKEN_LINE_OK) {
            test_span_is(p, tl.token, tl.token_len, t->text, t->token);
            test_span_is(p, tl.subscriptions, tl.subscriptions_len, t->text,
                         t->subscriptions);
        }

        guard_free(p, t->len);
    }

    assert_int_equal(clockodo_token_line_parse(NULL, 0, &tl),
                     CLOCKODO_TOKEN_LINE_BLANK);
}


/* a span of the line, which holds the same bytes as text does */

static void
test_span_is(const unsigned char *line, const unsigned char *span, size_t len,
    const char *text, const char *expected)
{
    if (expected == NULL) {
        assert_int_equal(len, 0);
        return;
    }

    assert_true(span >= line && span <= line + strlen(text));

    if (len != strlen(expected) || memcmp(span, expected, len) != 0) {
        fail_msg("\"%s\": \"%.*s\", not \"%s\"", text, (int) len,
                 (const char *) span, expected);
    }
}


static void
token_line_cut(void **state)
{
    char                    c;
    size_t                  i, len;
    const test_cut_t       *cut;
    const test_line_t      *t;
    const unsigned char    *p;
    clockodo_token_line_t   tl;

    static const char       letters[] = {
        [CLOCKODO_TOKEN_LINE_OK] = 'o',
        [CLOCKODO_TOKEN_LINE_BLANK] = 'b',
        [CLOCKODO_TOKEN_LINE_NUL] = 'n',
        [CLOCKODO_TOKEN_LINE_PARAMETER] = 'p',
        [CLOCKODO_TOKEN_LINE_SUBSCRIPTION] = 's'
    };

    (void) state;

    /* that nothing is read past the end */

    for (i = 0; i < test_count(test_lines); i++) {
        t = &test_lines[i];

        for (len = 0; len < t->len; len++) {
            p = guard_text(t->text, len);
            assert_true(clockodo_token_line_parse(p, len, &tl)
                        <= CLOCKODO_TOKEN_LINE_SUBSCRIPTION);
            guard_free(p, len);
        }
    }

    for (i = 0; i < test_count(test_cuts); i++) {
        cut = &test_cuts[i];

        assert_int_equal(strlen(cut->rcs), strlen(cut->text) + 1);

        for (len = 0; len <= strlen(cut->text); len++) {
            p = guard_text(cut->text, len);
            c = letters[clockodo_token_line_parse(p, len, &tl)];
            guard_free(p, len);

            if (c != cut->rcs[len]) {
                fail_msg("\"%.*s\": %c, not %c", (int) len, cut->text,
                         c, cut->rcs[len]);
            }
        }
    }
}


static void
subscriptions(void **state)
{
    size_t                i, n, len;
    uint64_t              ids[MAX_IDS];
    const test_list_t    *t;
    const unsigned char  *p;

    (void) state;

    for (i = 0; i < test_count(test_lists); i++) {
        t = &test_lists[i];

        p = guard_text(t->text, t->len);

        n = clockodo_subscriptions_parse(p, t->len, NULL);

        if (n != t->n || clockodo_subscriptions_parse(p, t->len, ids) != n) {
            fail_msg("\"%s\": %zu, not %zu", t->text, n, t->n);
        }

        assert_memory_equal(ids, t->ids, n * sizeof(uint64_t));

        guard_free(p, t->len);

        for (len = 0; len < t->len; len++) {
            p = guard_text(t->text, len);
            n = clockodo_subscriptions_parse(p, len, NULL);
            guard_free(p, len);

            /* of a list that is right, only a comma at the end is wrong */

            if (t->n && (n == 0) != (len == 0 || t->text[len - 1] == ',')) {
                fail_msg("\"%.*s\": %zu", (int) len, t->text, n);
            }
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(sha256),
        cmocka_unit_test(token_match),
        cmocka_unit_test(token_match_every_bit),
        cmocka_unit_test(token_line),
        cmocka_unit_test(token_line_cut),
        cmocka_unit_test(subscriptions)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
