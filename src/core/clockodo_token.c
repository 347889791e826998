
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_token.h"
#include "clockodo_number.h"

#include <string.h>

#include <openssl/crypto.h>


static unsigned clockodo_token_allows(const clockodo_token_t *token,
    uint64_t subscription);
static size_t clockodo_token_word(const unsigned char **word,
    const unsigned char *last);


static const char  clockodo_token_parameter[] = "subscription=";


clockodo_token_match_e
clockodo_token_match(const clockodo_token_t *tokens, size_t n,
    const unsigned char digest[CLOCKODO_SHA256_LEN], uint64_t subscription,
    size_t *number)
{
    size_t    i, mask;
    unsigned  known, allowed, differs, equal, match;

    known = 0;
    allowed = 0;
    *number = 0;

    for (i = 0; i < n; i++) {
        differs = CRYPTO_memcmp(tokens[i].digest, digest, CLOCKODO_SHA256_LEN);

        /* 0 borrows and sets the top bit, 1 to 255 do not: no comparison */
        equal = (differs - 1) >> (sizeof(differs) * 8 - 1);

        match = equal & clockodo_token_allows(&tokens[i], subscription);

        known |= equal;
        allowed |= match;

        mask = (size_t) 0 - match;
        *number = (*number & ~mask) | ((i + 1) & mask);
    }

    /* arithmetic, since a branch or a table would be seen from outside */

    return (clockodo_token_match_e) (CLOCKODO_TOKEN_UNKNOWN - known - allowed);
}


/* depends on the configuration and on what the client sent alone */

static unsigned
clockodo_token_allows(const clockodo_token_t *token, uint64_t subscription)
{
    size_t    i;
    unsigned  allows;

    allows = (token->nsubscriptions == 0);

    for (i = 0; i < token->nsubscriptions; i++) {
        allows |= (token->subscriptions[i] == subscription);
    }

    return allows;
}


clockodo_token_line_e
clockodo_token_line_parse(const unsigned char *line, size_t len,
    clockodo_token_line_t *tl)
{
    size_t                token_len, parameter_len;
    const unsigned char  *last, *token, *parameter, *rest;

    if (len == 0) {
        return CLOCKODO_TOKEN_LINE_BLANK;
    }

    if (memchr(line, '\0', len) != NULL) {
        return CLOCKODO_TOKEN_LINE_NUL;
    }

    if (line[len - 1] == '\r') {
        len--;
    }

    last = line + len;

    token = line;
    token_len = clockodo_token_word(&token, last);

    if (token_len == 0 || line[0] == '#') {
        return CLOCKODO_TOKEN_LINE_BLANK;
    }

    tl->token = token;
    tl->token_len = token_len;
    tl->subscriptions = NULL;
    tl->subscriptions_len = 0;

    parameter = token + token_len;
    parameter_len = clockodo_token_word(&parameter, last);

    if (parameter_len == 0) {
        return CLOCKODO_TOKEN_LINE_OK;
    }

    rest = parameter + parameter_len;

    if (clockodo_token_word(&rest, last) != 0) {
        return CLOCKODO_TOKEN_LINE_PARAMETER;
    }

    return clockodo_token_parameter_parse(parameter, parameter_len, tl);
}


clockodo_token_line_e
clockodo_token_parameter_parse(const unsigned char *text, size_t len,
    clockodo_token_line_t *tl)
{
    size_t  prefix;

    prefix = sizeof(clockodo_token_parameter) - 1;

    if (len < prefix || memcmp(text, clockodo_token_parameter, prefix) != 0) {
        return CLOCKODO_TOKEN_LINE_PARAMETER;
    }

    if (clockodo_subscriptions_parse(text + prefix, len - prefix, NULL) == 0) {
        return CLOCKODO_TOKEN_LINE_SUBSCRIPTION;
    }

    tl->subscriptions = text + prefix;
    tl->subscriptions_len = len - prefix;

    return CLOCKODO_TOKEN_LINE_OK;
}


/* moves *word past blanks and returns the length of what stands there */

static size_t
clockodo_token_word(const unsigned char **word, const unsigned char *last)
{
    const unsigned char  *p;

    p = *word;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    *word = p;

    while (p < last && *p != ' ' && *p != '\t') {
        p++;
    }

    return p - *word;
}


size_t
clockodo_subscriptions_parse(const unsigned char *text, size_t len,
    uint64_t *ids)
{
    size_t                n, id_len;
    uint64_t              id;
    const unsigned char  *comma;

    n = 0;

    for ( ;; ) {
        comma = memchr(text, ',', len);
        id_len = comma ? (size_t) (comma - text) : len;

        id = clockodo_id_parse(text, id_len);
        if (id == 0) {
            return 0;
        }

        if (ids) {
            ids[n] = id;
        }

        n++;

        if (comma == NULL) {
            return n;
        }

        text += id_len + 1;
        len -= id_len + 1;
    }
}
