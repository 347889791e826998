
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_spool.h"


/* time, process id and a number: nobody else's, and nothing of a client's */
#define NGX_HTTP_CLOCKODO_SPOOL_TMP                                           \
    (NGX_TIME_T_LEN + NGX_INT64_LEN + NGX_ATOMIC_T_LEN + sizeof("/...tmp"))

/* of an event without an id: "." and the digits, which come later */
#define NGX_HTTP_CLOCKODO_SPOOL_DIGITS  ".0000000000000000"


/* a request whose event is on its way */

typedef struct {
    ngx_http_request_t              *request;
    ngx_http_clockodo_task_t         task;
    ngx_http_clockodo_spool_file_t   file;
    unsigned                         storing:1;
} ngx_http_clockodo_spool_ctx_t;


static ngx_int_t ngx_http_clockodo_spool_init_file(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_spool_t *spool,
    ngx_http_clockodo_spool_file_t *file);
static void ngx_http_clockodo_spool_run(void *data);
static void ngx_http_clockodo_spool_done(void *data);
static void ngx_http_clockodo_spool_log(ngx_http_request_t *r,
    ngx_http_clockodo_spool_file_t *file);
static void ngx_http_clockodo_spool_end(ngx_http_request_t *r);


ngx_int_t
ngx_http_clockodo_spool_handler(ngx_http_request_t *r)
{
    ngx_http_clockodo_ctx_t             *ctx;
    ngx_http_clockodo_main_conf_t       *mcf;
    ngx_http_clockodo_spool_ctx_t       *sctx;
    ngx_http_clockodo_spool_loc_conf_t  *slcf;

    ctx = ngx_http_clockodo_accepted_ctx(r, "clockodo_spool");
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    slcf = ngx_http_get_module_loc_conf(r, ngx_http_clockodo_spool_module);
    mcf = ngx_http_get_module_main_conf(r, ngx_http_clockodo_module);

    sctx = ngx_pcalloc(r->pool, sizeof(ngx_http_clockodo_spool_ctx_t));
    if (sctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_clockodo_spool_init_file(r, ctx, slcf->spool, &sctx->file)
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    sctx->request = r;
    sctx->task.run = ngx_http_clockodo_spool_run;
    sctx->task.done = ngx_http_clockodo_spool_done;
    sctx->task.data = sctx;

    if (ngx_http_clockodo_post_task(mcf, &sctx->task) != NGX_OK) {
        ngx_http_clockodo_count_spool(ctx->location,
                                      NGX_HTTP_CLOCKODO_SPOOL_FAILED);
        return NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    ngx_http_set_ctx(r, sctx, ngx_http_clockodo_spool_module);

    sctx->storing = 1;

    r->main->count++;
    r->write_event_handler = ngx_http_clockodo_spool_end;
    ngx_http_clockodo_suspend(r);

    return NGX_DONE;
}


static ngx_int_t
ngx_http_clockodo_spool_init_file(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_spool_t *spool,
    ngx_http_clockodo_spool_file_t *file)
{
    u_char     *p;
    ngx_str_t   body, key;

    static ngx_atomic_uint_t  number;

    if (ngx_http_clockodo_masked_body(r, ctx, &body) != NGX_OK
        || ngx_http_clockodo_get_value(r, ctx,
                                       NGX_HTTP_CLOCKODO_IDEMPOTENCY_KEY, &key)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    file->body = body.data;
    file->len = body.len;
    file->new = (char *) spool->new.data;

    p = ngx_pnalloc(r->pool, spool->tmp.len + NGX_HTTP_CLOCKODO_SPOOL_TMP);
    if (p == NULL) {
        return NGX_ERROR;
    }

    file->tmp = (char *) p;

    (void) ngx_sprintf(p, "%V/%T.%P.%uA.tmp%Z", &spool->tmp, ngx_time(),
                       ngx_pid, number++);

    p = ngx_pnalloc(r->pool, key.len
                             + sizeof(NGX_HTTP_CLOCKODO_SPOOL_DIGITS ".json"));
    if (p == NULL) {
        return NGX_ERROR;
    }

    file->name = (char *) p;

    p = ngx_cpymem(p, key.data, key.len);

    if (ctx->event.entity_id.len == 0) {

        /* another one may look the same and yet differ */

        file->random = key.len + 1;
        p = ngx_cpymem(p, NGX_HTTP_CLOCKODO_SPOOL_DIGITS,
                       sizeof(NGX_HTTP_CLOCKODO_SPOOL_DIGITS) - 1);
    }

    ngx_memcpy(p, ".json", sizeof(".json"));

    return NGX_OK;
}


static void
ngx_http_clockodo_spool_run(void *data)
{
    ngx_http_clockodo_spool_ctx_t *sctx = data;

    ngx_http_clockodo_spool_store(&sctx->file);
}


static void
ngx_http_clockodo_spool_done(void *data)
{
    ngx_http_clockodo_spool_ctx_t *sctx = data;

    ngx_http_request_t       *r;
    ngx_http_clockodo_ctx_t  *ctx;

    r = sctx->request;
    ctx = ngx_http_clockodo_get_module_ctx(r);

    switch (sctx->file.result) {

    case NGX_HTTP_CLOCKODO_SPOOL_STORED:
        ctx->stored = 1;
        break;

    case NGX_HTTP_CLOCKODO_SPOOL_DUPLICATE:
        ctx->stored = 1;
        ctx->verdict = CLOCKODO_VERDICT_DUPLICATE;
        break;

    default: /* NGX_HTTP_CLOCKODO_SPOOL_FAILED */
        ngx_http_clockodo_spool_log(r, &sctx->file);
        break;
    }

    ngx_http_clockodo_count_spool(ctx->location, sctx->file.result);

    sctx->storing = 0;
    ngx_http_clockodo_resume(r);
}


static void
ngx_http_clockodo_spool_log(ngx_http_request_t *r,
    ngx_http_clockodo_spool_file_t *file)
{
    ngx_log_error(NGX_LOG_ERR, r->connection->log, file->err,
                  "the event was not stored in \"clockodo_spool\": "
                  "%s \"%s\" failed", file->failed, file->path);
}


/* the request's write handler until it is known how that went */

static void
ngx_http_clockodo_spool_end(ngx_http_request_t *r)
{
    ngx_http_clockodo_spool_ctx_t  *sctx;

    sctx = ngx_http_get_module_ctx(r, ngx_http_clockodo_spool_module);

    if (sctx->storing) {

        /* an event of the connection */

        return;
    }

    if (sctx->file.result == NGX_HTTP_CLOCKODO_SPOOL_FAILED) {
        ngx_http_finalize_request(r, NGX_HTTP_SERVICE_UNAVAILABLE);
        return;
    }

    /* not that of the application, which "error_page" has led here from */

    r->err_status = 0;

    (void) ngx_http_clockodo_reply(r);
}
