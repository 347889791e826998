
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _NGX_HTTP_CLOCKODO_STATUS_H_INCLUDED_
#define _NGX_HTTP_CLOCKODO_STATUS_H_INCLUDED_


#include "ngx_http_clockodo.h"


#pragma GCC visibility push(hidden)


typedef struct {
    ngx_pool_t    *pool;
    ngx_chain_t   *out;
    ngx_chain_t  **next;
    ngx_buf_t     *buf;                    /* the last one of out */
    off_t          size;
    unsigned       failed:1;               /* no memory */
} ngx_http_clockodo_writer_t;


/*
 * Appends at most 4k of text, formatted as by ngx_sprintf(); on failure sets
 * w->failed, and does nothing from then on.
 */
void ngx_http_clockodo_write(ngx_http_clockodo_writer_t *w, const char *fmt,
    ...);

void ngx_http_clockodo_write_json(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone);
void ngx_http_clockodo_write_prometheus(ngx_http_clockodo_writer_t *w,
    ngx_http_clockodo_zone_t *zone);

/* "team.updated", or "other" for the last one */
const char *ngx_http_clockodo_event_name(ngx_uint_t event);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_CLOCKODO_STATUS_H_INCLUDED_ */
