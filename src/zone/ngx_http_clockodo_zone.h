
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _NGX_HTTP_CLOCKODO_ZONE_H_INCLUDED_
#define _NGX_HTTP_CLOCKODO_ZONE_H_INCLUDED_


#include "ngx_http_clockodo.h"

#include "clockodo_period.h"


/*
 * What is in shared memory.  Workers count by atomic operations and take no
 * lock, but for claims; the master alone adds locations and tokens, when it
 * loads a configuration.  What is there stays: workers of an earlier
 * configuration may still count.
 *
 * Times are in seconds since 1970, 0: never.
 */


/* the documented events and, last, all others */
#define NGX_HTTP_CLOCKODO_EVENTS             (CLOCKODO_EVENT_TYPES + 1)

/* 1xx to 5xx */
#define NGX_HTTP_CLOCKODO_CLASSES            5

#define NGX_HTTP_CLOCKODO_SUBSCRIPTIONS      256
/* half of them stay empty, which ends a search soon */
#define NGX_HTTP_CLOCKODO_SUBSCRIPTION_SLOTS 512

#define NGX_HTTP_CLOCKODO_MINUTES            60
/* some more, since the clocks of workers differ a little */
#define NGX_HTTP_CLOCKODO_MINUTE_SLOTS       64

#define NGX_HTTP_CLOCKODO_DELIVERIES         128
/* some more: the oldest are being overwritten */
#define NGX_HTTP_CLOCKODO_DELIVERY_SLOTS     160

#define NGX_HTTP_CLOCKODO_LABEL_LEN          255


/* when a location's token was last used */

typedef struct {
    ngx_rbtree_node_t               node;  /* key: the start of its digest */
    ngx_atomic_t                    last;
} ngx_http_clockodo_token_use_t;


typedef struct ngx_http_clockodo_counters_s  ngx_http_clockodo_counters_t;

struct ngx_http_clockodo_counters_s {
    ngx_http_clockodo_counters_t   *next;
    uint32_t                        number;    /* of the location, from 1 */

    ngx_atomic_t                    verdicts[CLOCKODO_VERDICTS];
    ngx_atomic_t                    reasons[CLOCKODO_REASONS];
    ngx_atomic_t                    events[NGX_HTTP_CLOCKODO_EVENTS];
    ngx_atomic_t                    classes[NGX_HTTP_CLOCKODO_CLASSES];

    ngx_rbtree_t                    tokens;
    ngx_rbtree_node_t               sentinel;

    /* the lease that was warned of, in milliseconds */
    ngx_atomic_t                    short_lease;

    size_t                          len;
    u_char                          label[1];
};


typedef struct {
    ngx_atomic_t                    id;    /* 0: free */
    ngx_atomic_t                    last;
} ngx_http_clockodo_subscription_t;


/* an address or a part of an event, of which a name is the longest */

typedef struct {
    u_char                          len;
    u_char                          data[CLOCKODO_EVENT_NAME_LEN];
} ngx_http_clockodo_text_t;


typedef struct {
    ngx_atomic_t                    version;   /* odd: is being written */
    ngx_atomic_uint_t               number;    /* 0: never written */

    time_t                          sec;
    ngx_msec_t                      msec;

    clockodo_verdict_e              verdict;
    clockodo_reason_e               reason;
    ngx_uint_t                      status;
    ngx_int_t                       upstream_time; /* ms, -1: no upstream */

    ngx_http_clockodo_counters_t   *location;

    ngx_http_clockodo_text_t        client;
    ngx_http_clockodo_text_t        event;
    ngx_http_clockodo_text_t        entity_id;
    ngx_http_clockodo_text_t        subscription_id;
} ngx_http_clockodo_delivery_t;


struct ngx_http_clockodo_shctx_s {
    time_t                          since;
    ngx_http_clockodo_counters_t   *locations;

    ngx_atomic_t                    last_accepted;
    ngx_atomic_t                    last_events[NGX_HTTP_CLOCKODO_EVENTS];

    ngx_atomic_t                    nsubscriptions;
    ngx_http_clockodo_subscription_t
                      subscriptions[NGX_HTTP_CLOCKODO_SUBSCRIPTION_SLOTS];

    /* of subscriptions that did not fit */
    ngx_atomic_t                    other_accepted;
    ngx_atomic_t                    other_last;

    /* words of clockodo_period_add() */
    ngx_atomic_t                    minutes[NGX_HTTP_CLOCKODO_MINUTE_SLOTS]
                                           [CLOCKODO_VERDICTS];

    ngx_atomic_t                    ndeliveries;
    ngx_http_clockodo_delivery_t
                      deliveries[NGX_HTTP_CLOCKODO_DELIVERY_SLOTS];

    clockodo_dedupe_t              *dedupe;    /* NULL: never was on */
    ngx_atomic_t                    unclaimed; /* when it was full */
    ngx_atomic_t                    full;      /* when it was warned of */
};


typedef struct {
    uint64_t                        capacity;
    uint64_t                        entries;
    uint64_t                        evictions;
    uint64_t                        unclaimed;
} ngx_http_clockodo_dedupe_status_t;


/* a location of the configuration, or a server as such */

struct ngx_http_clockodo_location_s {
    ngx_str_t                       label;
    size_t                          name_len;  /* without a number */
    ngx_array_t                    *tokens;    /* of clockodo_token_t */

    /* in the zone */
    ngx_http_clockodo_counters_t   *counters;
    ngx_http_clockodo_token_use_t **uses;      /* as many as tokens */
};


#pragma GCC visibility push(hidden)


/* how many there were in a minute, which is counted since 1970 */
ngx_uint_t ngx_http_clockodo_minute_count(ngx_http_clockodo_shctx_t *sh,
    time_t minute, clockodo_verdict_e verdict);

/*
 * Copies deliveries, the newest first, to an array of
 * NGX_HTTP_CLOCKODO_DELIVERY_SLOTS.  Returns how many there are, at most
 * NGX_HTTP_CLOCKODO_DELIVERIES.
 */
ngx_uint_t ngx_http_clockodo_get_deliveries(ngx_http_clockodo_shctx_t *sh,
    ngx_http_clockodo_delivery_t *deliveries);

/* all 0 if duplicates are not looked for */
void ngx_http_clockodo_dedupe_status(ngx_http_clockodo_main_conf_t *mcf,
    ngx_http_clockodo_dedupe_status_t *status);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_CLOCKODO_ZONE_H_INCLUDED_ */
