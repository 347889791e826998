
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


static ngx_int_t ngx_http_clockodo_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_clockodo_hold_body(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx,
    ngx_chain_t *in);
static ngx_int_t ngx_http_clockodo_copy_body(ngx_http_request_t *r,
    ngx_str_t *body);


static ngx_http_request_body_filter_pt  ngx_http_next_request_body_filter;


/*
 * The chain is that of the last configuration, even of one that failed.
 * Without us a body that is too large is found out when it has been read.
 */

void
ngx_http_clockodo_body_filter_init(void)
{
    ngx_http_next_request_body_filter = ngx_http_top_request_body_filter;
    ngx_http_top_request_body_filter = ngx_http_clockodo_body_filter;
}


/*
 * A body without Content-Length is held back until it is there as a whole:
 * the core would write it to a file as soon as its buffer is full.
 */

static ngx_int_t
ngx_http_clockodo_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_uint_t                     last;
    ngx_chain_t                   *cl, out;
    ngx_http_clockodo_ctx_t       *ctx;
    ngx_http_clockodo_loc_conf_t  *lcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_clockodo_module);

    if (ctx == NULL || !ctx->bounded || in == NULL) {
        return ngx_http_next_request_body_filter(r, in);
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_clockodo_module);

    last = 0;

    for (cl = in; cl; cl = cl->next) {
        ctx->received += ngx_buf_size(cl->buf);
        last |= cl->buf->last_buf;
    }

    if (ctx->received > (off_t) lcf->max_body_size) {
        ngx_http_clockodo_reject(r, lcf, ctx, CLOCKODO_FAULT_BODY_TOO_LARGE);
        ngx_http_clockodo_leave_body(r, ctx);

        r->lingering_close = 1;

        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    if (last && ctx->held == NULL) {
        return ngx_http_next_request_body_filter(r, in);
    }

    if (ngx_http_clockodo_hold_body(r, lcf, ctx, in) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!last) {
        return NGX_OK;
    }

    ctx->held->last_buf = 1;

    out.buf = ctx->held;
    out.next = NULL;

    return ngx_http_next_request_body_filter(r, &out);
}


static ngx_int_t
ngx_http_clockodo_hold_body(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx,
    ngx_chain_t *in)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (ctx->held == NULL) {
        ctx->held = ngx_create_temp_buf(r->pool, lcf->max_body_size);
        if (ctx->held == NULL) {
            return NGX_ERROR;
        }
    }

    for (cl = in; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {

            if (b->last - b->pos > ctx->held->end - ctx->held->last) {
                /* not tested: all that was received is within the limit */
                return NGX_ERROR;
            }

            ctx->held->last = ngx_cpymem(ctx->held->last, b->pos,
                                         b->last - b->pos);
            b->pos = b->last;
        }
    }

    return NGX_OK;
}


void
ngx_http_clockodo_leave_body(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx)
{
    ngx_table_elt_t                *h;
    ngx_http_request_body_t        *rb;
    ngx_http_clockodo_main_conf_t  *mcf;

    ctx->state = NGX_HTTP_CLOCKODO_REFUSED;
    ctx->held = NULL;
    ctx->bounded = 0;

    rb = r->request_body;

    if (rb == NULL) {

        /* not a byte was read: it is still there for whoever reads it */

        return;
    }

    /* rb itself and headers_in.chunked stay, or nginx would read on */

    rb->bufs = NULL;
    rb->buf = NULL;
    rb->temp_file = NULL;

    r->headers_in.content_length_n = 0;

    /* the element itself goes upstream by fastcgi_pass and its kin */

    h = r->headers_in.content_length;

    if (h) {
        ngx_str_set(&h->value, "0");
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_clockodo_module);

    ngx_http_clockodo_forget_variable(r, mcf->content_length);
    ngx_http_clockodo_forget_variable(r, mcf->http_content_length);

    /* nor does it go on, which "proxy_request_buffering off" has begun */

    r->reading_body = 0;

#if (NGX_HTTP_V2)
    if (r->stream) {
        r->stream->skip_data = 1;
    }
#endif

    r->read_event_handler = ngx_http_block_reading;
    r->keepalive = 0;
}


ngx_int_t
ngx_http_clockodo_load_body(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    off_t         size;
    ngx_chain_t  *cl, *bufs;

    /* none if another module has discarded it */

    bufs = r->request_body ? r->request_body->bufs : NULL;

    size = 0;

    for (cl = bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size == 0) {
        ctx->early_fault = CLOCKODO_FAULT_EMPTY_BODY;

        if (r->headers_in.content_length_n > 0) {

            /* taken by another module, and is not to be announced */

            ngx_http_clockodo_leave_body(r, ctx);
        }

        return NGX_OK;
    }

    if (size > (off_t) lcf->max_body_size) {
        ctx->early_fault = CLOCKODO_FAULT_BODY_TOO_LARGE;
        return NGX_OK;
    }

    ctx->body.len = size;

    if (bufs->next == NULL && ngx_buf_in_memory(bufs->buf)) {
        ctx->body.data = bufs->buf->pos;
        return NGX_OK;
    }

    return ngx_http_clockodo_copy_body(r, &ctx->body);
}


static ngx_int_t
ngx_http_clockodo_copy_body(ngx_http_request_t *r, ngx_str_t *body)
{
    u_char       *p;
    size_t        size;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    body->data = ngx_pnalloc(r->pool, body->len);
    if (body->data == NULL) {
        return NGX_ERROR;
    }

    p = body->data;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        b = cl->buf;
        size = ngx_buf_size(b);

        if (ngx_buf_in_memory(b)) {
            ngx_memcpy(p, b->pos, size);

        } else if (size
                   && ngx_read_file(b->file, p, size, b->file_pos)
                      != (ssize_t) size)
        {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                          "could not read the request body from \"%V\"",
                          &b->file->name);
            return NGX_ERROR;
        }

        p += size;
    }

    return NGX_OK;
}
