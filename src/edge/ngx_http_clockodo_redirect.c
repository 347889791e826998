
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


/*
 * Before a location does anything: this is where a request comes to that
 * nginx has sent elsewhere, to an error page or by an internal redirect, which
 * has cleared the contexts of modules.
 */

ngx_int_t
ngx_http_clockodo_restore_ctx(ngx_http_request_t *r,
    ngx_http_clockodo_main_conf_t *mcf)
{
    ngx_http_clockodo_ctx_t  *ctx;

    if (r != r->main || ngx_http_get_module_ctx(r, ngx_http_clockodo_module)) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_clockodo_get_module_ctx(r);

    if (ctx) {
        ngx_http_set_ctx(r, ctx, ngx_http_clockodo_module);

        if (ctx->state == NGX_HTTP_CLOCKODO_READING) {
            ngx_http_clockodo_leave_body(r, ctx);

        } else if (ctx->state == NGX_HTTP_CLOCKODO_UNCHECKED && !ctx->passed) {
            ctx->state = NGX_HTTP_CLOCKODO_REFUSED;
        }

        ctx->passed = 0;

        return NGX_DECLINED;
    }

    if (!mcf->recursive) {
        return NGX_DECLINED;
    }

    /*
     * "error_page ... =" and "recursive_error_pages on" leave no trace in the
     * request of what was refused: that it did not get to our handler is one
     */

    ctx = ngx_http_clockodo_create_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (r->internal) {
        ctx->state = NGX_HTTP_CLOCKODO_REFUSED;
    }

    return NGX_DECLINED;
}
