
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _PROOF_ANY_H_INCLUDED_
#define _PROOF_ANY_H_INCLUDED_


#include "proof.h"


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


#endif /* _PROOF_ANY_H_INCLUDED_ */
