
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


char *
ngx_http_clockodo_check_store(ngx_conf_t *cf, ngx_http_clockodo_place_t *place)
{
    ngx_conf_t                     at;
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_clockodo_loc_conf_t  *lcf;

    /* this module stands before those that store, and is merged already */

    lcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_clockodo_module);

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    at = ngx_http_clockodo_at(cf, place);

    if (lcf->secret_forward) {
        ngx_conf_log_error(NGX_LOG_EMERG, &at, 0,
                           "\"clockodo_secret_file\" has \"forward\" in "
                           "location \"%V\" for the \"%V\" directive",
                           &clcf->name, place->name);
        return NGX_CONF_ERROR;
    }

    if (lcf->webhook != NGX_HTTP_CLOCKODO_ON) {
        ngx_conf_log_error(NGX_LOG_EMERG, &at, 0,
                           "\"clockodo_webhook\" is not \"on\" in location "
                           "\"%V\" for the \"%V\" directive",
                           &clcf->name, place->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_http_clockodo_ctx_t *
ngx_http_clockodo_accepted_ctx(ngx_http_request_t *r, char *directive)
{
    ngx_http_clockodo_ctx_t  *ctx;

    ctx = (r == r->main) ? ngx_http_clockodo_get_module_ctx(r) : NULL;

    if (ctx == NULL || ctx->verdict != CLOCKODO_VERDICT_ACCEPTED) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "\"%s\" is only for events that were accepted, and not "
                      "for subrequests", directive);
        return NULL;
    }

    return ctx;
}
