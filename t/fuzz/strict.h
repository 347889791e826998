
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _STRICT_H_INCLUDED_
#define _STRICT_H_INCLUDED_


#include <stddef.h>

#include <jansson.h>


#ifdef __cplusplus
extern "C" {
#endif


#define STRICT_DEPTH  32


/*
 * Two readers of JSON that have no line in common with the scan, nor with each
 * other.  Each says whether text[0..len) is what the scan promises: one object
 * of RFC 8259 in UTF-8 without a byte order mark, at most STRICT_DEPTH deep,
 * without U+0000, lone surrogates and duplicate members.  What a library does
 * not check by itself is checked here, so that there is nothing in which they
 * may differ.
 *
 * Both libraries refuse numbers that do not fit a double or 64 bits, which RFC
 * 8259 leaves open: strict_cut_number() makes such a number "0".
 */

/* the tree, to be given back by json_decref(), or NULL */
json_t *strict_jansson(const char *text, size_t len);

/* 1 or 0 */
int strict_nlohmann(const char *text, size_t len);

/* writes a "0" among blanks over the number that ends before text[end] */
void strict_cut_number(char *text, size_t end);


#ifdef __cplusplus
}
#endif


#endif /* _STRICT_H_INCLUDED_ */
