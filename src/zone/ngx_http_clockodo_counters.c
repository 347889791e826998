
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_zone.h"


static void ngx_http_clockodo_count_subscription(
    ngx_http_clockodo_shctx_t *sh, uint64_t id);
static ngx_http_clockodo_subscription_t *ngx_http_clockodo_find_subscription(
    ngx_http_clockodo_shctx_t *sh, ngx_atomic_uint_t id);
static void ngx_http_clockodo_count_period(ngx_atomic_t *word, time_t round);


/*
 * What an application may take, from a few milliseconds to nginx's time-outs,
 * in ms; their names are in ngx_http_clockodo_bucket_name()
 */

static const ngx_msec_t
    ngx_http_clockodo_bounds[NGX_HTTP_CLOCKODO_BUCKETS - 1] = {
    5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000, 30000, 60000
};


void
ngx_http_clockodo_count_request(ngx_http_clockodo_shctx_t *sh,
    ngx_http_clockodo_counters_t *counters, clockodo_verdict_e verdict,
    ngx_http_clockodo_outcome_e outcome)
{
    ngx_uint_t  series, minute, hour;

    (void) ngx_atomic_fetch_add(&counters->verdicts[verdict], 1);

    if (outcome) {
        (void) ngx_atomic_fetch_add(&counters->outcomes[outcome], 1);
        series = ngx_http_clockodo_outcome_series(outcome);

    } else {
        series = ngx_http_clockodo_verdict_series(verdict);
    }

    minute = (ngx_uint_t) ngx_time() / 60;
    hour = minute / 60;

    ngx_http_clockodo_count_period(
                &sh->minutes[minute % NGX_HTTP_CLOCKODO_MINUTE_SLOTS][series],
                minute / NGX_HTTP_CLOCKODO_MINUTE_SLOTS);
    ngx_http_clockodo_count_period(
                      &sh->hours[hour % NGX_HTTP_CLOCKODO_HOUR_SLOTS][series],
                      hour / NGX_HTTP_CLOCKODO_HOUR_SLOTS);
}


void
ngx_http_clockodo_count_event(ngx_http_clockodo_shctx_t *sh,
    ngx_http_clockodo_counters_t *counters, const clockodo_event_t *event)
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


void
ngx_http_clockodo_count_response(ngx_http_clockodo_counters_t *counters,
    ngx_uint_t status, ngx_msec_t time)
{
    ngx_uint_t  n;

    for (n = 0; n < NGX_HTTP_CLOCKODO_BUCKETS - 1; n++) {
        if (time <= ngx_http_clockodo_bounds[n]) {
            break;
        }
    }

    (void) ngx_atomic_fetch_add(&counters->classes[status / 100 - 1], 1);
    (void) ngx_atomic_fetch_add(&counters->buckets[n], 1);
    (void) ngx_atomic_fetch_add(&counters->response_time, time);
}


void
ngx_http_clockodo_count_not_taken(ngx_http_clockodo_counters_t *counters,
    ngx_http_clockodo_outcome_e outcome, ngx_uint_t status)
{
    switch (outcome) {

    case NGX_HTTP_CLOCKODO_OUTCOME_TAKEN:
        counters->not_taken = 0;
        break;

    case NGX_HTTP_CLOCKODO_OUTCOME_NOT_TAKEN:
        counters->not_taken_status = status;
        counters->not_taken_last = ngx_time();

        if (ngx_atomic_fetch_add(&counters->not_taken, 1) == 0) {
            counters->not_taken_since = ngx_time();
        }

        break;

    default:

        /* it has not come to an application */

        break;
    }
}


/* rare enough for a lock: time and client belong together */

void
ngx_http_clockodo_count_handshake(ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_counters_t *counters, ngx_str_t *client)
{
    ngx_shmtx_lock(&zone->shpool->mutex);

    counters->handshake = ngx_time();
    counters->client_len = ngx_min(client->len, NGX_HTTP_CLOCKODO_CLIENT_LEN);
    ngx_memcpy(counters->client, client->data, counters->client_len);

    ngx_shmtx_unlock(&zone->shpool->mutex);
}


void
ngx_http_clockodo_count_spool(ngx_http_clockodo_location_t *loc,
    ngx_http_clockodo_spool_e outcome)
{
    (void) ngx_atomic_fetch_add(&loc->counters->spooled[outcome], 1);
}


static void
ngx_http_clockodo_count_period(ngx_atomic_t *word, time_t round)
{
    ngx_atomic_uint_t  old;

    do {
        old = *word;

    } while (!ngx_atomic_cmp_set(word, old, clockodo_period_add(old, round)));
}


ngx_uint_t
ngx_http_clockodo_minute_count(ngx_http_clockodo_shctx_t *sh, time_t minute,
    ngx_uint_t series)
{
    return clockodo_period_count(
                sh->minutes[minute % NGX_HTTP_CLOCKODO_MINUTE_SLOTS][series],
                minute / NGX_HTTP_CLOCKODO_MINUTE_SLOTS);
}


ngx_uint_t
ngx_http_clockodo_hour_count(ngx_http_clockodo_shctx_t *sh, time_t hour,
    ngx_uint_t series)
{
    return clockodo_period_count(
                      sh->hours[hour % NGX_HTTP_CLOCKODO_HOUR_SLOTS][series],
                      hour / NGX_HTTP_CLOCKODO_HOUR_SLOTS);
}


ngx_uint_t
ngx_http_clockodo_once(ngx_atomic_t *last, time_t every)
{
    time_t             now;
    ngx_atomic_uint_t  then;

    now = ngx_time();
    then = *last;

    /* also if the clock was set back since then */

    if (then && now >= (time_t) then && now - (time_t) then < every) {
        return 0;
    }

    return ngx_atomic_cmp_set(last, then, now);
}
