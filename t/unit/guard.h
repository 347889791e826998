
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _GUARD_H_INCLUDED_
#define _GUARD_H_INCLUDED_


#include <stddef.h>


/*
 * A read-only copy of text[0..len) that ends where an unreadable page
 * begins: reading one byte past it, or writing to it, is a SIGSEGV.
 * Never NULL, also for an empty text; to be freed with the same len.
 * Aborts if there is no memory.
 */
const unsigned char *guard_text(const void *text, size_t len);
void guard_free(const unsigned char *text, size_t len);


#endif /* _GUARD_H_INCLUDED_ */
