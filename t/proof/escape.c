
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* text from outside as one field of a line */


#include "any.h"


#include "clockodo_escape.c"


#define TEXT_MAX  12
#define ROOM      40


size_t
clockodo_escape(unsigned char *dst, size_t size, const void *text, size_t len)
REQUIRES(WRITABLE(dst, size) && (len == 0 || READABLE(text, len)))
ASSIGNS(__CPROVER_object_upto(dst, size))
ENSURES(RESULT <= size);


void
prove_clockodo_escape(void)
{
    size_t  size, len;

    size = any_up_to(ROOM);
    len = any_up_to(TEXT_MAX);

    (void) clockodo_escape(any_text(size), size, any_text_or_null(len),
                           len);
}
