
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


static const char  event_key_hex[] = "0123456789abcdef";


int
clockodo_event_key(clockodo_event_t *event)
{
    char           *p;
    size_t          i;
    char            text[EVENT_KEY_LEN];
    unsigned char  *digest;

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

    digest = event->key_digest;

    if (clockodo_sha256(text, p - text, digest) != 0) {
        return -1;
    }

    for (i = 0; i < CLOCKODO_SHA256_LEN; i++) {
        event->key_buf[2 * i] = event_key_hex[digest[i] >> 4];
        event->key_buf[2 * i + 1] = event_key_hex[digest[i] & 0xf];
    }

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
