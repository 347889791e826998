
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_zone.h"


static ngx_int_t ngx_http_clockodo_set_label(ngx_conf_t *cf,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_location_t *loc);
static u_char *ngx_http_clockodo_escape_label(u_char *p, u_char *last,
    ngx_str_t *text);
static ngx_uint_t ngx_http_clockodo_count_label(
    ngx_http_clockodo_zone_t *zone, ngx_str_t *name);


ngx_http_clockodo_location_t *
ngx_http_clockodo_add_location(ngx_conf_t *cf,
    ngx_http_clockodo_zone_t *zone, ngx_array_t *tokens, ngx_uint_t dedupe)
{
    ngx_http_clockodo_location_t  *loc, **locp;

    loc = ngx_pcalloc(cf->pool, sizeof(ngx_http_clockodo_location_t));
    if (loc == NULL) {
        return NULL;
    }

    if (ngx_http_clockodo_set_label(cf, zone, loc) != NGX_OK) {
        return NULL;
    }

    if (tokens) {
        loc->tokens = tokens;

        loc->uses = ngx_palloc(cf->pool,
                               tokens->nelts
                               * sizeof(ngx_http_clockodo_token_use_t *));
        if (loc->uses == NULL) {
            return NULL;
        }
    }

    locp = ngx_array_push(&zone->locations);
    if (locp == NULL) {
        return NULL;
    }

    *locp = loc;

    if (!dedupe) {
        return loc;
    }

    zone->dedupe = 1;

    if (loc->label.len != loc->name_len) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"clockodo_dedupe\" tells location \"%V\" from others "
                      "of this name by their order, which must stay the same: "
                      "give servers names of their own", &loc->label);
    }

    return loc;
}


/*
 * "server_name/location", as in the configuration.  Where that is there
 * already, on another port or with another modifier, "#2" and so on follow.
 */

static ngx_int_t
ngx_http_clockodo_set_label(ngx_conf_t *cf,
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_location_t *loc)
{
    u_char                    *p, *last;
    ngx_str_t                  name;
    ngx_uint_t                 n;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_core_srv_conf_t  *cscf;

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    loc->label.data = ngx_pnalloc(cf->pool, NGX_HTTP_CLOCKODO_LABEL_LEN);
    if (loc->label.data == NULL) {
        return NGX_ERROR;
    }

    name = cscf->server_name;

    if (name.len == 0) {
        ngx_str_set(&name, "_");
    }

    /* there is always room for the number */

    p = loc->label.data;
    last = p + NGX_HTTP_CLOCKODO_LABEL_LEN - (1 + NGX_INT_T_LEN);

    p = ngx_http_clockodo_escape_label(p, last, &name);
    p = ngx_http_clockodo_escape_label(p, last, &clcf->name);

    loc->label.len = p - loc->label.data;
    loc->name_len = loc->label.len;

    n = ngx_http_clockodo_count_label(zone, &loc->label);

    if (n) {
        loc->label.len = ngx_sprintf(p, "#%ui", n + 1) - loc->label.data;
    }

    return NGX_OK;
}


/*
 * Appends text, cut off at last, such that it can stand between quotes in
 * JSON (RFC 8259, section 7) and as the value of a label in Prometheus's
 * text format.
 */

static u_char *
ngx_http_clockodo_escape_label(u_char *p, u_char *last, ngx_str_t *text)
{
    u_char      c;
    ngx_uint_t  i;

    for (i = 0; i < text->len && last - p >= 3; i++) {
        c = text->data[i];

        /* "#" is ours */

        if (c < ' ' || c > '~' || c == '#') {
            p = ngx_sprintf(p, "%%%02Xd", c);
            continue;
        }

        if (c == '"' || c == '\\') {
            *p++ = '\\';
        }

        *p++ = c;
    }

    return p;
}


/* how many locations there are of this name */

static ngx_uint_t
ngx_http_clockodo_count_label(ngx_http_clockodo_zone_t *zone,
    ngx_str_t *name)
{
    ngx_uint_t                      i, n;
    ngx_http_clockodo_location_t  **locp;

    n = 0;
    locp = zone->locations.elts;

    for (i = 0; i < zone->locations.nelts; i++) {
        if (locp[i]->name_len == name->len
            && ngx_memcmp(locp[i]->label.data, name->data, name->len) == 0)
        {
            n++;
        }
    }

    return n;
}
