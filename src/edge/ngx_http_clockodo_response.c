
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"
#include "ngx_http_clockodo_compat.h"


typedef struct {
    ngx_int_t   status;
    char       *key;
    char       *value;
} ngx_http_clockodo_status_header_t;


static ngx_uint_t ngx_http_clockodo_enforces(
    ngx_http_clockodo_loc_conf_t *lcf, clockodo_fault_e fault);
static void ngx_http_clockodo_log_fault(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx);


/* what a client is told besides the status: RFC 9110, 15.5.6 and 10.2.3 */

static ngx_http_clockodo_status_header_t  ngx_http_clockodo_status_headers[] = {
    { NGX_HTTP_NOT_ALLOWED, "Allow", "POST" },
    { NGX_HTTP_CONFLICT, "Retry-After", "1" },
    { 0, NULL, NULL }
};


/* the one place where a request is refused, or where that is only noted */

void
ngx_http_clockodo_reject(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx,
    clockodo_fault_e fault)
{
    ngx_http_clockodo_status_header_t  *header;

    ctx->verdict = CLOCKODO_VERDICT_REJECTED;
    ctx->fault = fault;
    ctx->location = lcf->location;

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "clockodo verdict: rejected, reason: %s",
                   clockodo_reasons[clockodo_faults[fault].reason].data);

    if (!ngx_http_clockodo_enforces(lcf, fault)) {

        /* several locations can come to the same */

        if (ctx->reported != fault) {
            ctx->reported = fault;
            ngx_http_clockodo_log_fault(r, lcf, ctx);
        }

        return;
    }

    ngx_http_clockodo_log_fault(r, lcf, ctx);

    ctx->status = clockodo_faults[fault].status;

    for (header = ngx_http_clockodo_status_headers; header->key; header++) {

        if (header->status == ctx->status
            && ngx_http_clockodo_add_header(r, header->key, header->value)
               != NGX_OK)
        {
            ctx->status = NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }
}


/* what comes after the token is only reported by "authenticate" */

static ngx_uint_t
ngx_http_clockodo_enforces(ngx_http_clockodo_loc_conf_t *lcf,
    clockodo_fault_e fault)
{
    clockodo_reason_e  reason;

    reason = clockodo_faults[fault].reason;

    switch (lcf->webhook) {

    case NGX_HTTP_CLOCKODO_REPORT:
        return 0;

    case NGX_HTTP_CLOCKODO_AUTHENTICATE:
        return reason < CLOCKODO_REASON_ENVELOPE
               || reason > CLOCKODO_REASON_STALE;

    default: /* NGX_HTTP_CLOCKODO_ON */
        return 1;
    }
}


static void
ngx_http_clockodo_log_fault(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    char                    *outcome, *forwarded;
    const char              *reason;
    const clockodo_fault_t  *fault;

    fault = &clockodo_faults[ctx->fault];
    reason = clockodo_reasons[fault->reason].data;

    outcome = "rejected";
    forwarded = "";

    if (lcf->webhook == NGX_HTTP_CLOCKODO_REPORT) {
        outcome = "would be rejected";

    } else if (!ngx_http_clockodo_enforces(lcf, ctx->fault)) {
        forwarded = ", forwarded";
    }

    if (ctx->fault == CLOCKODO_FAULT_MALFORMED_JSON) {
        ngx_log_error(lcf->log_level, r->connection->log, 0,
                      "clockodo webhook %s (%s): byte %uz: %s",
                      outcome, reason, ctx->json_error.offset,
                      clockodo_json_errors[ctx->json_error.code]);
        return;
    }

    ngx_log_error(lcf->log_level, r->connection->log, 0,
                  "clockodo webhook %s (%s): %s%s",
                  outcome, reason, fault->text, forwarded);
}


ngx_int_t
ngx_http_clockodo_reply(ngx_http_request_t *r)
{
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = 0;
    r->header_only = 1;

    ngx_http_finalize_request(r, ngx_http_send_header(r));

    return NGX_DONE;
}


ngx_int_t
ngx_http_clockodo_add_header(ngx_http_request_t *r, char *key, char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
    h->key.len = ngx_strlen(key);
    h->key.data = (u_char *) key;
    h->value.len = ngx_strlen(value);
    h->value.data = (u_char *) value;
    ngx_http_clockodo_header_init_next(h);

    return NGX_OK;
}
