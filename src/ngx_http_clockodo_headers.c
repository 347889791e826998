
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"
#include "ngx_http_clockodo_compat.h"


typedef struct {
    ngx_str_t                  key;
    u_char                    *lowcase_key;
    ngx_http_clockodo_value_e  value;
    ngx_uint_t                 report;     /* in report mode only */
} ngx_http_clockodo_header_t;


static ngx_uint_t ngx_http_clockodo_is_ours(ngx_str_t *name);


static u_char  ngx_http_clockodo_prefix[] = "x-clockodo-";

static ngx_http_clockodo_header_t  ngx_http_clockodo_headers[] = {

    { ngx_string("X-Clockodo-Event"), (u_char *) "x-clockodo-event",
      NGX_HTTP_CLOCKODO_EVENT, 0 },

    { ngx_string("X-Clockodo-Entity"), (u_char *) "x-clockodo-entity",
      NGX_HTTP_CLOCKODO_ENTITY, 0 },

    { ngx_string("X-Clockodo-Action"), (u_char *) "x-clockodo-action",
      NGX_HTTP_CLOCKODO_ACTION, 0 },

    { ngx_string("X-Clockodo-Entity-Id"), (u_char *) "x-clockodo-entity-id",
      NGX_HTTP_CLOCKODO_ENTITY_ID, 0 },

    { ngx_string("X-Clockodo-Subscription-Id"),
      (u_char *) "x-clockodo-subscription-id",
      NGX_HTTP_CLOCKODO_SUBSCRIPTION_ID, 0 },

    { ngx_string("X-Clockodo-Company-Id"),
      (u_char *) "x-clockodo-company-id",
      NGX_HTTP_CLOCKODO_COMPANY_ID, 0 },

    { ngx_string("X-Clockodo-Occurred-At"),
      (u_char *) "x-clockodo-occurred-at",
      NGX_HTTP_CLOCKODO_OCCURRED_AT, 0 },

    { ngx_string("X-Clockodo-Idempotency-Key"),
      (u_char *) "x-clockodo-idempotency-key",
      NGX_HTTP_CLOCKODO_IDEMPOTENCY_KEY, 0 },

    { ngx_string("X-Clockodo-Duplicate"), (u_char *) "x-clockodo-duplicate",
      NGX_HTTP_CLOCKODO_DUPLICATE, 0 },

    { ngx_string("X-Clockodo-Verdict"), (u_char *) "x-clockodo-verdict",
      NGX_HTTP_CLOCKODO_VERDICT, 1 },

    { ngx_string("X-Clockodo-Reason"), (u_char *) "x-clockodo-reason",
      NGX_HTTP_CLOCKODO_REASON, 1 },

    { ngx_null_string, NULL, 0, 0 }
};


/*
 * Others point to elements of the list, such as headers_in.host: none may
 * move.  So the parts of the list become the runs between ours.
 */

ngx_int_t
ngx_http_clockodo_clear_headers(ngx_http_request_t *r)
{
    ngx_uint_t        i, found;
    ngx_list_t       *headers;
    ngx_list_part_t  *part, *run, *last, first;
    ngx_table_elt_t  *h;

    headers = &r->headers_in.headers;

    first.elts = headers->part.elts;
    first.nelts = 0;
    first.next = NULL;

    last = NULL;
    found = 0;

    for (part = &headers->part; part; part = part->next) {

        h = part->elts;
        run = NULL;

        for (i = 0; i < part->nelts; i++) {

            if (ngx_http_clockodo_is_ours(&h[i].key)) {
                found = 1;
                run = NULL;
                continue;
            }

            if (run) {
                run->nelts++;
                continue;
            }

            run = last ? ngx_palloc(r->pool, sizeof(ngx_list_part_t)) : &first;
            if (run == NULL) {
                return NGX_ERROR;
            }

            run->elts = &h[i];
            run->nelts = 1;
            run->next = NULL;

            if (last) {
                last->next = run;
            }

            last = run;
        }
    }

    if (!found) {
        return NGX_OK;
    }

    headers->part = first;
    headers->last = (last == NULL || last == &first) ? &headers->part : last;

    if (last) {

        /* there may be no room after a run: the next one starts a part */

        headers->nalloc = last->nelts;
    }

    return NGX_OK;
}


/* RFC 3875, section 4.1.18, and its kin make "_" of what is no letter */

static ngx_uint_t
ngx_http_clockodo_is_ours(ngx_str_t *name)
{
    u_char      c;
    ngx_uint_t  i;

    if (name->len < sizeof(ngx_http_clockodo_prefix) - 1) {
        return 0;
    }

    for (i = 0; i < sizeof(ngx_http_clockodo_prefix) - 1; i++) {
        c = ngx_tolower(name->data[i]);

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) {
            c = '-';
        }

        if (c != ngx_http_clockodo_prefix[i]) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ngx_http_clockodo_add_headers(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_uint_t report)
{
    ngx_str_t                    value;
    ngx_list_t                  *headers;
    ngx_table_elt_t             *h;
    ngx_http_clockodo_header_t  *header;

    headers = &r->headers_in.headers;

    /* HTTP/0.9 has no headers: nginx has made no list of them */

    if (headers->last == NULL
        && ngx_list_init(headers, r->pool, 4, sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (header = ngx_http_clockodo_headers; header->key.len; header++) {

        /* in report mode a rejected event has no headers but these */

        if (header->report
            ? !report
            : ctx->verdict == CLOCKODO_VERDICT_REJECTED)
        {
            continue;
        }

        if (ngx_http_clockodo_get_value(r, ctx, header->value, &value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (value.len == 0) {
            continue;
        }

        h = ngx_list_push(headers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        h->key = header->key;
        h->lowcase_key = header->lowcase_key;
        h->hash = ngx_hash_key(header->lowcase_key, header->key.len);
        h->value = value;
        ngx_http_clockodo_header_init_next(h);
    }

    return NGX_OK;
}
