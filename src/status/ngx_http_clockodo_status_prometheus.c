
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_status.h"


/*
 * The text format of Prometheus, version 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */


typedef struct ngx_http_clockodo_metric_s  ngx_http_clockodo_metric_t;

struct ngx_http_clockodo_metric_s {
    char    *name;
    char    *type;
    char    *help;

    /* one of these writes its samples, location by location or at once */
    void   (*location)(ngx_http_clockodo_writer_t *w, char *name,
                       ngx_http_clockodo_location_t *loc);
    void   (*zone)(ngx_http_clockodo_writer_t *w, char *name,
                   ngx_http_clockodo_zone_t *zone);

    /* else its value, in ngx_http_clockodo_dedupe_status_t */
    size_t   offset;
};


static void ngx_http_clockodo_metric(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone);
static void ngx_http_clockodo_metric_requests(ngx_http_clockodo_writer_t *w,
    char *name, ngx_http_clockodo_location_t *loc);
static void ngx_http_clockodo_metric_rejected(ngx_http_clockodo_writer_t *w,
    char *name, ngx_http_clockodo_location_t *loc);
static void ngx_http_clockodo_metric_events(ngx_http_clockodo_writer_t *w,
    char *name, ngx_http_clockodo_location_t *loc);
static void ngx_http_clockodo_metric_upstream(ngx_http_clockodo_writer_t *w,
    char *name, ngx_http_clockodo_location_t *loc);
static void ngx_http_clockodo_metric_tokens(ngx_http_clockodo_writer_t *w,
    char *name, ngx_http_clockodo_location_t *loc);
static void ngx_http_clockodo_metric_last_accepted(
    ngx_http_clockodo_writer_t *w, char *name,
    ngx_http_clockodo_zone_t *zone);
static void ngx_http_clockodo_metric_last_events(
    ngx_http_clockodo_writer_t *w, char *name,
    ngx_http_clockodo_zone_t *zone);
static void ngx_http_clockodo_metric_last_subscriptions(
    ngx_http_clockodo_writer_t *w, char *name,
    ngx_http_clockodo_zone_t *zone);


static ngx_http_clockodo_metric_t  ngx_http_clockodo_metrics[] = {

    { "clockodo_requests_total", "counter",
      "Webhooks by verdict.",
      ngx_http_clockodo_metric_requests, NULL, 0 },

    { "clockodo_rejected_total", "counter",
      "Rejected webhooks by reason.",
      ngx_http_clockodo_metric_rejected, NULL, 0 },

    { "clockodo_events_total", "counter",
      "Accepted events.",
      ngx_http_clockodo_metric_events, NULL, 0 },

    { "clockodo_upstream_responses_total", "counter",
      "Responses that forwarded webhooks ended with.",
      ngx_http_clockodo_metric_upstream, NULL, 0 },

    { "clockodo_token_last_used_timestamp_seconds", "gauge",
      "When a token, numbered as in the configuration, was last right.",
      ngx_http_clockodo_metric_tokens, NULL, 0 },

    { "clockodo_last_accepted_timestamp_seconds", "gauge",
      "When an event was last accepted.",
      NULL, ngx_http_clockodo_metric_last_accepted, 0 },

    { "clockodo_event_last_accepted_timestamp_seconds", "gauge",
      "When an event of this name was last accepted.",
      NULL, ngx_http_clockodo_metric_last_events, 0 },

    { "clockodo_subscription_last_accepted_timestamp_seconds", "gauge",
      "When an event of this subscription was last accepted.",
      NULL, ngx_http_clockodo_metric_last_subscriptions, 0 },

    { "clockodo_dedupe_entries", "gauge",
      "Events that are remembered, in flight or delivered.",
      NULL, NULL, offsetof(ngx_http_clockodo_dedupe_status_t, entries) },

    { "clockodo_dedupe_evictions_total", "counter",
      "Delivered events that were forgotten early, for want of memory.",
      NULL, NULL, offsetof(ngx_http_clockodo_dedupe_status_t, evictions) },

    { "clockodo_dedupe_unclaimed_total", "counter",
      "Events that were not checked for duplicates, for want of memory.",
      NULL, NULL, offsetof(ngx_http_clockodo_dedupe_status_t, unclaimed) },

    { NULL, NULL, NULL, NULL, NULL, 0 }
};


void
ngx_http_clockodo_write_prometheus(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone)
{
    ngx_http_clockodo_metric_t  *metric;

    for (metric = ngx_http_clockodo_metrics; metric->name; metric++) {
        ngx_http_clockodo_metric(w, metric, zone);
    }
}


static void
ngx_http_clockodo_metric(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone)
{
    ngx_uint_t                          i;
    ngx_http_clockodo_location_t      **locp;
    ngx_http_clockodo_dedupe_status_t   status;

    ngx_http_clockodo_write(w, "# HELP %s %s\n# TYPE %s %s\n",
                            metric->name, metric->help,
                            metric->name, metric->type);

    if (metric->zone) {
        metric->zone(w, metric->name, zone);
        return;
    }

    if (metric->location == NULL) {
        ngx_http_clockodo_dedupe_status(zone, &status);
        ngx_http_clockodo_write(w, "%s %uL\n", metric->name,
                                *(uint64_t *) ((u_char *) &status
                                               + metric->offset));
        return;
    }

    locp = zone->locations.elts;

    for (i = 0; i < zone->locations.nelts; i++) {
        metric->location(w, metric->name, locp[i]);
    }
}


static void
ngx_http_clockodo_metric_requests(ngx_http_clockodo_writer_t *w, char *name,
    ngx_http_clockodo_location_t *loc)
{
    ngx_uint_t  i;

    for (i = CLOCKODO_VERDICT_NONE + 1; i < CLOCKODO_VERDICTS; i++) {
        ngx_http_clockodo_write(w, "%s{location=\"%V\",verdict=\"%s\"} %uA\n",
                                name, &loc->label, clockodo_verdicts[i].data,
                                loc->counters->verdicts[i]);
    }
}


static void
ngx_http_clockodo_metric_rejected(ngx_http_clockodo_writer_t *w, char *name,
    ngx_http_clockodo_location_t *loc)
{
    ngx_uint_t  i;

    for (i = CLOCKODO_REASON_NONE + 1; i < CLOCKODO_REASONS; i++) {
        ngx_http_clockodo_write(w, "%s{location=\"%V\",reason=\"%s\"} %uA\n",
                                name, &loc->label,
                                clockodo_reasons[i].data,
                                loc->counters->reasons[i]);
    }
}


static void
ngx_http_clockodo_metric_events(ngx_http_clockodo_writer_t *w, char *name,
    ngx_http_clockodo_location_t *loc)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_CLOCKODO_EVENTS; i++) {
        ngx_http_clockodo_write(w, "%s{location=\"%V\",event=\"%s\"} %uA\n",
                                name, &loc->label,
                                ngx_http_clockodo_event_name(i),
                                loc->counters->events[i]);
    }
}


static void
ngx_http_clockodo_metric_upstream(ngx_http_clockodo_writer_t *w, char *name,
    ngx_http_clockodo_location_t *loc)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_CLOCKODO_CLASSES; i++) {
        ngx_http_clockodo_write(w,
                                "%s{location=\"%V\",class=\"%uixx\"} %uA\n",
                                name, &loc->label, i + 1,
                                loc->counters->classes[i]);
    }
}


static void
ngx_http_clockodo_metric_tokens(ngx_http_clockodo_writer_t *w, char *name,
    ngx_http_clockodo_location_t *loc)
{
    ngx_uint_t  i;

    for (i = 0; loc->tokens && i < loc->tokens->nelts; i++) {
        if (loc->uses[i]->last) {
            ngx_http_clockodo_write(w,
                                    "%s{location=\"%V\",token=\"%ui\"} %uA\n",
                                    name, &loc->label, i + 1,
                                    loc->uses[i]->last);
        }
    }
}


static void
ngx_http_clockodo_metric_last_accepted(ngx_http_clockodo_writer_t *w,
    char *name, ngx_http_clockodo_zone_t *zone)
{
    ngx_http_clockodo_shctx_t  *sh;

    sh = zone->sh;

    if (sh->last_accepted) {
        ngx_http_clockodo_write(w, "%s %uA\n", name, sh->last_accepted);
    }
}


static void
ngx_http_clockodo_metric_last_events(ngx_http_clockodo_writer_t *w,
    char *name, ngx_http_clockodo_zone_t *zone)
{
    ngx_uint_t                  i;
    ngx_http_clockodo_shctx_t  *sh;

    sh = zone->sh;

    for (i = 0; i < NGX_HTTP_CLOCKODO_EVENTS; i++) {
        if (sh->last_events[i]) {
            ngx_http_clockodo_write(w, "%s{event=\"%s\"} %uA\n", name,
                                    ngx_http_clockodo_event_name(i),
                                    sh->last_events[i]);
        }
    }
}


static void
ngx_http_clockodo_metric_last_subscriptions(ngx_http_clockodo_writer_t *w,
    char *name, ngx_http_clockodo_zone_t *zone)
{
    ngx_uint_t                         i;
    ngx_http_clockodo_shctx_t         *sh;
    ngx_http_clockodo_subscription_t  *subscription;

    sh = zone->sh;

    for (i = 0; i < NGX_HTTP_CLOCKODO_SUBSCRIPTION_SLOTS; i++) {
        subscription = &sh->subscriptions[i];

        if (subscription->last) {
            ngx_http_clockodo_write(w, "%s{subscription=\"%uA\"} %uA\n", name,
                                    subscription->id, subscription->last);
        }
    }

    if (sh->other_last) {
        ngx_http_clockodo_write(w, "%s{subscription=\"other\"} %uA\n", name,
                                sh->other_last);
    }
}
