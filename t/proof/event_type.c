
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* names of events */


#include "libc.h"
#include "core.h"
#include "any.h"


#include "clockodo_event_type.c"


void
prove_clockodo_event_type(void)
{
    size_t  len;

    len = any_up_to(PROOF_TEXT);

    (void) clockodo_event_type((char *) any_text_or_null(len), len);
}


void
prove_clockodo_event_entity(void)
{
    size_t  len;

    len = any_up_to(PROOF_TEXT);

    (void) clockodo_event_entity((char *) any_text_or_null(len), len);
}


void
prove_clockodo_event_char(void)
{
    char  c;

    (void) clockodo_event_char(c);
}
