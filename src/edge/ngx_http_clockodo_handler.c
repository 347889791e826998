
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"

#include "clockodo_media_type.h"


/* how often it is told of events that are not documented, in seconds */
#define NGX_HTTP_CLOCKODO_UNKNOWN_TOLD  3600


static void ngx_http_clockodo_check(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);
static void ngx_http_clockodo_check_refused(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx);
static ngx_int_t ngx_http_clockodo_refused(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);
static clockodo_fault_e ngx_http_clockodo_check_headers(
    ngx_http_request_t *r, ngx_http_clockodo_loc_conf_t *lcf);
static ngx_uint_t ngx_http_clockodo_is_encoded(ngx_table_elt_t *h);
static ngx_uint_t ngx_http_clockodo_header_is(ngx_table_elt_t *h,
    ngx_str_t *name);
static ngx_int_t ngx_http_clockodo_read_body(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);
static void ngx_http_clockodo_body_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_clockodo_parse(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);
static ngx_int_t ngx_http_clockodo_judge(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);
static ngx_uint_t ngx_http_clockodo_failed(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);
static void ngx_http_clockodo_tell_unknown(ngx_http_request_t *r,
    clockodo_event_t *event);


static ngx_str_t  ngx_http_clockodo_content_type = ngx_string("content-type");
static ngx_str_t  ngx_http_clockodo_content_encoding =
    ngx_string("content-encoding");


ngx_int_t
ngx_http_clockodo_rewrite_handler(ngx_http_request_t *r)
{
    ngx_http_clockodo_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_clockodo_module);

    if (!r->internal && !mcf->recursive) {
        return NGX_DECLINED;
    }

    return ngx_http_clockodo_restore_ctx(r, mcf);
}


ngx_int_t
ngx_http_clockodo_handler(ngx_http_request_t *r)
{
    ngx_http_clockodo_ctx_t       *ctx;
    ngx_http_clockodo_loc_conf_t  *lcf;

    if (r != r->main) {
        return NGX_DECLINED;
    }

    lcf = ngx_http_get_module_loc_conf(r, ngx_http_clockodo_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_clockodo_module);

    if (lcf->location == NULL) {

        if (ctx) {
            ctx->passed = 1;
        }

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
        && ngx_http_clockodo_clear_headers(r, lcf->sign_keys
                                              || (ctx && ctx->signature))
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx == NULL) {
        ctx = ngx_http_clockodo_create_ctx(r);
        if (ctx == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    if (ctx->state == NGX_HTTP_CLOCKODO_UNCHECKED) {
        ngx_http_clockodo_check(r, lcf, ctx);

        if (ctx->state == NGX_HTTP_CLOCKODO_UNCHECKED) {
            return ngx_http_clockodo_read_body(r, lcf, ctx);
        }
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


/* what is found before the body is read; if nothing, the state stays */

static void
ngx_http_clockodo_check(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    ngx_http_clockodo_check_refused(r, ctx);

    if (ctx->state == NGX_HTTP_CLOCKODO_REFUSED) {
        return;
    }

    ctx->early_fault = ngx_http_clockodo_check_headers(r, lcf);

    if (ctx->early_fault) {
        ctx->state = NGX_HTTP_CLOCKODO_PARSED;
    }
}


/* whether nginx has refused a request before it came to us */

static void
ngx_http_clockodo_check_refused(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx)
{
    ngx_http_request_body_t  *rb;

    rb = r->request_body;

    if (rb && (rb->rest > 0 || (rb->rest == 0 && rb->buf && !rb->last_saved))) {

        /* a part of the body is there, from where the module is off */

        ngx_http_clockodo_leave_body(r, ctx);
        return;
    }

    if (r->error_page || r->err_status >= NGX_HTTP_BAD_REQUEST) {
        ctx->state = NGX_HTTP_CLOCKODO_REFUSED;
    }
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

        /* of our own refusal the application learns why */

        return ctx->status ? ngx_http_clockodo_act(r, lcf, ctx) : NGX_DECLINED;
    }

    if (ctx->status) {
        return ctx->status;
    }

    /* "error_page ... =" has nginx forget the status */

    return r->err_status >= NGX_HTTP_BAD_REQUEST
           ? (ngx_int_t) r->err_status : NGX_HTTP_SERVICE_UNAVAILABLE;
}


/* all that can be found before the body is read, in the documented order */

static clockodo_fault_e
ngx_http_clockodo_check_headers(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf)
{
    ngx_str_t        *type;
    ngx_uint_t        i, types, encoded;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    if (r->method != NGX_HTTP_POST) {
        return CLOCKODO_FAULT_METHOD;
    }

    type = NULL;
    types = 0;
    encoded = 0;

    /* not headers_in.content_type: nginx takes the first of several */

    for (part = &r->headers_in.headers.part; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (ngx_http_clockodo_header_is(&h[i],
                                            &ngx_http_clockodo_content_type))
            {
                type = &h[i].value;
                types++;

            } else if (ngx_http_clockodo_is_encoded(&h[i])) {
                encoded = 1;
            }
        }
    }

    if (types != 1) {
        return types ? CLOCKODO_FAULT_CONTENT_TYPE_REPEATED
                     : CLOCKODO_FAULT_CONTENT_TYPE_MISSING;
    }

    if (!clockodo_media_type_is_json(type->data, type->len)) {
        return CLOCKODO_FAULT_CONTENT_TYPE;
    }

    if (encoded) {
        return CLOCKODO_FAULT_CONTENT_ENCODING;
    }

    if (r->headers_in.chunked) {

        /* content_length_n then counts what has been read so far */

        return CLOCKODO_FAULT_NONE;
    }

    return r->headers_in.content_length_n > (off_t) lcf->max_body_size
           ? CLOCKODO_FAULT_CONTENT_LENGTH : CLOCKODO_FAULT_NONE;
}


static ngx_uint_t
ngx_http_clockodo_is_encoded(ngx_table_elt_t *h)
{
    return ngx_http_clockodo_header_is(h, &ngx_http_clockodo_content_encoding)
           && (h->value.len != sizeof("identity") - 1
               || ngx_strncasecmp(h->value.data, (u_char *) "identity",
                                  sizeof("identity") - 1)
                  != 0);
}


static ngx_uint_t
ngx_http_clockodo_header_is(ngx_table_elt_t *h, ngx_str_t *name)
{
    return h->hash
           && h->key.len == name->len
           && ngx_strncmp(h->lowcase_key, name->data, name->len) == 0;
}


static ngx_int_t
ngx_http_clockodo_read_body(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->state = NGX_HTTP_CLOCKODO_READING;
    ctx->bounded = (lcf->webhook != NGX_HTTP_CLOCKODO_REPORT
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

        /* not tested: no nginx is known that reads on what was left */
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
    clockodo_json_e                 error;
    ngx_http_clockodo_main_conf_t  *mcf;

    if (ngx_http_clockodo_load_body(r, lcf, ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->early_fault == CLOCKODO_FAULT_NONE) {
        mcf = ngx_http_get_module_main_conf(r, ngx_http_clockodo_module);

        error = clockodo_event_parse(ctx->body.data, ctx->body.len, mcf->key,
                                     &ctx->event, &ctx->json_error);

        if (error == CLOCKODO_JSON_NO_MEMORY) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "no memory to parse a clockodo webhook");
            return NGX_ERROR;
        }

        if (error != CLOCKODO_JSON_OK) {
            ctx->early_fault = CLOCKODO_FAULT_MALFORMED_JSON;
        }
    }

    ctx->state = NGX_HTTP_CLOCKODO_PARSED;

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "clockodo parsed: %uz bytes, fault: %ui",
                   ctx->body.len, (ngx_uint_t) ctx->early_fault);

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_judge(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    clockodo_fault_e    fault;
    clockodo_verdict_e  verdict;

    ctx->has_signature = 0;

    if (ctx->status
        || ctx->recorded
        || (ctx->asked.location && ctx->verdict == CLOCKODO_VERDICT_HANDSHAKE))
    {
        /* rejected, recorded or forwarded by another location: final */

        return NGX_OK;
    }

    if (ngx_http_clockodo_failed(r, lcf, ctx)) {
        ctx->status = NGX_HTTP_SERVICE_UNAVAILABLE;
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

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "clockodo verdict: %s, token: %uz",
                   clockodo_verdicts[verdict].data, ctx->token);

    if (verdict != CLOCKODO_VERDICT_ACCEPTED) {
        return NGX_OK;
    }

    if (ctx->event.type == NULL) {
        ngx_http_clockodo_tell_unknown(r, &ctx->event);
    }

    return ngx_http_clockodo_claim(r, lcf, ctx);
}


/*
 * An event that was forwarded although a check had failed comes here when the
 * application did not take it: a refusal now would be one for good
 */

static ngx_uint_t
ngx_http_clockodo_failed(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    return ctx->authenticated
           && ctx->verdict == CLOCKODO_VERDICT_REJECTED
           && lcf->webhook != NGX_HTTP_CLOCKODO_REPORT
           && (r->error_page || r->err_status || r->upstream_states);
}


/* once an hour, by a name that has been checked: [a-z0-9_.] */

static void
ngx_http_clockodo_tell_unknown(ngx_http_request_t *r, clockodo_event_t *event)
{
    ngx_http_clockodo_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_clockodo_module);

    if (ngx_http_clockodo_once(&mcf->zone.sh->unknown,
                               NGX_HTTP_CLOCKODO_UNKNOWN_TOLD))
    {
        ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                      "clockodo event \"%*s\" is not documented, it is "
                      "forwarded; this is said once an hour at most",
                      event->event.len, event->event.data);
    }
}
