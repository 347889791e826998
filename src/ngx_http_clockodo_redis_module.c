
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"

#include "clockodo_resp.h"


#define NGX_HTTP_CLOCKODO_REDIS_FIELDS  9

/* EVAL, script, 2, key, key, ttl, MAXLEN, ~, N, *; of a field two */
#define NGX_HTTP_CLOCKODO_REDIS_ARGS                                          \
    (10 + 2 * NGX_HTTP_CLOCKODO_REDIS_FIELDS)


typedef struct {
    ngx_http_upstream_conf_t    upstream;
    ngx_array_t                *lengths;   /* of an address with variables */
    ngx_array_t                *values;

    ngx_str_t                   stream;    /* its key */
    ngx_str_t                   prefix;    /* of the keys of known events */
    ngx_str_t                   maxlen;    /* empty: unlimited */
    ngx_str_t                   ttl;       /* in seconds, empty: off */
    ngx_str_t                   auth;      /* the command, empty: none */

    u_char                     *file;      /* where the address was set */
    ngx_uint_t                  line;
} ngx_http_clockodo_redis_loc_conf_t;


typedef struct {
    ngx_str_t                   name;
    ngx_http_clockodo_value_e   value;
} ngx_http_clockodo_redis_field_t;


static ngx_int_t ngx_http_clockodo_redis_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_clockodo_redis_eval(ngx_http_request_t *r,
    ngx_http_clockodo_redis_loc_conf_t *rlcf);
static ngx_int_t ngx_http_clockodo_redis_create_request(
    ngx_http_request_t *r);
static ngx_uint_t ngx_http_clockodo_redis_dedupes(
    ngx_http_clockodo_redis_loc_conf_t *rlcf, ngx_http_clockodo_ctx_t *ctx);
static clockodo_name_t *ngx_http_clockodo_redis_add(clockodo_name_t *arg,
    ngx_str_t *value);
static clockodo_name_t *ngx_http_clockodo_redis_add_command(
    ngx_http_request_t *r, ngx_http_clockodo_redis_loc_conf_t *rlcf,
    ngx_http_clockodo_ctx_t *ctx, clockodo_name_t *arg);
static clockodo_name_t *ngx_http_clockodo_redis_add_fields(
    ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx,
    clockodo_name_t *arg);
static ngx_int_t ngx_http_clockodo_redis_reinit_request(
    ngx_http_request_t *r);
static ngx_int_t ngx_http_clockodo_redis_process_header(
    ngx_http_request_t *r);
static clockodo_resp_e ngx_http_clockodo_redis_read(ngx_http_request_t *r,
    ngx_http_clockodo_redis_loc_conf_t *rlcf, clockodo_resp_reply_t *reply);
static void ngx_http_clockodo_redis_finalize_request(ngx_http_request_t *r,
    ngx_int_t rc);

static void *ngx_http_clockodo_redis_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_clockodo_redis_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
static char *ngx_http_clockodo_redis_check(ngx_conf_t *cf,
    ngx_http_clockodo_redis_loc_conf_t *conf);
static char *ngx_http_clockodo_redis_pass(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_clockodo_redis_stream(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static ngx_int_t ngx_http_clockodo_redis_set_prefix(ngx_conf_t *cf,
    ngx_http_clockodo_redis_loc_conf_t *rlcf);
static char *ngx_http_clockodo_redis_set_maxlen(ngx_conf_t *cf,
    ngx_http_clockodo_redis_loc_conf_t *rlcf, ngx_str_t *value);
static char *ngx_http_clockodo_redis_dedupe(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
static char *ngx_http_clockodo_redis_auth(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_clockodo_redis_timeout(ngx_conf_t *cf, void *post,
    void *data);
static char *ngx_http_clockodo_redis_next_upstream(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);


static ngx_conf_post_t  ngx_http_clockodo_redis_timeout_post = {
    ngx_http_clockodo_redis_timeout
};


/* whatever is no reply of Redis is an error too, nginx has a name for that */

static ngx_conf_bitmask_t  ngx_http_clockodo_redis_next_upstream_masks[] = {
    { ngx_string("error"),
      NGX_HTTP_UPSTREAM_FT_ERROR|NGX_HTTP_UPSTREAM_FT_INVALID_HEADER },
    { ngx_string("timeout"), NGX_HTTP_UPSTREAM_FT_TIMEOUT },
    { ngx_string("off"), NGX_HTTP_UPSTREAM_FT_OFF },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_clockodo_redis_commands[] = {

    { ngx_string("clockodo_redis_pass"),
      NGX_HTTP_LOC_CONF|NGX_HTTP_LIF_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_redis_pass,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_redis_stream"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_clockodo_redis_stream,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_redis_dedupe"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_redis_dedupe,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_redis_auth"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_clockodo_redis_auth,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_redis_connect_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_clockodo_redis_loc_conf_t, upstream.connect_timeout),
      &ngx_http_clockodo_redis_timeout_post },

    { ngx_string("clockodo_redis_send_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_clockodo_redis_loc_conf_t, upstream.send_timeout),
      &ngx_http_clockodo_redis_timeout_post },

    { ngx_string("clockodo_redis_read_timeout"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_clockodo_redis_loc_conf_t, upstream.read_timeout),
      &ngx_http_clockodo_redis_timeout_post },

    { ngx_string("clockodo_redis_next_upstream"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_clockodo_redis_next_upstream,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_clockodo_redis_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_clockodo_redis_create_loc_conf, /* create location configuration */
    ngx_http_clockodo_redis_merge_loc_conf /* merge location configuration */
};


ngx_module_t  ngx_http_clockodo_redis_module = {
    NGX_MODULE_V1,
    &ngx_http_clockodo_redis_module_ctx,   /* module context */
    ngx_http_clockodo_redis_commands,      /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


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


static ngx_str_t  ngx_http_clockodo_redis_eval_command = ngx_string("EVAL");
static ngx_str_t  ngx_http_clockodo_redis_eval_keys = ngx_string("2");
static ngx_str_t  ngx_http_clockodo_redis_xadd_command = ngx_string("XADD");
static ngx_str_t  ngx_http_clockodo_redis_auth_command = ngx_string("AUTH");
static ngx_str_t  ngx_http_clockodo_redis_maxlen = ngx_string("MAXLEN");
static ngx_str_t  ngx_http_clockodo_redis_about = ngx_string("~");
static ngx_str_t  ngx_http_clockodo_redis_new_id = ngx_string("*");

static ngx_str_t  ngx_http_clockodo_redis_default_stream =
    ngx_string("clockodo:events");
static ngx_str_t  ngx_http_clockodo_redis_default_prefix =
    ngx_string("{clockodo:events}:");


/* every entry has the same: Redis then writes the names but now and then */

static ngx_http_clockodo_redis_field_t
    ngx_http_clockodo_redis_fields[NGX_HTTP_CLOCKODO_REDIS_FIELDS] =
{
    { ngx_string("event"), NGX_HTTP_CLOCKODO_EVENT },
    { ngx_string("entity"), NGX_HTTP_CLOCKODO_ENTITY },
    { ngx_string("action"), NGX_HTTP_CLOCKODO_ACTION },
    { ngx_string("entity_id"), NGX_HTTP_CLOCKODO_ENTITY_ID },
    { ngx_string("subscription_id"),
      NGX_HTTP_CLOCKODO_SUBSCRIPTION_ID },
    { ngx_string("company_id"), NGX_HTTP_CLOCKODO_COMPANY_ID },
    { ngx_string("occurred_at"), NGX_HTTP_CLOCKODO_OCCURRED_AT },
    { ngx_string("idempotency_key"),
      NGX_HTTP_CLOCKODO_IDEMPOTENCY_KEY },
    { ngx_string("body"), NGX_HTTP_CLOCKODO_BODY }
};


static ngx_int_t
ngx_http_clockodo_redis_handler(ngx_http_request_t *r)
{
    ngx_http_upstream_t                 *u;
    ngx_http_clockodo_ctx_t             *ctx;
    ngx_http_clockodo_redis_loc_conf_t  *rlcf;

    ctx = (r == r->main) ? ngx_http_clockodo_get_module_ctx(r) : NULL;

    if (ctx == NULL || ctx->verdict != CLOCKODO_VERDICT_ACCEPTED) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "\"clockodo_redis_pass\" is only for events that were "
                      "accepted, and not for subrequests");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ngx_http_upstream_create(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_clockodo_redis_module);

    if (rlcf->lengths && ngx_http_clockodo_redis_eval(r, rlcf) != NGX_OK) {
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
ngx_http_clockodo_redis_eval(ngx_http_request_t *r,
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


/*
 * Every event has its own AUTH in front: which connections of "keepalive" are
 * authenticated, and as whom, is nowhere to be seen, for locations with other
 * settings may share them.
 */

static ngx_int_t
ngx_http_clockodo_redis_create_request(ngx_http_request_t *r)
{
    size_t                               nargs;
    ngx_buf_t                           *b;
    ngx_chain_t                         *cl;
    clockodo_name_t                     *arg;
    clockodo_name_t                      args[NGX_HTTP_CLOCKODO_REDIS_ARGS];
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

    b = ngx_create_temp_buf(r->pool,
                            rlcf->auth.len + clockodo_resp_size(args, nargs));
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_cpymem(b->last, rlcf->auth.data, rlcf->auth.len);
    b->last = clockodo_resp_write(b->last, args, nargs);

    cl = ngx_alloc_chain_link(r->pool);
    if (cl == NULL) {
        return NGX_ERROR;
    }

    cl->buf = b;
    cl->next = NULL;

    r->upstream->request_bufs = cl;

    return NGX_OK;
}


/* two events without an entity's id may look the same and yet differ */

static ngx_uint_t
ngx_http_clockodo_redis_dedupes(ngx_http_clockodo_redis_loc_conf_t *rlcf,
    ngx_http_clockodo_ctx_t *ctx)
{
    return rlcf->ttl.len && ctx->event.entity_id.len;
}


static clockodo_name_t *
ngx_http_clockodo_redis_add(clockodo_name_t *arg, ngx_str_t *value)
{
    arg->len = value->len;
    arg->data = (char *) value->data;

    return arg + 1;
}


/* XADD, or a script that does it */

static clockodo_name_t *
ngx_http_clockodo_redis_add_command(ngx_http_request_t *r,
    ngx_http_clockodo_redis_loc_conf_t *rlcf, ngx_http_clockodo_ctx_t *ctx,
    clockodo_name_t *arg)
{
    u_char     *p;
    ngx_str_t   key;

    if (!ngx_http_clockodo_redis_dedupes(rlcf, ctx)) {
        arg = ngx_http_clockodo_redis_add(arg,
                                       &ngx_http_clockodo_redis_xadd_command);
        arg = ngx_http_clockodo_redis_add(arg, &rlcf->stream);

        goto options;
    }

    if (ngx_http_clockodo_get_value(r, ctx, NGX_HTTP_CLOCKODO_IDEMPOTENCY_KEY,
                                    &key)
        != NGX_OK)
    {
        return NULL;
    }

    p = ngx_pnalloc(r->pool, rlcf->prefix.len + key.len);
    if (p == NULL) {
        return NULL;
    }

    ngx_memcpy(ngx_cpymem(p, rlcf->prefix.data, rlcf->prefix.len),
               key.data, key.len);

    key.data = p;
    key.len += rlcf->prefix.len;

    arg = ngx_http_clockodo_redis_add(arg,
                                      &ngx_http_clockodo_redis_eval_command);
    arg = ngx_http_clockodo_redis_add(arg, &ngx_http_clockodo_redis_script);
    arg = ngx_http_clockodo_redis_add(arg, &ngx_http_clockodo_redis_eval_keys);
    arg = ngx_http_clockodo_redis_add(arg, &key);
    arg = ngx_http_clockodo_redis_add(arg, &rlcf->stream);
    arg = ngx_http_clockodo_redis_add(arg, &rlcf->ttl);

options:

    if (rlcf->maxlen.len) {
        arg = ngx_http_clockodo_redis_add(arg,
                                          &ngx_http_clockodo_redis_maxlen);
        arg = ngx_http_clockodo_redis_add(arg, &ngx_http_clockodo_redis_about);
        arg = ngx_http_clockodo_redis_add(arg, &rlcf->maxlen);
    }

    return ngx_http_clockodo_redis_add(arg, &ngx_http_clockodo_redis_new_id);
}


static clockodo_name_t *
ngx_http_clockodo_redis_add_fields(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, clockodo_name_t *arg)
{
    ngx_str_t                         value;
    ngx_uint_t                        i;
    ngx_http_clockodo_redis_field_t  *field;

    for (i = 0; i < NGX_HTTP_CLOCKODO_REDIS_FIELDS; i++) {
        field = &ngx_http_clockodo_redis_fields[i];

        if (ngx_http_clockodo_get_value(r, ctx, field->value, &value)
            != NGX_OK)
        {
            return NULL;
        }

        arg = ngx_http_clockodo_redis_add(arg, &field->name);
        arg = ngx_http_clockodo_redis_add(arg, &value);
    }

    return arg;
}


static ngx_int_t
ngx_http_clockodo_redis_reinit_request(ngx_http_request_t *r)
{
    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_redis_process_header(ngx_http_request_t *r)
{
    ngx_str_t                            code;
    ngx_http_upstream_t                 *u;
    clockodo_resp_reply_t                reply;
    ngx_http_clockodo_ctx_t             *ctx;
    ngx_http_clockodo_redis_loc_conf_t  *rlcf;

    u = r->upstream;
    ctx = ngx_http_clockodo_get_module_ctx(r);
    rlcf = ngx_http_get_module_loc_conf(r, ngx_http_clockodo_redis_module);

    switch (ngx_http_clockodo_redis_read(r, rlcf, &reply)) {

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

        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "redis did not store a clockodo event, error \"%V\"",
                      &code);

        return NGX_HTTP_UPSTREAM_INVALID_HEADER;

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

    return NGX_HTTP_UPSTREAM_INVALID_HEADER;
}


/* what has come is short, and read anew each time; reply->len is that of all */

static clockodo_resp_e
ngx_http_clockodo_redis_read(ngx_http_request_t *r,
    ngx_http_clockodo_redis_loc_conf_t *rlcf, clockodo_resp_reply_t *reply)
{
    size_t            len;
    ngx_buf_t        *b;
    clockodo_resp_e   rc;

    b = &r->upstream->buffer;
    len = 0;

    if (rlcf->auth.len) {
        rc = clockodo_resp_read(b->pos, b->last - b->pos, reply);

        if (rc != CLOCKODO_RESP_OK) {
            return (rc == CLOCKODO_RESP_AGAIN || rc == CLOCKODO_RESP_ERROR)
                   ? rc : CLOCKODO_RESP_INVALID;
        }

        len = reply->len;
    }

    rc = clockodo_resp_read(b->pos + len, b->last - b->pos - len, reply);

    reply->len += len;

    return rc;
}


static void
ngx_http_clockodo_redis_finalize_request(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "finalize http clockodo redis request");
}


static void *
ngx_http_clockodo_redis_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_clockodo_redis_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_clockodo_redis_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->upstream.upstream = NULL;
     *     conf->upstream.local = NULL;
     *     conf->upstream.next_upstream = 0;
     *     conf->upstream.next_upstream_tries = 0;
     *     conf->upstream.buffering = 0;
     *     conf->lengths = NULL;
     *     conf->values = NULL;
     *     conf->stream = { 0, NULL };
     *     conf->prefix = { 0, NULL };
     *     conf->maxlen = { 0, NULL };
     *     conf->ttl = { 0, NULL };
     *     conf->auth = { 0, NULL };
     *     conf->file = NULL;
     *     conf->line = 0;
     */

    conf->upstream.connect_timeout = NGX_CONF_UNSET_MSEC;
    conf->upstream.send_timeout = NGX_CONF_UNSET_MSEC;
    conf->upstream.read_timeout = NGX_CONF_UNSET_MSEC;

    /* the hardcoded values */

    conf->upstream.buffer_size = 2 * CLOCKODO_RESP_REPLY_LEN;
    conf->upstream.intercept_errors = 1;

    /* who does not wait for the reply may never send the event again */

    conf->upstream.ignore_client_abort = 1;

    return conf;
}


static char *
ngx_http_clockodo_redis_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child)
{
    ngx_http_clockodo_redis_loc_conf_t *prev = parent;
    ngx_http_clockodo_redis_loc_conf_t *conf = child;

    ngx_conf_merge_msec_value(conf->upstream.connect_timeout,
                              prev->upstream.connect_timeout, 60000);

    ngx_conf_merge_msec_value(conf->upstream.send_timeout,
                              prev->upstream.send_timeout, 60000);

    ngx_conf_merge_msec_value(conf->upstream.read_timeout,
                              prev->upstream.read_timeout, 60000);

    ngx_conf_merge_bitmask_value(conf->upstream.next_upstream,
                                 prev->upstream.next_upstream,
                                 (NGX_CONF_BITMASK_SET
                                  |NGX_HTTP_UPSTREAM_FT_ERROR
                                  |NGX_HTTP_UPSTREAM_FT_INVALID_HEADER
                                  |NGX_HTTP_UPSTREAM_FT_TIMEOUT
                                  |NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT));

    if (conf->stream.data == NULL) {
        conf->stream = prev->stream;
        conf->prefix = prev->prefix;
        conf->maxlen = prev->maxlen;
    }

    if (conf->stream.data == NULL) {
        conf->stream = ngx_http_clockodo_redis_default_stream;
        conf->prefix = ngx_http_clockodo_redis_default_prefix;
    }

    ngx_conf_merge_str_value(conf->ttl, prev->ttl, "");
    ngx_conf_merge_str_value(conf->auth, prev->auth, "");

    if (conf->file) {
        return ngx_http_clockodo_redis_check(cf, conf);
    }

    /* an "if" keeps the handler of its location */

    conf->upstream.upstream = prev->upstream.upstream;
    conf->lengths = prev->lengths;
    conf->values = prev->values;

    return NGX_CONF_OK;
}


/* in report mode calls pass that are none of Redis's business */

static char *
ngx_http_clockodo_redis_check(ngx_conf_t *cf,
    ngx_http_clockodo_redis_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t      *clcf;
    ngx_http_clockodo_loc_conf_t  *lcf;

    /* that module stands before this one, and is merged already */

    lcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_clockodo_module);

    if (lcf->webhook == NGX_HTTP_CLOCKODO_ON) {
        return NGX_CONF_OK;
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"clockodo_webhook\" is not \"on\" in location \"%V\" "
                  "for the \"clockodo_redis_pass\" directive in %s:%ui",
                  &clcf->name, conf->file, conf->line);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_clockodo_redis_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_redis_loc_conf_t *rlcf = conf;

    ngx_url_t                   u;
    ngx_str_t                  *value;
    ngx_uint_t                  n;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_script_compile_t   sc;

    if (rlcf->file) {
        return "is duplicate";
    }

    rlcf->file = cf->conf_file->file.name.data;
    rlcf->line = cf->conf_file->line;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    clcf->handler = ngx_http_clockodo_redis_handler;

    if (clcf->name.len && clcf->name.data[clcf->name.len - 1] == '/') {
        clcf->auto_redirect = 1;
    }

    value = cf->args->elts;

    n = ngx_http_script_variables_count(&value[1]);

    if (n) {

        ngx_memzero(&sc, sizeof(ngx_http_script_compile_t));

        sc.cf = cf;
        sc.source = &value[1];
        sc.lengths = &rlcf->lengths;
        sc.values = &rlcf->values;
        sc.variables = n;
        sc.complete_lengths = 1;
        sc.complete_values = 1;

        if (ngx_http_script_compile(&sc) != NGX_OK) {
            return "has an invalid address";
        }

        return NGX_CONF_OK;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = value[1];
    u.no_resolve = 1;

    rlcf->upstream.upstream = ngx_http_upstream_add(cf, &u, 0);
    if (rlcf->upstream.upstream == NULL) {
        return "has an invalid address";
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_clockodo_redis_stream(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_redis_loc_conf_t *rlcf = conf;

    ngx_str_t  *value;

    if (rlcf->stream.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "has an empty key";
    }

    rlcf->stream = value[1];

    if (ngx_http_clockodo_redis_set_prefix(cf, rlcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return cf->args->nelts == 3
           ? ngx_http_clockodo_redis_set_maxlen(cf, rlcf, &value[2])
           : NGX_CONF_OK;
}


/* keys of known events live where the stream does, also in a cluster */

static ngx_int_t
ngx_http_clockodo_redis_set_prefix(ngx_conf_t *cf,
    ngx_http_clockodo_redis_loc_conf_t *rlcf)
{
    char  *format;

    switch (clockodo_resp_tag((char *) rlcf->stream.data, rlcf->stream.len)) {

    case CLOCKODO_RESP_TAG:
        format = "%V:";
        break;

    case CLOCKODO_RESP_NO_TAG:
        format = "{%V}:";
        break;

    default: /* CLOCKODO_RESP_NO_TAG_POSSIBLE */
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid key \"%V\" in \"clockodo_redis_stream\" "
                           "directive, it has a \"}\" that is not that of a "
                           "hash tag", &rlcf->stream);
        return NGX_ERROR;
    }

    rlcf->prefix.data = ngx_pnalloc(cf->pool,
                                    rlcf->stream.len + sizeof("{}:") - 1);
    if (rlcf->prefix.data == NULL) {
        return NGX_ERROR;
    }

    rlcf->prefix.len = ngx_sprintf(rlcf->prefix.data, format, &rlcf->stream)
                       - rlcf->prefix.data;

    return NGX_OK;
}


static char *
ngx_http_clockodo_redis_set_maxlen(ngx_conf_t *cf,
    ngx_http_clockodo_redis_loc_conf_t *rlcf, ngx_str_t *value)
{
    ngx_int_t  n;

    n = NGX_ERROR;

    if (ngx_strncmp(value->data, "maxlen=", 7) == 0) {
        rlcf->maxlen.data = value->data + 7;
        rlcf->maxlen.len = value->len - 7;

        n = ngx_atoi(rlcf->maxlen.data, rlcf->maxlen.len);
    }

    if (n == NGX_ERROR || n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in "
                           "\"clockodo_redis_stream\" directive, it must be "
                           "\"maxlen=N\" with an integer from 1", value);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_clockodo_redis_dedupe(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_redis_loc_conf_t *rlcf = conf;

    time_t      ttl;
    ngx_str_t  *value;

    if (rlcf->ttl.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        ngx_str_set(&rlcf->ttl, "");
        return NGX_CONF_OK;
    }

    ttl = ngx_parse_time(&value[1], 1);

    if (ttl == (time_t) NGX_ERROR || ttl == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\" in \"%V\" directive, it must "
                           "be a time such as \"30m\", \"24h\" or \"7d\", or "
                           "\"off\"",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    rlcf->ttl.data = ngx_pnalloc(cf->pool, NGX_TIME_T_LEN);
    if (rlcf->ttl.data == NULL) {
        return NGX_CONF_ERROR;
    }

    rlcf->ttl.len = ngx_sprintf(rlcf->ttl.data, "%T", ttl) - rlcf->ttl.data;

    return NGX_CONF_OK;
}


/* makes the command at once; no message shows what it is made of */

static char *
ngx_http_clockodo_redis_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_redis_loc_conf_t *rlcf = conf;

    ngx_str_t        *value;
    ngx_uint_t        i;
    clockodo_name_t   args[3];

    if (rlcf->auth.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    (void) ngx_http_clockodo_redis_add(&args[0],
                                       &ngx_http_clockodo_redis_auth_command);

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 0) {
            return (i == 1 && cf->args->nelts == 3)
                   ? "has an empty user" : "has an empty password";
        }

        (void) ngx_http_clockodo_redis_add(&args[i], &value[i]);
    }

    rlcf->auth.len = clockodo_resp_size(args, cf->args->nelts);

    rlcf->auth.data = ngx_pnalloc(cf->pool, rlcf->auth.len);
    if (rlcf->auth.data == NULL) {
        return NGX_CONF_ERROR;
    }

    (void) clockodo_resp_write(rlcf->auth.data, args, cf->args->nelts);

    return NGX_CONF_OK;
}


static char *
ngx_http_clockodo_redis_timeout(ngx_conf_t *cf, void *post, void *data)
{
    ngx_msec_t *msp = data;

    return *msp ? NGX_CONF_OK : "must not be 0";
}


/*
 * ngx_conf_set_bitmask_slot() does not name the directive.  That the request
 * is a POST, which is not idempotent, never stops it: an event that is stored
 * twice is better than one that is lost, and a known one is not stored again.
 */

static char *
ngx_http_clockodo_redis_next_upstream(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_http_clockodo_redis_loc_conf_t *rlcf = conf;

    ngx_str_t           *value;
    ngx_uint_t           i, bits;
    ngx_conf_bitmask_t  *mask;

    if (rlcf->upstream.next_upstream) {
        return "is duplicate";
    }

    value = cf->args->elts;
    bits = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        for (mask = ngx_http_clockodo_redis_next_upstream_masks;
             mask->name.len;
             mask++)
        {
            if (mask->name.len == value[i].len
                && ngx_strcmp(mask->name.data, value[i].data) == 0)
            {
                break;
            }
        }

        if (mask->name.len == 0
            || (mask->mask == NGX_HTTP_UPSTREAM_FT_OFF
                && cf->args->nelts > 2))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid value \"%V\" in \"%V\" directive, it "
                               "must be \"error\" or \"timeout\", or both, or "
                               "\"off\" alone", &value[i], &cmd->name);
            return NGX_CONF_ERROR;
        }

        bits |= mask->mask;
    }

    rlcf->upstream.next_upstream = NGX_CONF_BITMASK_SET
                                   |NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT
                                   |bits;

    return NGX_CONF_OK;
}
