
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_ESCAPE_H_INCLUDED_
#define _CLOCKODO_ESCAPE_H_INCLUDED_


#include <stddef.h>


#pragma GCC visibility push(hidden)


/* how many bytes one byte can become */
#define CLOCKODO_ESCAPED  3


/*
 * Text from outside, such that it is one field of a line whose fields stand
 * between blanks, and can stand between quotes in JSON (RFC 8259, section 7),
 * in Prometheus's text format and in HTML: every other byte is written as in
 * a URI (RFC 3986, section 2.1), "%" too.
 *
 * Writes at most size bytes to dst, never a part of an escape, and returns
 * how many.  text may be NULL if len is 0.
 */
size_t clockodo_escape(unsigned char *dst, size_t size, const void *text,
    size_t len);


#pragma GCC visibility pop


#endif /* _CLOCKODO_ESCAPE_H_INCLUDED_ */
