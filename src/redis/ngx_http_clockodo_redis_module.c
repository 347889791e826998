
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_redis.h"


/*
 * Redis refuses a time that its clock in milliseconds cannot come to, which
 * the script would only find out once the entry is there
 */
#define NGX_HTTP_CLOCKODO_REDIS_MAX_TTL  ((time_t) NGX_MAX_INT32_VALUE)


static void *ngx_http_clockodo_redis_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_clockodo_redis_merge_loc_conf(ngx_conf_t *cf,
    void *parent, void *child);
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
      NGX_HTTP_UPSTREAM_FT_ERROR|NGX_HTTP_UPSTREAM_FT_INVALID_HEADER
      |NGX_HTTP_UPSTREAM_FT_HTTP_404 },
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


static ngx_str_t  ngx_http_clockodo_redis_default_stream =
    ngx_string("clockodo:events");
static ngx_str_t  ngx_http_clockodo_redis_default_prefix =
    ngx_string("{clockodo:events}:");


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
     *     conf->upstream.intercept_errors = 0;
     *     conf->lengths = NULL;
     *     conf->values = NULL;
     *     conf->stream = { 0, NULL };
     *     conf->prefix = { 0, NULL };
     *     conf->maxlen = { 0, NULL };
     *     conf->ttl = { 0, NULL };
     *     conf->auth = { 0, NULL };
     *     conf->place.name = NULL;
     */

    conf->upstream.connect_timeout = NGX_CONF_UNSET_MSEC;
    conf->upstream.send_timeout = NGX_CONF_UNSET_MSEC;
    conf->upstream.read_timeout = NGX_CONF_UNSET_MSEC;

    /* the hardcoded values */

    conf->upstream.buffer_size = 2 * CLOCKODO_RESP_REPLY_LEN;

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

    ngx_http_core_loc_conf_t  *clcf;

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
                                  |NGX_HTTP_UPSTREAM_FT_HTTP_404
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

    if (conf->place.name) {
        return ngx_http_clockodo_check_store(cf, &conf->place);
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname) {

        /* an "if" keeps the handler of its location, "limit_except" has none */

        conf->upstream.upstream = prev->upstream.upstream;
        conf->lengths = prev->lengths;
        conf->values = prev->values;

        if (clcf->lmt_excpt && clcf->handler == NULL
            && (conf->upstream.upstream || conf->lengths))
        {
            clcf->handler = ngx_http_clockodo_redis_handler;
        }
    }

    return NGX_CONF_OK;
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

    if (rlcf->place.name) {
        return "is duplicate";
    }

    ngx_http_clockodo_set_place(cf, cmd, &rlcf->place);

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
    off_t  n;

    n = NGX_ERROR;

    if (ngx_strncmp(value->data, "maxlen=", 7) == 0) {
        rlcf->maxlen.data = value->data + 7;
        rlcf->maxlen.len = value->len - 7;

        /* of 64 bits on any system, as Redis's numbers are */

        n = ngx_atoof(rlcf->maxlen.data, rlcf->maxlen.len);
    }

    /* Redis takes no zeros in front */

    if (n == (off_t) NGX_ERROR || rlcf->maxlen.data[0] == '0') {
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

    if (ttl == (time_t) NGX_ERROR
        || ttl == 0
        || ttl > NGX_HTTP_CLOCKODO_REDIS_MAX_TTL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time \"%V\" in \"%V\" directive, it must "
                           "be a time such as \"30m\", \"24h\" or \"7d\", at "
                           "most 68 years, or \"off\"",
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

    ngx_str_t       *value;
    ngx_uint_t       i;
    clockodo_str_t   args[3];

    if (rlcf->auth.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    args[0].len = sizeof("AUTH") - 1;
    args[0].data = "AUTH";

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len == 0) {
            return (i == 1 && cf->args->nelts == 3)
                   ? "has an empty user" : "has an empty password";
        }

        args[i].len = value[i].len;
        args[i].data = (char *) value[i].data;
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
