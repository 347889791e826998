
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* what a token looks like */


#include "libc.h"
#include "any.h"


#include "clockodo_placeholder.c"


/* longer than some words, as "changeme" */
#define TOKEN_MAX  10


void
prove_clockodo_placeholder(void)
{
    size_t       len;
    const char  *what;

    len = any_up_to(TOKEN_MAX);

    what = clockodo_placeholder(any_text_or_null(len), len, nondet_bool());

    __CPROVER_assert(what == NULL || READABLE(what, 1), "a text, or none");
}
