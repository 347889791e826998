
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_status.h"


static void ngx_http_clockodo_json_locations(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone);
static void ngx_http_clockodo_json_counters(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_counters_t *counters);
static void ngx_http_clockodo_json_tokens(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_location_t *loc);
static void ngx_http_clockodo_json_accepted(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_shctx_t *sh);
static void ngx_http_clockodo_json_minutes(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_shctx_t *sh);
static void ngx_http_clockodo_json_dedupe(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone);
static void ngx_http_clockodo_json_deliveries(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_shctx_t *sh);
static void ngx_http_clockodo_json_delivery(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_delivery_t *delivery);
static void ngx_http_clockodo_json_time(ngx_http_clockodo_writer_t *w,
    ngx_atomic_uint_t time);


/* nothing but labels needs an escape, and these have theirs */

void
ngx_http_clockodo_write_json(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone)
{
    ngx_http_clockodo_write(w, "{\"version\":1,\"nginx_version\":\"%s\","
                            "\"timestamp\":%T,\"since\":%T",
                            NGINX_VERSION, ngx_time(), zone->sh->since);

    ngx_http_clockodo_json_locations(w, zone);
    ngx_http_clockodo_json_accepted(w, zone->sh);
    ngx_http_clockodo_json_minutes(w, zone->sh);
    ngx_http_clockodo_json_dedupe(w, zone);
    ngx_http_clockodo_json_deliveries(w, zone->sh);

    ngx_http_clockodo_write(w, "}" CRLF);
}


static void
ngx_http_clockodo_json_locations(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone)
{
    ngx_uint_t                      i;
    ngx_http_clockodo_location_t  **locp;

    locp = zone->locations.elts;

    ngx_http_clockodo_write(w, ",\"locations\":[");

    for (i = 0; i < zone->locations.nelts; i++) {
        ngx_http_clockodo_write(w, "%s{\"location\":\"%V\"",
                                i ? "," : "", &locp[i]->label);

        ngx_http_clockodo_json_counters(w, locp[i]->counters);
        ngx_http_clockodo_json_tokens(w, locp[i]);

        ngx_http_clockodo_write(w, "}");
    }

    ngx_http_clockodo_write(w, "]");
}


static void
ngx_http_clockodo_json_counters(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_counters_t *counters)
{
    ngx_uint_t  i;

    ngx_http_clockodo_write(w, ",\"requests\":{");

    for (i = CLOCKODO_VERDICT_NONE + 1; i < CLOCKODO_VERDICTS; i++) {
        ngx_http_clockodo_write(w, "%s\"%s\":%uA",
                                i > CLOCKODO_VERDICT_NONE + 1 ? "," : "",
                                clockodo_verdicts[i].data,
                                counters->verdicts[i]);
    }

    ngx_http_clockodo_write(w, "},\"rejected\":{");

    for (i = CLOCKODO_REASON_NONE + 1; i < CLOCKODO_REASONS; i++) {
        ngx_http_clockodo_write(w, "%s\"%s\":%uA",
                                i > CLOCKODO_REASON_NONE + 1 ? "," : "",
                                clockodo_reasons[i].data,
                                counters->reasons[i]);
    }

    ngx_http_clockodo_write(w, "},\"events\":{");

    for (i = 0; i < NGX_HTTP_CLOCKODO_EVENTS; i++) {
        ngx_http_clockodo_write(w, "%s\"%s\":%uA", i ? "," : "",
                                ngx_http_clockodo_event_name(i),
                                counters->events[i]);
    }

    ngx_http_clockodo_write(w, "},\"upstream_responses\":{");

    for (i = 0; i < NGX_HTTP_CLOCKODO_CLASSES; i++) {
        ngx_http_clockodo_write(w, "%s\"%uixx\":%uA", i ? "," : "", i + 1,
                                counters->classes[i]);
    }

    ngx_http_clockodo_write(w, "}");
}


static void
ngx_http_clockodo_json_tokens(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_location_t *loc)
{
    ngx_uint_t  i;

    ngx_http_clockodo_write(w, ",\"tokens\":[");

    for (i = 0; loc->tokens && i < loc->tokens->nelts; i++) {
        ngx_http_clockodo_write(w, "%s{\"token\":%ui,\"last_used\":",
                                i ? "," : "", i + 1);
        ngx_http_clockodo_json_time(w, loc->uses[i]->last);
        ngx_http_clockodo_write(w, "}");
    }

    ngx_http_clockodo_write(w, "]");
}


static void
ngx_http_clockodo_json_accepted(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_shctx_t *sh)
{
    char                              *comma;
    ngx_uint_t                         i;
    ngx_http_clockodo_subscription_t  *subscription;

    ngx_http_clockodo_write(w, ",\"last_accepted\":{\"time\":");
    ngx_http_clockodo_json_time(w, sh->last_accepted);

    ngx_http_clockodo_write(w, ",\"events\":{");

    for (i = 0; i < NGX_HTTP_CLOCKODO_EVENTS; i++) {
        ngx_http_clockodo_write(w, "%s\"%s\":", i ? "," : "",
                                ngx_http_clockodo_event_name(i));
        ngx_http_clockodo_json_time(w, sh->last_events[i]);
    }

    ngx_http_clockodo_write(w, "},\"subscriptions\":{");

    comma = "";

    for (i = 0; i < NGX_HTTP_CLOCKODO_SUBSCRIPTION_SLOTS; i++) {
        subscription = &sh->subscriptions[i];

        if (subscription->id) {
            ngx_http_clockodo_write(w, "%s\"%uA\":", comma, subscription->id);
            ngx_http_clockodo_json_time(w, subscription->last);
            comma = ",";
        }
    }

    ngx_http_clockodo_write(w, "},\"other_subscriptions\":"
                            "{\"accepted\":%uA,\"time\":",
                            sh->other_accepted);
    ngx_http_clockodo_json_time(w, sh->other_last);
    ngx_http_clockodo_write(w, "}}");
}


static void
ngx_http_clockodo_json_minutes(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_shctx_t *sh)
{
    time_t      minute;
    ngx_uint_t  i, n;

    ngx_http_clockodo_write(w, ",\"minutes\":[");

    minute = ngx_time() / 60 - NGX_HTTP_CLOCKODO_MINUTES + 1;

    for (n = 0; n < NGX_HTTP_CLOCKODO_MINUTES; n++, minute++) {
        ngx_http_clockodo_write(w, "%s{\"time\":%T", n ? "," : "",
                                minute * 60);

        for (i = CLOCKODO_VERDICT_NONE + 1; i < CLOCKODO_VERDICTS; i++) {
            ngx_http_clockodo_write(w, ",\"%s\":%ui",
                                    clockodo_verdicts[i].data,
                                    ngx_http_clockodo_minute_count(sh, minute,
                                                                   i));
        }

        ngx_http_clockodo_write(w, "}");
    }

    ngx_http_clockodo_write(w, "]");
}


static void
ngx_http_clockodo_json_dedupe(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone)
{
    ngx_http_clockodo_dedupe_status_t  status;

    ngx_http_clockodo_dedupe_status(zone, &status);

    ngx_http_clockodo_write(w, ",\"dedupe\":{\"capacity\":%uL,"
                            "\"entries\":%uL,\"evictions\":%uL,"
                            "\"unclaimed\":%uL}",
                            status.capacity, status.entries,
                            status.evictions, status.unclaimed);
}


static void
ngx_http_clockodo_json_deliveries(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_shctx_t *sh)
{
    ngx_uint_t                     i, n;
    ngx_http_clockodo_delivery_t  *deliveries;

    deliveries = ngx_palloc(w->pool, NGX_HTTP_CLOCKODO_DELIVERY_SLOTS
                                     * sizeof(ngx_http_clockodo_delivery_t));
    if (deliveries == NULL) {
        w->failed = 1;
        return;
    }

    n = ngx_http_clockodo_get_deliveries(sh, deliveries);

    ngx_http_clockodo_write(w, ",\"deliveries\":[");

    for (i = 0; i < n; i++) {
        ngx_http_clockodo_write(w, i ? "," : "");
        ngx_http_clockodo_json_delivery(w, &deliveries[i]);
    }

    ngx_http_clockodo_write(w, "]");
}


static void
ngx_http_clockodo_json_delivery(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_delivery_t *delivery)
{
    ngx_http_clockodo_write(w, "{\"time\":%T.%03M,\"client\":\"%*s\","
                            "\"location\":\"%*s\",\"verdict\":\"%s\","
                            "\"reason\":\"%s\",\"event\":\"%*s\","
                            "\"entity_id\":\"%*s\","
                            "\"subscription_id\":\"%*s\",\"status\":%ui,"
                            "\"upstream_time\":",
                            delivery->sec, delivery->msec,
                            (size_t) delivery->client.len,
                            delivery->client.data,
                            delivery->location->len,
                            delivery->location->label,
                            clockodo_verdicts[delivery->verdict].data,
                            clockodo_reasons[delivery->reason].data,
                            (size_t) delivery->event.len,
                            delivery->event.data,
                            (size_t) delivery->entity_id.len,
                            delivery->entity_id.data,
                            (size_t) delivery->subscription_id.len,
                            delivery->subscription_id.data,
                            delivery->status);

    if (delivery->upstream_time == -1) {
        ngx_http_clockodo_write(w, "null}");
        return;
    }

    ngx_http_clockodo_write(w, "%i.%03i}", delivery->upstream_time / 1000,
                            delivery->upstream_time % 1000);
}


static void
ngx_http_clockodo_json_time(ngx_http_clockodo_writer_t *w,
    ngx_atomic_uint_t time)
{
    if (time == 0) {
        ngx_http_clockodo_write(w, "null");
        return;
    }

    ngx_http_clockodo_write(w, "%uA", time);
}
