
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_MEDIA_TYPE_H_INCLUDED_
#define _CLOCKODO_MEDIA_TYPE_H_INCLUDED_


#include <stddef.h>


#pragma GCC visibility push(hidden)


/*
 * Whether text[0..len), the value of a Content-Type header, is a well-formed
 * media type (RFC 9110, 8.3.1 and 5.6.6) that says "application/json", with
 * every "charset" parameter, as a token or a quoted string, being "utf-8",
 * and so with RFC 2231's forms of it, as "charset*0" and "charset*"; all
 * compared without case.  Other parameters pass.
 *
 * Returns 1 or 0.  text may be NULL if len is 0.
 */
int clockodo_media_type_is_json(const unsigned char *text, size_t len);


#pragma GCC visibility pop


#endif /* _CLOCKODO_MEDIA_TYPE_H_INCLUDED_ */
