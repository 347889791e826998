
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_secret_file.h"
#include "clockodo_escape.h"


/* "2026-11-23T14:36:00Z", two blanks and a line feed */
#define NGX_HTTP_CLOCKODO_SECRET_LINE                                         \
    (sizeof("2026-11-23T14:36:00Z") - 1 + 2 + 1)

/* how many may wait for a file, in a worker */
#define NGX_HTTP_CLOCKODO_MAX_SECRETS       64

/* how long another may have the lock, and how often it is tried; in ms */
#define NGX_HTTP_CLOCKODO_LOCK_TIMEOUT      1000
#define NGX_HTTP_CLOCKODO_LOCK_RETRY        1

/* after a line, so that it is other workers' turn: longer than they wait */
#define NGX_HTTP_CLOCKODO_LOCK_PAUSE        5


typedef struct {
    ngx_queue_t                   queue;
    ngx_http_request_t           *request;
    ngx_http_clockodo_ctx_t      *ctx;
    ngx_msec_t                    since;
    u_char                       *line;
    size_t                        len;
} ngx_http_clockodo_secret_t;


static ngx_http_clockodo_secret_t *ngx_http_clockodo_create_secret(
    ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx);
static void ngx_http_clockodo_lock_secret_file(ngx_event_t *ev);
static void ngx_http_clockodo_lock_refused(
    ngx_http_clockodo_secret_file_t *sf);
static void ngx_http_clockodo_write_secret(void *data);
static void ngx_http_clockodo_append_line(ngx_http_clockodo_line_t *line);
static void ngx_http_clockodo_secret_written(void *data);
static void ngx_http_clockodo_log_line(ngx_log_t *log, ngx_str_t *name,
    ngx_http_clockodo_line_t *line);
static void ngx_http_clockodo_end_secret(ngx_http_clockodo_secret_file_t *sf,
    clockodo_fault_e fault);


void
ngx_http_clockodo_init_secret_file(ngx_http_clockodo_secret_file_t *sf,
    ngx_log_t *log)
{
    ngx_queue_init(&sf->secrets);

    sf->event.handler = ngx_http_clockodo_lock_secret_file;
    sf->event.data = sf;
    sf->event.log = log;

    sf->task.run = ngx_http_clockodo_write_secret;
    sf->task.done = ngx_http_clockodo_secret_written;
    sf->task.data = sf;
}


ngx_int_t
ngx_http_clockodo_record_secret(ngx_http_request_t *r,
    ngx_http_clockodo_secret_file_t *sf, ngx_http_clockodo_ctx_t *ctx)
{
    ngx_http_clockodo_secret_t  *secret;

    if (ctx->recorded) {
        return NGX_OK;
    }

    if (ctx->unrecorded) {
        return NGX_ERROR;
    }

    if (sf->nsecrets == NGX_HTTP_CLOCKODO_MAX_SECRETS) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "too many handshakes wait for \"%V\"", &sf->name);
        ctx->unrecorded = CLOCKODO_FAULT_SECRET_FILE_BUSY;
        return NGX_ERROR;
    }

    secret = ngx_http_clockodo_create_secret(r, ctx);
    if (secret == NULL) {
        ctx->unrecorded = CLOCKODO_FAULT_SECRET_FILE_FAILED;
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&sf->secrets, &secret->queue);
    sf->nsecrets++;

    if (!sf->writing && !sf->event.timer_set && !sf->event.posted) {
        ngx_post_event(&sf->event, &ngx_posted_events);
    }

    ctx->recording = 1;
    ngx_http_clockodo_suspend(r);

    return NGX_DONE;
}


static ngx_http_clockodo_secret_t *
ngx_http_clockodo_create_secret(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx)
{
    u_char                      *p;
    size_t                       size;
    ngx_tm_t                     tm;
    ngx_str_t                   *addr;
    clockodo_str_t              *value;
    ngx_http_clockodo_secret_t  *secret;

    addr = &r->connection->addr_text;
    value = &ctx->event.secret;
    size = CLOCKODO_ESCAPED * addr->len;

    secret = ngx_palloc(r->pool, sizeof(ngx_http_clockodo_secret_t));
    if (secret == NULL) {
        return NULL;
    }

    secret->line = ngx_pnalloc(r->pool, NGX_HTTP_CLOCKODO_SECRET_LINE + size
                                        + value->len);
    if (secret->line == NULL) {
        return NULL;
    }

    ngx_gmtime(ngx_time(), &tm);

    p = ngx_sprintf(secret->line, "%4d-%02d-%02dT%02d:%02d:%02dZ ",
                    tm.ngx_tm_year, tm.ngx_tm_mon, tm.ngx_tm_mday,
                    tm.ngx_tm_hour, tm.ngx_tm_min, tm.ngx_tm_sec);

    /* a client of a unix socket has the name that it gave itself */

    p += clockodo_escape(p, size, addr->data, addr->len);

    p = ngx_sprintf(p, " %*s\n", value->len, value->data);

    secret->len = p - secret->line;
    secret->request = r;
    secret->ctx = ctx;
    secret->since = ngx_current_msec;

    return secret;
}


/*
 * Workers take turns by a lock.  Who can read the file can lock it as well,
 * so it is tried, never waited for.
 */

static void
ngx_http_clockodo_lock_secret_file(ngx_event_t *ev)
{
    ngx_err_t                         err;
    ngx_http_request_t               *r;
    ngx_http_clockodo_secret_t       *secret;
    ngx_http_clockodo_main_conf_t    *mcf;
    ngx_http_clockodo_secret_file_t  *sf;

    sf = ev->data;

    if (ngx_queue_empty(&sf->secrets)) {
        return;
    }

    secret = ngx_queue_data(ngx_queue_head(&sf->secrets),
                            ngx_http_clockodo_secret_t, queue);

    err = ngx_trylock_fd(sf->file->fd);

    if (err == NGX_EAGAIN || err == NGX_EACCES) {
        ngx_http_clockodo_lock_refused(sf);
        return;
    }

    sf->refused = 0;

    r = secret->request;

    if (err) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, err,
                      ngx_trylock_fd_n " \"%V\" failed", &sf->file->name);

        ngx_add_timer(ev, NGX_HTTP_CLOCKODO_LOCK_RETRY);
        ngx_http_clockodo_end_secret(sf, CLOCKODO_FAULT_SECRET_FILE_FAILED);
        return;
    }

    ngx_memzero(&sf->line, sizeof(ngx_http_clockodo_line_t));

    sf->line.fd = sf->file->fd;
    sf->line.line = secret->line;
    sf->line.len = secret->len;

    sf->running = 1;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_clockodo_module);

    if (ngx_http_clockodo_post_task(mcf, &sf->task) == NGX_OK) {
        sf->writing = 1;
        return;
    }

    sf->running = 0;
    sf->line.fault = CLOCKODO_FAULT_SECRET_FILE_BUSY;

    ngx_http_clockodo_secret_written(sf);
}


/* those that have waited long enough while another had the lock */

static void
ngx_http_clockodo_lock_refused(ngx_http_clockodo_secret_file_t *sf)
{
    ngx_msec_t                   since;
    ngx_http_clockodo_secret_t  *secret;

    if (!sf->refused) {
        sf->refused = 1;
        sf->refused_since = ngx_current_msec;
    }

    ngx_add_timer(&sf->event, NGX_HTTP_CLOCKODO_LOCK_RETRY);

    while (!ngx_queue_empty(&sf->secrets)) {

        secret = ngx_queue_data(ngx_queue_head(&sf->secrets),
                                ngx_http_clockodo_secret_t, queue);

        since = ngx_max(secret->since, sf->refused_since);

        if (ngx_current_msec - since < NGX_HTTP_CLOCKODO_LOCK_TIMEOUT) {
            return;
        }

        ngx_log_error(NGX_LOG_ERR, secret->request->connection->log, 0,
                      "\"%V\" is locked by another process",
                      &sf->file->name);

        ngx_http_clockodo_end_secret(sf, CLOCKODO_FAULT_SECRET_FILE_BUSY);
    }
}


static void
ngx_http_clockodo_write_secret(void *data)
{
    ngx_http_clockodo_secret_file_t *sf = data;

    ngx_http_clockodo_append_line(&sf->line);

    ngx_memory_barrier();

    sf->running = 0;
}


/* a whole line that is on disk, or nothing */

static void
ngx_http_clockodo_append_line(ngx_http_clockodo_line_t *line)
{
    off_t            size;
    ssize_t          n;
    ngx_file_info_t  fi;

    line->fault = CLOCKODO_FAULT_SECRET_FILE_FAILED;

    if (ngx_fd_info(line->fd, &fi) == NGX_FILE_ERROR) {
        line->err = ngx_errno;
        line->failed = ngx_fd_info_n;
        return;
    }

    if (fi.st_nlink == 0) {

        /* an editor may have put another file in its place */

        line->state = "has been deleted, reopen it";
        return;
    }

    size = ngx_file_size(&fi);

    if (size + (off_t) line->len > NGX_HTTP_CLOCKODO_SECRET_FILE_LIMIT) {
        line->fault = CLOCKODO_FAULT_SECRET_FILE_FULL;
        line->state = "is full, rotate it";
        return;
    }

    n = ngx_write_fd(line->fd, line->line, line->len);

    if (n == (ssize_t) line->len && fdatasync(line->fd) == 0) {
        line->fault = CLOCKODO_FAULT_NONE;
        return;
    }

    if (n >= 0 && n < (ssize_t) line->len) {
        line->state = "has taken only a part of a line";

    } else {
        line->err = ngx_errno;
        line->failed = (n == -1) ? ngx_write_fd_n : "fdatasync()";
    }

    if (n > 0 && ftruncate(line->fd, size) == -1) {
        line->cut_err = ngx_errno;
    }
}


static void
ngx_http_clockodo_secret_written(void *data)
{
    ngx_http_clockodo_secret_file_t *sf = data;

    ngx_err_t                    err;
    ngx_log_t                   *log;
    ngx_http_clockodo_secret_t  *secret;

    secret = ngx_queue_data(ngx_queue_head(&sf->secrets),
                            ngx_http_clockodo_secret_t, queue);

    log = secret->request->connection->log;

    err = ngx_unlock_fd(sf->file->fd);

    if (err) {
        ngx_log_error(NGX_LOG_ERR, log, err,
                      ngx_unlock_fd_n " \"%V\" failed", &sf->file->name);
    }

    ngx_http_clockodo_log_line(log, &sf->file->name, &sf->line);

    sf->writing = 0;
    ngx_add_timer(&sf->event, NGX_HTTP_CLOCKODO_LOCK_PAUSE);

    ngx_http_clockodo_end_secret(sf, sf->line.fault);
}


static void
ngx_http_clockodo_log_line(ngx_log_t *log, ngx_str_t *name,
    ngx_http_clockodo_line_t *line)
{
    if (line->failed) {
        ngx_log_error(NGX_LOG_ERR, log, line->err,
                      "%s \"%V\" failed", line->failed, name);
    }

    if (line->state) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "\"%V\" %s", name, line->state);
    }

    if (line->cut_err) {
        ngx_log_error(NGX_LOG_ERR, log, line->cut_err,
                      "ftruncate() \"%V\" failed", name);
    }
}


/* of the oldest one, whose request goes on */

static void
ngx_http_clockodo_end_secret(ngx_http_clockodo_secret_file_t *sf,
    clockodo_fault_e fault)
{
    ngx_queue_t                 *q;
    ngx_http_clockodo_secret_t  *secret;

    q = ngx_queue_head(&sf->secrets);
    ngx_queue_remove(q);
    sf->nsecrets--;

    secret = ngx_queue_data(q, ngx_http_clockodo_secret_t, queue);

    secret->ctx->recording = 0;
    secret->ctx->recorded = (fault == CLOCKODO_FAULT_NONE);
    secret->ctx->unrecorded = fault;

    ngx_http_clockodo_resume(secret->request);
}
