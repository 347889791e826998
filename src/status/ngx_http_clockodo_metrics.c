
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_status.h"


static ngx_int_t ngx_http_clockodo_get_counter(
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc, ngx_uint_t i,
    ngx_http_clockodo_sample_t *sample);
static ngx_int_t ngx_http_clockodo_get_time(
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc, ngx_uint_t i,
    ngx_http_clockodo_sample_t *sample);
static ngx_int_t ngx_http_clockodo_get_since(
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc, ngx_uint_t i,
    ngx_http_clockodo_sample_t *sample);
static ngx_int_t ngx_http_clockodo_get_token(
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc, ngx_uint_t i,
    ngx_http_clockodo_sample_t *sample);
static ngx_int_t ngx_http_clockodo_get_secret_file(
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc, ngx_uint_t i,
    ngx_http_clockodo_sample_t *sample);
static ngx_int_t ngx_http_clockodo_get_secret_limit(
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc, ngx_uint_t i,
    ngx_http_clockodo_sample_t *sample);
static ngx_int_t ngx_http_clockodo_get_subscription(
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc, ngx_uint_t i,
    ngx_http_clockodo_sample_t *sample);
static ngx_int_t ngx_http_clockodo_get_dedupe(
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc, ngx_uint_t i,
    ngx_http_clockodo_sample_t *sample);

static const char *ngx_http_clockodo_verdict_name(ngx_uint_t verdict);
static const char *ngx_http_clockodo_reason_name(ngx_uint_t reason);
static const char *ngx_http_clockodo_event_name(ngx_uint_t event);
static const char *ngx_http_clockodo_class_name(ngx_uint_t class);


ngx_http_clockodo_metric_t  ngx_http_clockodo_location_metrics[] = {

    { "clockodo_requests_total", "counter",
      "Webhooks by verdict.",
      NULL, "requests", "verdict",
      ngx_http_clockodo_get_counter,
      offsetof(ngx_http_clockodo_counters_t, verdicts),
      CLOCKODO_VERDICT_ACCEPTED, CLOCKODO_VERDICTS,
      ngx_http_clockodo_verdict_name },

    { "clockodo_rejected_total", "counter",
      "Rejected webhooks by reason.",
      NULL, "rejected", "reason",
      ngx_http_clockodo_get_counter,
      offsetof(ngx_http_clockodo_counters_t, reasons),
      CLOCKODO_REASON_NONE + 1, CLOCKODO_REASONS,
      ngx_http_clockodo_reason_name },

    { "clockodo_events_total", "counter",
      "Accepted events.",
      NULL, "events", "event",
      ngx_http_clockodo_get_counter,
      offsetof(ngx_http_clockodo_counters_t, events),
      0, NGX_HTTP_CLOCKODO_EVENTS,
      ngx_http_clockodo_event_name },

    { NULL, NULL, NULL,
      NULL, "outcomes", "outcome",
      ngx_http_clockodo_get_counter,
      offsetof(ngx_http_clockodo_counters_t, outcomes),
      NGX_HTTP_CLOCKODO_OUTCOME_TAKEN, NGX_HTTP_CLOCKODO_OUTCOMES,
      ngx_http_clockodo_outcome_name },

    { "clockodo_upstream_responses_total", "counter",
      "Responses that forwarded webhooks ended with.",
      NULL, "upstream_responses", "class",
      ngx_http_clockodo_get_counter,
      offsetof(ngx_http_clockodo_counters_t, classes),
      0, NGX_HTTP_CLOCKODO_CLASSES,
      ngx_http_clockodo_class_name },

    { "clockodo_not_taken_consecutive", "gauge",
      "Accepted events in a row that the application did not take.",
      "not_taken", "consecutive", NULL,
      ngx_http_clockodo_get_counter,
      offsetof(ngx_http_clockodo_counters_t, not_taken), 0, 1, NULL },

    { NULL, NULL, NULL,
      "not_taken", "since", NULL,
      ngx_http_clockodo_get_since,
      offsetof(ngx_http_clockodo_counters_t, not_taken_since), 0, 1, NULL },

    { NULL, NULL, NULL,
      "not_taken", "last", NULL,
      ngx_http_clockodo_get_time,
      offsetof(ngx_http_clockodo_counters_t, not_taken_last), 0, 1, NULL },

    { NULL, NULL, NULL,
      "not_taken", "status", NULL,
      ngx_http_clockodo_get_time,
      offsetof(ngx_http_clockodo_counters_t, not_taken_status), 0, 1, NULL },

    { "clockodo_token_last_used_timestamp_seconds", "gauge",
      "When a token, numbered as in the configuration, was last right.",
      NULL, "tokens", "token",
      ngx_http_clockodo_get_token, 0, 0, 0, NULL },

    { "clockodo_secret_file_bytes", "gauge",
      "The size of the file that handshakes are recorded in.",
      NULL, NULL, NULL,
      ngx_http_clockodo_get_secret_file, 0, 0, 1, NULL },

    { "clockodo_secret_file_limit_bytes", "gauge",
      "The size from which on no handshake is recorded.",
      NULL, NULL, NULL,
      ngx_http_clockodo_get_secret_limit, 0, 0, 1, NULL },

    { "clockodo_spool_stored_total", "counter",
      "Events that were stored in the spool.",
      "spool", "stored", NULL,
      ngx_http_clockodo_get_counter,
      offsetof(ngx_http_clockodo_counters_t,
               spooled[NGX_HTTP_CLOCKODO_SPOOL_STORED]), 0, 1, NULL },

    { "clockodo_spool_duplicates_total", "counter",
      "Events that were in the spool already.",
      "spool", "duplicates", NULL,
      ngx_http_clockodo_get_counter,
      offsetof(ngx_http_clockodo_counters_t,
               spooled[NGX_HTTP_CLOCKODO_SPOOL_DUPLICATE]), 0, 1, NULL },

    { "clockodo_spool_failures_total", "counter",
      "Events that could not be stored in the spool.",
      "spool", "failures", NULL,
      ngx_http_clockodo_get_counter,
      offsetof(ngx_http_clockodo_counters_t,
               spooled[NGX_HTTP_CLOCKODO_SPOOL_FAILED]), 0, 1, NULL },

    { NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL }
};


ngx_http_clockodo_metric_t  ngx_http_clockodo_zone_metrics[] = {

    { "clockodo_start_time_seconds", "gauge",
      "Since when there are figures.",
      NULL, "since", NULL,
      ngx_http_clockodo_get_time,
      offsetof(ngx_http_clockodo_shctx_t, since), 0, 1, NULL },

    { "clockodo_last_accepted_timestamp_seconds", "gauge",
      "When an event was last accepted.",
      "last_accepted", "time", NULL,
      ngx_http_clockodo_get_time,
      offsetof(ngx_http_clockodo_shctx_t, last_accepted), 0, 1, NULL },

    { "clockodo_event_last_accepted_timestamp_seconds", "gauge",
      "When an event of this name was last accepted.",
      "last_accepted", "events", "event",
      ngx_http_clockodo_get_time,
      offsetof(ngx_http_clockodo_shctx_t, last_events),
      0, NGX_HTTP_CLOCKODO_EVENTS,
      ngx_http_clockodo_event_name },

    { "clockodo_subscription_last_accepted_timestamp_seconds", "gauge",
      "When an event of this subscription was last accepted.",
      "last_accepted", "subscriptions", "subscription",
      ngx_http_clockodo_get_subscription, 0, 0, 0, NULL },

    { NULL, NULL, NULL,
      "last_accepted", "other_subscriptions", NULL,
      ngx_http_clockodo_get_counter,
      offsetof(ngx_http_clockodo_shctx_t, other_accepted), 0, 1, NULL },

    { NULL, NULL, NULL,
      "dedupe", "capacity", NULL,
      ngx_http_clockodo_get_dedupe,
      offsetof(ngx_http_clockodo_dedupe_status_t, capacity), 0, 1, NULL },

    { "clockodo_dedupe_entries", "gauge",
      "Events that are remembered, in flight or delivered.",
      "dedupe", "entries", NULL,
      ngx_http_clockodo_get_dedupe,
      offsetof(ngx_http_clockodo_dedupe_status_t, entries), 0, 1, NULL },

    { "clockodo_dedupe_evictions_total", "counter",
      "Delivered events that were forgotten early, for want of memory.",
      "dedupe", "evictions", NULL,
      ngx_http_clockodo_get_dedupe,
      offsetof(ngx_http_clockodo_dedupe_status_t, evictions), 0, 1, NULL },

    { "clockodo_dedupe_unclaimed_total", "counter",
      "Events that were not checked for duplicates, for want of memory.",
      "dedupe", "unclaimed", NULL,
      ngx_http_clockodo_get_dedupe,
      offsetof(ngx_http_clockodo_dedupe_status_t, unclaimed), 0, 1, NULL },

    { NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, NULL }
};


#define ngx_http_clockodo_delivery_text(value, buf)                           \
    { &ngx_http_clockodo_values[value],                                       \
      offsetof(clockodo_event_t, buf) - offsetof(clockodo_event_t, event_buf) }


ngx_http_clockodo_delivery_text_t
    ngx_http_clockodo_delivery_texts[NGX_HTTP_CLOCKODO_DELIVERY_TEXTS] = {

    ngx_http_clockodo_delivery_text(NGX_HTTP_CLOCKODO_EVENT, event_buf),
    ngx_http_clockodo_delivery_text(NGX_HTTP_CLOCKODO_ENTITY_ID,
                                    entity_id_buf),
    ngx_http_clockodo_delivery_text(NGX_HTTP_CLOCKODO_SUBSCRIPTION_ID,
                                    subscription_buf),
    ngx_http_clockodo_delivery_text(NGX_HTTP_CLOCKODO_COMPANY_ID, company_buf),
    ngx_http_clockodo_delivery_text(NGX_HTTP_CLOCKODO_OCCURRED_AT,
                                    occurred_at_buf),
    ngx_http_clockodo_delivery_text(NGX_HTTP_CLOCKODO_IDEMPOTENCY_KEY,
                                    key_buf)
};


static const char  *ngx_http_clockodo_outcomes[NGX_HTTP_CLOCKODO_OUTCOMES] = {
    "", "taken", "not_taken", "stored"
};


const char  *ngx_http_clockodo_series[NGX_HTTP_CLOCKODO_SERIES] = {
    "taken", "not_taken", "stored",
    "handshake", "filtered", "duplicate", "rejected"
};


static const char  *ngx_http_clockodo_classes[NGX_HTTP_CLOCKODO_CLASSES] = {
    "1xx", "2xx", "3xx", "4xx", "5xx"
};


/* the bounds that ngx_http_clockodo_count_response() has, in seconds */

static const char  *ngx_http_clockodo_buckets[NGX_HTTP_CLOCKODO_BUCKETS] = {
    "0.005", "0.01", "0.025", "0.05", "0.1", "0.25", "0.5",
    "1", "2.5", "5", "10", "30", "60", "+Inf"
};


static ngx_int_t
ngx_http_clockodo_get_counter(ngx_http_clockodo_metric_t *metric,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_location_t *loc,
    ngx_uint_t i, ngx_http_clockodo_sample_t *sample)
{
    u_char        *base;
    ngx_atomic_t  *counters;

    i += metric->first;

    if (i >= metric->end) {
        return NGX_DONE;
    }

    base = loc ? (u_char *) loc->counters : (u_char *) zone->sh;
    counters = (ngx_atomic_t *) (base + metric->offset);

    sample->value = counters[i];
    sample->absent = 0;
    sample->label = metric->text ? metric->text(i) : NULL;

    return NGX_OK;
}


/* a time, or a status: if it is 0, there was none */

static ngx_int_t
ngx_http_clockodo_get_time(ngx_http_clockodo_metric_t *metric,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_location_t *loc,
    ngx_uint_t i, ngx_http_clockodo_sample_t *sample)
{
    ngx_int_t  rc;

    rc = ngx_http_clockodo_get_counter(metric, zone, loc, i, sample);

    if (rc == NGX_OK) {
        sample->absent = (sample->value == 0);
    }

    return rc;
}


/* of events in a row, if there are any */

static ngx_int_t
ngx_http_clockodo_get_since(ngx_http_clockodo_metric_t *metric,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_location_t *loc,
    ngx_uint_t i, ngx_http_clockodo_sample_t *sample)
{
    ngx_int_t  rc;

    rc = ngx_http_clockodo_get_time(metric, zone, loc, i, sample);

    if (rc == NGX_OK && loc->counters->not_taken == 0) {
        sample->absent = 1;
    }

    return rc;
}


static ngx_int_t
ngx_http_clockodo_get_token(ngx_http_clockodo_metric_t *metric,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_location_t *loc,
    ngx_uint_t i, ngx_http_clockodo_sample_t *sample)
{
    if (loc->tokens == NULL || i >= loc->tokens->nelts) {
        return NGX_DONE;
    }

    ngx_sprintf(sample->buf, "%ui%Z", i + 1);

    sample->label = (char *) sample->buf;
    sample->value = loc->uses[i]->last;
    sample->absent = (sample->value == 0);

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_get_secret_file(ngx_http_clockodo_metric_t *metric,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_location_t *loc,
    ngx_uint_t i, ngx_http_clockodo_sample_t *sample)
{
    off_t  size;

    if (i > 0) {
        return NGX_DONE;
    }

    size = ngx_http_clockodo_secret_file_size(loc);

    sample->value = size;
    sample->absent = (size == -1);

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_get_secret_limit(ngx_http_clockodo_metric_t *metric,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_location_t *loc,
    ngx_uint_t i, ngx_http_clockodo_sample_t *sample)
{
    if (i > 0) {
        return NGX_DONE;
    }

    sample->value = loc->secret_file_limit;
    sample->absent = (loc->secret_file == NULL);

    return NGX_OK;
}


/* those that have a slot, and then all others */

static ngx_int_t
ngx_http_clockodo_get_subscription(ngx_http_clockodo_metric_t *metric,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_location_t *loc,
    ngx_uint_t i, ngx_http_clockodo_sample_t *sample)
{
    ngx_http_clockodo_subscription_t  *subscription;

    if (i > NGX_HTTP_CLOCKODO_SUBSCRIPTION_SLOTS) {
        return NGX_DONE;
    }

    if (i == NGX_HTTP_CLOCKODO_SUBSCRIPTION_SLOTS) {
        sample->label = "other";
        sample->value = zone->sh->other_last;

    } else {
        subscription = &zone->sh->subscriptions[i];

        ngx_sprintf(sample->buf, "%uA%Z", subscription->id);

        sample->label = (char *) sample->buf;
        sample->value = subscription->last;
    }

    sample->absent = 0;

    return sample->value ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_clockodo_get_dedupe(ngx_http_clockodo_metric_t *metric,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_location_t *loc,
    ngx_uint_t i, ngx_http_clockodo_sample_t *sample)
{
    ngx_http_clockodo_dedupe_status_t  status;

    if (i > 0) {
        return NGX_DONE;
    }

    ngx_http_clockodo_dedupe_status(zone, &status);

    sample->value = *(uint64_t *) ((u_char *) &status + metric->offset);
    sample->absent = 0;

    return NGX_OK;
}


static const char *
ngx_http_clockodo_verdict_name(ngx_uint_t verdict)
{
    return clockodo_verdicts[verdict].data;
}


static const char *
ngx_http_clockodo_reason_name(ngx_uint_t reason)
{
    return clockodo_reasons[reason].data;
}


static const char *
ngx_http_clockodo_event_name(ngx_uint_t event)
{
    return event < CLOCKODO_EVENT_TYPES ? clockodo_event_types[event].name
                                        : "other";
}


static const char *
ngx_http_clockodo_class_name(ngx_uint_t class)
{
    return ngx_http_clockodo_classes[class];
}


const char *
ngx_http_clockodo_outcome_name(ngx_uint_t outcome)
{
    return ngx_http_clockodo_outcomes[outcome];
}


const char *
ngx_http_clockodo_bucket_name(ngx_uint_t bucket)
{
    return ngx_http_clockodo_buckets[bucket];
}


off_t
ngx_http_clockodo_secret_file_size(ngx_http_clockodo_location_t *loc)
{
    ngx_file_info_t  fi;

    if (loc->secret_file == NULL
        || ngx_fd_info((*loc->secret_file)->fd, &fi) == NGX_FILE_ERROR)
    {
        return -1;
    }

    return ngx_file_size(&fi);
}
