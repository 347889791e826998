
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"

#include "clockodo_placeholder.h"


/* tens of thousands of tokens: more is another file by mistake */
#define NGX_HTTP_CLOCKODO_TOKEN_FILE_SIZE  (1024 * 1024)


static ngx_int_t ngx_http_clockodo_read_token_file(ngx_conf_t *cf,
    ngx_str_t *name, ngx_str_t *text);
static ngx_int_t ngx_http_clockodo_read_token_fd(ngx_conf_t *cf,
    ngx_str_t *name, ngx_fd_t fd, ngx_str_t *text);
static char *ngx_http_clockodo_add_tokens(ngx_conf_t *cf,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_str_t *name, ngx_str_t *text);
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

    char                           *error;
    ngx_str_t                      *value, *name, text;
    ngx_http_clockodo_main_conf_t  *mcf;

    ngx_http_clockodo_set_place(cf, cmd, &lcf->setting);
    ngx_http_clockodo_set_place(cf, cmd, &lcf->token_place);

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "must be the path of a file";
    }

    if (ngx_http_clockodo_read_token_file(cf, &value[1], &text) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_clockodo_module);

    name = ngx_array_push(&mcf->token_files);
    if (name == NULL) {
        return NGX_CONF_ERROR;
    }

    *name = value[1];

    error = ngx_http_clockodo_add_tokens(cf, lcf, &value[1], &text);

    ngx_explicit_memzero(text.data, text.len);

    return error;
}


static char *
ngx_http_clockodo_add_tokens(ngx_conf_t *cf,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_str_t *name, ngx_str_t *text)
{
    char                   *error;
    u_char                 *p, *last, *lf;
    ngx_uint_t              line, n;
    const char             *what;
    clockodo_token_line_e   rc;
    clockodo_token_line_t   tl;

    p = text->data;
    last = text->data + text->len;
    n = 0;

    if (text->len >= 3 && ngx_memcmp(p, "\xef\xbb\xbf", 3) == 0) {

        /* some editors put a byte order mark there */

        p += 3;
    }

    for (line = 1; p < last; p = lf + 1, line++) {

        lf = ngx_strlchr(p, last, LF);
        if (lf == NULL) {
            lf = last;
        }

        rc = clockodo_token_line_parse(p, lf - p, &tl);

        if (rc == CLOCKODO_TOKEN_LINE_BLANK) {
            continue;
        }

        error = ngx_http_clockodo_token_errors[rc];

        if (rc == CLOCKODO_TOKEN_LINE_OK) {
            what = clockodo_placeholder(tl.token, tl.token_len, 1);

            if (what) {
                ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                                   "line %ui of \"%V\" in "
                                   "\"clockodo_token_file\" directive looks "
                                   "like %s",
                                   line, name, what);
            }

            error = ngx_http_clockodo_add_token(cf, lcf, &tl);
        }

        if (error == NGX_CONF_ERROR) {
            return NGX_CONF_ERROR;
        }

        if (error != NGX_CONF_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "line %ui of \"%V\" in "
                               "\"clockodo_token_file\" directive %s",
                               line, name, error);
            return NGX_CONF_ERROR;
        }

        n++;
    }

    if (n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"clockodo_token_file\" directive "
                           "has no token", name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_clockodo_read_token_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *text)
{
    ngx_fd_t   fd;
    ngx_int_t  rc;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    /* a FIFO must not block us */

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY|NGX_FILE_NONBLOCK,
                       NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           "cannot open \"%V\" in \"clockodo_token_file\" "
                           "directive", name);
        return NGX_ERROR;
    }

    rc = ngx_http_clockodo_read_token_fd(cf, name, fd, text);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    return rc;
}


static ngx_int_t
ngx_http_clockodo_read_token_fd(ngx_conf_t *cf, ngx_str_t *name, ngx_fd_t fd,
    ngx_str_t *text)
{
    ssize_t          n;
    ngx_file_info_t  fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    if (!ngx_is_file(&fi)
        || ngx_file_size(&fi) > NGX_HTTP_CLOCKODO_TOKEN_FILE_SIZE)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"clockodo_token_file\" directive must "
                           "be a regular file of at most %d bytes",
                           name, NGX_HTTP_CLOCKODO_TOKEN_FILE_SIZE);
        return NGX_ERROR;
    }

    if (ngx_file_access(&fi) & S_IROTH) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" in \"clockodo_token_file\" directive may "
                           "be read by others, its mode should be 0600",
                           name);
    }

    text->len = ngx_file_size(&fi);

    text->data = ngx_pnalloc(cf->temp_pool, text->len);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    n = ngx_read_fd(fd, text->data, text->len);

    if (n != (ssize_t) text->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, n == -1 ? ngx_errno : 0,
                           "cannot read \"%V\" in \"clockodo_token_file\" "
                           "directive", name);
        return NGX_ERROR;
    }

    return NGX_OK;
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
