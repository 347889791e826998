
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * Constant time: runs the matching of tokens under valgrind, for tools/ct:
 *
 *     ct taint WHICH     memcheck takes the configured digests for undefined,
 *                        and reports what branches or indexes by them
 *     ct count WHICH     callgrind dumps a count of instructions for each
 *                        number of bytes that is shared with the secret
 *
 * WHICH is the module's own function or a control that has to be caught.
 */


#include "clockodo_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>
#include <valgrind/memcheck.h>


#define CT_TOKENS        3
#define CT_SUBSCRIPTION  42

#define ct_count(a)      (sizeof(a) / sizeof((a)[0]))


typedef clockodo_token_match_e (*ct_match_pt)(const clockodo_token_t *tokens,
    size_t n, const unsigned char digest[CLOCKODO_SHA256_LEN],
    uint64_t subscription, size_t *number);


typedef struct {
    const char   *name;
    ct_match_pt   match;
} ct_which_t;


typedef struct {
    const char   *name;
    int         (*run)(ct_match_pt match);
} ct_mode_t;


/* number is that of the token which is presented, 0: none of them */

typedef struct {
    size_t                  number;
    uint64_t                subscription;
    clockodo_token_match_e  expected;
} ct_case_t;


static int ct_taint(ct_match_pt match);
static int ct_counts(ct_match_pt match);
static void ct_configure(clockodo_token_t *tokens);
static void ct_sha256(const char *text, unsigned char *digest);
clockodo_token_match_e ct_measured(ct_match_pt match,
    const clockodo_token_t *tokens, const char *token, unsigned char *digest);
static clockodo_token_match_e ct_early_exit(const clockodo_token_t *tokens,
    size_t n, const unsigned char digest[CLOCKODO_SHA256_LEN],
    uint64_t subscription, size_t *number);
static clockodo_token_match_e ct_first_match(const clockodo_token_t *tokens,
    size_t n, const unsigned char digest[CLOCKODO_SHA256_LEN],
    uint64_t subscription, size_t *number);
static clockodo_token_match_e ct_table(const clockodo_token_t *tokens,
    size_t n, const unsigned char digest[CLOCKODO_SHA256_LEN],
    uint64_t subscription, size_t *number);


static const char *const  ct_texts[CT_TOKENS] = {
    "another_token", "My_Sup3r_T0k3n", "a_third_one"
};

/* the second and the third token are tied to it */
static const uint64_t     ct_subscription = CT_SUBSCRIPTION;


static const ct_mode_t  ct_modes[] = {
    { "taint", ct_taint },
    { "count", ct_counts }
};


static const ct_which_t  ct_whichs[] = {
    { "module", clockodo_token_match },
    { "early_exit", ct_early_exit },
    { "first_match", ct_first_match },
    { "table", ct_table }
};


static const ct_case_t  ct_cases[] = {
    { 0, CT_SUBSCRIPTION, CLOCKODO_TOKEN_UNKNOWN },
    { 0, 0, CLOCKODO_TOKEN_UNKNOWN },
    { 1, CT_SUBSCRIPTION, CLOCKODO_TOKEN_MATCH },
    { 2, CT_SUBSCRIPTION, CLOCKODO_TOKEN_MATCH },
    { 3, CT_SUBSCRIPTION, CLOCKODO_TOKEN_MATCH },
    { 2, CT_SUBSCRIPTION + 1, CLOCKODO_TOKEN_OTHER_SUBSCRIPTION },
    { 3, 0, CLOCKODO_TOKEN_OTHER_SUBSCRIPTION }
};


int
main(int argc, char **argv)
{
    size_t  i, j;

    if (!RUNNING_ON_VALGRIND) {
        fprintf(stderr, "%s: not under valgrind\n", argv[0]);
        return 2;
    }

    for (i = 0; argc == 3 && i < ct_count(ct_modes); i++) {
        for (j = 0; j < ct_count(ct_whichs); j++) {
            if (strcmp(argv[1], ct_modes[i].name) == 0
                && strcmp(argv[2], ct_whichs[j].name) == 0)
            {
                return ct_modes[i].run(ct_whichs[j].match);
            }
        }
    }

    fprintf(stderr, "usage: %s taint|count WHICH\n", argv[0]);

    return 2;
}


static int
ct_taint(ct_match_pt match)
{
    size_t                  i, j, number;
    unsigned char           digest[CLOCKODO_SHA256_LEN];
    clockodo_token_t        tokens[CT_TOKENS];
    clockodo_token_match_e  rc;

    for (i = 0; i < ct_count(ct_cases); i++) {

        ct_configure(tokens);
        ct_sha256(ct_cases[i].number ? ct_texts[ct_cases[i].number - 1]
                                     : "none of them", digest);

        for (j = 0; j < CT_TOKENS; j++) {
            (void) VALGRIND_MAKE_MEM_UNDEFINED(tokens[j].digest,
                                               CLOCKODO_SHA256_LEN);
        }

        rc = match(tokens, CT_TOKENS, digest, ct_cases[i].subscription,
                   &number);

        /* the result is no secret */

        (void) VALGRIND_MAKE_MEM_DEFINED(&rc, sizeof(rc));
        (void) VALGRIND_MAKE_MEM_DEFINED(&number, sizeof(number));

        if (rc != ct_cases[i].expected
            || number != (rc == CLOCKODO_TOKEN_MATCH ? ct_cases[i].number : 0))
        {
            fprintf(stderr, "case %zu: wrong result\n", i);
            return 1;
        }
    }

    return 0;
}


static int
ct_counts(ct_match_pt match)
{
    size_t            i, len;
    char              label[32], token[32];
    unsigned char     digest[CLOCKODO_SHA256_LEN];
    clockodo_token_t  tokens[CT_TOKENS];

    ct_configure(tokens);

    /* what libraries do but once */

    (void) ct_measured(match, tokens, ct_texts[1], digest);
    CALLGRIND_DUMP_STATS_AT("warm");

    len = strlen(ct_texts[1]);

    for (i = 0; i <= len; i++) {
        memset(token, '~', len);
        memcpy(token, ct_texts[1], i);
        token[len] = '\0';

        (void) ct_measured(match, tokens, token, digest);

        sprintf(label, "token %zu", i);
        CALLGRIND_DUMP_STATS_AT(label);
    }

    /* what the compared digests share, whether tokens could be found or not */

    for (i = 0; i <= CLOCKODO_SHA256_LEN; i++) {
        memcpy(digest, tokens[1].digest, CLOCKODO_SHA256_LEN);

        if (i < CLOCKODO_SHA256_LEN) {
            digest[i] ^= 0x80;
        }

        (void) ct_measured(match, tokens, NULL, digest);

        sprintf(label, "digest %zu", i);
        CALLGRIND_DUMP_STATS_AT(label);
    }

    return 0;
}


static void
ct_configure(clockodo_token_t *tokens)
{
    size_t  i;

    for (i = 0; i < CT_TOKENS; i++) {
        ct_sha256(ct_texts[i], tokens[i].digest);

        tokens[i].subscriptions = &ct_subscription;
        tokens[i].nsubscriptions = (i > 0);
    }
}


static void
ct_sha256(const char *text, unsigned char *digest)
{
    if (clockodo_sha256(text, strlen(text), digest) != 0) {
        abort();
    }
}


/* callgrind counts in here; without a token the digest is the given one */

__attribute__((noinline)) clockodo_token_match_e
ct_measured(ct_match_pt match, const clockodo_token_t *tokens,
    const char *token, unsigned char *digest)
{
    size_t  number;

    if (token) {
        ct_sha256(token, digest);
    }

    return match(tokens, CT_TOKENS, digest, CT_SUBSCRIPTION, &number);
}


/* stops at the first byte that differs */

static clockodo_token_match_e
ct_early_exit(const clockodo_token_t *tokens, size_t n,
    const unsigned char digest[CLOCKODO_SHA256_LEN], uint64_t subscription,
    size_t *number)
{
    size_t             i, j;
    clockodo_token_t   token;

    *number = 0;

    for (i = 0; i < n; i++) {
        for (j = 0; j < CLOCKODO_SHA256_LEN; j++) {
            if (tokens[i].digest[j] != digest[j]) {
                break;
            }
        }

        if (j == CLOCKODO_SHA256_LEN) {
            token = tokens[i];
            memcpy(token.digest, digest, CLOCKODO_SHA256_LEN);

            if (clockodo_token_match(&token, 1, digest, subscription, number)
                == CLOCKODO_TOKEN_MATCH)
            {
                *number = i + 1;
                return CLOCKODO_TOKEN_MATCH;
            }

            return CLOCKODO_TOKEN_OTHER_SUBSCRIPTION;
        }
    }

    return CLOCKODO_TOKEN_UNKNOWN;
}


/* compares each in constant time, and stops at the one that matches */

static clockodo_token_match_e
ct_first_match(const clockodo_token_t *tokens, size_t n,
    const unsigned char digest[CLOCKODO_SHA256_LEN], uint64_t subscription,
    size_t *number)
{
    size_t                  i, one;
    clockodo_token_match_e  rc;

    *number = 0;

    for (i = 0; i < n; i++) {
        rc = clockodo_token_match(&tokens[i], 1, digest, subscription, &one);

        if (rc != CLOCKODO_TOKEN_UNKNOWN) {
            *number = one ? i + 1 : 0;
            return rc;
        }
    }

    return CLOCKODO_TOKEN_UNKNOWN;
}


/* right, and without a branch: an index tells as much */

static clockodo_token_match_e
ct_table(const clockodo_token_t *tokens, size_t n,
    const unsigned char digest[CLOCKODO_SHA256_LEN], uint64_t subscription,
    size_t *number)
{
    static volatile unsigned char  table[256];

    (void) table[tokens[0].digest[0]];

    return clockodo_token_match(tokens, n, digest, subscription, number);
}
