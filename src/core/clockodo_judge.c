
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include <string.h>

#include "clockodo_judge.h"


typedef struct {
    const clockodo_event_t   *event;
    const clockodo_policy_t  *policy;
    int64_t                   now;
    size_t                   *token;       /* the number of the right one */
} judge_call_t;


static clockodo_fault_e judge_token(judge_call_t *call);
static clockodo_fault_e judge_envelope(judge_call_t *call);
static clockodo_fault_e judge_unknown_event(judge_call_t *call);
static clockodo_fault_e judge_payload(judge_call_t *call);
static clockodo_fault_e judge_company(judge_call_t *call);
static clockodo_fault_e judge_age(judge_call_t *call);
static int judge_wanted(const clockodo_event_t *event,
    const clockodo_policy_t *policy);


/* in this order, the first fault decides */

static clockodo_fault_e (*const  judge_checks[])(judge_call_t *call) = {
    judge_token,
    judge_envelope,
    judge_unknown_event,
    judge_payload,
    judge_company,
    judge_age
};


clockodo_verdict_e
clockodo_judge(const clockodo_event_t *event, const clockodo_policy_t *policy,
    int64_t now, clockodo_fault_e *fault, size_t *token)
{
    size_t        i;
    judge_call_t  call;

    *token = 0;

    if (event->handshake) {
        *fault = event->secret_fault;

        if (*fault == CLOCKODO_FAULT_NONE && !policy->handshakes) {
            *fault = CLOCKODO_FAULT_SECRET_FILE_OFF;
        }

        return *fault ? CLOCKODO_VERDICT_REJECTED
                      : CLOCKODO_VERDICT_HANDSHAKE;
    }

    call.event = event;
    call.policy = policy;
    call.now = now;
    call.token = token;

    for (i = 0; i < sizeof(judge_checks) / sizeof(judge_checks[0]); i++) {
        *fault = judge_checks[i](&call);

        if (*fault) {
            return CLOCKODO_VERDICT_REJECTED;
        }
    }

    return judge_wanted(event, policy) ? CLOCKODO_VERDICT_ACCEPTED
                                       : CLOCKODO_VERDICT_FILTERED;
}


static clockodo_fault_e
judge_token(judge_call_t *call)
{
    if (call->event->token_fault) {
        return call->event->token_fault;
    }

    switch (clockodo_token_match(call->policy->tokens, call->policy->ntokens,
                                 call->event->token,
                                 call->event->subscription_id, call->token))
    {
    case CLOCKODO_TOKEN_MATCH:
        return CLOCKODO_FAULT_NONE;

    case CLOCKODO_TOKEN_OTHER_SUBSCRIPTION:
        return CLOCKODO_FAULT_TOKEN_SUBSCRIPTION;

    default:
        return CLOCKODO_FAULT_TOKEN_UNKNOWN;
    }
}


static clockodo_fault_e
judge_envelope(judge_call_t *call)
{
    return call->event->envelope_fault;
}


static clockodo_fault_e
judge_unknown_event(judge_call_t *call)
{
    if (call->event->type == NULL
        && call->policy->unknown_events == CLOCKODO_UNKNOWN_REJECT)
    {
        return CLOCKODO_FAULT_UNKNOWN_EVENT;
    }

    return CLOCKODO_FAULT_NONE;
}


static clockodo_fault_e
judge_payload(judge_call_t *call)
{
    return call->event->payload_fault;
}


static clockodo_fault_e
judge_company(judge_call_t *call)
{
    size_t  i;

    if (call->policy->ncompanies == 0) {
        return CLOCKODO_FAULT_NONE;
    }

    for (i = 0; i < call->policy->ncompanies; i++) {
        if (call->policy->companies[i] == call->event->company_id) {
            return CLOCKODO_FAULT_NONE;
        }
    }

    return CLOCKODO_FAULT_COMPANY;
}


static clockodo_fault_e
judge_age(judge_call_t *call)
{
    if (call->policy->max_age == 0) {
        return CLOCKODO_FAULT_NONE;
    }

    if (call->event->occurred < call->now - call->policy->max_age) {
        return CLOCKODO_FAULT_TOO_OLD;
    }

    if (call->event->occurred > call->now + CLOCKODO_FUTURE) {
        return CLOCKODO_FAULT_IN_FUTURE;
    }

    return CLOCKODO_FAULT_NONE;
}


static int
judge_wanted(const clockodo_event_t *event, const clockodo_policy_t *policy)
{
    size_t  i;

    if (event->type == NULL
        && policy->unknown_events == CLOCKODO_UNKNOWN_IGNORE)
    {
        return 0;
    }

    for (i = 0; i < policy->npatterns; i++) {
        if (clockodo_pattern_match(&policy->patterns[i], &event->entity,
                                   &event->action))
        {
            return 1;
        }
    }

    return policy->npatterns == 0;
}
