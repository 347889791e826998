
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"
#include "ngx_http_clockodo_compat.h"


static ngx_int_t ngx_http_clockodo_index_headers(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf);
static ngx_uint_t ngx_http_clockodo_has_ours(ngx_list_part_t *part,
    ngx_uint_t signature);
static ngx_inline ngx_uint_t ngx_http_clockodo_is_ours(ngx_str_t *name,
    ngx_uint_t signature);
static ngx_uint_t ngx_http_clockodo_starts_with(ngx_str_t *name,
    u_char *start, size_t len);
static ngx_inline ngx_int_t ngx_http_clockodo_push_header(
    ngx_http_request_t *r, ngx_http_clockodo_value_t *v, ngx_str_t *value);


static u_char  ngx_http_clockodo_prefix[] = "x-clockodo-";


ngx_int_t
ngx_http_clockodo_init_headers(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf)
{
    ngx_uint_t                  i;
    ngx_http_clockodo_value_t  *v;

    for (i = 0; i < NGX_HTTP_CLOCKODO_VALUES; i++) {
        v = &ngx_http_clockodo_values[i];
        v->hash = ngx_hash_key(v->lowcase_key, v->header.len);
    }

    return ngx_http_clockodo_index_headers(cf, mcf);
}


/* nginx keeps what a client's header was, for whoever asks by a variable */

static ngx_int_t
ngx_http_clockodo_index_headers(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf)
{
    ngx_int_t                  *index;
    ngx_str_t                   name;
    ngx_uint_t                  i;
    ngx_http_variable_t        *v;
    ngx_http_core_main_conf_t  *cmcf;

    if (ngx_array_init(&mcf->http_headers, cf->pool, 1, sizeof(ngx_int_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
    v = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {

        if (v[i].name.len <= 5
            || ngx_strncmp(v[i].name.data, "http_", 5) != 0)
        {
            continue;
        }

        name.data = v[i].name.data + 5;
        name.len = v[i].name.len - 5;

        if (!ngx_http_clockodo_is_ours(&name, 1)) {
            continue;
        }

        index = ngx_array_push(&mcf->http_headers);
        if (index == NULL) {
            return NGX_ERROR;
        }

        *index = i;
    }

    return NGX_OK;
}


/*
 * Others point to elements of the list, such as headers_in.host: none may
 * move.  So the parts of the list become the runs between ours.
 */

ngx_int_t
ngx_http_clockodo_clear_headers(ngx_http_request_t *r, ngx_uint_t signature)
{
    ngx_int_t                      *index;
    ngx_uint_t                      i;
    ngx_list_t                     *headers;
    ngx_list_part_t                *part, *run, *last, first;
    ngx_table_elt_t                *h;
    ngx_http_clockodo_main_conf_t  *mcf;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_clockodo_module);
    index = mcf->http_headers.elts;

    for (i = 0; i < mcf->http_headers.nelts; i++) {
        ngx_http_clockodo_forget_variable(r, index[i]);
    }

    headers = &r->headers_in.headers;

    if (!ngx_http_clockodo_has_ours(&headers->part, signature)) {
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

            if (ngx_http_clockodo_is_ours(&h[i].key, signature)) {
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
ngx_http_clockodo_has_ours(ngx_list_part_t *part, ngx_uint_t signature)
{
    ngx_uint_t        i;
    ngx_table_elt_t  *h;

    for ( /* void */ ; part; part = part->next) {

        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (ngx_http_clockodo_is_ours(&h[i].key, signature)) {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_inline ngx_uint_t
ngx_http_clockodo_is_ours(ngx_str_t *name, ngx_uint_t signature)
{
    ngx_uint_t                  i;
    ngx_http_clockodo_value_t  *v;

    if (ngx_http_clockodo_starts_with(name, ngx_http_clockodo_prefix,
                                      sizeof(ngx_http_clockodo_prefix) - 1))
    {
        return 1;
    }

    if (!signature) {
        return 0;
    }

    for (i = NGX_HTTP_CLOCKODO_WEBHOOK_ID;
         i <= NGX_HTTP_CLOCKODO_WEBHOOK_SIGNATURE;
         i++)
    {
        v = &ngx_http_clockodo_values[i];

        if (name->len == v->header.len
            && ngx_http_clockodo_starts_with(name, v->lowcase_key, name->len))
        {
            return 1;
        }
    }

    return 0;
}


/* RFC 3875, section 4.1.18, and its kin make "_" of what is no letter */

static ngx_uint_t
ngx_http_clockodo_starts_with(ngx_str_t *name, u_char *start, size_t len)
{
    u_char      c;
    ngx_uint_t  i;

    if (name->len < len) {
        return 0;
    }

    for (i = 0; i < len; i++) {
        c = ngx_tolower(name->data[i]);

        if ((c < 'a' || c > 'z') && (c < '0' || c > '9')) {
            c = '-';
        }

        if (c != start[i]) {
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
    ngx_http_clockodo_ctx_t *ctx, ngx_uint_t show)
{
    ngx_str_t                   value;
    ngx_uint_t                  i, known;
    ngx_list_t                 *headers;
    ngx_http_clockodo_value_t  *v;

    headers = &r->headers_in.headers;

    /* HTTP/0.9 has no headers: nginx has made no list of them */

    if (headers->last == NULL
        && ngx_list_init(headers, r->pool, 4, sizeof(ngx_table_elt_t))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    known = ngx_http_clockodo_known(ctx);

    for (i = 0; i < NGX_HTTP_CLOCKODO_VALUES; i++) {
        v = &ngx_http_clockodo_values[i];

        if (!(v->show & show)) {
            continue;
        }

        if (ngx_http_clockodo_get_known_value(r, ctx, known, v, &value)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (value.len && ngx_http_clockodo_push_header(r, v, &value) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_inline ngx_int_t
ngx_http_clockodo_push_header(ngx_http_request_t *r,
    ngx_http_clockodo_value_t *v, ngx_str_t *value)
{
    ngx_list_t       *headers;
    ngx_list_part_t  *last;
    ngx_table_elt_t  *h;

    headers = &r->headers_in.headers;
    last = headers->last;

    if (last->nelts < headers->nalloc) {

        /* as ngx_list_push() does, without a call for each */

        h = last->elts;
        h += last->nelts++;

    } else {
        h = ngx_list_push(headers);
        if (h == NULL) {
            return NGX_ERROR;
        }
    }

    h->hash = v->hash;
    h->key = v->header;
    h->value = *value;
    h->lowcase_key = v->lowcase_key;
    ngx_http_clockodo_header_init_next(h);

    return NGX_OK;
}
