
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _NGX_HTTP_CLOCKODO_COMPAT_H_INCLUDED_
#define _NGX_HTTP_CLOCKODO_COMPAT_H_INCLUDED_


/* what differs between the versions of nginx, from 1.22 on, and its kin */


/* headers of the same name are linked since 1.23.0 */

#if (nginx_version >= 1023000)
#define ngx_http_clockodo_header_init_next(h)  (h)->next = NULL
#else
#define ngx_http_clockodo_header_init_next(h)
#endif


/* bodies can be read before the location is known since 1.31.5 */

#if (nginx_version >= 1031005)
#define ngx_http_clockodo_early_read(cscf)                                    \
    ((cscf)->client_body_early_read != NULL)
#else
#define ngx_http_clockodo_early_read(cscf)     0
#endif


/* a location can have several names since Angie 1.3.0: settings stand apart */

#if (angie_version >= 1003000)
#define ngx_http_clockodo_queued_conf(lq)                                     \
    ((lq)->exact ? (lq)->exact->conf : (lq)->inclusive->conf)
#else
#define ngx_http_clockodo_queued_conf(lq)                                     \
    ((lq)->exact ? (lq)->exact : (lq)->inclusive)
#endif


#endif /* _NGX_HTTP_CLOCKODO_COMPAT_H_INCLUDED_ */
