
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_status.h"
#include "ngx_http_clockodo_version.h"

#include "clockodo_escape.h"


/* a chart of the past, its last place being the present */

typedef struct {
    char         *name;
    time_t        seconds;
    ngx_uint_t    n;
    ngx_uint_t  (*count)(ngx_http_clockodo_shctx_t *sh, time_t time,
                         ngx_uint_t series);
} ngx_http_clockodo_chart_t;


static void ngx_http_clockodo_json_locations(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone);
static void ngx_http_clockodo_json_location(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_location_t *loc);
static void ngx_http_clockodo_json_secret_file(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_location_t *loc);
static void ngx_http_clockodo_json_metrics(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc);
static void ngx_http_clockodo_json_metric(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc);
static void ngx_http_clockodo_json_sample(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_sample_t *sample);
static void ngx_http_clockodo_json_histogram(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_counters_t *counters);
static void ngx_http_clockodo_json_handshake(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_counters_t *counters);
static void ngx_http_clockodo_json_client(ngx_http_clockodo_writer_t *w,
    u_char *client, size_t len);
static void ngx_http_clockodo_json_chart(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_shctx_t *sh, ngx_http_clockodo_chart_t *chart);
static void ngx_http_clockodo_json_deliveries(ngx_http_clockodo_writer_t *w,
    char *name, ngx_http_clockodo_ring_t *ring);
static void ngx_http_clockodo_json_delivery(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_delivery_t *delivery);


static ngx_http_clockodo_chart_t  ngx_http_clockodo_charts[] = {

    { "minutes", 60, NGX_HTTP_CLOCKODO_MINUTES,
      ngx_http_clockodo_minute_count },

    { "hours", 3600, NGX_HTTP_CLOCKODO_HOURS,
      ngx_http_clockodo_hour_count },

    { NULL, 0, 0, NULL }
};


/* nothing but a client needs an escape: labels have theirs */

void
ngx_http_clockodo_write_json(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone)
{
    ngx_http_clockodo_chart_t  *chart;

    ngx_http_clockodo_write(w, "{\"version\":2,\"module_version\":\"%s\","
                            "\"nginx_version\":\"%s\",\"timestamp\":%T",
                            NGX_HTTP_CLOCKODO_VERSION, NGINX_VERSION,
                            ngx_time());

    ngx_http_clockodo_json_locations(w, zone);

    ngx_http_clockodo_json_metrics(w, ngx_http_clockodo_zone_metrics, zone,
                                   NULL);

    for (chart = ngx_http_clockodo_charts; chart->name; chart++) {
        ngx_http_clockodo_json_chart(w, zone->sh, chart);
    }

    ngx_http_clockodo_json_deliveries(w, "deliveries", &zone->sh->authentic);
    ngx_http_clockodo_json_deliveries(w, "other_deliveries",
                                      &zone->sh->others);

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
        ngx_http_clockodo_write(w, i ? "," : "");
        ngx_http_clockodo_json_location(w, zone, locp[i]);
    }

    ngx_http_clockodo_write(w, "]");
}


static void
ngx_http_clockodo_json_location(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_location_t *loc)
{
    ngx_http_clockodo_write(w, "{\"location\":\"%V\"", &loc->label);

    ngx_http_clockodo_json_metrics(w, ngx_http_clockodo_location_metrics,
                                   zone, loc);
    ngx_http_clockodo_json_histogram(w, loc->counters);

    ngx_http_clockodo_write(w, ",\"handshakes\":%s",
                            loc->handshakes ? "true" : "false");
    ngx_http_clockodo_json_secret_file(w, loc);
    ngx_http_clockodo_json_handshake(w, zone, loc->counters);

    ngx_http_clockodo_write(w, "}");
}


static void
ngx_http_clockodo_json_secret_file(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_location_t *loc)
{
    off_t  size;

    size = ngx_http_clockodo_secret_file_size(loc);

    if (size == -1) {
        ngx_http_clockodo_write(w, ",\"secret_file\":null");
        return;
    }

    ngx_http_clockodo_write(w, ",\"secret_file\":{\"bytes\":%O,\"limit\":%uz}",
                            size, loc->secret_file_limit);
}


static void
ngx_http_clockodo_json_metrics(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc)
{
    char  *group;

    group = NULL;

    for ( /* void */ ; metric->get; metric++) {

        if (metric->member == NULL) {
            continue;
        }

        if (group && (metric->group == NULL
                      || ngx_strcmp(metric->group, group) != 0))
        {
            ngx_http_clockodo_write(w, "}");
            group = NULL;
        }

        if (metric->group == NULL) {
            ngx_http_clockodo_write(w, ",\"%s\":", metric->member);

        } else if (group == NULL) {
            group = metric->group;
            ngx_http_clockodo_write(w, ",\"%s\":{\"%s\":", group,
                                    metric->member);

        } else {
            ngx_http_clockodo_write(w, ",\"%s\":", metric->member);
        }

        ngx_http_clockodo_json_metric(w, metric, zone, loc);
    }

    ngx_http_clockodo_write(w, group ? "}" : "");
}


static void
ngx_http_clockodo_json_metric(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc)
{
    char                        *comma;
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_http_clockodo_sample_t   sample;

    if (metric->label == NULL) {
        (void) metric->get(metric, zone, loc, 0, &sample);
        ngx_http_clockodo_json_sample(w, &sample);
        return;
    }

    ngx_http_clockodo_write(w, "{");

    comma = "";

    for (i = 0; /* void */ ; i++) {
        rc = metric->get(metric, zone, loc, i, &sample);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc == NGX_OK) {
            ngx_http_clockodo_write(w, "%s\"%s\":", comma, sample.label);
            ngx_http_clockodo_json_sample(w, &sample);
            comma = ",";
        }
    }

    ngx_http_clockodo_write(w, "}");
}


static void
ngx_http_clockodo_json_sample(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_sample_t *sample)
{
    if (sample->absent) {
        ngx_http_clockodo_write(w, "null");
        return;
    }

    ngx_http_clockodo_write(w, "%uL", sample->value);
}


static void
ngx_http_clockodo_json_histogram(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_counters_t *counters)
{
    ngx_uint_t         i;
    ngx_atomic_uint_t  n, sum;

    ngx_http_clockodo_write(w, ",\"upstream_seconds\":{\"buckets\":{");

    for (n = 0, i = 0; i < NGX_HTTP_CLOCKODO_BUCKETS; i++) {
        n += counters->buckets[i];

        ngx_http_clockodo_write(w, "%s\"%s\":%uA", i ? "," : "",
                                ngx_http_clockodo_bucket_name(i), n);
    }

    sum = counters->response_time;

    ngx_http_clockodo_write(w, "},\"sum\":%uA.%03uA}", sum / 1000,
                            sum % 1000);
}


static void
ngx_http_clockodo_json_handshake(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_counters_t *counters)
{
    time_t  time;
    size_t  len;
    u_char  client[NGX_HTTP_CLOCKODO_CLIENT_LEN];

    ngx_shmtx_lock(&zone->shpool->mutex);

    time = counters->handshake;
    len = counters->client_len;
    ngx_memcpy(client, counters->client, len);

    ngx_shmtx_unlock(&zone->shpool->mutex);

    if (time == 0) {
        ngx_http_clockodo_write(w, ",\"last_handshake\":null");
        return;
    }

    ngx_http_clockodo_write(w, ",\"last_handshake\":{\"time\":%T", time);
    ngx_http_clockodo_json_client(w, client, len);
    ngx_http_clockodo_write(w, "}");
}


/* that of a UNIX-domain socket has a name of its own choice */

static void
ngx_http_clockodo_json_client(ngx_http_clockodo_writer_t *w, u_char *client,
    size_t len)
{
    u_char  escaped[NGX_HTTP_CLOCKODO_CLIENT_LEN];

    len = clockodo_escape(escaped, sizeof(escaped), client, len);

    ngx_http_clockodo_write(w, ",\"client\":\"%*s\"", len, escaped);
}


/* accepted events, and then by what became of them, and all others */

static void
ngx_http_clockodo_json_chart(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_shctx_t *sh, ngx_http_clockodo_chart_t *chart)
{
    time_t       first;
    ngx_uint_t   i, n, series, *accepted;

    first = ngx_time() / chart->seconds - chart->n + 1;

    ngx_http_clockodo_write(w, ",\"%s\":{\"first\":%T,\"seconds\":%T",
                            chart->name, first * chart->seconds,
                            chart->seconds);

    accepted = ngx_pcalloc(w->pool, chart->n * sizeof(ngx_uint_t));
    if (accepted == NULL) {
        w->failed = 1;
        return;
    }

    for (series = 0; series < NGX_HTTP_CLOCKODO_SERIES; series++) {
        ngx_http_clockodo_write(w, ",\"%s\":",
                                ngx_http_clockodo_series[series]);

        for (i = 0; i < chart->n; i++) {
            n = chart->count(sh, first + i, series);

            if (series < ngx_http_clockodo_outcome_series(
                                                  NGX_HTTP_CLOCKODO_OUTCOMES))
            {
                accepted[i] += n;
            }

            ngx_http_clockodo_write(w, "%c%ui", i ? ',' : '[', n);
        }

        ngx_http_clockodo_write(w, "]");
    }

    ngx_http_clockodo_write(w, ",\"accepted\":");

    for (i = 0; i < chart->n; i++) {
        ngx_http_clockodo_write(w, "%c%ui", i ? ',' : '[', accepted[i]);
    }

    ngx_http_clockodo_write(w, "]}");
}


static void
ngx_http_clockodo_json_deliveries(ngx_http_clockodo_writer_t *w, char *name,
    ngx_http_clockodo_ring_t *ring)
{
    ngx_uint_t                     i, n;
    ngx_http_clockodo_delivery_t  *deliveries;

    deliveries = ngx_palloc(w->pool, NGX_HTTP_CLOCKODO_DELIVERY_SLOTS
                                     * sizeof(ngx_http_clockodo_delivery_t));
    if (deliveries == NULL) {
        w->failed = 1;
        return;
    }

    n = ngx_http_clockodo_get_deliveries(ring, deliveries);

    ngx_http_clockodo_write(w, ",\"%s\":[", name);

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
    ngx_uint_t                          i;
    ngx_http_clockodo_delivery_text_t  *text;

    ngx_http_clockodo_write(w, "{\"time\":%T.%03M",
                            delivery->sec, delivery->msec);

    ngx_http_clockodo_json_client(w, delivery->client, delivery->client_len);

    ngx_http_clockodo_write(w, ",\"location\":\"%V\",\"verdict\":\"%s\","
                            "\"reason\":\"%s\",\"outcome\":\"%s\","
                            "\"status\":%ui",
                            &delivery->location->label,
                            clockodo_verdicts[delivery->verdict].data,
                            clockodo_reasons[delivery->reason].data,
                            ngx_http_clockodo_outcome_name(delivery->outcome),
                            delivery->status);

    for (i = 0; i < NGX_HTTP_CLOCKODO_DELIVERY_TEXTS; i++) {
        text = &ngx_http_clockodo_delivery_texts[i];

        ngx_http_clockodo_write(w, ",\"%V\":\"%*s\"",
                                &text->value->field,
                                (size_t) delivery->lens[i],
                                delivery->texts + text->offset);
    }

    if (delivery->upstream_status == 0) {
        ngx_http_clockodo_write(w, ",\"upstream_status\":null,"
                                "\"upstream_time\":null}");
        return;
    }

    ngx_http_clockodo_write(w, ",\"upstream_status\":%ui,"
                            "\"upstream_time\":%i.%03i}",
                            delivery->upstream_status,
                            delivery->upstream_time / 1000,
                            delivery->upstream_time % 1000);
}
