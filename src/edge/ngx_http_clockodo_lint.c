
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"
#include "ngx_http_clockodo_compat.h"


static ngx_uint_t ngx_http_clockodo_nested_on(ngx_http_core_loc_conf_t *clcf);
static void ngx_http_clockodo_lint_tokens(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf);
static void ngx_http_clockodo_lint_handshakes(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf);


void
ngx_http_clockodo_set_place(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_clockodo_place_t *place)
{
    if (place->name == NULL) {
        place->name = &cmd->name;
        place->conf_file = *cf->conf_file;
    }
}


ngx_conf_t
ngx_http_clockodo_at(ngx_conf_t *cf, ngx_http_clockodo_place_t *place)
{
    ngx_conf_t  at;

    at = *cf;
    at.conf_file = &place->conf_file;

    return at;
}


/* "clockodo_webhook off" says that it is meant, here or above */

void
ngx_http_clockodo_lint_off(ngx_conf_t *cf, ngx_http_clockodo_loc_conf_t *conf)
{
    ngx_conf_t                  at;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_clockodo_place_t  *setting;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    setting = &conf->setting;

    if (setting->name == NULL
        || conf->place.name
        || clcf->name.len == 0
        || clcf->noname
        || ngx_http_clockodo_nested_on(clcf))
    {
        return;
    }

    at = ngx_http_clockodo_at(cf, setting);

    ngx_conf_log_error(NGX_LOG_WARN, &at, 0,
                       "\"%V\" checks nothing in location \"%V\", where "
                       "anybody can send anything: there is no "
                       "\"clockodo_webhook\" that says \"on\", or \"off\"",
                       setting->name, &clcf->name);
}


/* locations inside this one are not merged yet */

static ngx_uint_t
ngx_http_clockodo_nested_on(ngx_http_core_loc_conf_t *clcf)
{
    ngx_queue_t                   *q;
    ngx_http_location_queue_t     *lq;
    ngx_http_core_loc_conf_t      *nested;
    ngx_http_clockodo_loc_conf_t  *conf;

    if (clcf->locations == NULL) {
        return 0;
    }

    for (q = ngx_queue_head(clcf->locations);
         q != ngx_queue_sentinel(clcf->locations);
         q = ngx_queue_next(q))
    {
        lq = (ngx_http_location_queue_t *) q;

        nested = ngx_http_clockodo_queued_conf(lq);
        conf = nested->loc_conf[ngx_http_clockodo_module.ctx_index];

        if ((conf->webhook != NGX_CONF_UNSET_UINT
             && conf->webhook != NGX_HTTP_CLOCKODO_OFF)
            || ngx_http_clockodo_nested_on(nested))
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_clockodo_lint_on(ngx_conf_t *cf, ngx_http_clockodo_loc_conf_t *conf)
{
    ngx_conf_t                      at;
    ngx_http_core_loc_conf_t       *clcf, *sclcf;
    ngx_http_core_srv_conf_t       *cscf;
    ngx_http_clockodo_checked_t    *checked;
    ngx_http_clockodo_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_clockodo_module);
    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    checked = ngx_array_push(&mcf->checked);
    if (checked == NULL) {
        return NGX_ERROR;
    }

    checked->server = cscf;
    checked->name = clcf->name;
    checked->conf = conf;
    checked->named = clcf->named;

    /* bodies are then read by the settings of the server */

    sclcf = cscf->ctx->loc_conf[ngx_http_core_module.ctx_index];

    if (ngx_http_clockodo_early_read(cscf)
        && sclcf->client_body_buffer_size < conf->max_body_size)
    {
        at = ngx_http_clockodo_at(cf, &conf->place);

        ngx_conf_log_error(NGX_LOG_WARN, &at, 0,
                           "\"client_body_early_read\" reads bodies into a "
                           "\"client_body_buffer_size\" of %uz bytes, less "
                           "than the \"clockodo_max_body_size\" of %uz, for "
                           "the \"%V\" directive",
                           sclcf->client_body_buffer_size,
                           conf->max_body_size, conf->place.name);
    }

    return NGX_OK;
}


void
ngx_http_clockodo_lint(ngx_conf_t *cf, ngx_http_clockodo_main_conf_t *mcf)
{
    ngx_http_clockodo_lint_tokens(cf, mcf);
    ngx_http_clockodo_lint_handshakes(cf, mcf);
}


/* tokens of a server that none of its locations uses */

static void
ngx_http_clockodo_lint_tokens(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf)
{
    ngx_uint_t                      i, n;
    ngx_conf_t                      at;
    ngx_http_core_srv_conf_t      **cscfp;
    ngx_http_core_main_conf_t      *cmcf;
    ngx_http_clockodo_place_t      *place;
    ngx_http_clockodo_checked_t    *checked;
    ngx_http_clockodo_loc_conf_t   *conf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    cscfp = cmcf->servers.elts;
    checked = mcf->checked.elts;

    for (n = 0; n < cmcf->servers.nelts; n++) {

        conf = cscfp[n]->ctx->loc_conf[ngx_http_clockodo_module.ctx_index];
        place = &conf->token_place;

        if (place->name == NULL) {
            continue;
        }

        for (i = 0; i < mcf->checked.nelts; i++) {
            if (checked[i].server == cscfp[n]
                && checked[i].conf->tokens == conf->tokens)
            {
                break;
            }
        }

        if (i < mcf->checked.nelts) {
            continue;
        }

        at = ngx_http_clockodo_at(cf, place);

        ngx_conf_log_error(NGX_LOG_WARN, &at, 0,
                           "\"%V\" is used by no location of its server: "
                           "none with \"clockodo_webhook on\" inherits it",
                           place->name);
    }
}


/* a server whose webhooks cannot be set up, if one has been set up so far */

static void
ngx_http_clockodo_lint_handshakes(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf)
{
    ngx_uint_t                    i, n;
    ngx_conf_t                    at;
    ngx_http_clockodo_checked_t  *checked;

    checked = mcf->checked.elts;

    for (n = 0; n < mcf->checked.nelts; n++) {

        if (checked[n].conf->webhook == NGX_HTTP_CLOCKODO_REPORT
            || checked[n].named
            || checked[n].name.len == 0)
        {
            continue;
        }

        for (i = 0; i < mcf->checked.nelts; i++) {
            if (checked[i].server == checked[n].server
                && checked[i].conf->policy.handshakes)
            {
                break;
            }
        }

        if (i < mcf->checked.nelts) {
            continue;
        }

        at = ngx_http_clockodo_at(cf, &checked[n].conf->place);

        ngx_conf_log_error(NGX_LOG_NOTICE, &at, 0,
                           "location \"%V\" takes no handshakes, nor does "
                           "another of its server: to validate a webhook in "
                           "Clockodo, set \"clockodo_secret_file\"",
                           &checked[n].name);
    }
}
