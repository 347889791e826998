
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_TOKEN_H_INCLUDED_
#define _CLOCKODO_TOKEN_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "clockodo_sha256.h"


#pragma GCC visibility push(hidden)


typedef struct {
    unsigned char         digest[CLOCKODO_SHA256_LEN];

    const uint64_t       *subscriptions;   /* of the caller */
    size_t                nsubscriptions;  /* 0: the token is for all */
} clockodo_token_t;


typedef enum {
    CLOCKODO_TOKEN_MATCH = 0,
    CLOCKODO_TOKEN_OTHER_SUBSCRIPTION,     /* known, but not for this one */
    CLOCKODO_TOKEN_UNKNOWN
} clockodo_token_match_e;


/* one line of a token file, or the arguments of a directive */

typedef struct {
    const unsigned char  *token;           /* into the line */
    size_t                token_len;
    const unsigned char  *subscriptions;   /* "ID[,ID...]", into the line */
    size_t                subscriptions_len;   /* 0: there are none */
} clockodo_token_line_t;


typedef enum {
    CLOCKODO_TOKEN_LINE_OK = 0,
    CLOCKODO_TOKEN_LINE_BLANK,             /* or a comment */
    CLOCKODO_TOKEN_LINE_NUL,               /* has one, even in a comment */
    CLOCKODO_TOKEN_LINE_PARAMETER,         /* unknown or one too many */
    CLOCKODO_TOKEN_LINE_SUBSCRIPTION       /* a subscription id is malformed */
} clockodo_token_line_e;


/*
 * Compares the digest of a presented token with all n tokens.  Time and
 * memory access depend on n and on the numbers of subscriptions alone:
 * not on the digests, nor on whether or where one matches.
 *
 * subscription is the event's subscription_id, or 0 if it has no valid one;
 * a token without subscriptions is for all of them.
 *
 * *number is set to that of the token, counted from 1, if the result is
 * CLOCKODO_TOKEN_MATCH (of several the last one's), otherwise to 0.
 */
clockodo_token_match_e clockodo_token_match(const clockodo_token_t *tokens,
    size_t n, const unsigned char digest[CLOCKODO_SHA256_LEN],
    uint64_t subscription, size_t *number)
    __attribute__((warn_unused_result));

/*
 * Splits line[0..len), without its line feed, into "TOKEN" or
 * "TOKEN subscription=ID[,ID...]", separated and surrounded by any number
 * of blanks and tabs; one carriage return at the end is ignored.  A line
 * that starts with "#" is a comment.  The ids are checked as well.  line may
 * be NULL if len is 0.
 */
clockodo_token_line_e clockodo_token_line_parse(const unsigned char *line,
    size_t len, clockodo_token_line_t *tl)
    __attribute__((warn_unused_result));

/*
 * Reads the part after the token, "subscription=ID[,ID...]", and sets that
 * of *tl.
 */
clockodo_token_line_e clockodo_token_parameter_parse(
    const unsigned char *text, size_t len, clockodo_token_line_t *tl)
    __attribute__((warn_unused_result));

/*
 * Reads "ID[,ID...]", ids as in clockodo_id_parse().  If ids is not NULL,
 * it has room for as many as there are.  Returns their number, or 0 if the
 * list or one of its ids is malformed.
 */
size_t clockodo_subscriptions_parse(const unsigned char *text, size_t len,
    uint64_t *ids);


#pragma GCC visibility pop


#endif /* _CLOCKODO_TOKEN_H_INCLUDED_ */
