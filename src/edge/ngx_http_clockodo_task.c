
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


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


void
ngx_http_clockodo_post_task(ngx_http_clockodo_task_t *task)
{
    ngx_event_t  *ev;

    ev = &task->event;

    ev->data = task;
    ev->handler = ngx_http_clockodo_task_handler;
    ev->log = ngx_cycle->log;

    task->run(task->data);

    ngx_post_event(ev, &ngx_posted_events);
}


static void
ngx_http_clockodo_task_handler(ngx_event_t *ev)
{
    ngx_http_clockodo_task_t  *task;

    task = ev->data;

    task->done(task->data);
}
