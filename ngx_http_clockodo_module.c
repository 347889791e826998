
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_status.h"

#include <openssl/rand.h>


typedef struct {
    ngx_http_phases        phase;
    ngx_http_handler_pt    handler;
} ngx_http_clockodo_handler_t;


static void *ngx_http_clockodo_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_clockodo_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_clockodo_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_http_clockodo_check_status(ngx_conf_t *cf,
    ngx_http_clockodo_loc_conf_t *conf);
static char *ngx_http_clockodo_enable(ngx_conf_t *cf,
    ngx_http_clockodo_loc_conf_t *prev, ngx_http_clockodo_loc_conf_t *conf);
static char *ngx_http_clockodo_webhook(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_clockodo_init(ngx_conf_t *cf);
static ngx_int_t ngx_http_clockodo_add_handlers(ngx_conf_t *cf);


static ngx_conf_enum_t  ngx_http_clockodo_webhook_values[] = {
    { ngx_string("off"), NGX_HTTP_CLOCKODO_OFF },
    { ngx_string("on"), NGX_HTTP_CLOCKODO_ON },
    { ngx_string("authenticate"), NGX_HTTP_CLOCKODO_AUTHENTICATE },
    { ngx_string("report"), NGX_HTTP_CLOCKODO_REPORT },
    { ngx_null_string, 0 }
};


static ngx_http_clockodo_enum_t  ngx_http_clockodo_webhook_enum = {
    ngx_http_clockodo_webhook_values,
    "\"on\", \"off\", \"authenticate\" or \"report\""
};


static ngx_conf_enum_t  ngx_http_clockodo_unknown_values[] = {
    { ngx_string("reject"), CLOCKODO_UNKNOWN_REJECT },
    { ngx_string("forward"), CLOCKODO_UNKNOWN_FORWARD },
    { ngx_string("ignore"), CLOCKODO_UNKNOWN_IGNORE },
    { ngx_null_string, 0 }
};


static ngx_http_clockodo_enum_t  ngx_http_clockodo_unknown_enum = {
    ngx_http_clockodo_unknown_values,
    "\"reject\", \"forward\" or \"ignore\""
};


static ngx_conf_enum_t  ngx_http_clockodo_log_levels[] = {
    { ngx_string("info"), NGX_LOG_INFO },
    { ngx_string("notice"), NGX_LOG_NOTICE },
    { ngx_string("warn"), NGX_LOG_WARN },
    { ngx_string("error"), NGX_LOG_ERR },
    { ngx_null_string, 0 }
};


static ngx_http_clockodo_enum_t  ngx_http_clockodo_log_level_enum = {
    ngx_http_clockodo_log_levels,
    "\"info\", \"notice\", \"warn\" or \"error\""
};


static ngx_command_t  ngx_http_clockodo_commands[] = {

    { ngx_string("clockodo_webhook"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_webhook,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_clockodo_loc_conf_t, webhook),
      &ngx_http_clockodo_webhook_enum },

    { ngx_string("clockodo_token"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_clockodo_token,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_token_file"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_token_file,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_http_clockodo_token_secrets },

    { ngx_string("clockodo_secret_file"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE12,
      ngx_http_clockodo_secret_file,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_events"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_clockodo_events,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_unknown_events"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_clockodo_loc_conf_t, unknown_events),
      &ngx_http_clockodo_unknown_enum },

    { ngx_string("clockodo_company"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_clockodo_company,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_max_age"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_set_sec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_clockodo_loc_conf_t, max_age),
      NULL },

    { ngx_string("clockodo_max_body_size"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_clockodo_loc_conf_t, max_body_size),
      NULL },

    { ngx_string("clockodo_mask_token"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_clockodo_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_clockodo_loc_conf_t, mask_token),
      NULL },

    { ngx_string("clockodo_log_level"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_clockodo_loc_conf_t, log_level),
      &ngx_http_clockodo_log_level_enum },

    { ngx_string("clockodo_sign_key"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_sign_key,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_sign_key_file"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_secrets_file,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      &ngx_http_clockodo_sign_secrets },

    { ngx_string("clockodo_dedupe"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE123,
      ngx_http_clockodo_dedupe,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("clockodo_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_clockodo_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      offsetof(ngx_http_clockodo_main_conf_t, zone),
      NULL },

    { ngx_string("clockodo_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE1,
      ngx_http_clockodo_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_clockodo_handler_t  ngx_http_clockodo_handlers[] = {
    { NGX_HTTP_SERVER_REWRITE_PHASE, ngx_http_clockodo_rewrite_handler },
    { NGX_HTTP_REWRITE_PHASE, ngx_http_clockodo_rewrite_handler },
    { NGX_HTTP_PRECONTENT_PHASE, ngx_http_clockodo_handler },
    { NGX_HTTP_LOG_PHASE, ngx_http_clockodo_log_handler },
    { 0, NULL }
};


static ngx_http_module_t  ngx_http_clockodo_module_ctx = {
    ngx_http_clockodo_add_variables,       /* preconfiguration */
    ngx_http_clockodo_init,                /* postconfiguration */

    ngx_http_clockodo_create_main_conf,    /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_clockodo_create_loc_conf,     /* create location configuration */
    ngx_http_clockodo_merge_loc_conf       /* merge location configuration */
};


ngx_module_t  ngx_http_clockodo_module = {
    NGX_MODULE_V1,
    &ngx_http_clockodo_module_ctx,         /* module context */
    ngx_http_clockodo_commands,            /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    ngx_http_clockodo_check_error_log,     /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static void *
ngx_http_clockodo_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_clockodo_main_conf_t  *mcf;

    mcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_clockodo_main_conf_t));
    if (mcf == NULL) {
        return NULL;
    }

    if (RAND_bytes((u_char *) &mcf->key, sizeof(mcf->key)) != 1) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "RAND_bytes() failed");
        return NULL;
    }

    if (ngx_array_init(&mcf->zone.locations, cf->pool, 4,
                       sizeof(ngx_http_clockodo_location_t *))
        != NGX_OK
        || ngx_array_init(&mcf->secret_files, cf->pool, 1,
                          sizeof(ngx_http_clockodo_secret_file_t *))
           != NGX_OK
        || ngx_array_init(&mcf->read, cf->pool, 1,
                          sizeof(ngx_http_clockodo_read_t))
           != NGX_OK
        || ngx_array_init(&mcf->checked, cf->pool, 4,
                          sizeof(ngx_http_clockodo_checked_t))
           != NGX_OK)
    {
        return NULL;
    }

    return mcf;
}


static void *
ngx_http_clockodo_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_clockodo_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_clockodo_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->place.name = NULL;
     *     conf->setting.name = NULL;
     *     conf->token_place.name = NULL;
     *     conf->secret_forward = 0;
     *     conf->policy = { 0 };
     *     conf->location = NULL;
     *     conf->status = NULL;
     */

    conf->webhook = NGX_CONF_UNSET_UINT;
    conf->tokens = NGX_CONF_UNSET_PTR;
    conf->secret_file = NGX_CONF_UNSET_PTR;
    conf->patterns = NGX_CONF_UNSET_PTR;
    conf->companies = NGX_CONF_UNSET_PTR;
    conf->unknown_events = NGX_CONF_UNSET_UINT;
    conf->max_age = NGX_CONF_UNSET;
    conf->max_body_size = NGX_CONF_UNSET_SIZE;
    conf->mask_token = NGX_CONF_UNSET;
    conf->sign_keys = NGX_CONF_UNSET_PTR;
    conf->log_level = NGX_CONF_UNSET_UINT;
    conf->dedupe = NGX_CONF_UNSET_UINT;
    conf->dedupe_ttl = NGX_CONF_UNSET_MSEC;
    conf->dedupe_lease = NGX_CONF_UNSET_MSEC;

    return conf;
}


static char *
ngx_http_clockodo_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_clockodo_loc_conf_t *prev = parent;
    ngx_http_clockodo_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_clockodo_main_conf_t  *mcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_clockodo_module);

    if (clcf->recursive_error_pages && clcf->error_pages) {
        mcf->recursive = 1;
    }

    if (clcf->noname) {

        /* an "if" has the content handler of its location */

        conf->status = prev->status;
    }

    if (ngx_http_clockodo_check_status(cf, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->place.name == NULL) {
        conf->place = prev->place;
    }

    if (conf->secret_file == NGX_CONF_UNSET_PTR) {
        conf->secret_forward = prev->secret_forward;
    }

    ngx_conf_merge_uint_value(conf->webhook, prev->webhook,
                              NGX_HTTP_CLOCKODO_OFF);
    ngx_conf_merge_ptr_value(conf->tokens, prev->tokens, NULL);
    ngx_conf_merge_ptr_value(conf->secret_file, prev->secret_file, NULL);
    ngx_conf_merge_ptr_value(conf->patterns, prev->patterns, NULL);
    ngx_conf_merge_ptr_value(conf->companies, prev->companies, NULL);
    ngx_conf_merge_uint_value(conf->unknown_events, prev->unknown_events,
                              CLOCKODO_UNKNOWN_FORWARD);
    ngx_conf_merge_value(conf->max_age, prev->max_age, 0);
    ngx_conf_merge_size_value(conf->max_body_size, prev->max_body_size,
                              16 * 1024);
    ngx_conf_merge_value(conf->mask_token, prev->mask_token, 0);
    ngx_conf_merge_ptr_value(conf->sign_keys, prev->sign_keys, NULL);
    ngx_conf_merge_uint_value(conf->log_level, prev->log_level, NGX_LOG_ERR);

    if (conf->dedupe == NGX_CONF_UNSET_UINT) {

        /* the parameters belong to it */

        conf->dedupe_ttl = prev->dedupe_ttl;
        conf->dedupe_lease = prev->dedupe_lease;
    }

    ngx_conf_merge_uint_value(conf->dedupe, prev->dedupe,
                              NGX_HTTP_CLOCKODO_DEDUPE_OFF);

    ngx_http_clockodo_set_policy(conf);

    /* a status answers GET: it inherits for locations below it, if any */

    if (conf->webhook == NGX_HTTP_CLOCKODO_OFF || conf->status) {
        ngx_http_clockodo_lint_off(cf, conf);
        return NGX_CONF_OK;
    }

    return ngx_http_clockodo_enable(cf, prev, conf);
}


/* of a location that is not merged yet: what it inherits may be on */

static char *
ngx_http_clockodo_check_status(ngx_conf_t *cf,
    ngx_http_clockodo_loc_conf_t *conf)
{
    if (conf->status == NULL
        || conf->webhook == NGX_CONF_UNSET_UINT
        || conf->webhook == NGX_HTTP_CLOCKODO_OFF)
    {
        return NGX_CONF_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"clockodo_status\" and \"clockodo_webhook\" cannot "
                  "be in one location, in %s:%ui",
                  conf->place.conf_file.file.name.data,
                  conf->place.conf_file.line);

    return NGX_CONF_ERROR;
}


static char *
ngx_http_clockodo_enable(ngx_conf_t *cf, ngx_http_clockodo_loc_conf_t *prev,
    ngx_http_clockodo_loc_conf_t *conf)
{
    ngx_http_core_loc_conf_t       *clcf;
    ngx_http_clockodo_main_conf_t  *mcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* a server has no name; its own settings may be there to inherit only */

    if (conf->tokens == NULL && clcf->name.len) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no \"clockodo_token\" or \"clockodo_token_file\" is "
                      "defined in location \"%V\" for the "
                      "\"clockodo_webhook\" directive in %s:%ui",
                      &clcf->name, conf->place.conf_file.file.name.data,
                      conf->place.conf_file.line);
        return NGX_CONF_ERROR;
    }

    if (clcf->noname) {

        /* "if" and "limit_except" are parts of their location */

        conf->location = prev->location;
        return NGX_CONF_OK;
    }

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_clockodo_module);

    conf->location = ngx_http_clockodo_add_location(cf, &mcf->zone,
                           conf->tokens,
                           conf->dedupe != NGX_HTTP_CLOCKODO_DEDUPE_OFF);
    if (conf->location == NULL
        || ngx_http_clockodo_lint_on(cf, conf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    /* for the status */

    conf->location->handshakes = conf->policy.handshakes;

    if (conf->secret_file) {
        ngx_http_clockodo_set_secret_file(conf->location, conf->secret_file);
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_clockodo_webhook(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    ngx_http_clockodo_set_place(cf, cmd, &lcf->place);

    return ngx_http_clockodo_set_enum_slot(cf, cmd, conf);
}


static ngx_int_t
ngx_http_clockodo_init(ngx_conf_t *cf)
{
    ngx_http_clockodo_main_conf_t  *mcf;

    mcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_clockodo_module);

    ngx_http_clockodo_lint(cf, mcf);

    if (ngx_http_clockodo_open_secret_files(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (mcf->zone.locations.nelts == 0 && !mcf->status) {
        return NGX_OK;
    }

    if (ngx_http_clockodo_add_zone(cf, &mcf->zone, &ngx_http_clockodo_module)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (mcf->zone.locations.nelts == 0) {
        return NGX_OK;
    }

    if (ngx_http_clockodo_index_variables(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_clockodo_init_headers(cf, mcf) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_http_clockodo_body_filter_init();

    if (mcf->zone.dedupe) {
        ngx_http_clockodo_dedupe_filter_init();
    }

    return ngx_http_clockodo_add_handlers(cf);
}


static ngx_int_t
ngx_http_clockodo_add_handlers(ngx_conf_t *cf)
{
    ngx_http_handler_pt          *h;
    ngx_http_core_main_conf_t    *cmcf;
    ngx_http_clockodo_handler_t  *handler;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    for (handler = ngx_http_clockodo_handlers; handler->handler; handler++) {

        h = ngx_array_push(&cmcf->phases[handler->phase].handlers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = handler->handler;
    }

    return NGX_OK;
}
