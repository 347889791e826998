
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* tokens, and the files and directives that they come from */


#include "libc.h"
#include "libcrypto.h"
#include "core.h"
#include "any.h"


#define TOKEN_WORD_STAYS                                                      \
    LOOP((p), (BETWEEN(LOOP_ENTRY(p), p, last)), (last - p))

#define LOOP_clockodo_token_word_0  TOKEN_WORD_STAYS
#define LOOP_clockodo_token_word_1  TOKEN_WORD_STAYS

/* an id and a comma are two bytes at the least */

#define IDS(len)  (((len) + 1) / 2)

#define LOOP_clockodo_subscriptions_parse_0                                   \
    LOOP((text, len, n, id_len, id, comma;                                    \
          ids != NULL: __CPROVER_object_whole(ids)),                          \
         (__CPROVER_same_object(text, LOOP_ENTRY(text))                       \
          && OFFSET(text) + len                                               \
             == OFFSET(LOOP_ENTRY(text)) + LOOP_ENTRY(len)                    \
          && len <= LOOP_ENTRY(len) && n <= LOOP_ENTRY(len)                   \
          && 2 * n <= LOOP_ENTRY(len) - len),                                 \
         (len))


#include "clockodo_token.c"


clockodo_token_line_e
clockodo_token_parameter_parse(const unsigned char *text, size_t len,
    clockodo_token_line_t *tl)
REQUIRES(READABLE(text, len) && WRITABLE(tl, sizeof(clockodo_token_line_t)))
ASSIGNS(tl->subscriptions, tl->subscriptions_len)
ENSURES(RESULT == CLOCKODO_TOKEN_LINE_OK
        || RESULT == CLOCKODO_TOKEN_LINE_PARAMETER
        || RESULT == CLOCKODO_TOKEN_LINE_SUBSCRIPTION)
ENSURES(RESULT != CLOCKODO_TOKEN_LINE_OK
        || (NEAR(text, tl->subscriptions, text + len)
            && tl->subscriptions_len == len - (tl->subscriptions - text)));


static size_t
clockodo_token_word(const unsigned char **word, const unsigned char *last)
REQUIRES(BETWEEN(*word, *word, last) && READABLE(*word, last - *word))
ASSIGNS(*word)
ENSURES(NEAR(OLD(*word), *word, last))
ENSURES(RESULT <= last - *word);


size_t
clockodo_subscriptions_parse(const unsigned char *text, size_t len,
    uint64_t *ids)
REQUIRES(READABLE(text, len))
REQUIRES(ids == NULL || WRITABLE(ids, IDS(len) * sizeof(uint64_t)))
ASSIGNS(ids != NULL: __CPROVER_object_whole(ids))
ENSURES(RESULT <= IDS(len));


void
prove_clockodo_token_match(void)
{
    size_t             n, number;
    uint64_t           subscription;
    clockodo_token_t  *tokens;

    n = any_up_to(3);
    tokens = any_tokens(n);

    (void) clockodo_token_match(tokens, n, any_text(CLOCKODO_SHA256_LEN),
                                subscription, &number);
}


void
prove_clockodo_token_line_parse(void)
{
    size_t                 len;
    const unsigned char   *line;
    clockodo_token_line_e  rc;
    clockodo_token_line_t  tl;

    len = any_byte();
    line = any_text_or_null(len);

    rc = clockodo_token_line_parse(line, len, &tl);

    __CPROVER_assert(rc <= CLOCKODO_TOKEN_LINE_SUBSCRIPTION,
                     "one of the results");
    __CPROVER_assert(rc != CLOCKODO_TOKEN_LINE_OK
                     || (BETWEEN(line, tl.token, line + len)
                         && OFFSET(tl.token) + tl.token_len <= len),
                     "the token stands in the line");
}


void
prove_clockodo_token_parameter_parse(void)
{
    size_t                 len;
    clockodo_token_line_t  tl;

    len = any_up_to(PROOF_TEXT);

    (void) clockodo_token_parameter_parse(any_text(len), len, &tl);
}


void
prove_clockodo_token_word(void)
{
    size_t                len;
    const unsigned char  *word;

    len = any_up_to(PROOF_TEXT);
    word = any_text(len);

    (void) clockodo_token_word(&word, word + len);
}


void
prove_clockodo_subscriptions_parse(void)
{
    size_t     len;
    uint64_t  *ids;

    len = any_up_to(PROOF_TEXT);

    ids = nondet_bool()
          ? (uint64_t *) any_text(IDS(len) * sizeof(uint64_t)) : NULL;

    (void) clockodo_subscriptions_parse(any_text(len), len, ids);
}
