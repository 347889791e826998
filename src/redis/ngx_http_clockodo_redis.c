
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_redis.h"


/* EVAL, script, 2, key, key, ttl, MAXLEN, ~, N, *; of a value two */
#define NGX_HTTP_CLOCKODO_REDIS_ARGS                                          \
    (10 + 2 * NGX_HTTP_CLOCKODO_VALUES)


/* of a request whose server wants a password first */

typedef struct {
    ngx_chain_t                *event;     /* waits for the answer to AUTH */
    unsigned                    authenticated:1;
    unsigned                    sent:1;
} ngx_http_clockodo_redis_ctx_t;


static ngx_int_t ngx_http_clockodo_redis_resolve(ngx_http_request_t *r,
    ngx_http_clockodo_redis_loc_conf_t *rlcf);
static ngx_int_t ngx_http_clockodo_redis_create_request(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_clockodo_redis_create_auth(ngx_http_request_t *r,
    ngx_http_clockodo_redis_loc_conf_t *rlcf);
static ngx_int_t ngx_http_clockodo_redis_output_filter(void *data,
    ngx_chain_t *in);
static ngx_uint_t ngx_http_clockodo_redis_dedupes(
    ngx_http_clockodo_redis_loc_conf_t *rlcf, ngx_http_clockodo_ctx_t *ctx);
static clockodo_str_t *ngx_http_clockodo_redis_add(clockodo_str_t *arg,
    ngx_str_t *value);
static clockodo_str_t *ngx_http_clockodo_redis_add_command(
    ngx_http_request_t *r, ngx_http_clockodo_redis_loc_conf_t *rlcf,
    ngx_http_clockodo_ctx_t *ctx, clockodo_str_t *arg);
static clockodo_str_t *ngx_http_clockodo_redis_add_script(
    ngx_http_request_t *r, ngx_http_clockodo_redis_loc_conf_t *rlcf,
    ngx_http_clockodo_ctx_t *ctx, clockodo_str_t *arg);
static clockodo_str_t *ngx_http_clockodo_redis_add_fields(
    ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx,
    clockodo_str_t *arg);
static ngx_int_t ngx_http_clockodo_redis_reinit_request(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_clockodo_redis_process_header(
    ngx_http_request_t *r);
static ngx_uint_t ngx_http_clockodo_redis_is_elsewhere(ngx_http_upstream_t *u,
    ngx_str_t *code);
static clockodo_resp_e ngx_http_clockodo_redis_read(ngx_http_request_t *r,
    clockodo_resp_reply_t *reply);
static void ngx_http_clockodo_redis_finalize_request(ngx_http_request_t *r,
    ngx_int_t rc);


/*
 * The key of a known event is set last: what makes XADD fail must leave
 * nothing that a repeat could be taken for a duplicate by.
 */

static ngx_str_t  ngx_http_clockodo_redis_script = ngx_string(
    "if redis.call('EXISTS',KEYS[1])==1 then return false end "
    "local id=redis.call('XADD',KEYS[2],unpack(ARGV,2)) "
    "redis.call('SET',KEYS[1],1,'EX',ARGV[1]) "
    "return id"
);


/* what a server says that is well, while another one takes the events */

static ngx_str_t  ngx_http_clockodo_redis_elsewhere[] = {
    ngx_string("MOVED"),
    ngx_string("READONLY"),
    ngx_string("CLUSTERDOWN"),
    ngx_string("MASTERDOWN"),
    ngx_string("ASK"),
    ngx_string("TRYAGAIN"),
    ngx_null_string
};


static ngx_str_t  ngx_http_clockodo_redis_eval = ngx_string("EVAL");
static ngx_str_t  ngx_http_clockodo_redis_keys = ngx_string("2");
static ngx_str_t  ngx_http_clockodo_redis_xadd = ngx_string("XADD");
static ngx_str_t  ngx_http_clockodo_redis_maxlen = ngx_string("MAXLEN");
static ngx_str_t  ngx_http_clockodo_redis_about = ngx_string("~");
static ngx_str_t  ngx_http_clockodo_redis_new_id = ngx_string("*");


ngx_int_t
ngx_http_clockodo_redis_handler(ngx_http_request_t *r)
{
    ngx_http_upstream_t                 *u;
    ngx_http_clockodo_redis_loc_conf_t  *rlcf;

    if (ngx_http_clockodo_accepted_ctx(r, "clockodo_redis_pass") == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_upstream_create(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_clockodo_redis_module);

    if (rlcf->lengths && ngx_http_clockodo_redis_resolve(r, rlcf) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    u = r->upstream;

    ngx_str_set(&u->schema, "redis://");
    u->output.tag = (ngx_buf_tag_t) &ngx_http_clockodo_redis_module;

    u->conf = &rlcf->upstream;

    u->create_request = ngx_http_clockodo_redis_create_request;
    u->reinit_request = ngx_http_clockodo_redis_reinit_request;
    u->process_header = ngx_http_clockodo_redis_process_header;
    u->finalize_request = ngx_http_clockodo_redis_finalize_request;

    /* the body has been read */

    r->main->count++;

    ngx_http_upstream_init(r);

    return NGX_DONE;
}


static ngx_int_t
ngx_http_clockodo_redis_resolve(ngx_http_request_t *r,
    ngx_http_clockodo_redis_loc_conf_t *rlcf)
{
    ngx_url_t             url;
    ngx_http_upstream_t  *u;

    ngx_memzero(&url, sizeof(ngx_url_t));

    if (ngx_http_script_run(r, &url.url, rlcf->lengths->elts, 0,
                            rlcf->values->elts)
        == NULL)
    {
        return NGX_ERROR;
    }

    url.no_resolve = 1;

    if (ngx_parse_url(r->pool, &url) != NGX_OK) {
        if (url.err) {
            ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                          "%s in upstream \"%V\"", url.err, &url.url);
        }

        return NGX_ERROR;
    }

    u = r->upstream;

    u->resolved = ngx_pcalloc(r->pool, sizeof(ngx_http_upstream_resolved_t));
    if (u->resolved == NULL) {
        return NGX_ERROR;
    }

    if (url.addrs) {
        u->resolved->sockaddr = url.addrs[0].sockaddr;
        u->resolved->socklen = url.addrs[0].socklen;
        u->resolved->name = url.addrs[0].name;
        u->resolved->naddrs = 1;
    }

    u->resolved->host = url.host;
    u->resolved->port = url.port;
    u->resolved->no_port = url.no_port;

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_redis_create_request(ngx_http_request_t *r)
{
    size_t                               nargs;
    ngx_buf_t                           *b;
    ngx_chain_t                         *cl;
    clockodo_str_t                      *arg;
    clockodo_str_t                       args[NGX_HTTP_CLOCKODO_REDIS_ARGS];
    ngx_http_clockodo_ctx_t             *ctx;
    ngx_http_clockodo_redis_loc_conf_t  *rlcf;

    ctx = ngx_http_clockodo_get_module_ctx(r);
    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_clockodo_redis_module);

    arg = ngx_http_clockodo_redis_add_command(r, rlcf, ctx, args);
    if (arg == NULL) {
        return NGX_ERROR;
    }

    arg = ngx_http_clockodo_redis_add_fields(r, ctx, arg);
    if (arg == NULL) {
        return NGX_ERROR;
    }

    nargs = arg - args;

    b = ngx_create_temp_buf(r->pool, clockodo_resp_size(args, nargs));
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->last = clockodo_resp_write(b->last, args, nargs);

    cl = ngx_alloc_chain_link(r->pool);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    cl->buf = b;
    cl->next = NULL;

    r->upstream->request_bufs = cl;

    return rlcf->auth.len ? ngx_http_clockodo_redis_create_auth(r, rlcf)
                          : NGX_OK;
}


/*
 * Every event has its own AUTH in front: which connections of "keepalive" are
 * authenticated, and as whom, is nowhere to be seen, for locations with other
 * settings may share them.  After one that has failed, Redis would still take
 * the event, as whomever it has seen before: it must not have it by then.
 */

static ngx_int_t
ngx_http_clockodo_redis_create_auth(ngx_http_request_t *r,
    ngx_http_clockodo_redis_loc_conf_t *rlcf)
{
    ngx_buf_t                      *b;
    ngx_chain_t                    *cl;
    ngx_http_upstream_t            *u;
    ngx_http_clockodo_redis_ctx_t  *ctx;

    ctx = ngx_pcalloc(r->pool, sizeof(ngx_http_clockodo_redis_ctx_t));
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NGX_ERROR;
    }

    cl = ngx_alloc_chain_link(r->pool);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    b->start = rlcf->auth.data;
    b->pos = b->start;
    b->end = b->start + rlcf->auth.len;
    b->last = b->end;
    b->memory = 1;

    cl->buf = b;
    cl->next = NULL;

    u = r->upstream;

    ctx->event = u->request_bufs;

    u->request_bufs = cl;
    u->output.output_filter = ngx_http_clockodo_redis_output_filter;
    u->output.filter_ctx = r;

    ngx_http_set_ctx(r, ctx, ngx_http_clockodo_redis_module);

    return NGX_OK;
}


/* gets AUTH, and NULL when it is called again */

static ngx_int_t
ngx_http_clockodo_redis_output_filter(void *data, ngx_chain_t *in)
{
    ngx_http_request_t *r = data;

    ngx_int_t                       rc;
    ngx_http_upstream_t            *u;
    ngx_http_clockodo_redis_ctx_t  *ctx;

    u = r->upstream;
    ctx = ngx_http_get_module_ctx(r, ngx_http_clockodo_redis_module);

    if (ctx->authenticated && !ctx->sent) {
        ctx->sent = 1;
        in = ctx->event;
    }

    rc = ngx_chain_writer(&u->writer, in);

    if (rc != NGX_OK || ctx->sent) {
        return rc;
    }

    ngx_add_timer(u->peer.connection->read, u->conf->read_timeout);

    return NGX_AGAIN;
}


/* two events without an entity's id may look the same and yet differ */

static ngx_uint_t
ngx_http_clockodo_redis_dedupes(ngx_http_clockodo_redis_loc_conf_t *rlcf,
    ngx_http_clockodo_ctx_t *ctx)
{
    return rlcf->ttl.len && ctx->event.entity_id.len;
}


static clockodo_str_t *
ngx_http_clockodo_redis_add(clockodo_str_t *arg, ngx_str_t *value)
{
    arg->len = value->len;
    arg->data = (char *) value->data;

    return arg + 1;
}


/* XADD, or a script that does it */

static clockodo_str_t *
ngx_http_clockodo_redis_add_command(ngx_http_request_t *r,
    ngx_http_clockodo_redis_loc_conf_t *rlcf, ngx_http_clockodo_ctx_t *ctx,
    clockodo_str_t *arg)
{
    if (ngx_http_clockodo_redis_dedupes(rlcf, ctx)) {
        arg = ngx_http_clockodo_redis_add_script(r, rlcf, ctx, arg);
        if (arg == NULL) {
            return NULL;
        }

    } else {
        arg = ngx_http_clockodo_redis_add(arg, &ngx_http_clockodo_redis_xadd);
        arg = ngx_http_clockodo_redis_add(arg, &rlcf->stream);
    }

    if (rlcf->maxlen.len) {
        arg = ngx_http_clockodo_redis_add(arg,
                                          &ngx_http_clockodo_redis_maxlen);
        arg = ngx_http_clockodo_redis_add(arg, &ngx_http_clockodo_redis_about);
        arg = ngx_http_clockodo_redis_add(arg, &rlcf->maxlen);
    }

    return ngx_http_clockodo_redis_add(arg, &ngx_http_clockodo_redis_new_id);
}


static clockodo_str_t *
ngx_http_clockodo_redis_add_script(ngx_http_request_t *r,
    ngx_http_clockodo_redis_loc_conf_t *rlcf, ngx_http_clockodo_ctx_t *ctx,
    clockodo_str_t *arg)
{
    u_char          *p;
    ngx_str_t        known;
    clockodo_str_t  *key;

    if (clockodo_event_key(&ctx->event) != 0) {
        return NULL;
    }

    key = &ctx->event.key;

    known.len = rlcf->prefix.len + key->len;

    known.data = ngx_pnalloc(r->pool, known.len);
    if (known.data == NULL) {
        return NULL;
    }

    p = ngx_cpymem(known.data, rlcf->prefix.data, rlcf->prefix.len);
    ngx_memcpy(p, key->data, key->len);

    arg = ngx_http_clockodo_redis_add(arg, &ngx_http_clockodo_redis_eval);
    arg = ngx_http_clockodo_redis_add(arg, &ngx_http_clockodo_redis_script);
    arg = ngx_http_clockodo_redis_add(arg, &ngx_http_clockodo_redis_keys);
    arg = ngx_http_clockodo_redis_add(arg, &known);
    arg = ngx_http_clockodo_redis_add(arg, &rlcf->stream);

    return ngx_http_clockodo_redis_add(arg, &rlcf->ttl);
}


/* every entry has the same: Redis then writes the names but now and then */

static clockodo_str_t *
ngx_http_clockodo_redis_add_fields(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, clockodo_str_t *arg)
{
    ngx_str_t                   value;
    ngx_uint_t                  i;
    ngx_http_clockodo_value_t  *v;

    for (i = 0; i < NGX_HTTP_CLOCKODO_VALUES; i++) {
        v = &ngx_http_clockodo_values[i];

        if (v->field.len == 0) {
            continue;
        }

        if (ngx_http_clockodo_get_value(r, ctx, i, &value) != NGX_OK) {
            return NULL;
        }

        arg = ngx_http_clockodo_redis_add(arg, &v->field);
        arg = ngx_http_clockodo_redis_add(arg, &value);
    }

    return arg;
}


static ngx_int_t
ngx_http_clockodo_redis_reinit_request(ngx_http_request_t *r)
{
    ngx_buf_t                      *b;
    ngx_http_clockodo_redis_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_clockodo_redis_module);

    if (ctx) {
        ctx->authenticated = 0;
        ctx->sent = 0;

        b = ctx->event->buf;
        b->pos = b->start;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_redis_process_header(ngx_http_request_t *r)
{
    ngx_str_t                            code;
    ngx_uint_t                           level;
    ngx_http_upstream_t                 *u;
    clockodo_resp_reply_t                reply;
    ngx_http_clockodo_ctx_t             *ctx;
    ngx_http_clockodo_redis_loc_conf_t  *rlcf;

    u = r->upstream;
    ctx = ngx_http_clockodo_get_module_ctx(r);
    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_clockodo_redis_module);

    switch (ngx_http_clockodo_redis_read(r, &reply)) {

    case CLOCKODO_RESP_AGAIN:
        return NGX_AGAIN;

    case CLOCKODO_RESP_ID:
        break;

    case CLOCKODO_RESP_NULL:

        if (!ngx_http_clockodo_redis_dedupes(rlcf, ctx)) {
            goto invalid;
        }

        ctx->verdict = CLOCKODO_VERDICT_DUPLICATE;
        break;

    case CLOCKODO_RESP_ERROR:

        /* its code alone: the rest can have anything in it */

        code.len = reply.code.len;
        code.data = (u_char *) reply.code.data;

        level = ngx_http_clockodo_redis_is_elsewhere(u, &code)
                ? NGX_LOG_INFO : NGX_LOG_ERR;

        ngx_log_error(level, r->connection->log, 0,
                      "redis did not store a clockodo event, error \"%V\"",
                      &code);

        if (level == NGX_LOG_ERR) {
            goto next;
        }

        /* of all statuses, nginx goes on after this one without a failure */

        u->headers_in.status_n = NGX_HTTP_NOT_FOUND;
        u->keepalive = (ngx_strlchr(u->buffer.pos, u->buffer.last, LF)
                        == u->buffer.last - 1);

        u->buffer.last = u->buffer.start;
        u->buffer.pos = u->buffer.start;

        return NGX_OK;

    default: /* CLOCKODO_RESP_OK, CLOCKODO_RESP_INVALID */
        goto invalid;
    }

    u->headers_in.status_n = NGX_HTTP_OK;
    u->headers_in.content_length_n = 0;
    u->state->status = NGX_HTTP_OK;
    u->keepalive = (u->buffer.pos + reply.len == u->buffer.last);

    r->header_only = 1;

    return NGX_OK;

invalid:

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "redis sent an invalid reply to a clockodo event");

next:

    /* nginx itself clears it only if the request has been sent */

    u->buffer.last = u->buffer.start;
    u->buffer.pos = u->buffer.start;

    return NGX_HTTP_UPSTREAM_INVALID_HEADER;
}


/*
 * Whether that server is well, and another one is to be asked: its connection
 * is kept, and "max_fails" does not count it.
 */

static ngx_uint_t
ngx_http_clockodo_redis_is_elsewhere(ngx_http_upstream_t *u, ngx_str_t *code)
{
    ngx_str_t  *s;

    if (u->peer.tries < 2
        || !(u->conf->next_upstream & NGX_HTTP_UPSTREAM_FT_HTTP_404))
    {
        return 0;
    }

    for (s = ngx_http_clockodo_redis_elsewhere; s->len; s++) {
        if (s->len == code->len
            && ngx_memcmp(s->data, code->data, s->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* what has come is short, and read anew each time */

static clockodo_resp_e
ngx_http_clockodo_redis_read(ngx_http_request_t *r,
    clockodo_resp_reply_t *reply)
{
    ngx_buf_t                      *b;
    clockodo_resp_e                 rc;
    ngx_http_upstream_t            *u;
    ngx_http_clockodo_redis_ctx_t  *ctx;

    u = r->upstream;
    b = &u->buffer;
    ctx = ngx_http_get_module_ctx(r, ngx_http_clockodo_redis_module);

    rc = clockodo_resp_read(b->pos, b->last - b->pos, reply);

    /* that there are too many clients is said before anything was asked */

    if (u->request_body_sent
        || rc == CLOCKODO_RESP_ERROR
        || (rc == CLOCKODO_RESP_AGAIN && u->request_sent))
    {
        return rc;
    }

    /* else only AUTH can have been answered before the event was sent */

    if (ctx == NULL || ctx->authenticated || !u->request_sent
        || rc != CLOCKODO_RESP_OK
        || b->pos + reply->len != b->last)
    {
        return CLOCKODO_RESP_INVALID;
    }

    b->pos = b->last;
    ctx->authenticated = 1;

    ngx_post_event(u->peer.connection->write, &ngx_posted_events);

    return CLOCKODO_RESP_AGAIN;
}


static void
ngx_http_clockodo_redis_finalize_request(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "finalize http clockodo redis request");
}
