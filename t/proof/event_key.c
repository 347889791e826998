
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* the idempotency key of any event */


#include "core.h"
#include "any.h"


#include "clockodo_event_key.c"


static clockodo_event_t  event;


void
prove_clockodo_event_key(void)
{
    int                    rc;
    clockodo_event_t       any;
    clockodo_event_type_t  type;

    event = any;

    event.type = nondet_bool() ? &type : NULL;
    event.company = any_str(CLOCKODO_ID_LEN);
    event.subscription = any_str(CLOCKODO_ID_LEN);
    event.event = any_str(CLOCKODO_EVENT_NAME_LEN);
    event.entity_id = any_str(CLOCKODO_ID_LEN);
    event.occurred_at = any_str(CLOCKODO_TIME_LEN);
    event.budget_type = any_str(CLOCKODO_BUDGET_TYPE_LEN);
    event.threshold = any_str(CLOCKODO_NUMBER_LEN);
    event.key.len = nondet_bool() ? CLOCKODO_KEY_LEN : 0;

    rc = clockodo_event_key(&event);

    __CPROVER_assert(rc == -1 || event.key.len == CLOCKODO_KEY_LEN,
                     "there is a key");
}
