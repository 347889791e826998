
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _PROOF_ANY_H_INCLUDED_
#define _PROOF_ANY_H_INCLUDED_


#include "proof.h"

#include "clockodo_str.h"
#include "clockodo_token.h"


/* the same, but for an empty text, that may be NULL */

static inline unsigned char *
any_text_or_null(size_t len)
{
    return len == 0 && nondet_bool() ? NULL : any_text(len);
}


/* one of 0 to 255: what is left of the number is 0 from the beginning, which
   makes it much cheaper to reckon with */

static inline size_t
any_byte(void)
{
    return (unsigned char) nondet_size();
}


static inline clockodo_str_t
any_str(size_t max)
{
    clockodo_str_t  str;

    str.len = any_up_to(max);
    str.data = (char *) any_text_or_null(str.len);

    return str;
}


/* tokens, for up to 2 subscriptions each; as TOKENS of core.h says, up to 3 */

static inline clockodo_token_t *
any_tokens(size_t n)
{
    size_t             i;
    clockodo_token_t  *tokens;

    tokens = (clockodo_token_t *) any_text_or_null(n * sizeof(*tokens));

    for (i = 0; i < n; i++) {
        clockodo_token_t  token;

        token.nsubscriptions = any_up_to(2);
        token.subscriptions = (uint64_t *)
                              any_text_or_null(token.nsubscriptions
                                               * sizeof(uint64_t));
        tokens[i] = token;
    }

    return tokens;
}


#endif /* _PROOF_ANY_H_INCLUDED_ */
