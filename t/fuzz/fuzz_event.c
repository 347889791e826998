
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * Events: what is said of a body holds together, and a masked body is read as
 * the same event.
 */


#include "clockodo_event.h"
#include "clockodo_judge.h"
#include "fuzz.h"

#include <string.h>


static void event_names(const clockodo_event_t *event);
static void event_masked(const uint8_t *data, size_t size,
    const clockodo_event_t *event);
static void event_same(const clockodo_str_t *name,
    const clockodo_str_t *other);
static void event_judged(clockodo_event_t *event);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clockodo_json_e          error;
    clockodo_json_error_t    json, scan;
    clockodo_event_t         event;
    clockodo_json_members_t  members;

    error = clockodo_event_parse(data, size, 1, &event, &json);

    fuzz_check(error == clockodo_json_scan(data, size, 2, &scan, &members));

    if (error != CLOCKODO_JSON_OK) {
        fuzz_check(json.offset == scan.offset);
        return 0;
    }

    clockodo_json_members_free(&members);

    event_names(&event);

    if (!event.handshake && event.token_fault == CLOCKODO_FAULT_NONE) {
        event_masked(data, size, &event);
    }

    event_judged(&event);

    return 0;
}


static void
event_names(const clockodo_event_t *event)
{
    if (event->handshake) {
        fuzz_check(event->secret_fault || event->secret.len > 0);
        fuzz_check(event->secret.len <= CLOCKODO_SECRET_LEN);
        return;
    }

    if (event->envelope_fault == CLOCKODO_FAULT_NONE) {
        fuzz_check(event->subscription_id && event->company_id);
        fuzz_check(event->event.len <= CLOCKODO_EVENT_NAME_LEN);
        fuzz_check(event->event.len
                   == event->entity.len + 1 + event->action.len);
        fuzz_check(event->entity.len && event->action.len);
        fuzz_check(event->occurred_at.len <= CLOCKODO_TIME_LEN);
        fuzz_check(event->type
                   == clockodo_event_type(event->event.data,
                                          event->event.len));

        if (event->type && event->payload_fault == CLOCKODO_FAULT_NONE) {
            fuzz_check(event->entity_id.len);
            fuzz_check(event->threshold.len <= CLOCKODO_NUMBER_LEN);
            fuzz_check(!event->type->budget == !event->threshold.len);
        }
    }
}


static void
event_masked(const uint8_t *data, size_t size, const clockodo_event_t *event)
{
    uint8_t               *text;
    clockodo_json_error_t  json;
    clockodo_event_t       masked;

    fuzz_check(event->token_offset > 0);
    fuzz_check(event->token_offset + event->token_len < size);
    fuzz_check(data[event->token_offset - 1] == '"');
    fuzz_check(data[event->token_offset + event->token_len] == '"');

    text = malloc(size);
    fuzz_check(text != NULL);

    memcpy(text, data, size);
    memset(text + event->token_offset, '*', event->token_len);

    fuzz_check(clockodo_event_parse(text, size, 1, &masked, &json)
               == CLOCKODO_JSON_OK);

    fuzz_check(masked.token_fault == CLOCKODO_FAULT_NONE);
    fuzz_check(masked.token_offset == event->token_offset);
    fuzz_check(masked.token_len == event->token_len);

    fuzz_check(masked.handshake == event->handshake);
    fuzz_check(masked.envelope_fault == event->envelope_fault);
    fuzz_check(masked.payload_fault == event->payload_fault);
    fuzz_check(masked.subscription_id == event->subscription_id);
    fuzz_check(masked.company_id == event->company_id);
    fuzz_check(masked.occurred == event->occurred);
    fuzz_check(masked.type == event->type);

    event_same(&masked.event, &event->event);
    event_same(&masked.entity, &event->entity);
    event_same(&masked.action, &event->action);
    event_same(&masked.occurred_at, &event->occurred_at);
    event_same(&masked.entity_id, &event->entity_id);
    event_same(&masked.budget_type, &event->budget_type);
    event_same(&masked.threshold, &event->threshold);

    free(text);
}


static void
event_same(const clockodo_str_t *name, const clockodo_str_t *other)
{
    fuzz_check(name->len == other->len);
    fuzz_check(name->len == 0
               || memcmp(name->data, other->data, name->len) == 0);
}


static void
event_judged(clockodo_event_t *event)
{
    size_t              number;
    clockodo_fault_e    fault;
    clockodo_token_t    token;
    clockodo_policy_t   policy;
    clockodo_verdict_e  verdict;

    static const char   text[] = "My_Sup3r_T0k3n";

    memset(&token, 0, sizeof(clockodo_token_t));
    memset(&policy, 0, sizeof(clockodo_policy_t));

    fuzz_check(clockodo_sha256(text, sizeof(text) - 1, token.digest) == 0);

    policy.tokens = &token;
    policy.ntokens = 1;
    policy.unknown_events = CLOCKODO_UNKNOWN_FORWARD;
    policy.handshakes = 1;

    verdict = clockodo_judge(event, &policy, 0, &fault, &number);

    fuzz_check(fault < CLOCKODO_FAULTS);
    fuzz_check((verdict == CLOCKODO_VERDICT_REJECTED)
               == (fault != CLOCKODO_FAULT_NONE));
    fuzz_check((verdict == CLOCKODO_VERDICT_HANDSHAKE)
               == (event->handshake && fault == CLOCKODO_FAULT_NONE));

    if (verdict != CLOCKODO_VERDICT_ACCEPTED) {
        return;
    }

    fuzz_check(number == 1);
    fuzz_check(memcmp(event->token, token.digest, CLOCKODO_SHA256_LEN) == 0);
    fuzz_check(clockodo_event_key(event) == 0);
    fuzz_check(event->key.len == CLOCKODO_KEY_LEN);
    fuzz_check(strspn(event->key.data, "0123456789abcdef")
               >= CLOCKODO_KEY_LEN);
}
