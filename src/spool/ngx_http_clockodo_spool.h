
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _NGX_HTTP_CLOCKODO_SPOOL_H_INCLUDED_
#define _NGX_HTTP_CLOCKODO_SPOOL_H_INCLUDED_


#include "ngx_http_clockodo.h"
#include "ngx_http_clockodo_zone.h"


/*
 * A spool is a maildir: a file is written to "tmp", and linked to "new" once
 * it is whole and on disk.  Who takes events from it looks into "new" alone.
 */

typedef struct {
    ngx_str_t                   path;      /* these have a NUL at the end */
    ngx_str_t                   tmp;
    ngx_str_t                   new;

    ngx_http_clockodo_task_t    clean;     /* of "tmp" */
} ngx_http_clockodo_spool_t;


typedef struct {
    ngx_array_t                 spools;    /* of ngx_http_clockodo_spool_t * */
} ngx_http_clockodo_spool_main_conf_t;


typedef struct {
    ngx_http_clockodo_spool_t  *spool;     /* NULL: off */
    ngx_http_clockodo_place_t   place;     /* where it was set */
} ngx_http_clockodo_spool_loc_conf_t;


/* an event on its way to the disk: what a thread has to do with */

typedef struct {
    char                       *tmp;       /* of the file, NUL at the end */
    char                       *new;       /* of the folder */
    char                       *name;      /* in the folder */
    size_t                      random;    /* where its digits are, or 0 */

    u_char                     *body;
    size_t                      len;

    ngx_http_clockodo_spool_e   result;
    char                       *failed;    /* a system call, or NULL */
    char                       *path;      /* that it was called for */
    ngx_err_t                   err;
} ngx_http_clockodo_spool_file_t;


#pragma GCC visibility push(hidden)


/* the content handler: stores an accepted event, and answers for it */
ngx_int_t ngx_http_clockodo_spool_handler(ngx_http_request_t *r);

/* in a thread: sets file->result and, if it is a failure, why */
void ngx_http_clockodo_spool_store(void *data);

/* in a thread: takes away what a crash has left in "tmp" */
void ngx_http_clockodo_spool_clean(void *data);


#pragma GCC visibility pop


extern ngx_module_t  ngx_http_clockodo_spool_module;


#endif /* _NGX_HTTP_CLOCKODO_SPOOL_H_INCLUDED_ */
