
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include <string.h>

#include "clockodo_event.h"


/* of seven netstrings, "NN:" and "," around each value */
#define EVENT_KEY_LEN                                                         \
    (2 * CLOCKODO_ID_LEN + CLOCKODO_EVENT_NAME_LEN + CLOCKODO_ID_LEN          \
     + CLOCKODO_TIME_LEN + CLOCKODO_BUDGET_TYPE_LEN + CLOCKODO_NUMBER_LEN     \
     + 7 * 4)


static inline char *event_key_netstring(char *p, const clockodo_str_t *name);
static void event_key_hex(clockodo_event_t *event);


#define event_key_digit(n)  ((n) + ((n) < 10 ? '0' : 'a' - 10))


int
clockodo_event_key(clockodo_event_t *event)
{
    char  *p;
    char   text[EVENT_KEY_LEN];

    if (event->key.len) {
        return 0;
    }

    p = event_key_netstring(text, &event->company);
    p = event_key_netstring(p, &event->subscription);
    p = event_key_netstring(p, &event->event);
    p = event_key_netstring(p, &event->entity_id);
    p = event_key_netstring(p, &event->occurred_at);

    if (event->type && event->type->budget) {
        p = event_key_netstring(p, &event->budget_type);
        p = event_key_netstring(p, &event->threshold);
    }

    if (clockodo_sha256(text, p - text, event->key_digest) != 0) {
        return -1;
    }

    event_key_hex(event);

    event->key.data = event->key_buf;
    event->key.len = CLOCKODO_KEY_LEN;

    return 0;
}


/* https://cr.yp.to/proto/netstrings.txt; no value here has 100 bytes */

static inline char *
event_key_netstring(char *p, const clockodo_str_t *name)
{
    if (name->len > 9) {
        *p++ = '0' + name->len / 10;
    }

    *p++ = '0' + name->len % 10;
    *p++ = ':';

    if (name->len) {
        memcpy(p, name->data, name->len);
        p += name->len;
    }

    *p++ = ',';

    return p;
}


/* without a table: compilers make a loop of vectors of it */

static void
event_key_hex(clockodo_event_t *event)
{
    size_t    i;
    unsigned  high, low;

    for (i = 0; i < CLOCKODO_SHA256_LEN; i++) {
        high = event->key_digest[i] >> 4;
        low = event->key_digest[i] & 0xf;

        event->key_buf[2 * i] = event_key_digit(high);
        event->key_buf[2 * i + 1] = event_key_digit(low);
    }
}
