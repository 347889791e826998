
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_zone.h"


/* the upper half of a word that counts in a minute is the minute */
#define NGX_HTTP_CLOCKODO_MINUTE_SHIFT  (4 * sizeof(ngx_atomic_uint_t))
#define NGX_HTTP_CLOCKODO_COUNT_MASK                                          \
    (((ngx_atomic_uint_t) 1 << NGX_HTTP_CLOCKODO_MINUTE_SHIFT) - 1)


static void ngx_http_clockodo_count_subscription(
    ngx_http_clockodo_shctx_t *sh, uint64_t id);
static ngx_http_clockodo_subscription_t *ngx_http_clockodo_find_subscription(
    ngx_http_clockodo_shctx_t *sh, ngx_atomic_uint_t id);


void
ngx_http_clockodo_count_accepted(ngx_http_clockodo_shctx_t *sh,
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
ngx_http_clockodo_count_minute(ngx_http_clockodo_shctx_t *sh, time_t minute,
    clockodo_verdict_e verdict)
{
    ngx_atomic_t       *word;
    ngx_atomic_uint_t   old, count, stamp;

    word = &sh->minutes[minute % NGX_HTTP_CLOCKODO_MINUTE_SLOTS][verdict];

    stamp = (ngx_atomic_uint_t) minute << NGX_HTTP_CLOCKODO_MINUTE_SHIFT;

    do {
        old = *word;
        count = ((old ^ stamp) & ~NGX_HTTP_CLOCKODO_COUNT_MASK) ? stamp : old;

    } while (!ngx_atomic_cmp_set(word, old, count + 1));
}


ngx_uint_t
ngx_http_clockodo_minute_count(ngx_http_clockodo_shctx_t *sh, time_t minute,
    clockodo_verdict_e verdict)
{
    ngx_atomic_uint_t  word, stamp;

    word = sh->minutes[minute % NGX_HTTP_CLOCKODO_MINUTE_SLOTS][verdict];

    stamp = (ngx_atomic_uint_t) minute << NGX_HTTP_CLOCKODO_MINUTE_SHIFT;

    return ((word ^ stamp) & ~NGX_HTTP_CLOCKODO_COUNT_MASK)
           ? 0 : word & NGX_HTTP_CLOCKODO_COUNT_MASK;
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
