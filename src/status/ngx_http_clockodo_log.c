
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


static void ngx_http_clockodo_count(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_shctx_t *sh);
static ngx_http_upstream_state_t *ngx_http_clockodo_upstream_state(
    ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx);
static void ngx_http_clockodo_add_delivery(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_shctx_t *sh);
static void ngx_http_clockodo_set_delivery(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_delivery_t *delivery);


ngx_int_t
ngx_http_clockodo_log_handler(ngx_http_request_t *r)
{
    ngx_http_clockodo_ctx_t        *ctx;
    ngx_http_clockodo_main_conf_t  *mcf;

    if (r != r->main) {
        return NGX_OK;
    }

    ctx = ngx_http_clockodo_get_module_ctx(r);

    if (ctx == NULL || ctx->location == NULL) {

        /* not judged */

        return NGX_OK;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_clockodo_module);

    ngx_http_clockodo_count(r, ctx, mcf->zone.sh);
    ngx_http_clockodo_add_delivery(r, ctx, mcf->zone.sh);

    return NGX_OK;
}


static void
ngx_http_clockodo_count(ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx,
    ngx_http_clockodo_shctx_t *sh)
{
    ngx_http_upstream_state_t     *state;
    ngx_http_clockodo_counters_t  *counters;

    counters = ctx->location->counters;

    (void) ngx_atomic_fetch_add(&counters->verdicts[ctx->verdict], 1);
    ngx_http_clockodo_count_minute(sh, ngx_time() / 60, ctx->verdict);

    if (ctx->verdict == CLOCKODO_VERDICT_ACCEPTED) {
        ngx_http_clockodo_count_accepted(sh, counters, &ctx->event);
    }

    if (ctx->verdict == CLOCKODO_VERDICT_REJECTED) {
        (void) ngx_atomic_fetch_add(
                   &counters->reasons[clockodo_faults[ctx->fault].reason], 1);
    }

    if (ctx->token) {

        /* only now, when the reply has been sent and nobody can time it */

        ctx->location->uses[ctx->token - 1]->last = ngx_time();
    }

    state = ngx_http_clockodo_upstream_state(r, ctx);

    if (state && state->status >= 100 && state->status < 600) {
        (void) ngx_atomic_fetch_add(
                               &counters->classes[state->status / 100 - 1], 1);
    }
}


/* the last one, which the event has ended with; NULL if it went nowhere */

static ngx_http_upstream_state_t *
ngx_http_clockodo_upstream_state(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx)
{
    ngx_http_upstream_state_t  *state;

    if (!ctx->forwarded
        || r->upstream_states == NULL
        || r->upstream_states->nelts == 0)
    {
        return NULL;
    }

    state = r->upstream_states->elts;

    return &state[r->upstream_states->nelts - 1];
}


static void
ngx_http_clockodo_add_delivery(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_shctx_t *sh)
{
    ngx_http_clockodo_delivery_t  *delivery;

    delivery = ngx_http_clockodo_lock_delivery(sh);

    if (delivery == NULL) {
        return;
    }

    ngx_http_clockodo_set_delivery(r, ctx, delivery);

    ngx_http_clockodo_unlock_delivery(delivery);
}


static void
ngx_http_clockodo_set_delivery(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_delivery_t *delivery)
{
    ngx_str_t                   value;
    ngx_time_t                 *tp;
    ngx_http_upstream_state_t  *state;

    tp = ngx_timeofday();

    delivery->sec = tp->sec;
    delivery->msec = tp->msec;
    delivery->verdict = ctx->verdict;
    delivery->reason = clockodo_faults[ctx->fault].reason;
    delivery->status = r->err_status ? r->err_status : r->headers_out.status;
    delivery->location = ctx->location->counters;

    state = ngx_http_clockodo_upstream_state(r, ctx);
    delivery->upstream_time = state ? (ngx_int_t) state->response_time : -1;

    ngx_http_clockodo_set_text(&delivery->client, &r->connection->addr_text);

    (void) ngx_http_clockodo_get_value(r, ctx, NGX_HTTP_CLOCKODO_EVENT,
                                       &value);
    ngx_http_clockodo_set_text(&delivery->event, &value);

    (void) ngx_http_clockodo_get_value(r, ctx, NGX_HTTP_CLOCKODO_ENTITY_ID,
                                       &value);
    ngx_http_clockodo_set_text(&delivery->entity_id, &value);

    (void) ngx_http_clockodo_get_value(r, ctx,
                                       NGX_HTTP_CLOCKODO_SUBSCRIPTION_ID,
                                       &value);
    ngx_http_clockodo_set_text(&delivery->subscription_id, &value);
}
