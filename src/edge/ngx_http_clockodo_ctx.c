
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


static void ngx_http_clockodo_cleanup(void *data);


ngx_http_clockodo_ctx_t *
ngx_http_clockodo_create_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_clockodo_ctx_t  *ctx;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_clockodo_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    /* but for the event, which clockodo_event_parse() clears */

    ctx = cln->data;
    ngx_memzero(ctx, offsetof(ngx_http_clockodo_ctx_t, event));

    cln->handler = ngx_http_clockodo_cleanup;

    ngx_http_set_ctx(r, ctx, ngx_http_clockodo_module);

    return ctx;
}


ngx_http_clockodo_ctx_t *
ngx_http_clockodo_get_module_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t       *cln;
    ngx_http_clockodo_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_clockodo_module);

    if (ctx == NULL && (r->internal || r->filter_finalize)) {

        /*
         * if module context was reset by an internal redirect,
         * it can still be found in the cleanup handler
         */

        for (cln = r->pool->cleanup; cln; cln = cln->next) {
            if (cln->handler == ngx_http_clockodo_cleanup) {
                return cln->data;
            }
        }
    }

    return ctx;
}


/* does nothing: a context is found by it */

static void
ngx_http_clockodo_cleanup(void *data)
{
}
