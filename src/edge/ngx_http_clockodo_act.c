
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


static ngx_int_t ngx_http_clockodo_forward(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);
static ngx_int_t ngx_http_clockodo_handshake(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);


ngx_int_t
ngx_http_clockodo_act(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    if (lcf->webhook == NGX_HTTP_CLOCKODO_REPORT) {
        return ngx_http_clockodo_forward(r, lcf, ctx);
    }

    if (ctx->verdict == CLOCKODO_VERDICT_ACCEPTED) {
        return ngx_http_clockodo_forward(r, lcf, ctx);
    }

    /* one that another location has accepted ends here, and is not taken */

    ngx_http_clockodo_release(ctx);

    switch (ctx->verdict) {

    case CLOCKODO_VERDICT_HANDSHAKE:
        return ngx_http_clockodo_handshake(r, lcf, ctx);

    case CLOCKODO_VERDICT_FILTERED:
    case CLOCKODO_VERDICT_DUPLICATE:
        return ngx_http_clockodo_reply(r);

    default: /* CLOCKODO_VERDICT_REJECTED */
        return ctx->status;
    }
}


static ngx_int_t
ngx_http_clockodo_forward(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    ngx_uint_t  show;

    if (lcf->mask_token
        && ngx_http_clockodo_is_event(ctx)
        && ngx_http_clockodo_mask_body(r, ctx) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (lcf->sign_keys
        && ctx->verdict == CLOCKODO_VERDICT_ACCEPTED
        && ngx_http_clockodo_sign(r, lcf, ctx) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (lcf->webhook == NGX_HTTP_CLOCKODO_ON) {
        ngx_http_clockodo_set_content_type(r);
        show = NGX_HTTP_CLOCKODO_SHOW_EVENT;

    } else {
        show = NGX_HTTP_CLOCKODO_SHOW_VERDICT;

        if (ctx->verdict != CLOCKODO_VERDICT_REJECTED) {
            show |= NGX_HTTP_CLOCKODO_SHOW_EVENT;
        }
    }

    if (ctx->has_signature) {
        show |= NGX_HTTP_CLOCKODO_SHOW_SIGNATURE;
    }

    if (ngx_http_clockodo_add_headers(r, ctx, show) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->forwarded = 1;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_clockodo_handshake(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    switch (ngx_http_clockodo_record_secret(r, lcf->secret_file, ctx)) {

    case NGX_OK:
        return ngx_http_clockodo_reply(r);

    case NGX_DONE:
        return NGX_DONE;

    default: /* NGX_ERROR */
        ngx_http_clockodo_reject(r, lcf, ctx, ctx->unrecorded);
        return ctx->status;
    }
}
