
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_zone.h"
#include "clockodo_escape.h"


static void ngx_http_clockodo_count(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_shctx_t *sh);
static void ngx_http_clockodo_count_accepted(ngx_http_clockodo_shctx_t *sh,
    ngx_http_clockodo_counters_t *counters, clockodo_event_t *event);
static void ngx_http_clockodo_count_subscription(
    ngx_http_clockodo_shctx_t *sh, uint64_t id);
static ngx_http_clockodo_subscription_t *ngx_http_clockodo_find_subscription(
    ngx_http_clockodo_shctx_t *sh, ngx_atomic_uint_t id);
static void ngx_http_clockodo_count_minute(ngx_http_clockodo_shctx_t *sh,
    time_t minute, clockodo_verdict_e verdict);
static ngx_http_upstream_state_t *ngx_http_clockodo_upstream_state(
    ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx);
static void ngx_http_clockodo_add_delivery(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_shctx_t *sh);
static ngx_http_clockodo_delivery_t *ngx_http_clockodo_lock_delivery(
    ngx_http_clockodo_shctx_t *sh);
static void ngx_http_clockodo_set_delivery(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_delivery_t *delivery);
static void ngx_http_clockodo_set_text(ngx_http_clockodo_text_t *text,
    ngx_str_t *value);
static int ngx_libc_cdecl ngx_http_clockodo_cmp_deliveries(const void *one,
    const void *two);


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

    ngx_http_clockodo_count(r, ctx, mcf->sh);
    ngx_http_clockodo_add_delivery(r, ctx, mcf->sh);

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


static void
ngx_http_clockodo_count_accepted(ngx_http_clockodo_shctx_t *sh,
    ngx_http_clockodo_counters_t *counters, clockodo_event_t *event)
{
    ngx_uint_t  n;

    n = event->type ? event->type - clockodo_event_types
                    : CLOCKODO_EVENT_TYPES;

    (void) ngx_atomic_fetch_add(&counters->events[n], 1);

    sh->last_accepted = ngx_time();
    sh->last_events[n] = ngx_time();

    ngx_http_clockodo_count_subscription(sh, event->subscription_id);
}


static void
ngx_http_clockodo_count_subscription(ngx_http_clockodo_shctx_t *sh,
    uint64_t id)
{
    ngx_http_clockodo_subscription_t  *subscription;

    /* an atomic word may have 32 bits */

    subscription = (id == (ngx_atomic_uint_t) id)
                   ? ngx_http_clockodo_find_subscription(sh, id) : NULL;

    if (subscription) {
        subscription->last = ngx_time();
        return;
    }

    (void) ngx_atomic_fetch_add(&sh->other_accepted, 1);
    sh->other_last = ngx_time();
}


/* returns NULL if it is a new one and there are too many */

static ngx_http_clockodo_subscription_t *
ngx_http_clockodo_find_subscription(ngx_http_clockodo_shctx_t *sh,
    ngx_atomic_uint_t id)
{
    ngx_uint_t                         n;
    ngx_http_clockodo_subscription_t  *subscription;

    for (n = id; /* void */ ; n++) {
        subscription = &sh->subscriptions[
                                     n % NGX_HTTP_CLOCKODO_SUBSCRIPTION_SLOTS];

        if (subscription->id == 0) {

            if (sh->nsubscriptions >= NGX_HTTP_CLOCKODO_SUBSCRIPTIONS) {
                return NULL;
            }

            if (ngx_atomic_cmp_set(&subscription->id, 0, id)) {
                (void) ngx_atomic_fetch_add(&sh->nsubscriptions, 1);
            }
        }

        /* another worker may have been faster, with this or another one */

        if (subscription->id == id) {
            return subscription;
        }
    }
}


static void
ngx_http_clockodo_count_minute(ngx_http_clockodo_shctx_t *sh, time_t minute,
    clockodo_verdict_e verdict)
{
    time_t              round;
    ngx_atomic_t       *word;
    ngx_atomic_uint_t   old;

    word = &sh->minutes[minute % NGX_HTTP_CLOCKODO_MINUTE_SLOTS][verdict];
    round = minute / NGX_HTTP_CLOCKODO_MINUTE_SLOTS;

    do {
        old = *word;

    } while (!ngx_atomic_cmp_set(word, old, clockodo_period_add(old, round)));
}


ngx_uint_t
ngx_http_clockodo_minute_count(ngx_http_clockodo_shctx_t *sh, time_t minute,
    clockodo_verdict_e verdict)
{
    ngx_atomic_uint_t  word;

    word = sh->minutes[minute % NGX_HTTP_CLOCKODO_MINUTE_SLOTS][verdict];

    return clockodo_period_count(word,
                                 minute / NGX_HTTP_CLOCKODO_MINUTE_SLOTS);
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

    ngx_memory_barrier();

    delivery->version++;
}


/*
 * The next one that no other worker is writing.  One that is killed in the
 * middle of it leaves it so, which the spare ones make up for.
 */

static ngx_http_clockodo_delivery_t *
ngx_http_clockodo_lock_delivery(ngx_http_clockodo_shctx_t *sh)
{
    ngx_uint_t                     i;
    ngx_atomic_uint_t              n, version;
    ngx_http_clockodo_delivery_t  *delivery;

    for (i = 0; i < NGX_HTTP_CLOCKODO_DELIVERY_SLOTS; i++) {

        n = ngx_atomic_fetch_add(&sh->ndeliveries, 1);
        delivery = &sh->deliveries[n % NGX_HTTP_CLOCKODO_DELIVERY_SLOTS];

        version = delivery->version;

        if (version % 2 == 0
            && ngx_atomic_cmp_set(&delivery->version, version, version + 1))
        {
            delivery->number = n + 1;
            return delivery;
        }
    }

    return NULL;
}


static void
ngx_http_clockodo_set_delivery(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_delivery_t *delivery)
{
    ngx_str_t                   value, *client;
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

    /* a client of a unix socket has the name that it gave itself */

    client = &r->connection->addr_text;

    delivery->client.len = clockodo_escape(delivery->client.data,
                                           sizeof(delivery->client.data),
                                           client->data, client->len);

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


static void
ngx_http_clockodo_set_text(ngx_http_clockodo_text_t *text, ngx_str_t *value)
{
    text->len = ngx_min(value->len, sizeof(text->data));

    ngx_memcpy(text->data, value->data, text->len);
}


ngx_uint_t
ngx_http_clockodo_get_deliveries(ngx_http_clockodo_shctx_t *sh,
    ngx_http_clockodo_delivery_t *deliveries)
{
    ngx_uint_t                     i, n;
    ngx_atomic_uint_t              version;
    ngx_http_clockodo_delivery_t  *delivery;

    n = 0;

    for (i = 0; i < NGX_HTTP_CLOCKODO_DELIVERY_SLOTS; i++) {
        delivery = &sh->deliveries[i];

        version = delivery->version;

        ngx_memory_barrier();

        deliveries[n] = *delivery;

        ngx_memory_barrier();

        /* one that is being written was among the spare ones */

        if (deliveries[n].number && version % 2 == 0
            && version == delivery->version)
        {
            n++;
        }
    }

    ngx_qsort(deliveries, n, sizeof(ngx_http_clockodo_delivery_t),
              ngx_http_clockodo_cmp_deliveries);

    return ngx_min(n, NGX_HTTP_CLOCKODO_DELIVERIES);
}


static int ngx_libc_cdecl
ngx_http_clockodo_cmp_deliveries(const void *one, const void *two)
{
    const ngx_http_clockodo_delivery_t *first = one;
    const ngx_http_clockodo_delivery_t *second = two;

    return (first->number < second->number)
           - (first->number > second->number);
}
