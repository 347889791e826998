
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"

#include "clockodo_placeholder.h"


static char *ngx_http_clockodo_add_token(ngx_conf_t *cf,
    ngx_http_clockodo_loc_conf_t *lcf, clockodo_token_line_t *tl);


/* no message shows a token, nor what could be one */

static char  *ngx_http_clockodo_token_errors[] = {
    NGX_CONF_OK,                           /* CLOCKODO_TOKEN_LINE_OK */
    NGX_CONF_OK,                           /* CLOCKODO_TOKEN_LINE_BLANK */
    "has a NUL byte",
    "must be \"TOKEN [subscription=ID[,ID...]]\" and nothing else",
    "has a malformed list of subscriptions, "
        "it must be \"subscription=ID[,ID...]\" of positive integers"
};


ngx_http_clockodo_secrets_t  ngx_http_clockodo_token_secrets = {
    ngx_http_clockodo_token_errors,
    clockodo_placeholder,
    ngx_http_clockodo_add_token,
    "token"
};


char *
ngx_http_clockodo_token(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    char                   *error;
    ngx_str_t              *value;
    const char             *what;
    clockodo_token_line_e   rc;
    clockodo_token_line_t   tl;

    ngx_http_clockodo_set_place(cf, cmd, &lcf->setting);
    ngx_http_clockodo_set_place(cf, cmd, &lcf->token_place);

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "has an empty token";
    }

    ngx_memzero(&tl, sizeof(clockodo_token_line_t));

    tl.token = value[1].data;
    tl.token_len = value[1].len;

    if (cf->args->nelts == 3) {
        rc = clockodo_token_parameter_parse(value[2].data, value[2].len, &tl);

        if (rc != CLOCKODO_TOKEN_LINE_OK) {
            return ngx_http_clockodo_token_errors[rc];
        }
    }

    what = clockodo_placeholder(value[1].data, value[1].len, 0);

    if (what) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the token in \"%V\" directive looks like %s",
                           &cmd->name, what);
    }

    error = ngx_http_clockodo_add_token(cf, lcf, &tl);

    /* only its digest is needed from here on */

    ngx_explicit_memzero(value[1].data, value[1].len);

    return error;
}


char *
ngx_http_clockodo_token_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    ngx_http_clockodo_set_place(cf, cmd, &lcf->token_place);

    return ngx_http_clockodo_secrets_file(cf, cmd, conf);
}


static char *
ngx_http_clockodo_add_token(ngx_conf_t *cf,
    ngx_http_clockodo_loc_conf_t *lcf, clockodo_token_line_t *tl)
{
    uint64_t          *ids;
    ngx_uint_t         i;
    clockodo_token_t  *token, *tokens;

    if (lcf->tokens == NGX_CONF_UNSET_PTR) {
        lcf->tokens = ngx_array_create(cf->pool, 4,
                                       sizeof(clockodo_token_t));
        if (lcf->tokens == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    token = ngx_array_push(lcf->tokens);
    if (token == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(token, sizeof(clockodo_token_t));

    if (clockodo_sha256(tl->token, tl->token_len, token->digest) != 0) {
        return "has a token that libcrypto cannot digest";
    }

    tokens = lcf->tokens->elts;

    for (i = 0; i < lcf->tokens->nelts - 1; i++) {
        if (ngx_memcmp(tokens[i].digest, token->digest, CLOCKODO_SHA256_LEN)
            == 0)
        {
            return "has a duplicate token";
        }
    }

    if (tl->subscriptions_len == 0) {
        return NGX_CONF_OK;
    }

    token->nsubscriptions = clockodo_subscriptions_parse(tl->subscriptions,
                                                         tl->subscriptions_len,
                                                         NULL);

    ids = ngx_palloc(cf->pool, token->nsubscriptions * sizeof(uint64_t));
    if (ids == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) clockodo_subscriptions_parse(tl->subscriptions,
                                        tl->subscriptions_len, ids);
    token->subscriptions = ids;

    return NGX_CONF_OK;
}
