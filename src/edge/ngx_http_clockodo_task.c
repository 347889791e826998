
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


/* of a task, in ms: until then a worker that is told to quit waits for it */
#define NGX_HTTP_CLOCKODO_TASK_TIMEOUT  60000


#if (NGX_THREADS)
static ngx_uint_t ngx_http_clockodo_has_notify(ngx_conf_t *cf);
static void ngx_http_clockodo_task_thread(void *data, ngx_log_t *log);
#endif
static void ngx_http_clockodo_task_handler(ngx_event_t *ev);


/*
 * A request that waits for something other than its client is kept, as one
 * of nginx's that waits for a file: whoever ends it meanwhile, a client that
 * resets the connection, say, leaves the rest to ngx_http_clockodo_resume().
 */

void
ngx_http_clockodo_suspend(ngx_http_request_t *r)
{
    r->main->blocked++;
}


void
ngx_http_clockodo_resume(ngx_http_request_t *r)
{
    ngx_connection_t  *c;

    c = r->connection;

    ngx_http_set_log_request(c->log, r);

    r->main->blocked--;

    /* if it was ended meanwhile, this is no longer the phases */

    r->write_event_handler(r);

    ngx_http_run_posted_requests(c);
}


#if (NGX_THREADS)

ngx_int_t
ngx_http_clockodo_init_tasks(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf)
{
    if (!ngx_http_clockodo_has_notify(cf)) {
        return NGX_OK;
    }

    mcf->thread_pool = ngx_thread_pool_add(cf, NULL);

    return mcf->thread_pool ? NGX_OK : NGX_ERROR;
}


/*
 * A worker does not start with a thread pool whose threads cannot tell it
 * when they are done, as it is with poll and select.
 */

static ngx_uint_t
ngx_http_clockodo_has_notify(ngx_conf_t *cf)
{
    ngx_uint_t           i;
    ngx_module_t        *module;
    ngx_event_conf_t    *ecf;
    ngx_event_module_t  *event;

    if (ngx_get_conf(cf->cycle->conf_ctx, ngx_events_module) == NULL) {

        /* "events" stands below, and the method is not known yet */

        return 0;
    }

    ecf = ngx_event_get_conf(cf->cycle->conf_ctx, ngx_event_core_module);

    for (i = 0; cf->cycle->modules[i]; i++) {
        module = cf->cycle->modules[i];

        if (module->type == NGX_EVENT_MODULE
            && module->ctx_index == ecf->use)
        {
            event = module->ctx;
            return event->actions.notify != NULL;
        }
    }

    /* not tested: one of them is the one in use */

    return 0;
}

#else

ngx_int_t
ngx_http_clockodo_init_tasks(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf)
{
    return NGX_OK;
}

#endif


ngx_int_t
ngx_http_clockodo_post_task(ngx_http_clockodo_main_conf_t *mcf,
    ngx_http_clockodo_task_t *task)
{
    ngx_event_t  *ev;

#if (NGX_THREADS)

    /* a lone process closes files on a reload while threads write to them */

    if (mcf->thread_pool && ngx_process == NGX_PROCESS_WORKER) {
        ev = &task->thread.event;

        ev->data = task;
        ev->handler = ngx_http_clockodo_task_handler;
        ev->log = ngx_cycle->log;

        task->thread.ctx = task;
        task->thread.handler = ngx_http_clockodo_task_thread;

        if (ngx_thread_task_post(mcf->thread_pool, &task->thread) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_add_timer(ev, NGX_HTTP_CLOCKODO_TASK_TIMEOUT);

        return NGX_OK;
    }

#endif

    ev = &task->event;

    ev->data = task;
    ev->handler = ngx_http_clockodo_task_handler;
    ev->log = ngx_cycle->log;

    task->run(task->data);

    ngx_post_event(ev, &ngx_posted_events);

    return NGX_OK;
}


#if (NGX_THREADS)

static void
ngx_http_clockodo_task_thread(void *data, ngx_log_t *log)
{
    ngx_http_clockodo_task_t *task = data;

    task->run(task->data);
}

#endif


static void
ngx_http_clockodo_task_handler(ngx_event_t *ev)
{
    ngx_http_clockodo_task_t *task = ev->data;

    if (ev->timedout) {
        /* not tested: takes a minute */
        ev->timedout = 0;
        ngx_log_error(NGX_LOG_ALERT, ev->log, 0,
                      "clockodo: writing to a disk takes too long");
        return;
    }

    if (ev->timer_set) {
        ngx_del_timer(ev);
    }

    task->done(task->data);
}
