
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_secret_file.h"


static ngx_http_clockodo_secret_file_t *ngx_http_clockodo_add_secret_file(
    ngx_conf_t *cf, ngx_command_t *cmd, ngx_str_t *name);
static void ngx_http_clockodo_lint_secret_file(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf, ngx_http_clockodo_secret_file_t *sf);
static ngx_uint_t ngx_http_clockodo_opened(ngx_cycle_t *cycle,
    ngx_str_t *name);
static ngx_int_t ngx_http_clockodo_open_secret_file(ngx_conf_t *cf,
    ngx_http_clockodo_secret_file_t *sf);
static void ngx_http_clockodo_check_access(ngx_conf_t *cf,
    ngx_http_clockodo_secret_file_t *sf, ngx_file_info_t *fi);
static ngx_int_t ngx_http_clockodo_check_same_file(ngx_conf_t *cf,
    ngx_http_clockodo_secret_file_t *sf);
static ngx_err_t ngx_http_clockodo_create_secret_file(u_char *name,
    ngx_file_info_t *fi);
static void ngx_http_clockodo_reopen_secret_file(ngx_open_file_t *file,
    ngx_log_t *log);


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
    loc->secret_file_limit = NGX_HTTP_CLOCKODO_SECRET_FILE_LIMIT;
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
    ngx_uint_t                 i;
    ngx_conf_t                 at;
    ngx_http_clockodo_read_t  *read;

    at = ngx_http_clockodo_at(cf, &sf->place);

    if (ngx_http_clockodo_opened(cf->cycle, &sf->name)) {
        sf->shared = 1;

        ngx_conf_log_error(NGX_LOG_WARN, &at, 0,
                           "\"%V\" in \"%V\" directive is a log, too",
                           &sf->name, sf->place.name);
    }

    read = mcf->read.elts;

    for (i = 0; i < mcf->read.nelts; i++) {

        if (ngx_strcmp(read[i].name.data, sf->name.data) == 0) {
            ngx_conf_log_error(NGX_LOG_WARN, &at, 0,
                               "\"%V\" in \"%V\" directive is a %s file, too",
                               &sf->name, sf->place.name, read[i].what);
            break;
        }
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

    sf->file->flush = ngx_http_clockodo_reopen_secret_file;
    sf->file->data = sf;

    ngx_http_clockodo_init_secret_file(sf, &cf->cycle->new_log);

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

    sf->dev = fi.st_dev;
    sf->uniq = ngx_file_uniq(&fi);

    return ngx_http_clockodo_check_same_file(&at, sf);
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


/* a worker writes each file in turn, whatever it is called */

static ngx_int_t
ngx_http_clockodo_check_same_file(ngx_conf_t *cf,
    ngx_http_clockodo_secret_file_t *sf)
{
    ngx_http_clockodo_main_conf_t     *mcf;
    ngx_http_clockodo_secret_file_t  **sfp;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_clockodo_module);

    for (sfp = mcf->secret_files.elts; *sfp != sf; sfp++) {

        if ((*sfp)->dev == sf->dev && (*sfp)->uniq == sf->uniq) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" in \"%V\" directive is \"%V\" by "
                               "another name",
                               &sf->name, sf->place.name, &(*sfp)->name);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* an error_log that stands behind the http block is known only now */

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
