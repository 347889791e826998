
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_status.h"


static ngx_http_clockodo_outcome_e ngx_http_clockodo_outcome(
    ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx);
static void ngx_http_clockodo_count(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_outcome_e outcome);
static void ngx_http_clockodo_count_asked(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_outcome_e outcome);
static ngx_http_upstream_state_t *ngx_http_clockodo_upstream_state(
    ngx_http_request_t *r, ngx_http_clockodo_asked_t *asked, ngx_uint_t end);
static ngx_uint_t ngx_http_clockodo_status_code(ngx_http_request_t *r);
static void ngx_http_clockodo_add_delivery(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_shctx_t *sh,
    ngx_http_clockodo_outcome_e outcome);
static void ngx_http_clockodo_set_delivery(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_delivery_t *delivery);
static void ngx_http_clockodo_set_texts(ngx_http_clockodo_ctx_t *ctx,
    ngx_http_clockodo_delivery_t *delivery);


ngx_int_t
ngx_http_clockodo_log_handler(ngx_http_request_t *r)
{
    ngx_http_clockodo_ctx_t        *ctx;
    ngx_http_clockodo_outcome_e     outcome;
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

    outcome = ngx_http_clockodo_outcome(r, ctx);

    ngx_http_clockodo_count(r, ctx, &mcf->zone, outcome);
    ngx_http_clockodo_count_asked(r, ctx, outcome);
    ngx_http_clockodo_add_delivery(r, ctx, mcf->zone.sh, outcome);

    return NGX_OK;
}


static ngx_http_clockodo_outcome_e
ngx_http_clockodo_outcome(ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx)
{
    if (ctx->verdict != CLOCKODO_VERDICT_ACCEPTED) {
        return NGX_HTTP_CLOCKODO_OUTCOME_NONE;
    }

    if (ctx->stored) {
        return NGX_HTTP_CLOCKODO_OUTCOME_STORED;
    }

    return ngx_http_clockodo_delivered(r, ctx)
           ? NGX_HTTP_CLOCKODO_OUTCOME_TAKEN
           : NGX_HTTP_CLOCKODO_OUTCOME_NOT_TAKEN;
}


static void
ngx_http_clockodo_count(ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_outcome_e outcome)
{
    ngx_http_clockodo_counters_t  *counters;

    counters = ctx->location->counters;

    ngx_http_clockodo_count_request(zone->sh, counters, ctx->verdict, outcome);

    switch (ctx->verdict) {

    case CLOCKODO_VERDICT_ACCEPTED:
        ngx_http_clockodo_count_event(zone->sh, counters, &ctx->event);
        break;

    case CLOCKODO_VERDICT_HANDSHAKE:
        ngx_http_clockodo_count_handshake(zone, counters,
                                          &r->connection->addr_text);
        break;

    case CLOCKODO_VERDICT_REJECTED:
        (void) ngx_atomic_fetch_add(
                   &counters->reasons[clockodo_faults[ctx->fault].reason], 1);
        break;

    default:
        break;
    }

    if (ctx->token) {

        /* only now, when the reply has been sent and nobody can time it */

        ctx->location->uses[ctx->token - 1]->last = ngx_time();
    }
}


/* what upstreams have said counts for the locations that have asked them */

static void
ngx_http_clockodo_count_asked(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_outcome_e outcome)
{
    ngx_uint_t                     end, status;
    ngx_http_clockodo_asked_t     *asked;
    ngx_http_upstream_state_t     *state;
    ngx_http_clockodo_counters_t  *counters;

    if (ctx->asked.location == NULL) {
        return;
    }

    end = r->upstream_states ? r->upstream_states->nelts : 0;

    for (asked = &ctx->asked; asked; asked = asked->next) {
        counters = asked->location->counters;

        state = ngx_http_clockodo_upstream_state(r, asked, end);
        end = asked->nstates;

        if (state) {
            status = state->status;
            ngx_http_clockodo_count_response(counters, status,
                                             state->response_time);

        } else {
            status = ngx_http_clockodo_status_code(r);
        }

        if (asked != &ctx->asked || asked->location != ctx->location) {

            /* another one has gone on with it */

            outcome = (state == NULL) ? NGX_HTTP_CLOCKODO_OUTCOME_NONE
                      : (status / 100 == 2)
                      ? NGX_HTTP_CLOCKODO_OUTCOME_TAKEN
                      : NGX_HTTP_CLOCKODO_OUTCOME_NOT_TAKEN;
        }

        if (asked->accepted) {
            ngx_http_clockodo_count_not_taken(counters, outcome, status);
        }
    }
}


/* the last one before end, with which it has ended; NULL: no response */

static ngx_http_upstream_state_t *
ngx_http_clockodo_upstream_state(ngx_http_request_t *r,
    ngx_http_clockodo_asked_t *asked, ngx_uint_t end)
{
    ngx_http_upstream_state_t  *state;

    if (asked->location == NULL || end <= asked->nstates) {
        return NULL;
    }

    state = r->upstream_states->elts;
    state += end - 1;

    return (state->status >= 100 && state->status < 600) ? state : NULL;
}


static ngx_uint_t
ngx_http_clockodo_status_code(ngx_http_request_t *r)
{
    return r->err_status ? r->err_status : r->headers_out.status;
}


static void
ngx_http_clockodo_add_delivery(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_shctx_t *sh,
    ngx_http_clockodo_outcome_e outcome)
{
    ngx_http_clockodo_delivery_t  *delivery;

    delivery = ngx_http_clockodo_lock_delivery(ctx->token ? &sh->authentic
                                                          : &sh->others);
    if (delivery == NULL) {
        /* not tested: see ngx_http_clockodo_lock_delivery() */
        return;
    }

    delivery->outcome = outcome;
    ngx_http_clockodo_set_delivery(r, ctx, delivery);

    ngx_http_clockodo_unlock_delivery(delivery);
}


static void
ngx_http_clockodo_set_delivery(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_delivery_t *delivery)
{
    ngx_str_t                  *client;
    ngx_time_t                 *tp;
    ngx_http_upstream_state_t  *state;

    tp = ngx_timeofday();

    delivery->sec = tp->sec;
    delivery->msec = tp->msec;
    delivery->verdict = ctx->verdict;
    delivery->reason = clockodo_faults[ctx->fault].reason;
    delivery->status = ngx_http_clockodo_status_code(r);
    delivery->location = ctx->location->counters;

    state = ngx_http_clockodo_upstream_state(r, &ctx->asked,
                                             r->upstream_states
                                             ? r->upstream_states->nelts : 0);

    delivery->upstream_status = state ? state->status : 0;
    delivery->upstream_time = state ? (ngx_int_t) state->response_time : -1;

    client = &r->connection->addr_text;

    delivery->client_len = ngx_min(client->len, NGX_HTTP_CLOCKODO_CLIENT_LEN);
    ngx_memcpy(delivery->client, client->data, delivery->client_len);

    ngx_http_clockodo_set_texts(ctx, delivery);
}


/* the texts are copied whole, nobody reads beyond their lengths */

static void
ngx_http_clockodo_set_texts(ngx_http_clockodo_ctx_t *ctx,
    ngx_http_clockodo_delivery_t *delivery)
{
    ngx_uint_t                  i, known;
    clockodo_str_t             *text;
    clockodo_event_t           *event;
    ngx_http_clockodo_value_t  *v;

    event = &ctx->event;
    known = ngx_http_clockodo_known(ctx);

    if (known == NGX_HTTP_CLOCKODO_KNOWN_NOTHING) {
        ngx_memzero(delivery->lens, sizeof(delivery->lens));
        return;
    }

    if (known == NGX_HTTP_CLOCKODO_KNOWN_PAYLOAD
        && clockodo_event_key(event) != 0)
    {
        /* without memory for its key it is shown without what goes with it */

        known = NGX_HTTP_CLOCKODO_KNOWN_ENVELOPE;
    }

    for (i = 0; i < NGX_HTTP_CLOCKODO_DELIVERY_TEXTS; i++) {
        v = ngx_http_clockodo_delivery_texts[i].value;
        text = (clockodo_str_t *) ((u_char *) event + v->offset);

        delivery->lens[i] = (v->known <= known) ? text->len : 0;
    }

    ngx_memcpy(delivery->texts, event->event_buf, CLOCKODO_EVENT_TEXTS_LEN);
}
