
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"
#include "clockodo_escape.h"


/* what strangers can make us store: only handshakes bring no token */
#define NGX_HTTP_CLOCKODO_SECRET_FILE_SIZE  65536

/* "2026-11-23T14:36:00Z", two blanks and a line feed */
#define NGX_HTTP_CLOCKODO_SECRET_LINE                                         \
    (sizeof("2026-11-23T14:36:00Z") - 1 + 2 + 1)

/* how many may wait for a file, in a worker */
#define NGX_HTTP_CLOCKODO_SECRETS           64

/* how long another may have the lock, and how often it is tried; in ms */
#define NGX_HTTP_CLOCKODO_LOCK_TIMEOUT      1000
#define NGX_HTTP_CLOCKODO_LOCK_RETRY        1

/* after a line, so that it is other workers' turn: longer than they wait */
#define NGX_HTTP_CLOCKODO_LOCK_PAUSE        5


/* what is written, and how that went */

typedef struct {
    ngx_fd_t                      fd;
    u_char                       *line;
    size_t                        len;

    clockodo_fault_e              fault;
    char                         *failed;  /* a system call, or NULL */
    char                         *state;   /* of the file, or NULL */
    ngx_err_t                     err;     /* of the call */
    ngx_err_t                     cut_err; /* of ftruncate(), or 0 */
} ngx_http_clockodo_line_t;


/* the data of an ngx_open_file_t: what a worker has to write to it */

struct ngx_http_clockodo_secret_file_s {
    ngx_str_t                     name;
    ngx_http_clockodo_place_t     place;   /* where it was set first */
    ngx_open_file_t              *file;

    ngx_queue_t                   secrets;     /* the oldest is written first */
    ngx_uint_t                    nsecrets;

    ngx_event_t                   event;   /* when the lock is tried next */
    ngx_msec_t                    refused_since;
    unsigned                      refused:1;   /* another has the lock */
    unsigned                      writing:1;
    unsigned                      shared:1;    /* warned of */

    ngx_http_clockodo_task_t      task;
    ngx_atomic_t                  running; /* the task, in its thread */
    ngx_http_clockodo_line_t      line;
};


typedef struct {
    ngx_queue_t                   queue;
    ngx_http_request_t           *request;
    ngx_http_clockodo_ctx_t      *ctx;
    ngx_msec_t                    since;
    u_char                       *line;
    size_t                        len;
} ngx_http_clockodo_secret_t;


static ngx_http_clockodo_secret_file_t *ngx_http_clockodo_add_secret_file(
    ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *name);
static ngx_int_t ngx_http_clockodo_open_secret_file(ngx_conf_t *cf,
    ngx_http_clockodo_secret_file_t *sf);
static void ngx_http_clockodo_lint_secret_file(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf, ngx_http_clockodo_secret_file_t *sf);
static ngx_uint_t ngx_http_clockodo_opened(ngx_cycle_t *cycle,
    ngx_str_t *name);
static void ngx_http_clockodo_init_secret_file(ngx_conf_t *cf,
    ngx_http_clockodo_secret_file_t *sf);
static void ngx_http_clockodo_check_access(ngx_conf_t *cf,
    ngx_http_clockodo_secret_file_t *sf, ngx_file_info_t *fi);
static ngx_err_t ngx_http_clockodo_create_secret_file(u_char *name,
    ngx_file_info_t *fi);
static void ngx_http_clockodo_reopen_secret_file(ngx_open_file_t *file,
    ngx_log_t *log);

static ngx_http_clockodo_secret_t *ngx_http_clockodo_create_secret(
    ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx);
static void ngx_http_clockodo_lock_secret_file(ngx_event_t *ev);
static void ngx_http_clockodo_secret_file_refused(
    ngx_http_clockodo_secret_file_t *sf);
static void ngx_http_clockodo_write_secret(void *data);
static void ngx_http_clockodo_append_line(ngx_http_clockodo_line_t *line);
static void ngx_http_clockodo_secret_written(void *data);
static void ngx_http_clockodo_log_line(ngx_log_t *log, ngx_str_t *name,
    ngx_http_clockodo_line_t *line);
static void ngx_http_clockodo_end_secret(ngx_http_clockodo_secret_file_t *sf,
    clockodo_fault_e fault);


char *
ngx_http_clockodo_secret_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    ngx_str_t  *value;

    if (lcf->secret_file != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    ngx_http_clockodo_set_place(cf, cmd, &lcf->setting);

    value = cf->args->elts;

    if (cf->args->nelts == 3) {

        if (ngx_strcmp(value[2].data, "forward") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in \"%V\" "
                               "directive, it must be \"forward\"",
                               &value[2], &cmd->name);
            return NGX_CONF_ERROR;
        }

        lcf->secret_forward = 1;
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {
        lcf->secret_file = NULL;
        return NGX_CONF_OK;
    }

    if (value[1].len == 0 || ngx_strcmp(value[1].data, "on") == 0) {
        return "must be the path of a file or \"off\"";
    }

    /* what nginx takes for a log */

    if (ngx_strcmp(value[1].data, "stderr") == 0
        || ngx_strncmp(value[1].data, "syslog:", 7) == 0
        || ngx_strncmp(value[1].data, "memory:", 7) == 0)
    {
        return "must be the path of a file or \"off\", it is no log";
    }

    lcf->secret_file = ngx_http_clockodo_add_secret_file(cf, cmd, &value[1]);

    return lcf->secret_file ? NGX_CONF_OK : NGX_CONF_ERROR;
}


void
ngx_http_clockodo_set_secret_file(ngx_http_clockodo_location_t *loc,
    ngx_http_clockodo_secret_file_t *sf)
{
    loc->secret_file = &sf->file;
    loc->secret_file_size = NGX_HTTP_CLOCKODO_SECRET_FILE_SIZE;
}


static ngx_http_clockodo_secret_file_t *
ngx_http_clockodo_add_secret_file(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *name)
{
    ngx_uint_t                         i;
    ngx_http_clockodo_main_conf_t     *mcf;
    ngx_http_clockodo_secret_file_t   *sf, **sfp;

    if (ngx_strcasecmp(name->data, (u_char *) "off") == 0
        || ngx_strlchr(name->data, name->data + name->len, '$'))
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" in \"%V\" directive is the name of a "
                           "file, as it stands there", name, &cmd->name);
    }

    if (ngx_conf_full_name(cf->cycle, name, 0) != NGX_OK) {
        return NULL;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_clockodo_module);

    if (ngx_http_clockodo_init_tasks(cf, mcf) != NGX_OK) {
        return NULL;
    }

    sfp = mcf->secret_files.elts;

    for (i = 0; i < mcf->secret_files.nelts; i++) {
        if (ngx_strcmp(sfp[i]->name.data, name->data) == 0) {
            return sfp[i];
        }
    }

    sf = ngx_pcalloc(cf->pool, sizeof(ngx_http_clockodo_secret_file_t));
    if (sf == NULL) {
        return NULL;
    }

    sf->name = *name;
    ngx_http_clockodo_set_place(cf, cmd, &sf->place);

    sfp = ngx_array_push(&mcf->secret_files);
    if (sfp == NULL) {
        return NULL;
    }

    *sfp = sf;

    return sf;
}


ngx_int_t
ngx_http_clockodo_open_secret_files(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf)
{
    ngx_uint_t                         i;
    ngx_http_clockodo_secret_file_t  **sfp;

    sfp = mcf->secret_files.elts;

    for (i = 0; i < mcf->secret_files.nelts; i++) {

        ngx_http_clockodo_lint_secret_file(cf, mcf, sfp[i]);

        if (ngx_http_clockodo_open_secret_file(cf, sfp[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_clockodo_lint_secret_file(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf, ngx_http_clockodo_secret_file_t *sf)
{
    char        *other;
    ngx_str_t   *tokens;
    ngx_uint_t   i;
    ngx_conf_t   at;

    other = ngx_http_clockodo_opened(cf->cycle, &sf->name) ? "log" : NULL;

    tokens = mcf->token_files.elts;

    for (i = 0; i < mcf->token_files.nelts; i++) {
        if (ngx_strcmp(tokens[i].data, sf->name.data) == 0) {
            other = "token file";
        }
    }

    if (other) {
        sf->shared = 1;

        at = ngx_http_clockodo_at(cf, &sf->place);

        ngx_conf_log_error(NGX_LOG_WARN, &at, 0,
                           "\"%V\" in \"%V\" directive is a %s, too",
                           &sf->name, sf->place.name, other);
    }
}


/* whether another directive has had the file opened */

static ngx_uint_t
ngx_http_clockodo_opened(ngx_cycle_t *cycle, ngx_str_t *name)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_open_file_t  *file;

    for (part = &cycle->open_files.part; part; part = part->next) {

        file = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (file[i].name.len == name->len
                && ngx_strcmp(file[i].name.data, name->data) == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_clockodo_open_secret_file(ngx_conf_t *cf,
    ngx_http_clockodo_secret_file_t *sf)
{
    ngx_err_t        err;
    ngx_conf_t       at;
    ngx_file_info_t  fi;

    at = ngx_http_clockodo_at(cf, &sf->place);

    sf->file = ngx_conf_open_file(cf->cycle, &sf->name);
    if (sf->file == NULL) {
        return NGX_ERROR;
    }

    if (sf->file->flush) {
        ngx_conf_log_error(NGX_LOG_EMERG, &at, 0,
                           "\"%V\" directive has the file of another "
                           "directive", sf->place.name);
        return NGX_ERROR;
    }

    ngx_http_clockodo_init_secret_file(cf, sf);

    if (ngx_process == NGX_PROCESS_SIGNALLER) {
        return NGX_OK;
    }

    /* nginx opens the file once all is read, but would create it as 0644 */

    err = ngx_http_clockodo_create_secret_file(sf->name.data, &fi);

    if (err) {
        ngx_conf_log_error(NGX_LOG_EMERG, &at, err,
                           "cannot open \"%V\" in \"%V\" directive as a "
                           "regular file, or create it",
                           &sf->name, sf->place.name);
        return NGX_ERROR;
    }

    ngx_http_clockodo_check_access(&at, sf, &fi);

    return NGX_OK;
}


static void
ngx_http_clockodo_init_secret_file(ngx_conf_t *cf,
    ngx_http_clockodo_secret_file_t *sf)
{
    ngx_queue_init(&sf->secrets);

    sf->event.handler = ngx_http_clockodo_lock_secret_file;
    sf->event.data = sf;
    sf->event.log = &cf->cycle->new_log;

    sf->task.run = ngx_http_clockodo_write_secret;
    sf->task.done = ngx_http_clockodo_secret_written;
    sf->task.data = sf;

    sf->file->flush = ngx_http_clockodo_reopen_secret_file;
    sf->file->data = sf;
}


/* who can read the file can lock it, too */

static void
ngx_http_clockodo_check_access(ngx_conf_t *cf,
    ngx_http_clockodo_secret_file_t *sf, ngx_file_info_t *fi)
{
    ngx_uint_t  access;

    access = ngx_file_access(fi);

    if (access & (S_IRGRP|S_IROTH)) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"%V\" in \"%V\" directive may be read by "
                           "%s, its mode should be 0600",
                           &sf->name, sf->place.name,
                           (access & S_IROTH) ? "others" : "its group");
    }
}


/* one that stands behind the http block is known only now */

ngx_int_t
ngx_http_clockodo_check_error_log(ngx_cycle_t *cycle)
{
    ngx_log_t                         *log;
    ngx_uint_t                         i;
    ngx_http_clockodo_main_conf_t     *mcf;
    ngx_http_clockodo_secret_file_t   *sf, **sfp;

    mcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_clockodo_module);

    if (mcf == NULL) {
        return NGX_OK;
    }

    sfp = mcf->secret_files.elts;

    for (i = 0; i < mcf->secret_files.nelts; i++) {
        sf = sfp[i];

        for (log = &cycle->new_log; log; log = log->next) {

            if (log->file == sf->file && !sf->shared) {
                /* where nginx warns of a configuration: not the new log yet */

                ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                              "\"%V\" in \"%V\" directive is a log, too, "
                              "in %s:%ui",
                              &sf->name, sf->place.name,
                              sf->place.conf_file.file.name.data,
                              sf->place.conf_file.line);
            }
        }
    }

    return NGX_OK;
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
 * workers, and when a worker exits.  Should creating it fail, so will nginx,
 * which says why.
 */

static void
ngx_http_clockodo_reopen_secret_file(ngx_open_file_t *file, ngx_log_t *log)
{
    ngx_http_clockodo_secret_file_t *sf = file->data;

    ngx_file_info_t  fi;

    /* nor may a thread write where nginx is to have a client's connection */

    while (sf->running) {
        ngx_msleep(1);
    }

    (void) ngx_http_clockodo_create_secret_file(file->name.data, &fi);
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

    if (sf->nsecrets == NGX_HTTP_CLOCKODO_SECRETS) {
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
        ngx_http_clockodo_secret_file_refused(sf);
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
ngx_http_clockodo_secret_file_refused(ngx_http_clockodo_secret_file_t *sf)
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

    if (size + (off_t) line->len > NGX_HTTP_CLOCKODO_SECRET_FILE_SIZE) {
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
