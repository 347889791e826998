
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


/* tens of thousands of tokens: more is another file by mistake */
#define NGX_HTTP_CLOCKODO_SECRETS_SIZE  (1024 * 1024)


static char *ngx_http_clockodo_add_secrets(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_str_t *name, ngx_str_t *text);
static char *ngx_http_clockodo_add_secret(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_str_t *name, ngx_uint_t line,
    clockodo_token_line_t *tl);
static ngx_int_t ngx_http_clockodo_read_file(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *name, ngx_str_t *text);
static ngx_int_t ngx_http_clockodo_read_fd(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *name, ngx_fd_t fd, ngx_str_t *text);


char *
ngx_http_clockodo_secrets_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    char                           *error;
    ngx_str_t                      *value, text;
    ngx_http_clockodo_read_t       *read;
    ngx_http_clockodo_secrets_t    *secrets;
    ngx_http_clockodo_main_conf_t  *mcf;

    ngx_http_clockodo_set_place(cf, cmd, &lcf->setting);

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "must be the path of a file";
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_clockodo_module);

    read = ngx_array_push(&mcf->read);
    if (read == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_str_null(&text);

    error = NGX_CONF_ERROR;

    if (ngx_http_clockodo_read_file(cf, cmd, &value[1], &text) == NGX_OK) {
        error = ngx_http_clockodo_add_secrets(cf, cmd, lcf, &value[1], &text);
    }

    /* reading has made a full name of it */

    secrets = cmd->post;

    read->name = value[1];
    read->what = secrets->what;

    if (text.data) {

        /* also of a file that could not be read as a whole */

        ngx_explicit_memzero(text.data, text.len);
    }

    return error;
}


static char *
ngx_http_clockodo_add_secrets(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_str_t *name, ngx_str_t *text)
{
    char                         *error;
    u_char                       *p, *last, *lf;
    ngx_uint_t                    line, n;
    clockodo_token_line_e         rc;
    clockodo_token_line_t         tl;
    ngx_http_clockodo_secrets_t  *secrets;

    secrets = cmd->post;

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

        error = (rc == CLOCKODO_TOKEN_LINE_OK)
                ? ngx_http_clockodo_add_secret(cf, cmd, lcf, name, line, &tl)
                : secrets->errors[rc];

        if (error == NGX_CONF_ERROR) {
            /* not tested: without memory */
            return NGX_CONF_ERROR;
        }

        if (error != NGX_CONF_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "line %ui of \"%V\" in \"%V\" directive %s",
                               line, name, &cmd->name, error);
            return NGX_CONF_ERROR;
        }

        n++;
    }

    if (n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"%V\" directive has no %s",
                           name, &cmd->name, secrets->what);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* returns what is wrong with the line, as a setter does */

static char *
ngx_http_clockodo_add_secret(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_str_t *name, ngx_uint_t line,
    clockodo_token_line_t *tl)
{
    const char                   *what;
    ngx_http_clockodo_secrets_t  *secrets;

    secrets = cmd->post;

    what = secrets->lint ? secrets->lint(tl->token, tl->token_len, 1) : NULL;

    if (what) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "line %ui of \"%V\" in \"%V\" directive "
                           "looks like %s", line, name, &cmd->name, what);
    }

    return secrets->add(cf, lcf, tl);
}


static ngx_int_t
ngx_http_clockodo_read_file(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name, ngx_str_t *text)
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
                           "cannot open \"%V\" in \"%V\" directive",
                           name, &cmd->name);
        return NGX_ERROR;
    }

    rc = ngx_http_clockodo_read_fd(cf, cmd, name, fd, text);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    return rc;
}


static ngx_int_t
ngx_http_clockodo_read_fd(ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *name,
    ngx_fd_t fd, ngx_str_t *text)
{
    ssize_t          n;
    ngx_file_info_t  fi;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    if (!ngx_is_file(&fi)
        || ngx_file_size(&fi) > NGX_HTTP_CLOCKODO_SECRETS_SIZE)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" in \"%V\" directive must be a regular "
                           "file of at most %d bytes",
                           name, &cmd->name, NGX_HTTP_CLOCKODO_SECRETS_SIZE);
        return NGX_ERROR;
    }

    if (ngx_file_access(&fi) & S_IROTH) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" in \"%V\" directive may be read by "
                           "others, its mode should be 0600",
                           name, &cmd->name);
    }

    text->data = ngx_pnalloc(cf->temp_pool, ngx_file_size(&fi));
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    text->len = ngx_file_size(&fi);

    n = ngx_read_fd(fd, text->data, text->len);

    if (n != (ssize_t) text->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, n == -1 ? ngx_errno : 0,
                           "cannot read \"%V\" in \"%V\" directive",
                           name, &cmd->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}
