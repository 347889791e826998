
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
} judge_ctx_t;


static clockodo_fault_e judge_token(judge_ctx_t *ctx);
static clockodo_fault_e judge_envelope(judge_ctx_t *ctx);
static clockodo_fault_e judge_unknown_event(judge_ctx_t *ctx);
static clockodo_fault_e judge_payload(judge_ctx_t *ctx);
static clockodo_fault_e judge_company(judge_ctx_t *ctx);
static clockodo_fault_e judge_age(judge_ctx_t *ctx);
static int judge_wanted(const clockodo_event_t *event,
    const clockodo_policy_t *policy);


/* in this order, the first fault decides */

static clockodo_fault_e (*const  judge_checks[])(judge_ctx_t *ctx) = {
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
    size_t       i;
    judge_ctx_t  ctx;

    *token = 0;

    if (event->handshake) {
        *fault = event->secret_fault;

        if (*fault == CLOCKODO_FAULT_NONE && !policy->handshakes) {
            *fault = CLOCKODO_FAULT_SECRET_FILE_OFF;
        }

        return *fault ? CLOCKODO_VERDICT_REJECTED
                      : CLOCKODO_VERDICT_HANDSHAKE;
    }

    ctx.event = event;
    ctx.policy = policy;
    ctx.now = now;
    ctx.token = token;

    for (i = 0; i < sizeof(judge_checks) / sizeof(judge_checks[0]); i++) {
        *fault = judge_checks[i](&ctx);

        if (*fault) {
            return CLOCKODO_VERDICT_REJECTED;
        }
    }

    return judge_wanted(event, policy) ? CLOCKODO_VERDICT_ACCEPTED
                                       : CLOCKODO_VERDICT_FILTERED;
}


static clockodo_fault_e
judge_token(judge_ctx_t *ctx)
{
    if (ctx->event->token_fault) {
        return ctx->event->token_fault;
    }

    switch (clockodo_token_match(ctx->policy->tokens, ctx->policy->ntokens,
                                 ctx->event->token,
                                 ctx->event->subscription_id, ctx->token))
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
judge_envelope(judge_ctx_t *ctx)
{
    return ctx->event->envelope_fault;
}


static clockodo_fault_e
judge_unknown_event(judge_ctx_t *ctx)
{
    if (ctx->event->type == NULL
        && ctx->policy->unknown_events == CLOCKODO_UNKNOWN_REJECT)
    {
        return CLOCKODO_FAULT_UNKNOWN_EVENT;
    }

    return CLOCKODO_FAULT_NONE;
}


static clockodo_fault_e
judge_payload(judge_ctx_t *ctx)
{
    return ctx->event->payload_fault;
}


static clockodo_fault_e
judge_company(judge_ctx_t *ctx)
{
    size_t  i;

    if (ctx->policy->ncompanies == 0) {
        return CLOCKODO_FAULT_NONE;
    }

    for (i = 0; i < ctx->policy->ncompanies; i++) {
        if (ctx->policy->companies[i] == ctx->event->company_id) {
            return CLOCKODO_FAULT_NONE;
        }
    }

    return CLOCKODO_FAULT_COMPANY;
}


static clockodo_fault_e
judge_age(judge_ctx_t *ctx)
{
    if (ctx->policy->max_age == 0) {
        return CLOCKODO_FAULT_NONE;
    }

    if (ctx->event->occurred < ctx->now - ctx->policy->max_age) {
        return CLOCKODO_FAULT_TOO_OLD;
    }

    if (ctx->event->occurred > ctx->now + CLOCKODO_FUTURE) {
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
