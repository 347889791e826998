
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _NGX_HTTP_CLOCKODO_SECRET_FILE_H_INCLUDED_
#define _NGX_HTTP_CLOCKODO_SECRET_FILE_H_INCLUDED_


#include "ngx_http_clockodo.h"


/* what strangers can make us store: only handshakes bring no token */
#define NGX_HTTP_CLOCKODO_SECRET_FILE_LIMIT  65536


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
    dev_t                         dev;     /* which file that is */
    ngx_file_uniq_t               uniq;

    ngx_queue_t                   secrets;     /* the oldest is written first */
    ngx_uint_t                    nsecrets;

    ngx_event_t                   event;   /* when the lock is tried next */
    ngx_msec_t                    refused_since;
    unsigned                      refused:1;   /* another has the lock */
    unsigned                      writing:1;
    unsigned                      shared:1;    /* with a log: warned of */

    ngx_http_clockodo_task_t      task;
    ngx_atomic_t                  running; /* the task, in its thread */
    ngx_http_clockodo_line_t      line;
};


#pragma GCC visibility push(hidden)


/* to be called before anything is written; log is the cycle's */
void ngx_http_clockodo_init_secret_file(ngx_http_clockodo_secret_file_t *sf,
    ngx_log_t *log);


#pragma GCC visibility pop


#endif /* _NGX_HTTP_CLOCKODO_SECRET_FILE_H_INCLUDED_ */
