
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


/* what strangers can make us store: only handshakes bring no token */
#define NGX_HTTP_CLOCKODO_SECRET_FILE_SIZE  65536

/* "2026-11-23T14:36:00Z", two blanks and a line feed */
#define NGX_HTTP_CLOCKODO_SECRET_LINE                                         \
    (sizeof("2026-11-23T14:36:00Z") - 1 + 2 + 1)


static ngx_err_t ngx_http_clockodo_create_secret_file(u_char *name,
    ngx_file_info_t *fi);
static void ngx_http_clockodo_reopen_secret_file(ngx_open_file_t *file,
    ngx_log_t *log);
static clockodo_fault_e ngx_http_clockodo_append_secret(ngx_log_t *log,
    ngx_open_file_t *file, u_char *line, size_t len);


char *
ngx_http_clockodo_secret_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    ngx_err_t         err;
    ngx_str_t        *value;
    ngx_file_info_t   fi;

    if (lcf->secret_file != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        lcf->secret_file = NULL;
        return NGX_CONF_OK;
    }

    if (value[1].len == 0 || ngx_strcmp(value[1].data, "on") == 0) {
        return "must be the path of a file or \"off\"";
    }

    lcf->secret_file = ngx_conf_open_file(cf->cycle, &value[1]);
    if (lcf->secret_file == NULL) {
        return NGX_CONF_ERROR;
    }

    if (lcf->secret_file->flush == ngx_http_clockodo_reopen_secret_file) {

        /* of another location, too */

        return NGX_CONF_OK;
    }

    if (lcf->secret_file->flush) {
        return "has the file of another directive";
    }

    lcf->secret_file->flush = ngx_http_clockodo_reopen_secret_file;

    if (ngx_process == NGX_PROCESS_SIGNALLER) {
        return NGX_CONF_OK;
    }

    /* nginx opens the file once all is read, but would create it as 0644 */

    err = ngx_http_clockodo_create_secret_file(lcf->secret_file->name.data,
                                               &fi);

    if (err) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, err,
                           "cannot open \"%V\" in \"%V\" directive as a "
                           "regular file, or create it",
                           &lcf->secret_file->name, &cmd->name);
        return NGX_CONF_ERROR;
    }

    if (ngx_file_access(&fi) & S_IROTH) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" in \"%V\" directive may be read by "
                           "others, its mode should be 0600",
                           &lcf->secret_file->name, &cmd->name);
    }

    return NGX_CONF_OK;
}


static ngx_err_t
ngx_http_clockodo_create_secret_file(u_char *name, ngx_file_info_t *fi)
{
    ngx_fd_t   fd;
    ngx_err_t  err;

    /* a FIFO must not block us */

    fd = ngx_open_file(name, NGX_FILE_APPEND|NGX_FILE_NONBLOCK,
                       NGX_FILE_CREATE_OR_OPEN, NGX_FILE_OWNER_ACCESS);

    if (fd == NGX_INVALID_FILE) {
        return ngx_errno;
    }

    err = 0;

    if (ngx_fd_info(fd, fi) == NGX_FILE_ERROR) {
        err = ngx_errno;

    } else if (!ngx_is_file(fi)) {
        err = NGX_EINVAL;
    }

    (void) ngx_close_file(fd);

    return err;
}


/*
 * Called just before nginx opens the file again, in the master and in all
 * workers, and when a worker exits.  Should it fail, so will nginx, which
 * says why.
 */

static void
ngx_http_clockodo_reopen_secret_file(ngx_open_file_t *file, ngx_log_t *log)
{
    ngx_file_info_t  fi;

    (void) ngx_http_clockodo_create_secret_file(file->name.data, &fi);
}


clockodo_fault_e
ngx_http_clockodo_record_secret(ngx_http_request_t *r, ngx_open_file_t *file,
    const clockodo_name_t *secret)
{
    u_char            *line, *last;
    ngx_tm_t           tm;
    ngx_err_t          err;
    ngx_str_t         *addr;
    ngx_log_t         *log;
    clockodo_fault_e   fault;

    log = r->connection->log;
    addr = &r->connection->addr_text;

    line = ngx_pnalloc(r->pool, NGX_HTTP_CLOCKODO_SECRET_LINE + addr->len
                                + secret->len);
    if (line == NULL) {
        return CLOCKODO_FAULT_SECRET_FILE_FAILED;
    }

    ngx_gmtime(ngx_time(), &tm);

    last = ngx_sprintf(line, "%4d-%02d-%02dT%02d:%02d:%02dZ %V %*s\n",
                       tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                       tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec,
                       addr, secret->len, secret->data);

    do {
        err = ngx_lock_fd(file->fd);
    } while (err == NGX_EINTR);

    if (err) {
        ngx_log_error(NGX_LOG_ERR, log, err,
                      ngx_lock_fd_n " \"%V\" failed", &file->name);
        return CLOCKODO_FAULT_SECRET_FILE_FAILED;
    }

    fault = ngx_http_clockodo_append_secret(log, file, line, last - line);

    err = ngx_unlock_fd(file->fd);

    if (err) {
        ngx_log_error(NGX_LOG_ERR, log, err,
                      ngx_unlock_fd_n " \"%V\" failed", &file->name);
    }

    return fault;
}


/* a whole line that is on disk, or nothing */

static clockodo_fault_e
ngx_http_clockodo_append_secret(ngx_log_t *log, ngx_open_file_t *file,
    u_char *line, size_t len)
{
    off_t            size;
    ssize_t          n;
    ngx_file_info_t  fi;

    if (ngx_fd_info(file->fd, &fi) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      ngx_fd_info_n " \"%V\" failed", &file->name);
        return CLOCKODO_FAULT_SECRET_FILE_FAILED;
    }

    if (fi.st_nlink == 0) {

        /* an editor may have put another file in its place */

        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "\"%V\" has been deleted, reopen it", &file->name);
        return CLOCKODO_FAULT_SECRET_FILE_FAILED;
    }

    size = ngx_file_size(&fi);

    if (size + (off_t) len > NGX_HTTP_CLOCKODO_SECRET_FILE_SIZE) {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      "\"%V\" is full, rotate it", &file->name);
        return CLOCKODO_FAULT_SECRET_FILE_FULL;
    }

    n = ngx_write_fd(file->fd, line, len);

    if (n == (ssize_t) len && fdatasync(file->fd) == 0) {
        return CLOCKODO_FAULT_NONE;
    }

    if (n == (ssize_t) len) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "fdatasync() \"%V\" failed", &file->name);

    } else if (n == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      ngx_write_fd_n " \"%V\" failed", &file->name);

    } else {
        ngx_log_error(NGX_LOG_ERR, log, 0,
                      ngx_write_fd_n " \"%V\" has written only %z of %uz",
                      &file->name, n, len);
    }

    if (n > 0 && ftruncate(file->fd, size) == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      "ftruncate() \"%V\" failed", &file->name);
    }

    return CLOCKODO_FAULT_SECRET_FILE_FAILED;
}
