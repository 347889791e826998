
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* names of events */


#include "libc.h"
#include "core.h"
#include "any.h"


#define LOOP_clockodo_event_entity_0                                          \
    LOOP((i, entity),                                                         \
         (i <= len                                                            \
          && (entity == 0 || (entity < i && name[entity] == '.'))),           \
         (len - i))


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


/* each is found by its name, which is well-formed */

void
prove_event_names(void)
{
    size_t                        i;
    const clockodo_event_type_t  *type;

    for (i = 0; i < CLOCKODO_EVENT_TYPES; i++) {
        type = &clockodo_event_types[i];

        __CPROVER_assert(clockodo_event_type(type->name, type->len) == type,
                         "it is found");
        __CPROVER_assert(clockodo_event_entity(type->name, type->len) > 0,
                         "it has a dot, neither at its start nor at its end");
    }
}
