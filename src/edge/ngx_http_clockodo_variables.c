
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


typedef struct {
    ngx_str_t   name;
    size_t      offset;                    /* in the main configuration */
} ngx_http_clockodo_indexed_t;


static ngx_int_t ngx_http_clockodo_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);


static ngx_http_clockodo_indexed_t  ngx_http_clockodo_indexed[] = {

    { ngx_string("content_length"),
      offsetof(ngx_http_clockodo_main_conf_t, content_length) },

    { ngx_string("http_content_length"),
      offsetof(ngx_http_clockodo_main_conf_t, http_content_length) },

    { ngx_string("content_type"),
      offsetof(ngx_http_clockodo_main_conf_t, content_type) },

    { ngx_string("http_content_type"),
      offsetof(ngx_http_clockodo_main_conf_t, http_content_type) },

    { ngx_null_string, 0 }
};


ngx_int_t
ngx_http_clockodo_add_variables(ngx_conf_t *cf)
{
    ngx_uint_t                  i;
    ngx_http_variable_t        *var;
    ngx_http_clockodo_value_t  *v;

    for (i = 0; i < NGX_HTTP_CLOCKODO_VALUES; i++) {
        v = &ngx_http_clockodo_values[i];

        if (v->variable.len == 0) {
            continue;
        }

        var = ngx_http_add_variable(cf, &v->variable,
                                    NGX_HTTP_VAR_NOCACHEABLE);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = ngx_http_clockodo_variable;
        var->data = i;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_clockodo_index_variables(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf)
{
    ngx_int_t                    *index;
    ngx_http_clockodo_indexed_t  *var;

    for (var = ngx_http_clockodo_indexed; var->name.len; var++) {
        index = (ngx_int_t *) ((u_char *) mcf + var->offset);

        *index = ngx_http_get_variable_index(cf, &var->name);

        if (*index == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_clockodo_forget_variable(ngx_http_request_t *r, ngx_int_t index)
{
    r->variables[index].valid = 0;
    r->variables[index].not_found = 0;
}


static ngx_int_t
ngx_http_clockodo_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                 value;
    ngx_http_clockodo_ctx_t  *ctx;

    ctx = ngx_http_clockodo_get_module_ctx(r->main);

    ngx_str_set(&value, "");

    if (ctx && ngx_http_clockodo_get_value(r->main, ctx, data, &value)
               != NGX_OK)
    {
        return NGX_ERROR;
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = (value.len == 0);
    v->len = value.len;
    v->data = value.data;

    return NGX_OK;
}
