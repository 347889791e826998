
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


static ngx_int_t ngx_http_clockodo_forward(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);
static ngx_int_t ngx_http_clockodo_note_asked(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);
static ngx_uint_t ngx_http_clockodo_shown(ngx_http_clockodo_loc_conf_t *lcf,
    ngx_http_clockodo_ctx_t *ctx);
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
        return ctx->status ? ctx->status
                           : ngx_http_clockodo_forward(r, lcf, ctx);
    }
}


static ngx_int_t
ngx_http_clockodo_forward(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    if (lcf->mask_token
        && ngx_http_clockodo_is_authentic(ctx)
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

    if (lcf->webhook != NGX_HTTP_CLOCKODO_REPORT) {
        ngx_http_clockodo_set_content_type(r);
    }

    if (ngx_http_clockodo_add_headers(r, ctx,
                                      ngx_http_clockodo_shown(lcf, ctx))
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->authenticated = (lcf->webhook == NGX_HTTP_CLOCKODO_AUTHENTICATE);

    return ngx_http_clockodo_note_asked(r, lcf, ctx) == NGX_OK
           ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
}


/*
 * Notes who is about to ask an upstream: if another location has asked before,
 * and error_page has led here, that outcome stays the other one's.
 */

static ngx_int_t
ngx_http_clockodo_note_asked(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    ngx_uint_t                  n;
    ngx_http_clockodo_asked_t  *before;

    n = r->upstream_states ? r->upstream_states->nelts : 0;

    if (ctx->asked.location && n > ctx->asked.nstates) {

        before = ngx_palloc(r->pool, sizeof(ngx_http_clockodo_asked_t));
        if (before == NULL) {
            return NGX_ERROR;
        }

        *before = ctx->asked;
        ctx->asked.next = before;
    }

    ctx->asked.location = lcf->location;
    ctx->asked.nstates = n;
    ctx->asked.accepted = (ctx->verdict == CLOCKODO_VERDICT_ACCEPTED);

    return NGX_OK;
}


/* the verdict goes along wherever it may be another one than "accepted" */

static ngx_uint_t
ngx_http_clockodo_shown(ngx_http_clockodo_loc_conf_t *lcf,
    ngx_http_clockodo_ctx_t *ctx)
{
    ngx_uint_t  show;

    show = 0;

    if (lcf->webhook != NGX_HTTP_CLOCKODO_REPORT
        || ctx->verdict != CLOCKODO_VERDICT_REJECTED)
    {
        show |= NGX_HTTP_CLOCKODO_SHOW_EVENT;
    }

    if (lcf->webhook == NGX_HTTP_CLOCKODO_REPORT
        || ctx->verdict != CLOCKODO_VERDICT_ACCEPTED)
    {
        show |= NGX_HTTP_CLOCKODO_SHOW_VERDICT;
    }

    if (ctx->has_signature) {
        show |= NGX_HTTP_CLOCKODO_SHOW_SIGNATURE;
    }

    return show;
}


static ngx_int_t
ngx_http_clockodo_handshake(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (lcf->secret_file) {
        rc = ngx_http_clockodo_record_secret(r, lcf->secret_file, ctx);

        if (rc == NGX_DONE) {
            return NGX_DONE;
        }

        if (rc == NGX_ERROR) {
            ngx_http_clockodo_reject(r, lcf, ctx, ctx->unrecorded);
            return ctx->status;
        }
    }

    if (lcf->secret_forward) {
        return ngx_http_clockodo_forward(r, lcf, ctx);
    }

    /* another location may have forwarded it, in vain */

    return ctx->recorded ? ngx_http_clockodo_reply(r)
                         : NGX_HTTP_SERVICE_UNAVAILABLE;
}
