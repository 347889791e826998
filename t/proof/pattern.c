
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* patterns of events */


#include "libc.h"
#include "core.h"
#include "any.h"


#define LOOP_pattern_part_0  LOOP((i), (i <= len), (len - i))


#include "clockodo_pattern.c"


static int
pattern_part(const char *text, size_t len, clockodo_str_t *part)
REQUIRES(READABLE(text, len) && WRITABLE(part, sizeof(clockodo_str_t)))
ASSIGNS(*part)
ENSURES(RESULT == 0 || RESULT == -1)
ENSURES(RESULT == -1
        || (__CPROVER_pointer_equals(part->data, text) && part->len <= len));


void
prove_clockodo_pattern_parse(void)
{
    int                 rc;
    size_t              len;
    clockodo_pattern_t  pattern;

    len = any_up_to(PROOF_TEXT);

    rc = clockodo_pattern_parse((char *) any_text_or_null(len), len,
                                &pattern);

    __CPROVER_assert(rc == -1
                     || (TEXT(pattern.entity.data, pattern.entity.len)
                         && TEXT(pattern.action.data, pattern.action.len)),
                     "what is set can be read");
}


void
prove_pattern_part(void)
{
    size_t          len;
    clockodo_str_t  part;

    len = any_up_to(PROOF_TEXT);

    (void) pattern_part((char *) any_text(len), len, &part);
}


void
prove_clockodo_pattern_match(void)
{
    clockodo_str_t      entity, action;
    clockodo_pattern_t  pattern;

    pattern.entity = any_str(PROOF_TEXT);
    pattern.action = any_str(PROOF_TEXT);
    entity = any_str(PROOF_TEXT);
    action = any_str(PROOF_TEXT);

    (void) clockodo_pattern_match(&pattern, &entity, &action);
}
