
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


static void ngx_http_clockodo_warn_unmatched(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *value, clockodo_pattern_t *pattern);


char *
ngx_http_clockodo_events(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    ngx_str_t           *value;
    ngx_uint_t           i;
    clockodo_pattern_t  *pattern;

    if (lcf->patterns != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    lcf->patterns = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                     sizeof(clockodo_pattern_t));
    if (lcf->patterns == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_clockodo_set_place(cf, cmd, &lcf->setting);

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        /* cannot fail, there is room for all */

        pattern = ngx_array_push(lcf->patterns);

        if (clockodo_pattern_parse((char *) value[i].data, value[i].len,
                                   pattern)
            != 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid pattern \"%V\" in \"%V\" directive, "
                               "it must be \"*\", \"entity.*\", \"*.action\" "
                               "or \"entity.action\" of [a-z0-9_]",
                               &value[i], &cmd->name);
            return NGX_CONF_ERROR;
        }

        ngx_http_clockodo_warn_unmatched(cf, cmd, &value[i], pattern);
    }

    return NGX_CONF_OK;
}


/* not an error: with clockodo_unknown_events it may be meant */

static void
ngx_http_clockodo_warn_unmatched(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *value, clockodo_pattern_t *pattern)
{
    ngx_uint_t                    i;
    clockodo_str_t                entity, action;
    const clockodo_event_type_t  *type;

    for (i = 0; i < CLOCKODO_EVENT_TYPES; i++) {
        type = &clockodo_event_types[i];

        entity.data = type->name;
        entity.len = clockodo_event_entity(type->name, type->len);

        action.data = entity.data + entity.len + 1;
        action.len = type->len - entity.len - 1;

        if (clockodo_pattern_match(pattern, &entity, &action)) {
            return;
        }
    }

    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "pattern \"%V\" in \"%V\" directive matches "
                       "no documented event", value, &cmd->name);
}


char *
ngx_http_clockodo_company(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    uint64_t    *id;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (lcf->companies != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    ngx_http_clockodo_set_place(cf, cmd, &lcf->setting);

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "any") == 0) {
        lcf->companies = NULL;
        return NGX_CONF_OK;
    }

    lcf->companies = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                      sizeof(uint64_t));
    if (lcf->companies == NULL) {
        return NGX_CONF_ERROR;
    }

    for (i = 1; i < cf->args->nelts; i++) {

        /* cannot fail, there is room for all */

        id = ngx_array_push(lcf->companies);

        *id = clockodo_id_parse(value[i].data, value[i].len);

        if (*id == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid company id \"%V\" in \"%V\" "
                               "directive, it must be an integer from 1 to "
                               "2^53-1, or \"any\" alone",
                               &value[i], &cmd->name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


void
ngx_http_clockodo_set_policy(ngx_http_clockodo_loc_conf_t *conf)
{
    clockodo_policy_t  *policy;

    policy = &conf->policy;

    if (conf->tokens) {
        policy->tokens = conf->tokens->elts;
        policy->ntokens = conf->tokens->nelts;
    }

    if (conf->patterns) {
        policy->patterns = conf->patterns->elts;
        policy->npatterns = conf->patterns->nelts;
    }

    if (conf->companies) {
        policy->companies = conf->companies->elts;
        policy->ncompanies = conf->companies->nelts;
    }

    policy->unknown_events = conf->unknown_events;
    policy->max_age = conf->max_age;
    policy->handshakes = (conf->secret_file || conf->secret_forward);
}
