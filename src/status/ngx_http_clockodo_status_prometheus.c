
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_status.h"
#include "ngx_http_clockodo_version.h"


/*
 * The text format of Prometheus, version 0.0.4:
 * https://prometheus.io/docs/instrumenting/exposition_formats/
 */


static void ngx_http_clockodo_metric_head(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_metric_t *metric);
static void ngx_http_clockodo_metric_samples(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc);
static void ngx_http_clockodo_metric_histogram(ngx_http_clockodo_writer_t *w,
    char *name, ngx_http_clockodo_location_t *loc);


/* those that are more than samples */

#define NGX_HTTP_CLOCKODO_RESPONSE_SECONDS  0
#define NGX_HTTP_CLOCKODO_BUILD_INFO        1

static ngx_http_clockodo_metric_t  ngx_http_clockodo_other_metrics[] = {

    { "clockodo_upstream_response_seconds", "histogram",
      "How long upstreams took for their responses.",
      NULL, NULL, NULL, NULL, 0, 0, 0, NULL },

    { "clockodo_build_info", "gauge",
      "The versions of the module and of nginx.",
      NULL, NULL, NULL, NULL, 0, 0, 0, NULL }
};


void
ngx_http_clockodo_write_prometheus(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone)
{
    ngx_uint_t                      i;
    ngx_http_clockodo_metric_t     *metric;
    ngx_http_clockodo_location_t  **locp;

    locp = zone->locations.elts;

    for (metric = ngx_http_clockodo_location_metrics; metric->get; metric++) {

        if (metric->name == NULL) {
            continue;
        }

        ngx_http_clockodo_metric_head(w, metric);

        for (i = 0; i < zone->locations.nelts; i++) {
            ngx_http_clockodo_metric_samples(w, metric, zone, locp[i]);
        }
    }

    metric = &ngx_http_clockodo_other_metrics[
                                          NGX_HTTP_CLOCKODO_RESPONSE_SECONDS];
    ngx_http_clockodo_metric_head(w, metric);

    for (i = 0; i < zone->locations.nelts; i++) {
        ngx_http_clockodo_metric_histogram(w, metric->name, locp[i]);
    }

    for (metric = ngx_http_clockodo_zone_metrics; metric->get; metric++) {

        if (metric->name) {
            ngx_http_clockodo_metric_head(w, metric);
            ngx_http_clockodo_metric_samples(w, metric, zone, NULL);
        }
    }

    metric = &ngx_http_clockodo_other_metrics[NGX_HTTP_CLOCKODO_BUILD_INFO];
    ngx_http_clockodo_metric_head(w, metric);
    ngx_http_clockodo_write(w, "%s{version=\"%s\",nginx_version=\"%s\"} 1\n",
                            metric->name, NGX_HTTP_CLOCKODO_VERSION,
                            NGINX_VERSION);
}


static void
ngx_http_clockodo_metric_head(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_metric_t *metric)
{
    ngx_http_clockodo_write(w, "# HELP %s %s\n# TYPE %s %s\n",
                            metric->name, metric->help,
                            metric->name, metric->type);
}


static void
ngx_http_clockodo_metric_samples(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_metric_t *metric, ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_location_t *loc)
{
    char                        *comma;
    ngx_int_t                    rc;
    ngx_uint_t                   i;
    ngx_http_clockodo_sample_t   sample;

    for (i = 0; /* void */ ; i++) {
        rc = metric->get(metric, zone, loc, i, &sample);

        if (rc == NGX_DONE) {
            return;
        }

        if (rc == NGX_DECLINED || sample.absent) {
            continue;
        }

        ngx_http_clockodo_write(w, "%s", metric->name);

        comma = "{";

        if (loc) {
            ngx_http_clockodo_write(w, "{location=\"%V\"", &loc->label);
            comma = ",";
        }

        if (metric->label) {
            ngx_http_clockodo_write(w, "%s%s=\"%s\"", comma, metric->label,
                                    sample.label);
        }

        ngx_http_clockodo_write(w, "%s %uL\n",
                                (loc || metric->label) ? "}" : "",
                                sample.value);
    }
}


static void
ngx_http_clockodo_metric_histogram(ngx_http_clockodo_writer_t *w, char *name,
    ngx_http_clockodo_location_t *loc)
{
    ngx_uint_t         i;
    ngx_atomic_uint_t  n, sum;

    for (n = 0, i = 0; i < NGX_HTTP_CLOCKODO_BUCKETS; i++) {
        n += loc->counters->buckets[i];

        ngx_http_clockodo_write(w, "%s_bucket{location=\"%V\",le=\"%s\"} "
                                "%uA\n", name, &loc->label,
                                ngx_http_clockodo_bucket_name(i), n);
    }

    sum = loc->counters->response_time;

    ngx_http_clockodo_write(w, "%s_sum{location=\"%V\"} %uA.%03uA\n"
                            "%s_count{location=\"%V\"} %uA\n",
                            name, &loc->label, sum / 1000, sum % 1000,
                            name, &loc->label, n);
}
