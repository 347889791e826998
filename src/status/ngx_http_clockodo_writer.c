
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_status.h"


#define NGX_HTTP_CLOCKODO_WRITER_BUFFER  16384


static ngx_int_t ngx_http_clockodo_add_buffer(ngx_http_clockodo_writer_t *w);


void
ngx_http_clockodo_write(ngx_http_clockodo_writer_t *w, const char *fmt, ...)
{
    u_char     *p;
    va_list     args;
    ngx_buf_t  *b;

    if (w->failed) {
        /* not tested: without memory */
        return;
    }

    b = w->buf;

    if (b == NULL || b->end - b->last < 4096) {

        if (ngx_http_clockodo_add_buffer(w) != NGX_OK) {
            w->failed = 1;
            return;
        }

        b = w->buf;
    }

    va_start(args, fmt);
    p = ngx_vslprintf(b->last, b->end, fmt, args);
    va_end(args);

    w->size += p - b->last;
    b->last = p;
}


static ngx_int_t
ngx_http_clockodo_add_buffer(ngx_http_clockodo_writer_t *w)
{
    ngx_chain_t  *cl;

    cl = ngx_alloc_chain_link(w->pool);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    cl->buf = ngx_create_temp_buf(w->pool, NGX_HTTP_CLOCKODO_WRITER_BUFFER);
    if (cl->buf == NULL) {
        return NGX_ERROR;
    }

    cl->next = NULL;

    *w->next = cl;
    w->next = &cl->next;
    w->buf = cl->buf;

    return NGX_OK;
}
