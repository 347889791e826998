
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _NGX_HTTP_CLOCKODO_STATUS_H_INCLUDED_
#define _NGX_HTTP_CLOCKODO_STATUS_H_INCLUDED_


#include "ngx_http_clockodo.h"


typedef struct {
    ngx_pool_t    *pool;
    ngx_chain_t   *out;
    ngx_chain_t  **next;
    ngx_buf_t     *buf;                    /* the last one of out */
    off_t          size;
    unsigned       failed:1;               /* no memory */
} ngx_http_clockodo_writer_t;


/* one value of a metric */

typedef struct {
    const char                     *label;     /* that tells it from others */
    u_char                          buf[NGX_INT64_LEN + 1];    /* for that */
    uint64_t                        value;
    unsigned                        absent:1;
} ngx_http_clockodo_sample_t;


/*
 * A metric is a counter, in the zone or not, and a row here: Prometheus sees
 * its name, JSON has it as a member, which may be in a group of its own.
 */

typedef struct ngx_http_clockodo_metric_s  ngx_http_clockodo_metric_t;

struct ngx_http_clockodo_metric_s {
    char                           *name;      /* NULL: not for Prometheus */
    char                           *type;
    char                           *help;

    char                           *group;     /* NULL: none */
    char                           *member;    /* NULL: not in JSON */

    char                           *label;     /* NULL: has one sample */

    /*
     * Sets the sample of number i, in a location's counters or in the zone.
     * Returns NGX_OK, NGX_DECLINED if there is none of this number but there
     * may be more, or NGX_DONE.
     */
    ngx_int_t                     (*get)(ngx_http_clockodo_metric_t *metric,
                                         ngx_http_clockodo_zone_t *zone,
                                         ngx_http_clockodo_location_t *loc,
                                         ngx_uint_t i,
                                         ngx_http_clockodo_sample_t *sample);

    size_t                          offset;    /* of ngx_atomic_t */
    ngx_uint_t                      first;
    ngx_uint_t                      end;
    const char                   *(*text)(ngx_uint_t i);   /* the label */
};


/* a text of a delivery; its name is that of the value's field */

typedef struct {
    ngx_http_clockodo_value_t      *value;
    size_t                          offset;    /* in the texts */
} ngx_http_clockodo_delivery_text_t;


#pragma GCC visibility push(hidden)


/* log */

/* counts a request once it is over, in the log phase; returns NGX_OK */
ngx_int_t ngx_http_clockodo_log_handler(ngx_http_request_t *r);


/* metrics */

extern ngx_http_clockodo_metric_t  ngx_http_clockodo_location_metrics[];
extern ngx_http_clockodo_metric_t  ngx_http_clockodo_zone_metrics[];

extern ngx_http_clockodo_delivery_text_t
    ngx_http_clockodo_delivery_texts[NGX_HTTP_CLOCKODO_DELIVERY_TEXTS];

/* what the charts show, see ngx_http_clockodo_minute_count() */
extern const char  *ngx_http_clockodo_series[NGX_HTTP_CLOCKODO_SERIES];

/* "taken"; empty if there is none */
const char *ngx_http_clockodo_outcome_name(ngx_uint_t outcome);

/* the bound of a bucket in seconds, such as "0.25" or "+Inf" */
const char *ngx_http_clockodo_bucket_name(ngx_uint_t bucket);

/* -1 if a location has none, or if that cannot be found out */
off_t ngx_http_clockodo_secret_file_size(ngx_http_clockodo_location_t *loc);


/* status */

char *ngx_http_clockodo_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* status_json and status_prometheus */

void ngx_http_clockodo_write_json(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone);
void ngx_http_clockodo_write_prometheus(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone);


/* writer */

/*
 * Appends at most 4k of text, formatted as by ngx_sprintf(); on failure sets
 * w->failed, and does nothing from then on.
 */
void ngx_http_clockodo_write(ngx_http_clockodo_writer_t *w, const char *fmt,
    ...);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_CLOCKODO_STATUS_H_INCLUDED_ */
