
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _NGX_HTTP_CLOCKODO_REDIS_H_INCLUDED_
#define _NGX_HTTP_CLOCKODO_REDIS_H_INCLUDED_


#include "ngx_http_clockodo.h"

#include "clockodo_resp.h"


typedef struct {
    ngx_http_upstream_conf_t    upstream;
    ngx_array_t                *lengths;   /* of an address with variables */
    ngx_array_t                *values;

    ngx_str_t                   stream;    /* its key */
    ngx_str_t                   prefix;    /* of the keys of known events */
    ngx_str_t                   maxlen;    /* empty: unlimited */
    ngx_str_t                   ttl;       /* in seconds, empty: off */
    ngx_str_t                   auth;      /* the command, empty: none */

    ngx_http_clockodo_place_t   place;     /* of the address */
} ngx_http_clockodo_redis_loc_conf_t;


#pragma GCC visibility push(hidden)


/* the content handler: stores an accepted event, and answers for it */
ngx_int_t ngx_http_clockodo_redis_handler(ngx_http_request_t *r);


#pragma GCC visibility pop


extern ngx_module_t  ngx_http_clockodo_redis_module;


#endif /* _NGX_HTTP_CLOCKODO_REDIS_H_INCLUDED_ */
