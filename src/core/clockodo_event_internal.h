
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_EVENT_INTERNAL_H_INCLUDED_
#define _CLOCKODO_EVENT_INTERNAL_H_INCLUDED_


/* what the files of the event share, and nobody else needs */


#include "clockodo_event.h"


#pragma GCC visibility push(hidden)


/* what becomes of a member; the first ones are faults that it can have */

typedef enum {
    CLOCKODO_READ_MISSING = 0,
    CLOCKODO_READ_MISTYPED,
    CLOCKODO_READ_INVALID,
    CLOCKODO_READ_FAULTS,
    CLOCKODO_READ_OK = CLOCKODO_READ_FAULTS,
    CLOCKODO_READ_NO_MEMORY                /* or libcrypto failed */
} clockodo_read_e;


/*
 * Each reads the value of one member: a decoded string without its quotes,
 * or a number as it was sent.  Returns OK and sets what it is named after in
 * *event; INVALID if it can't be such a value; or NO_MEMORY.  The text may
 * be freed afterwards.
 */

clockodo_read_e clockodo_event_read_subscription(clockodo_event_t *event,
    const clockodo_str_t *text);
clockodo_read_e clockodo_event_read_company(clockodo_event_t *event,
    const clockodo_str_t *text);
clockodo_read_e clockodo_event_read_occurred_at(clockodo_event_t *event,
    const clockodo_str_t *text);
clockodo_read_e clockodo_event_read_name(clockodo_event_t *event,
    const clockodo_str_t *text);
clockodo_read_e clockodo_event_read_token(clockodo_event_t *event,
    const clockodo_str_t *text);
clockodo_read_e clockodo_event_read_secret(clockodo_event_t *event,
    const clockodo_str_t *text);
clockodo_read_e clockodo_event_read_entity_id(clockodo_event_t *event,
    const clockodo_str_t *text);
clockodo_read_e clockodo_event_read_budget_type(clockodo_event_t *event,
    const clockodo_str_t *text);
clockodo_read_e clockodo_event_read_threshold(clockodo_event_t *event,
    const clockodo_str_t *text);

/* of an object, whose members are read afterwards: takes any */
clockodo_read_e clockodo_event_read_any(clockodo_event_t *event,
    const clockodo_str_t *text);


#pragma GCC visibility pop


#endif /* _CLOCKODO_EVENT_INTERNAL_H_INCLUDED_ */
