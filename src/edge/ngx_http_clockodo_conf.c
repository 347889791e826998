
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


char *
ngx_http_clockodo_set_enum_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    ngx_str_t   *value;
    ngx_uint_t  *np;

    np = (ngx_uint_t *) ((u_char *) conf + cmd->offset);

    if (*np != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    ngx_http_clockodo_set_place(cf, cmd, &lcf->setting);

    value = cf->args->elts;

    /* in any case, as nginx's own enumerations */

    ngx_strlow(value[1].data, value[1].data, value[1].len);

    return ngx_http_clockodo_parse_enum(cf, cmd, &value[1], cmd->post, np);
}


char *
ngx_http_clockodo_parse_enum(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name, ngx_http_clockodo_enum_t *post, ngx_uint_t *value)
{
    ngx_conf_enum_t  *e;

    for (e = post->values; e->name.len; e++) {
        if (e->name.len == name->len
            && ngx_strcmp(e->name.data, name->data) == 0)
        {
            *value = e->value;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value \"%V\" in \"%V\" directive, "
                       "it must be %s",
                       name, &cmd->name, post->expected);

    return NGX_CONF_ERROR;
}


char *
ngx_http_clockodo_set_size_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    size_t     *sp;
    ngx_str_t  *value;

    sp = (size_t *) ((u_char *) conf + cmd->offset);

    if (*sp != NGX_CONF_UNSET_SIZE) {
        return "is duplicate";
    }

    ngx_http_clockodo_set_place(cf, cmd, &lcf->setting);

    value = cf->args->elts;

    *sp = ngx_parse_size(&value[1]);

    if (*sp == (size_t) NGX_ERROR || *sp == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" in \"%V\" directive, "
                           "it must be a size such as \"16k\" or \"1m\"",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_clockodo_set_sec_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    time_t     *tp;
    ngx_str_t  *value;

    tp = (time_t *) ((u_char *) conf + cmd->offset);

    if (*tp != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    ngx_http_clockodo_set_place(cf, cmd, &lcf->setting);

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        *tp = 0;
        return NGX_CONF_OK;
    }

    *tp = ngx_parse_time(&value[1], 1);

    if (*tp == (time_t) NGX_ERROR || *tp == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\" in \"%V\" directive, it must "
                           "be a time such as \"30s\", \"5m\" or \"1h\", or "
                           "\"off\"",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_clockodo_set_flag_slot(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    ngx_http_clockodo_set_place(cf, cmd, &lcf->setting);

    return ngx_conf_set_flag_slot(cf, cmd, conf);
}
