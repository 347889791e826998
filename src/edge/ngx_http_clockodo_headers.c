
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"
#include "ngx_http_clockodo_compat.h"


/* value: of an event's header an offset in it, else what to ask for */

typedef struct {
    ngx_str_t   key;
    u_char     *lowcase_key;
    ngx_uint_t  value;
    ngx_uint_t  hash;                      /* of the lowcase_key */
} ngx_http_clockodo_header_t;


static void ngx_http_clockodo_hash_headers(
    ngx_http_clockodo_header_t *header);
static ngx_uint_t ngx_http_clockodo_has_ours(ngx_list_part_t *part);
static ngx_uint_t ngx_http_clockodo_is_ours(ngx_str_t *name);
static ngx_int_t ngx_http_clockodo_add_event_headers(ngx_http_request_t *r,
    clockodo_event_t *event);
static ngx_inline ngx_int_t ngx_http_clockodo_push_header(ngx_http_request_t *r,
    ngx_http_clockodo_header_t *header, u_char *data, size_t len);


static u_char  ngx_http_clockodo_prefix[] = "x-clockodo-";


static ngx_http_clockodo_header_t  ngx_http_clockodo_event_headers[] = {

    { ngx_string("X-Clockodo-Event"), (u_char *) "x-clockodo-event",
      offsetof(clockodo_event_t, event), 0 },

    { ngx_string("X-Clockodo-Entity"), (u_char *) "x-clockodo-entity",
      offsetof(clockodo_event_t, entity), 0 },

    { ngx_string("X-Clockodo-Action"), (u_char *) "x-clockodo-action",
      offsetof(clockodo_event_t, action), 0 },

    { ngx_string("X-Clockodo-Entity-Id"), (u_char *) "x-clockodo-entity-id",
      offsetof(clockodo_event_t, entity_id), 0 },

    { ngx_string("X-Clockodo-Subscription-Id"),
      (u_char *) "x-clockodo-subscription-id",
      offsetof(clockodo_event_t, subscription), 0 },

    { ngx_string("X-Clockodo-Company-Id"), (u_char *) "x-clockodo-company-id",
      offsetof(clockodo_event_t, company), 0 },

    { ngx_string("X-Clockodo-Occurred-At"), (u_char *) "x-clockodo-occurred-at",
      offsetof(clockodo_event_t, occurred_at), 0 },

    { ngx_string("X-Clockodo-Idempotency-Key"),
      (u_char *) "x-clockodo-idempotency-key",
      offsetof(clockodo_event_t, key), 0 },

    { ngx_null_string, NULL, 0, 0 }
};


static ngx_http_clockodo_header_t  ngx_http_clockodo_other_headers[] = {

    { ngx_string("X-Clockodo-Duplicate"), (u_char *) "x-clockodo-duplicate",
      NGX_HTTP_CLOCKODO_DUPLICATE, 0 },

    /* in report mode only */

    { ngx_string("X-Clockodo-Verdict"), (u_char *) "x-clockodo-verdict",
      NGX_HTTP_CLOCKODO_VERDICT, 0 },

    { ngx_string("X-Clockodo-Reason"), (u_char *) "x-clockodo-reason",
      NGX_HTTP_CLOCKODO_REASON, 0 },

    { ngx_null_string, NULL, 0, 0 }
};


void
ngx_http_clockodo_init_headers(void)
{
    ngx_http_clockodo_hash_headers(ngx_http_clockodo_event_headers);
    ngx_http_clockodo_hash_headers(ngx_http_clockodo_other_headers);
}


static void
ngx_http_clockodo_hash_headers(ngx_http_clockodo_header_t *header)
{
    for ( /* void */ ; header->key.len; header++) {
        header->hash = ngx_hash_key(header->lowcase_key, header->key.len);
    }
}


/*
 * Others point to elements of the list, such as headers_in.host: none may
 * move.  So the parts of the list become the runs between ours.
 */

ngx_int_t
ngx_http_clockodo_clear_headers(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_t       *headers;
    ngx_list_part_t  *part, *run, *last, first;
    ngx_table_elt_t  *h;

    headers = &r->headers_in.headers;

    if (!ngx_http_clockodo_has_ours(&headers->part)) {
        return NGX_OK;
    }

    first.elts = headers->part.elts;
    first.nelts = 0;
    first.next = NULL;

    last = NULL;

    for (part = &headers->part; part; part = part->next) {

        h = part->elts;
        run = NULL;

        for (i = 0; i < part->nelts; i++) {

            if (ngx_http_clockodo_is_ours(&h[i].key)) {
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

    headers->part = first;
    headers->last = (last == NULL || last == &first) ? &headers->part : last;

    if (last) {

        /* there may be no room after a run: the next one starts a part */

        headers->nalloc = last->nelts;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_clockodo_has_ours(ngx_list_part_t *part)
{
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    for ( /* void */ ; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_clockodo_is_ours(&h[i].key)) {
                return 1;
            }
        }
    }

    return 0;
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


void
ngx_http_clockodo_set_content_type(ngx_http_request_t *r)
{
    ngx_table_elt_t                *h;
    ngx_http_clockodo_main_conf_t  *mcf;

    h = r->headers_in.content_type;

    if (h == NULL) {

        /* another module has taken it away since */

        return;
    }

    ngx_str_set(&h->value, "application/json");

    mcf = ngx_http_get_module_main_conf(r, ngx_http_clockodo_module);

    ngx_http_clockodo_forget_variable(r, mcf->content_type);
    ngx_http_clockodo_forget_variable(r, mcf->http_content_type);
}


ngx_int_t
ngx_http_clockodo_add_headers(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_uint_t report)
{
    ngx_str_t                    value;
    ngx_list_t                  *headers;
    ngx_http_clockodo_header_t  *header;

    headers = &r->headers_in.headers;

    /* HTTP/0.9 has no headers: nginx has made no list of them */

    if (headers->last == NULL
        && ngx_list_init(headers, r->pool, 4, sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* in report mode a rejected event has no headers but verdict and reason */

    if (ctx->verdict != CLOCKODO_VERDICT_REJECTED
        && ngx_http_clockodo_add_event_headers(r, &ctx->event) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!report && !ctx->duplicate) {
        return NGX_OK;
    }

    for (header = ngx_http_clockodo_other_headers; header->key.len; header++) {

        if (header->value == NGX_HTTP_CLOCKODO_DUPLICATE
            ? ctx->verdict == CLOCKODO_VERDICT_REJECTED
            : !report)
        {
            continue;
        }

        if (ngx_http_clockodo_get_value(r, ctx, header->value, &value)
            != NGX_OK
            || ngx_http_clockodo_push_header(r, header, value.data, value.len)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_add_event_headers(ngx_http_request_t *r,
    clockodo_event_t *event)
{
    clockodo_name_t             *name;
    ngx_http_clockodo_header_t  *header;

    if (event->handshake) {
        return NGX_OK;
    }

    if (event->key.len == 0 && clockodo_event_key(event) != 0) {
        return NGX_ERROR;
    }

    for (header = ngx_http_clockodo_event_headers; header->key.len; header++) {

        name = (clockodo_name_t *) ((u_char *) event + header->value);

        if (ngx_http_clockodo_push_header(r, header, (u_char *) name->data,
                                          name->len)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_inline ngx_int_t
ngx_http_clockodo_push_header(ngx_http_request_t *r,
    ngx_http_clockodo_header_t *header, u_char *data, size_t len)
{
    ngx_list_t       *headers;
    ngx_table_elt_t  *h;

    if (len == 0) {
        return NGX_OK;
    }

    headers = &r->headers_in.headers;

    if (headers->last->nelts < headers->nalloc) {

        /* as ngx_list_push() does, without a call for each */

        h = headers->last->elts;
        h += headers->last->nelts++;

    } else {
        h = ngx_list_push(headers);
        if (h == NULL) {
            return NGX_ERROR;
        }
    }

    h->hash = header->hash;
    h->key = header->key;
    h->value.len = len;
    h->value.data = data;
    h->lowcase_key = header->lowcase_key;
    ngx_http_clockodo_header_init_next(h);

    return NGX_OK;
}
