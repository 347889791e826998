
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


static ngx_int_t ngx_http_clockodo_get_key(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_clockodo_get_duplicate(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_clockodo_get_verdict(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_clockodo_get_reason(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_clockodo_get_webhook_id(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_clockodo_get_webhook_timestamp(
    ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_clockodo_get_webhook_signature(
    ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value);
static ngx_int_t ngx_http_clockodo_get_body(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value);


/* headers go upstream in this order */

ngx_http_clockodo_value_t
    ngx_http_clockodo_values[NGX_HTTP_CLOCKODO_VALUES] =
{
    [NGX_HTTP_CLOCKODO_EVENT] = {
        ngx_string("clockodo_event"),
        ngx_string("X-Clockodo-Event"), (u_char *) "x-clockodo-event",
        ngx_string("event"),
        NGX_HTTP_CLOCKODO_KNOWN_ENVELOPE,
        offsetof(clockodo_event_t, event), NULL,
        NGX_HTTP_CLOCKODO_SHOW_EVENT, 0 },

    [NGX_HTTP_CLOCKODO_ENTITY] = {
        ngx_string("clockodo_entity"),
        ngx_string("X-Clockodo-Entity"), (u_char *) "x-clockodo-entity",
        ngx_string("entity"),
        NGX_HTTP_CLOCKODO_KNOWN_ENVELOPE,
        offsetof(clockodo_event_t, entity), NULL,
        NGX_HTTP_CLOCKODO_SHOW_EVENT, 0 },

    [NGX_HTTP_CLOCKODO_ACTION] = {
        ngx_string("clockodo_action"),
        ngx_string("X-Clockodo-Action"), (u_char *) "x-clockodo-action",
        ngx_string("action"),
        NGX_HTTP_CLOCKODO_KNOWN_ENVELOPE,
        offsetof(clockodo_event_t, action), NULL,
        NGX_HTTP_CLOCKODO_SHOW_EVENT, 0 },

    [NGX_HTTP_CLOCKODO_ENTITY_ID] = {
        ngx_string("clockodo_entity_id"),
        ngx_string("X-Clockodo-Entity-Id"), (u_char *) "x-clockodo-entity-id",
        ngx_string("entity_id"),
        NGX_HTTP_CLOCKODO_KNOWN_PAYLOAD,
        offsetof(clockodo_event_t, entity_id), NULL,
        NGX_HTTP_CLOCKODO_SHOW_EVENT, 0 },

    [NGX_HTTP_CLOCKODO_SUBSCRIPTION_ID] = {
        ngx_string("clockodo_subscription_id"),
        ngx_string("X-Clockodo-Subscription-Id"),
        (u_char *) "x-clockodo-subscription-id",
        ngx_string("subscription_id"),
        NGX_HTTP_CLOCKODO_KNOWN_ENVELOPE,
        offsetof(clockodo_event_t, subscription), NULL,
        NGX_HTTP_CLOCKODO_SHOW_EVENT, 0 },

    [NGX_HTTP_CLOCKODO_COMPANY_ID] = {
        ngx_string("clockodo_company_id"),
        ngx_string("X-Clockodo-Company-Id"), (u_char *) "x-clockodo-company-id",
        ngx_string("company_id"),
        NGX_HTTP_CLOCKODO_KNOWN_ENVELOPE,
        offsetof(clockodo_event_t, company), NULL,
        NGX_HTTP_CLOCKODO_SHOW_EVENT, 0 },

    [NGX_HTTP_CLOCKODO_OCCURRED_AT] = {
        ngx_string("clockodo_occurred_at"),
        ngx_string("X-Clockodo-Occurred-At"),
        (u_char *) "x-clockodo-occurred-at",
        ngx_string("occurred_at"),
        NGX_HTTP_CLOCKODO_KNOWN_ENVELOPE,
        offsetof(clockodo_event_t, occurred_at), NULL,
        NGX_HTTP_CLOCKODO_SHOW_EVENT, 0 },

    [NGX_HTTP_CLOCKODO_IDEMPOTENCY_KEY] = {
        ngx_string("clockodo_idempotency_key"),
        ngx_string("X-Clockodo-Idempotency-Key"),
        (u_char *) "x-clockodo-idempotency-key",
        ngx_string("idempotency_key"),
        NGX_HTTP_CLOCKODO_KNOWN_PAYLOAD,
        offsetof(clockodo_event_t, key), ngx_http_clockodo_get_key,
        NGX_HTTP_CLOCKODO_SHOW_EVENT, 0 },

    [NGX_HTTP_CLOCKODO_DUPLICATE] = {
        ngx_null_string,
        ngx_string("X-Clockodo-Duplicate"), (u_char *) "x-clockodo-duplicate",
        ngx_null_string,
        NGX_HTTP_CLOCKODO_KNOWN_NOTHING, 0, ngx_http_clockodo_get_duplicate,
        NGX_HTTP_CLOCKODO_SHOW_EVENT, 0 },

    [NGX_HTTP_CLOCKODO_VERDICT] = {
        ngx_string("clockodo_verdict"),
        ngx_string("X-Clockodo-Verdict"), (u_char *) "x-clockodo-verdict",
        ngx_null_string,
        NGX_HTTP_CLOCKODO_KNOWN_NOTHING, 0, ngx_http_clockodo_get_verdict,
        NGX_HTTP_CLOCKODO_SHOW_VERDICT, 0 },

    [NGX_HTTP_CLOCKODO_REASON] = {
        ngx_string("clockodo_reason"),
        ngx_string("X-Clockodo-Reason"), (u_char *) "x-clockodo-reason",
        ngx_null_string,
        NGX_HTTP_CLOCKODO_KNOWN_NOTHING, 0, ngx_http_clockodo_get_reason,
        NGX_HTTP_CLOCKODO_SHOW_VERDICT, 0 },

    /* Standard Webhooks has no prefix of ours */

    [NGX_HTTP_CLOCKODO_WEBHOOK_ID] = {
        ngx_string("clockodo_webhook_id"),
        ngx_string("webhook-id"), (u_char *) "webhook-id",
        ngx_null_string,
        NGX_HTTP_CLOCKODO_KNOWN_NOTHING, 0, ngx_http_clockodo_get_webhook_id,
        NGX_HTTP_CLOCKODO_SHOW_SIGNATURE, 0 },

    [NGX_HTTP_CLOCKODO_WEBHOOK_TIMESTAMP] = {
        ngx_string("clockodo_webhook_timestamp"),
        ngx_string("webhook-timestamp"), (u_char *) "webhook-timestamp",
        ngx_null_string,
        NGX_HTTP_CLOCKODO_KNOWN_NOTHING, 0,
        ngx_http_clockodo_get_webhook_timestamp,
        NGX_HTTP_CLOCKODO_SHOW_SIGNATURE, 0 },

    [NGX_HTTP_CLOCKODO_WEBHOOK_SIGNATURE] = {
        ngx_string("clockodo_webhook_signature"),
        ngx_string("webhook-signature"), (u_char *) "webhook-signature",
        ngx_null_string,
        NGX_HTTP_CLOCKODO_KNOWN_NOTHING, 0,
        ngx_http_clockodo_get_webhook_signature,
        NGX_HTTP_CLOCKODO_SHOW_SIGNATURE, 0 },

    [NGX_HTTP_CLOCKODO_BODY] = {
        ngx_string("clockodo_body"),
        ngx_null_string, NULL,
        ngx_string("body"),
        NGX_HTTP_CLOCKODO_KNOWN_NOTHING, 0, ngx_http_clockodo_get_body,
        0, 0 }
};


ngx_int_t
ngx_http_clockodo_get_value(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_value_e id,
    ngx_str_t *value)
{
    return ngx_http_clockodo_get_known_value(r, ctx,
                                             ngx_http_clockodo_known(ctx),
                                             &ngx_http_clockodo_values[id],
                                             value);
}


ngx_uint_t
ngx_http_clockodo_known(ngx_http_clockodo_ctx_t *ctx)
{
    clockodo_reason_e  reason;

    reason = clockodo_faults[ctx->fault].reason;

    if (ctx->verdict == CLOCKODO_VERDICT_NONE
        || (reason != CLOCKODO_REASON_NONE
            && reason <= CLOCKODO_REASON_ENVELOPE)
        || ctx->event.handshake)
    {
        return NGX_HTTP_CLOCKODO_KNOWN_NOTHING;
    }

    return ctx->event.payload_fault ? NGX_HTTP_CLOCKODO_KNOWN_ENVELOPE
                                    : NGX_HTTP_CLOCKODO_KNOWN_PAYLOAD;
}


static ngx_int_t
ngx_http_clockodo_get_key(ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx,
    ngx_str_t *value)
{
    clockodo_event_t  *event;

    event = &ctx->event;

    if (clockodo_event_key(event) != 0) {
        return NGX_ERROR;
    }

    value->len = event->key.len;
    value->data = (u_char *) event->key.data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_get_duplicate(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->duplicate && ctx->verdict != CLOCKODO_VERDICT_REJECTED) {
        ngx_str_set(value, "1");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_get_verdict(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value)
{
    value->len = clockodo_verdicts[ctx->verdict].len;
    value->data = (u_char *) clockodo_verdicts[ctx->verdict].data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_get_reason(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value)
{
    const clockodo_str_t  *name;

    name = &clockodo_reasons[clockodo_faults[ctx->fault].reason];

    value->len = name->len;
    value->data = (u_char *) name->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_get_webhook_id(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->has_signature) {
        *value = ctx->signature->id;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_get_webhook_timestamp(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->has_signature) {
        *value = ctx->signature->timestamp;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_get_webhook_signature(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value)
{
    if (ctx->has_signature) {
        *value = ctx->signature->text;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_get_body(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value)
{
    return ngx_http_clockodo_masked_body(r, ctx, value);
}
