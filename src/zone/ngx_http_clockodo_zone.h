
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _NGX_HTTP_CLOCKODO_ZONE_H_INCLUDED_
#define _NGX_HTTP_CLOCKODO_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "clockodo_dedupe.h"
#include "clockodo_event.h"
#include "clockodo_period.h"
#include "clockodo_token.h"
#include "clockodo_verdict.h"


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

/* the bounds of a histogram, and what is above them */
#define NGX_HTTP_CLOCKODO_BUCKETS            14

#define NGX_HTTP_CLOCKODO_MINUTES            60
#define NGX_HTTP_CLOCKODO_HOURS              (7 * 24)
/* some more, since the clocks of workers differ a little */
#define NGX_HTTP_CLOCKODO_MINUTE_SLOTS       64
#define NGX_HTTP_CLOCKODO_HOUR_SLOTS         172

#define NGX_HTTP_CLOCKODO_DELIVERIES         128
/* some more: the oldest are being overwritten */
#define NGX_HTTP_CLOCKODO_DELIVERY_SLOTS     160

/* what identifies its event: name, entity, subscription, company, time, key */
#define NGX_HTTP_CLOCKODO_DELIVERY_TEXTS     6

#define NGX_HTTP_CLOCKODO_LABEL_LEN          255

/* of a client's address, as it is; what is longer is cut off */
#define NGX_HTTP_CLOCKODO_CLIENT_LEN         64


/* what became of an accepted event */

typedef enum {
    NGX_HTTP_CLOCKODO_OUTCOME_NONE = 0,    /* it was none */
    NGX_HTTP_CLOCKODO_OUTCOME_TAKEN,       /* by the application */
    NGX_HTTP_CLOCKODO_OUTCOME_NOT_TAKEN,
    NGX_HTTP_CLOCKODO_OUTCOME_STORED,      /* in the spool */
    NGX_HTTP_CLOCKODO_OUTCOMES
} ngx_http_clockodo_outcome_e;


/* what became of an event in the spool */

typedef enum {
    NGX_HTTP_CLOCKODO_SPOOL_STORED = 0,
    NGX_HTTP_CLOCKODO_SPOOL_DUPLICATE,
    NGX_HTTP_CLOCKODO_SPOOL_FAILED,
    NGX_HTTP_CLOCKODO_SPOOLS
} ngx_http_clockodo_spool_e;


/* what charts tell apart: the outcomes, and all verdicts but "accepted" */

#define NGX_HTTP_CLOCKODO_SERIES                                              \
    (NGX_HTTP_CLOCKODO_OUTCOMES - 1                                           \
     + CLOCKODO_VERDICTS - CLOCKODO_VERDICT_HANDSHAKE)

#define ngx_http_clockodo_outcome_series(outcome)  ((outcome) - 1)
#define ngx_http_clockodo_verdict_series(verdict)                             \
    (NGX_HTTP_CLOCKODO_OUTCOMES - 1 + (verdict) - CLOCKODO_VERDICT_HANDSHAKE)


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
    ngx_atomic_t                    outcomes[NGX_HTTP_CLOCKODO_OUTCOMES];

    /* of the upstream that was asked here */
    ngx_atomic_t                    classes[NGX_HTTP_CLOCKODO_CLASSES];
    ngx_atomic_t                    buckets[NGX_HTTP_CLOCKODO_BUCKETS];
    ngx_atomic_t                    response_time;     /* ms, of all */

    /* accepted events in a row that were not taken */
    ngx_atomic_t                    not_taken;
    ngx_atomic_t                    not_taken_since;
    ngx_atomic_t                    not_taken_last;    /* even if long ago */
    ngx_atomic_t                    not_taken_status;

    ngx_atomic_t                    spooled[NGX_HTTP_CLOCKODO_SPOOLS];

    /* the last one that was taken; under the mutex of the pool */
    time_t                          handshake;
    size_t                          client_len;
    u_char                          client[NGX_HTTP_CLOCKODO_CLIENT_LEN];

    ngx_rbtree_t                    tokens;
    ngx_rbtree_node_t               sentinel;

    /* the lease that was warned of, in milliseconds */
    ngx_atomic_t                    short_lease;
    /* whether it was warned that a client's leaving ends a delivery */
    ngx_atomic_t                    abort;

    ngx_str_t                       label;
};


typedef struct {
    ngx_atomic_t                    id;    /* 0: free */
    ngx_atomic_t                    last;
} ngx_http_clockodo_subscription_t;


typedef struct {
    ngx_atomic_t                    version;   /* odd: is being written */
    ngx_atomic_uint_t               number;    /* 0: never written */

    time_t                          sec;
    ngx_msec_t                      msec;

    clockodo_verdict_e              verdict;
    clockodo_reason_e               reason;
    ngx_http_clockodo_outcome_e     outcome;
    ngx_uint_t                      status;
    ngx_uint_t                      upstream_status;   /* 0: no response */
    ngx_int_t                       upstream_time; /* ms, -1: no response */

    ngx_http_clockodo_counters_t   *location;

    size_t                          client_len;
    u_char                          client[NGX_HTTP_CLOCKODO_CLIENT_LEN];

    /* copied in one piece from the event; a length of 0: there is none */
    u_char                          lens[NGX_HTTP_CLOCKODO_DELIVERY_TEXTS];
    u_char                          texts[CLOCKODO_EVENT_TEXTS_LEN];
} ngx_http_clockodo_delivery_t;


typedef struct {
    ngx_atomic_t                    n;         /* there were, ever */
    ngx_http_clockodo_delivery_t
                               deliveries[NGX_HTTP_CLOCKODO_DELIVERY_SLOTS];
} ngx_http_clockodo_ring_t;


typedef struct {
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
                                           [NGX_HTTP_CLOCKODO_SERIES];
    ngx_atomic_t                    hours[NGX_HTTP_CLOCKODO_HOUR_SLOTS]
                                         [NGX_HTTP_CLOCKODO_SERIES];

    /* of requests with a right token, which others cannot push out */
    ngx_http_clockodo_ring_t        authentic;
    ngx_http_clockodo_ring_t        others;

    clockodo_dedupe_t              *dedupe;    /* NULL: never was on */
    ngx_atomic_t                    unclaimed; /* when it was full */
    ngx_atomic_t                    full;      /* when it was warned of */
    ngx_atomic_t                    unknown;   /* when an event was told of */
} ngx_http_clockodo_shctx_t;


typedef struct {
    uint64_t                        capacity;
    uint64_t                        entries;
    uint64_t                        evictions;
    uint64_t                        unclaimed;
} ngx_http_clockodo_dedupe_status_t;


/* a location of the configuration, or a server as such */

typedef struct {
    ngx_str_t                       label;
    size_t                          name_len;  /* without a number */
    ngx_array_t                    *tokens;    /* of clockodo_token_t */

    ngx_open_file_t               **secret_file;   /* NULL: none */
    size_t                          secret_file_limit; /* its size */
    unsigned                        handshakes:1;  /* are taken */

    /* in the zone */
    ngx_http_clockodo_counters_t   *counters;
    ngx_http_clockodo_token_use_t **uses;      /* as many as tokens */
} ngx_http_clockodo_location_t;


/* what a configuration says of the zone */

typedef struct {
    size_t                          size;      /* 0: not set */
    u_char                         *file;      /* where it was set */
    ngx_uint_t                      line;

    /* of ngx_http_clockodo_location_t *, those with the module on */
    ngx_array_t                     locations;

    ngx_slab_pool_t                *shpool;
    ngx_http_clockodo_shctx_t      *sh;        /* in the zone */

    unsigned                        dedupe:1;  /* is on in some location */
} ngx_http_clockodo_zone_t;


/* under the zone's mutex; ngx_current_msec may have 32 bits */
#define ngx_http_clockodo_dedupe_now(dedupe)                                  \
    clockodo_dedupe_now(dedupe, ngx_current_msec, (ngx_msec_t) -1)


#pragma GCC visibility push(hidden)


/* location */

/*
 * Adds the location that is being merged, with tokens or NULL, to those that
 * count apart.  Returns NULL if there is no memory.
 */
ngx_http_clockodo_location_t *ngx_http_clockodo_add_location(ngx_conf_t *cf,
    ngx_http_clockodo_zone_t *zone, ngx_array_t *tokens, ngx_uint_t dedupe);


/* zone */

/* sets the size in the ngx_http_clockodo_zone_t at cmd->offset of conf */
char *ngx_http_clockodo_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * To be called when all locations are known; tag is the module.  Returns
 * NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_clockodo_add_zone(ngx_conf_t *cf,
    ngx_http_clockodo_zone_t *zone, void *tag);

/* all 0 if duplicates are not looked for */
void ngx_http_clockodo_dedupe_status(ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_dedupe_status_t *status);


/* counters */

/*
 * Whether something that is said once in so many seconds, by whatever worker,
 * is to be said now; last is when it was, or 0
 */
ngx_uint_t ngx_http_clockodo_once(ngx_atomic_t *last, time_t every);

/* a request, whatever it was */
void ngx_http_clockodo_count_request(ngx_http_clockodo_shctx_t *sh,
    ngx_http_clockodo_counters_t *counters, clockodo_verdict_e verdict,
    ngx_http_clockodo_outcome_e outcome);

/* an accepted event */
void ngx_http_clockodo_count_event(ngx_http_clockodo_shctx_t *sh,
    ngx_http_clockodo_counters_t *counters, const clockodo_event_t *event);

/* the response of an upstream, which took so many milliseconds */
void ngx_http_clockodo_count_response(ngx_http_clockodo_counters_t *counters,
    ngx_uint_t status, ngx_msec_t time);

/* events in a row that were not taken, the last one with this status */
void ngx_http_clockodo_count_not_taken(ngx_http_clockodo_counters_t *counters,
    ngx_http_clockodo_outcome_e outcome, ngx_uint_t status);

/* one that was taken */
void ngx_http_clockodo_count_handshake(ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_counters_t *counters, ngx_str_t *client);

void ngx_http_clockodo_count_spool(ngx_http_clockodo_location_t *loc,
    ngx_http_clockodo_spool_e outcome);

/* how many there were in a minute, or in an hour, counted since 1970 */
ngx_uint_t ngx_http_clockodo_minute_count(ngx_http_clockodo_shctx_t *sh,
    time_t minute, ngx_uint_t series);
ngx_uint_t ngx_http_clockodo_hour_count(ngx_http_clockodo_shctx_t *sh,
    time_t hour, ngx_uint_t series);


/* deliveries */

/*
 * Returns the next delivery that no other worker is writing, for the caller
 * to write, or NULL.
 */
ngx_http_clockodo_delivery_t *ngx_http_clockodo_lock_delivery(
    ngx_http_clockodo_ring_t *ring);
void ngx_http_clockodo_unlock_delivery(
    ngx_http_clockodo_delivery_t *delivery);

/*
 * Copies deliveries, the newest first, to an array of
 * NGX_HTTP_CLOCKODO_DELIVERY_SLOTS.  Returns how many there are, at most
 * NGX_HTTP_CLOCKODO_DELIVERIES.
 */
ngx_uint_t ngx_http_clockodo_get_deliveries(ngx_http_clockodo_ring_t *ring,
    ngx_http_clockodo_delivery_t *deliveries);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_CLOCKODO_ZONE_H_INCLUDED_ */
