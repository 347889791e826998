
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"

#include <openssl/rand.h>


typedef struct {
    ngx_conf_enum_t  *values;
    char             *expected;
} ngx_http_clockodo_enum_t;


typedef struct {
    ngx_http_phases        phase;
    ngx_http_handler_pt    handler;
} ngx_http_clockodo_handler_t;


static ngx_int_t ngx_http_clockodo_rewrite_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_clockodo_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_clockodo_refused(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);
static ngx_int_t ngx_http_clockodo_read_body(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);
static void ngx_http_clockodo_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_clockodo_parse(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);
static ngx_int_t ngx_http_clockodo_judge(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);
static ngx_http_clockodo_ctx_t *ngx_http_clockodo_create_ctx(
    ngx_http_request_t *r);
static void ngx_http_clockodo_cleanup(void *data);

static void *ngx_http_clockodo_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_clockodo_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_clockodo_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_clockodo_enable(ngx_conf_t *cf,
    ngx_http_clockodo_loc_conf_t *prev, ngx_http_clockodo_loc_conf_t *conf);
static char *ngx_http_clockodo_webhook(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_clockodo_enum(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_clockodo_max_body_size(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_clockodo_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_clockodo_add_handlers(ngx_conf_t *cf);


static ngx_conf_enum_t  ngx_http_clockodo_webhook_values[] = {
    { ngx_string("off"), NGX_HTTP_CLOCKODO_OFF },
    { ngx_string("on"), NGX_HTTP_CLOCKODO_ON },
    { ngx_string("report"), NGX_HTTP_CLOCKODO_REPORT },
    { ngx_null_string, 0 }
};


static ngx_http_clockodo_enum_t  ngx_http_clockodo_webhook_enum = {
    ngx_http_clockodo_webhook_values,
    "\"on\", \"off\" or \"report\""
};


static ngx_conf_enum_t  ngx_http_clockodo_unknown_values[] = {
    { ngx_string("reject"), CLOCKODO_UNKNOWN_REJECT },
    { ngx_string("forward"), CLOCKODO_UNKNOWN_FORWARD },
    { ngx_string("ignore"), CLOCKODO_UNKNOWN_IGNORE },
    { ngx_null_string, 0 }
};


static ngx_http_clockodo_enum_t  ngx_http_clockodo_unknown_enum = {
    ngx_http_clockodo_unknown_values,
    "\"reject\", \"forward\" or \"ignore\""
};


static ngx_command_t  ngx_http_clockodo_commands[] = {

    { ngx_string("clockodo_webhook"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_webhook,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_clockodo_loc_conf_t, webhook),
      &ngx_http_clockodo_webhook_enum },

    { ngx_string("clockodo_token"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_clockodo_token,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_token_file"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_token_file,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_secret_file"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_secret_file,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_events"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_clockodo_events,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_unknown_events"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_enum,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_clockodo_loc_conf_t, unknown_events),
      &ngx_http_clockodo_unknown_enum },

    { ngx_string("clockodo_company"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_clockodo_company,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_max_age"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_max_age,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_max_body_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_max_body_size,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_mask_token"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_clockodo_loc_conf_t, mask_token),
      NULL },

    { ngx_string("clockodo_dedupe"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_clockodo_dedupe,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_clockodo_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_clockodo_handler_t  ngx_http_clockodo_handlers[] = {
    { NGX_HTTP_SERVER_REWRITE_PHASE, ngx_http_clockodo_rewrite_handler },
    { NGX_HTTP_REWRITE_PHASE, ngx_http_clockodo_rewrite_handler },
    { NGX_HTTP_PRECONTENT_PHASE, ngx_http_clockodo_handler },
    { NGX_HTTP_LOG_PHASE, ngx_http_clockodo_log_handler },
    { 0, NULL }
};


static ngx_http_module_t  ngx_http_clockodo_module_ctx = {
    ngx_http_clockodo_add_variables,       /* preconfiguration */
    ngx_http_clockodo_init,                /* postconfiguration */

    ngx_http_clockodo_create_main_conf,    /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_clockodo_create_loc_conf,     /* create location configuration */
    ngx_http_clockodo_merge_loc_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_clockodo_module = {
    NGX_MODULE_V1,
    &ngx_http_clockodo_module_ctx,         /* module context */
    ngx_http_clockodo_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/*
 * Runs in both rewrite phases, before a location does anything: this is where
 * a request comes to that nginx has sent elsewhere, to an error page or by an
 * internal redirect, which has cleared the contexts of modules.
 */

static ngx_int_t
ngx_http_clockodo_rewrite_handler(ngx_http_request_t *r)
{
    ngx_http_clockodo_ctx_t        *ctx;
    ngx_http_clockodo_main_conf_t  *mcf;

    if (r != r->main || ngx_http_get_module_ctx(r, ngx_http_clockodo_module)) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_clockodo_get_module_ctx(r);

    if (ctx) {
        ngx_http_set_ctx(r, ctx, ngx_http_clockodo_module);

        if (ctx->state == NGX_HTTP_CLOCKODO_READING) {
            ngx_http_clockodo_leave_body(r, ctx);

        } else if (!ctx->passed) {
            ctx->state = NGX_HTTP_CLOCKODO_REFUSED;
        }

        ctx->passed = 0;

        return NGX_DECLINED;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_clockodo_module);

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


static ngx_int_t
ngx_http_clockodo_handler(ngx_http_request_t *r)
{
    ngx_http_clockodo_ctx_t       *ctx;
    ngx_http_clockodo_loc_conf_t  *lcf;

    if (r != r->main) {
        return NGX_DECLINED;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_clockodo_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_clockodo_module);

    if (ctx) {
        ctx->passed = 1;
    }

    if (lcf->location == NULL) {
        return NGX_DECLINED;
    }

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "clockodo handler");

    if (ctx && ctx->recording) {

        /* an event of the connection has come here, before it is resumed */

        return NGX_DONE;
    }

    /* where the body has been read just now, this was done before */

    if ((ctx == NULL || ctx->state != NGX_HTTP_CLOCKODO_READ)
        && ngx_http_clockodo_clear_headers(r) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx == NULL) {
        ctx = ngx_http_clockodo_create_ctx(r);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        ctx->passed = 1;
    }

    if (ctx->state == NGX_HTTP_CLOCKODO_UNCHECKED) {

        if (r->error_page || r->err_status >= NGX_HTTP_BAD_REQUEST) {
            ctx->state = NGX_HTTP_CLOCKODO_REFUSED;
            return ngx_http_clockodo_refused(r, lcf, ctx);
        }

        ctx->early_fault = ngx_http_clockodo_check_headers(r, lcf);

        if (ctx->early_fault == CLOCKODO_FAULT_NONE) {
            return ngx_http_clockodo_read_body(r, lcf, ctx);
        }

        ctx->state = NGX_HTTP_CLOCKODO_PARSED;
    }

    if (ctx->state == NGX_HTTP_CLOCKODO_REFUSED) {
        return ngx_http_clockodo_refused(r, lcf, ctx);
    }

    if (ctx->state == NGX_HTTP_CLOCKODO_READ
        && ngx_http_clockodo_parse(r, lcf, ctx) != NGX_OK)
    {
        return lcf->webhook == NGX_HTTP_CLOCKODO_REPORT
               ? NGX_DECLINED : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_clockodo_judge(r, lcf, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_clockodo_act(r, lcf, ctx);
}


/*
 * Refused before there was a whole body, by nginx or by our limit, and sent
 * here for an error page: there is nothing to judge
 */

static ngx_int_t
ngx_http_clockodo_refused(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    if (lcf->webhook == NGX_HTTP_CLOCKODO_REPORT) {
        return NGX_DECLINED;
    }

    if (ctx->status) {
        return ctx->status;
    }

    /* "error_page ... =" has nginx forget the status */

    return r->err_status >= NGX_HTTP_BAD_REQUEST
           ? (ngx_int_t) r->err_status : NGX_HTTP_SERVICE_UNAVAILABLE;
}


static ngx_int_t
ngx_http_clockodo_read_body(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->state = NGX_HTTP_CLOCKODO_READING;
    ctx->bounded = (lcf->webhook == NGX_HTTP_CLOCKODO_ON
                    && r->headers_in.content_length_n == -1);

    rc = ngx_http_read_client_request_body(r, ngx_http_clockodo_body_handler);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ngx_http_finalize_request(r, NGX_DONE);
    return NGX_DONE;
}


static void
ngx_http_clockodo_body_handler(ngx_http_request_t *r)
{
    ngx_http_clockodo_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_clockodo_module);

    if (ctx == NULL || ctx->state != NGX_HTTP_CLOCKODO_READING) {

        /* it was left, yet nginx went on to read: not for us any more */

        return;
    }

    ctx->state = NGX_HTTP_CLOCKODO_READ;

    r->preserve_body = 1;

    r->write_event_handler = ngx_http_core_run_phases;
    ngx_http_core_run_phases(r);
}


static ngx_int_t
ngx_http_clockodo_parse(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    ngx_http_clockodo_main_conf_t  *mcf;

    if (ngx_http_clockodo_load_body(r, lcf, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->early_fault == CLOCKODO_FAULT_NONE) {
        mcf = ngx_http_get_module_main_conf(r, ngx_http_clockodo_module);

        ctx->json_error = clockodo_event_parse(ctx->body.data, ctx->body.len,
                                               mcf->key, &ctx->event,
                                               &ctx->json);

        if (ctx->json_error == CLOCKODO_JSON_NO_MEMORY) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "no memory to parse a clockodo webhook");
            return NGX_ERROR;
        }

        if (ctx->json_error != CLOCKODO_JSON_OK) {
            ctx->early_fault = CLOCKODO_FAULT_MALFORMED_JSON;
        }
    }

    ctx->state = NGX_HTTP_CLOCKODO_PARSED;

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_judge(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    clockodo_fault_e    fault;
    clockodo_verdict_e  verdict;

    if (ctx->status || ctx->recorded) {

        /* rejected or recorded by another location, which is final */

        return NGX_OK;
    }

    fault = ctx->early_fault;
    verdict = CLOCKODO_VERDICT_REJECTED;

    if (fault == CLOCKODO_FAULT_NONE) {
        verdict = clockodo_judge(&ctx->event, &lcf->policy, ngx_time(),
                                 &fault, &ctx->token);
    }

    if (verdict == CLOCKODO_VERDICT_REJECTED) {
        ngx_http_clockodo_reject(r, lcf, ctx, fault);
        return NGX_OK;
    }

    ctx->verdict = verdict;
    ctx->fault = CLOCKODO_FAULT_NONE;
    ctx->location = lcf->location;

    return verdict == CLOCKODO_VERDICT_ACCEPTED
           ? ngx_http_clockodo_claim(r, lcf, ctx) : NGX_OK;
}


static ngx_http_clockodo_ctx_t *
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


/* marks the context, too */

static void
ngx_http_clockodo_cleanup(void *data)
{
    ngx_http_clockodo_ctx_t *ctx = data;

    ngx_http_clockodo_settle(ctx, 0);
}


static void *
ngx_http_clockodo_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_clockodo_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_clockodo_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    if (RAND_bytes((u_char *) &mcf->key, sizeof(mcf->key)) != 1) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "RAND_bytes() failed");
        return NULL;
    }

    if (ngx_array_init(&mcf->locations, cf->pool, 4,
                       sizeof(ngx_http_clockodo_location_t *))
        != NGX_OK)
    {
        return NULL;
    }

    return mcf;
}


static void *
ngx_http_clockodo_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_clockodo_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_clockodo_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->file = NULL;
     *     conf->line = 0;
     *     conf->policy = { 0 };
     *     conf->location = NULL;
     *     conf->status = NULL;
     */

    conf->webhook = NGX_CONF_UNSET_UINT;
    conf->tokens = NGX_CONF_UNSET_PTR;
    conf->secret_file = NGX_CONF_UNSET_PTR;
    conf->patterns = NGX_CONF_UNSET_PTR;
    conf->companies = NGX_CONF_UNSET_PTR;
    conf->unknown_events = NGX_CONF_UNSET_UINT;
    conf->max_age = NGX_CONF_UNSET;
    conf->max_body_size = NGX_CONF_UNSET_SIZE;
    conf->mask_token = NGX_CONF_UNSET;
    conf->dedupe = NGX_CONF_UNSET_UINT;
    conf->dedupe_ttl = NGX_CONF_UNSET_MSEC;
    conf->dedupe_lease = NGX_CONF_UNSET_MSEC;

    return conf;
}


static char *
ngx_http_clockodo_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_clockodo_loc_conf_t *prev = parent;
    ngx_http_clockodo_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_clockodo_main_conf_t  *mcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_clockodo_module);

    if (clcf->recursive_error_pages && clcf->error_pages) {
        mcf->recursive = 1;
    }

    if (clcf->noname) {

        /* an "if" has the content handler of its location */

        conf->status = prev->status;
    }

    if (conf->status && conf->webhook != NGX_CONF_UNSET_UINT
        && conf->webhook != NGX_HTTP_CLOCKODO_OFF)
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"clockodo_status\" and \"clockodo_webhook\" cannot "
                      "be in one location, in %s:%ui",
                      conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    if (conf->file == NULL) {
        conf->file = prev->file;
        conf->line = prev->line;
    }

    ngx_conf_merge_uint_value(conf->webhook, prev->webhook,
                              NGX_HTTP_CLOCKODO_OFF);
    ngx_conf_merge_ptr_value(conf->tokens, prev->tokens, NULL);
    ngx_conf_merge_ptr_value(conf->secret_file, prev->secret_file, NULL);
    ngx_conf_merge_ptr_value(conf->patterns, prev->patterns, NULL);
    ngx_conf_merge_ptr_value(conf->companies, prev->companies, NULL);
    ngx_conf_merge_uint_value(conf->unknown_events, prev->unknown_events,
                              CLOCKODO_UNKNOWN_REJECT);
    ngx_conf_merge_value(conf->max_age, prev->max_age, 0);
    ngx_conf_merge_size_value(conf->max_body_size, prev->max_body_size,
                              16 * 1024);
    ngx_conf_merge_value(conf->mask_token, prev->mask_token, 0);

    if (conf->dedupe == NGX_CONF_UNSET_UINT) {

        /* the parameters belong to it */

        conf->dedupe_ttl = prev->dedupe_ttl;
        conf->dedupe_lease = prev->dedupe_lease;
    }

    ngx_conf_merge_uint_value(conf->dedupe, prev->dedupe,
                              NGX_HTTP_CLOCKODO_DEDUPE_OFF);

    ngx_http_clockodo_set_policy(conf);

    /* a status answers GET: it inherits for locations below it, if any */

    if (conf->webhook == NGX_HTTP_CLOCKODO_OFF || conf->status) {
        return NGX_CONF_OK;
    }

    return ngx_http_clockodo_enable(cf, prev, conf);
}


static char *
ngx_http_clockodo_enable(ngx_conf_t *cf, ngx_http_clockodo_loc_conf_t *prev,
    ngx_http_clockodo_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_clockodo_main_conf_t  *mcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* a server has no name; its own settings may be there to inherit only */

    if (conf->tokens == NULL && clcf->name.len) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no \"clockodo_token\" or \"clockodo_token_file\" is "
                      "defined in location \"%V\" for the "
                      "\"clockodo_webhook\" directive in %s:%ui",
                      &clcf->name, conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    if (clcf->noname) {

        /* "if" and "limit_except" are parts of their location */

        conf->location = prev->location;
        return NGX_CONF_OK;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_clockodo_module);

    conf->location = ngx_http_clockodo_add_location(cf, mcf, conf);

    return conf->location ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_clockodo_webhook(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    lcf->file = cf->conf_file->file.name.data;
    lcf->line = cf->conf_file->line;

    return ngx_http_clockodo_enum(cf, cmd, conf);
}


/* ngx_conf_set_enum_slot() names neither the directive nor its values */

static char *
ngx_http_clockodo_enum(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    ngx_str_t                 *value;
    ngx_uint_t                *np;
    ngx_conf_enum_t           *e;
    ngx_http_clockodo_enum_t  *post;

    np = (ngx_uint_t *) (p + cmd->offset);

    if (*np != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;
    post = cmd->post;

    for (e = post->values; e->name.len; e++) {
        if (e->name.len == value[1].len
            && ngx_strcasecmp(e->name.data, value[1].data) == 0)
        {
            *np = e->value;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"%V\" directive, "
                       "it must be %s",
                       &value[1], &cmd->name, post->expected);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_clockodo_max_body_size(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    ngx_str_t  *value;

    if (lcf->max_body_size != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    value = cf->args->elts;

    lcf->max_body_size = ngx_parse_size(&value[1]);

    if (lcf->max_body_size == (size_t) NGX_ERROR
        || lcf->max_body_size == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" in \"%V\" directive, "
                           "it must be a size such as \"16k\" or \"1m\"",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_clockodo_init(ngx_conf_t *cf)
{
    ngx_http_clockodo_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_clockodo_module);

    if (mcf->locations.nelts == 0 && !mcf->status) {
        return NGX_OK;
    }

    if (ngx_http_clockodo_add_zone(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (mcf->locations.nelts == 0) {
        return NGX_OK;
    }

    if (ngx_http_clockodo_index_variables(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_clockodo_init_headers();
    ngx_http_clockodo_body_filter_init();

    if (mcf->dedupe) {
        ngx_http_clockodo_dedupe_filter_init();
    }

    return ngx_http_clockodo_add_handlers(cf);
}


static ngx_int_t
ngx_http_clockodo_add_handlers(ngx_conf_t *cf)
{
    ngx_http_handler_pt          *h;
    ngx_http_core_main_conf_t    *cmcf;
    ngx_http_clockodo_handler_t  *handler;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    for (handler = ngx_http_clockodo_handlers; handler->handler; handler++) {

        h = ngx_array_push(&cmcf->phases[handler->phase].handlers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = handler->handler;
    }

    return NGX_OK;
}
