
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


static ngx_int_t ngx_http_clockodo_mask_buf(ngx_http_request_t *r,
    ngx_buf_t *b, off_t offset, ngx_str_t *mask);


ngx_int_t
ngx_http_clockodo_mask_body(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx)
{
    off_t         offset;
    ngx_str_t     mask;
    ngx_chain_t  *cl;

    if (ctx->masked) {
        return NGX_OK;
    }

    /* ctx->body may be the request body itself: asterisks in any case */

    mask.len = ctx->event.token_len;
    mask.data = ctx->body.data + ctx->event.token_offset;

    ngx_memset(mask.data, '*', mask.len);

    offset = ctx->event.token_offset;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {

        if (ngx_http_clockodo_mask_buf(r, cl->buf, offset, &mask) != NGX_OK) {
            return NGX_ERROR;
        }

        offset -= ngx_buf_size(cl->buf);
    }

    ctx->masked = 1;

    return NGX_OK;
}


/* offset is that of the token from the buffer's start, on either side */

static ngx_int_t
ngx_http_clockodo_mask_buf(ngx_http_request_t *r, ngx_buf_t *b, off_t offset,
    ngx_str_t *mask)
{
    off_t       start, end;
    ngx_file_t  file;

    start = ngx_max(offset, 0);
    end = ngx_min(offset + (off_t) mask->len, ngx_buf_size(b));

    if (start >= end) {
        return NGX_OK;
    }

    if (ngx_buf_in_memory(b)) {
        ngx_memset(b->pos + start, '*', end - start);
    }

    if (b->in_file) {

        /* a copy, since writing moves the offset that it keeps */

        file = *b->file;

        if (ngx_write_file(&file, mask->data, end - start,
                           b->file_pos + start)
            != end - start)
        {
            ngx_log_error(NGX_LOG_CRIT, r->connection->log, 0,
                          "could not mask the request body in \"%V\"",
                          &b->file->name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_clockodo_masked_body(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_str_t *value)
{
    if (!ngx_http_clockodo_is_authentic(ctx)) {
        ngx_str_set(value, "");
        return NGX_OK;
    }

    if (ctx->masked) {
        *value = ctx->body;
        return NGX_OK;
    }

    if (ctx->masked_body.data == NULL) {

        ctx->masked_body.data = ngx_pstrdup(r->pool, &ctx->body);
        if (ctx->masked_body.data == NULL) {
            return NGX_ERROR;
        }

        ctx->masked_body.len = ctx->body.len;

        ngx_memset(ctx->masked_body.data + ctx->event.token_offset, '*',
                   ctx->event.token_len);
    }

    *value = ctx->masked_body;

    return NGX_OK;
}
