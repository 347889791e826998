
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_PLACEHOLDER_H_INCLUDED_
#define _CLOCKODO_PLACEHOLDER_H_INCLUDED_


#include <stddef.h>


#pragma GCC visibility push(hidden)


/*
 * What token[0..len) looks like, for a warning: "a placeholder", say, or, in
 * a line of a file, where quotes and the like are part of it, "a quoted
 * string".  Returns NULL if it looks like a token.
 */
const char *clockodo_placeholder(const unsigned char *token, size_t len,
    int line)
    __attribute__((warn_unused_result));


#pragma GCC visibility pop


#endif /* _CLOCKODO_PLACEHOLDER_H_INCLUDED_ */
