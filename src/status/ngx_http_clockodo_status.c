
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_status.h"


struct ngx_http_clockodo_format_s {
    ngx_str_t    name;
    ngx_str_t    content_type;
    void       (*write)(ngx_http_clockodo_writer_t *w,
                        ngx_http_clockodo_zone_t *zone);
};


static ngx_int_t ngx_http_clockodo_status_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_clockodo_send_status(ngx_http_request_t *r,
    ngx_http_clockodo_format_t *format, ngx_http_clockodo_writer_t *w);


static ngx_http_clockodo_format_t  ngx_http_clockodo_formats[] = {

    { ngx_string("json"),
      ngx_string("application/json"),
      ngx_http_clockodo_write_json },

    { ngx_string("prometheus"),
      ngx_string("text/plain; version=0.0.4"),
      ngx_http_clockodo_write_prometheus },

    { ngx_null_string, ngx_null_string, NULL }
};


char *
ngx_http_clockodo_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    ngx_str_t                      *value;
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_clockodo_format_t     *format;
    ngx_http_clockodo_main_conf_t  *mcf;

    if (lcf->status) {
        return "is duplicate";
    }

    format = ngx_http_clockodo_formats;

    if (cf->args->nelts == 2) {
        value = cf->args->elts;

        while (format->name.len
               && ngx_strcmp(format->name.data, value[1].data) != 0)
        {
            format++;
        }

        if (format->name.len == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"%V\" directive, "
                               "it must be \"json\" or \"prometheus\"",
                               &value[1], &cmd->name);
            return NGX_CONF_ERROR;
        }
    }

    lcf->status = format;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_clockodo_status_handler;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_clockodo_module);
    mcf->status = 1;

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_clockodo_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                       rc;
    ngx_http_clockodo_writer_t      w;
    ngx_http_clockodo_loc_conf_t   *lcf;
    ngx_http_clockodo_main_conf_t  *mcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return ngx_http_clockodo_add_header(r, "Allow", "GET, HEAD") == NGX_OK
               ? NGX_HTTP_NOT_ALLOWED : NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    mcf = ngx_http_get_module_main_conf(r, ngx_http_clockodo_module);
    lcf = ngx_http_get_module_loc_conf(r, ngx_http_clockodo_module);

    ngx_memzero(&w, sizeof(ngx_http_clockodo_writer_t));

    w.pool = r->pool;
    w.next = &w.out;

    lcf->status->write(&w, &mcf->zone);

    if (w.failed) {
        /* not tested: without memory */
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_clockodo_send_status(r, lcf->status, &w);
}


static ngx_int_t
ngx_http_clockodo_send_status(ngx_http_request_t *r,
    ngx_http_clockodo_format_t *format, ngx_http_clockodo_writer_t *w)
{
    ngx_int_t  rc;

    if (ngx_http_clockodo_add_header(r, "Cache-Control", "no-store")
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = w->size;
    r->headers_out.content_type = format->content_type;
    r->headers_out.content_type_len = format->content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    w->buf->last_buf = (r == r->main) ? 1 : 0;
    w->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, w->out);
}
