
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_EVENT_H_INCLUDED_
#define _CLOCKODO_EVENT_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "clockodo_event_type.h"
#include "clockodo_json.h"
#include "clockodo_number.h"
#include "clockodo_time.h"
#include "clockodo_token.h"
#include "clockodo_verdict.h"


#pragma GCC visibility push(hidden)


#define CLOCKODO_BUDGET_TYPE_LEN  64
#define CLOCKODO_SECRET_LEN       128
#define CLOCKODO_KEY_LEN          (2 * CLOCKODO_SHA256_LEN)


/*
 * What one request says: a handshake, or an event.  Faults are found while the
 * body is parsed and reported by clockodo_judge() in their order.  Names
 * point into the structure's own buffers, so it must not be copied.
 */

typedef struct {
    unsigned                      handshake:1;
    clockodo_fault_e              secret_fault;
    clockodo_str_t                secret;

    clockodo_fault_e              token_fault;
    unsigned char                 token[CLOCKODO_SHA256_LEN];
    size_t                        token_offset;  /* of its value, as sent */
    size_t                        token_len;     /* without the quotes */

    clockodo_fault_e              envelope_fault;
    uint64_t                      subscription_id;   /* 0: not valid */
    uint64_t                      company_id;        /* 0: not valid */
    int64_t                       occurred;      /* seconds, 1970 is 0 */
    const clockodo_event_type_t  *type;          /* NULL: not documented */

    clockodo_fault_e              payload_fault;

    /* set for good only if there is no envelope_fault */
    clockodo_str_t                event;
    clockodo_str_t                entity;
    clockodo_str_t                action;
    clockodo_str_t                subscription;
    clockodo_str_t                company;
    clockodo_str_t                occurred_at;

    /* set for good only if there is no payload_fault; empty: has none */
    clockodo_str_t                entity_id;
    clockodo_str_t                budget_type;
    clockodo_str_t                threshold;

    /* empty until clockodo_event_key() */
    clockodo_str_t                key;
    unsigned char                 key_digest[CLOCKODO_SHA256_LEN];

    /* from here on, set where a name points to it */
    char                          event_buf[CLOCKODO_EVENT_NAME_LEN];
    char                          entity_id_buf[CLOCKODO_ID_LEN];
    char                          subscription_buf[CLOCKODO_ID_LEN];
    char                          company_buf[CLOCKODO_ID_LEN];
    char                          occurred_at_buf[CLOCKODO_TIME_LEN];
    char                          key_buf[CLOCKODO_KEY_LEN];

    /* CLOCKODO_EVENT_TEXTS_LEN ends here */
    char                          secret_buf[CLOCKODO_SECRET_LEN];
    char                          budget_type_buf[CLOCKODO_BUDGET_TYPE_LEN];
    char                          threshold_buf[CLOCKODO_NUMBER_LEN];
} clockodo_event_t;


/* what identifies an event lies in one piece, from event_buf on */

#define CLOCKODO_EVENT_TEXTS_LEN                                              \
    (offsetof(clockodo_event_t, secret_buf)                                   \
     - offsetof(clockodo_event_t, event_buf))


/*
 * Parses a body.  key is that of clockodo_json_scan().  Memory that it takes
 * with malloc() is given back before it returns.
 *
 * Returns CLOCKODO_JSON_OK and fills *event; CLOCKODO_JSON_NO_MEMORY, also
 * where libcrypto failed; or why the body is no JSON object.  That is the code
 * of *error, too.
 */
clockodo_json_e clockodo_event_parse(const unsigned char *text, size_t len,
    uint32_t key, clockodo_event_t *event, clockodo_json_error_t *error)
    __attribute__((warn_unused_result));

/*
 * Sets event->key_digest to the idempotency key, the SHA-256 of netstrings,
 * and event->key to its lower-case hex, unless that was done before.  The
 * event has neither envelope_fault nor payload_fault.  Returns 0, or -1 if
 * libcrypto failed (out of memory).
 */
int clockodo_event_key(clockodo_event_t *event)
    __attribute__((warn_unused_result));


#pragma GCC visibility pop


#endif /* _CLOCKODO_EVENT_H_INCLUDED_ */
