
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


#define NGX_HTTP_CLOCKODO_DEDUPE_TTL    (24 * 60 * 60 * 1000)
#define NGX_HTTP_CLOCKODO_DEDUPE_LEASE  (5 * 60 * 1000)

/* nginx's integers, of milliseconds here, may have 32 bits */

#if (NGX_PTR_SIZE == 4)
#define NGX_HTTP_CLOCKODO_AT_MOST       ", and at most \"24d\" on this system"
#else
#define NGX_HTTP_CLOCKODO_AT_MOST       ""
#endif

/* how often it is said that the zone is full, in seconds */
#define NGX_HTTP_CLOCKODO_DEDUPE_WARN   60


static char *ngx_http_clockodo_dedupe_parameter(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_http_clockodo_loc_conf_t *lcf, ngx_str_t *value);
static clockodo_dedupe_e ngx_http_clockodo_try_claim(
    ngx_http_clockodo_zone_t *zone, ngx_http_clockodo_loc_conf_t *lcf,
    ngx_http_clockodo_ctx_t *ctx);
static void ngx_http_clockodo_warn_full(ngx_http_request_t *r,
    ngx_http_clockodo_shctx_t *sh);
static void ngx_http_clockodo_commit(ngx_http_clockodo_ctx_t *ctx);
static void ngx_http_clockodo_claim_cleanup(void *data);
static ngx_int_t ngx_http_clockodo_header_filter(ngx_http_request_t *r);
static void ngx_http_clockodo_settle(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx);
static void ngx_http_clockodo_warn_lease(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf);
static void ngx_http_clockodo_warn_abort(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf);
static ngx_msec_t ngx_http_clockodo_upstream_timeout(ngx_http_upstream_t *u);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;


static ngx_conf_enum_t  ngx_http_clockodo_dedupe_modes[] = {
    { ngx_string("off"), NGX_HTTP_CLOCKODO_DEDUPE_OFF },
    { ngx_string("mark"), NGX_HTTP_CLOCKODO_DEDUPE_MARK },
    { ngx_string("drop"), NGX_HTTP_CLOCKODO_DEDUPE_DROP },
    { ngx_null_string, 0 }
};


static ngx_http_clockodo_enum_t  ngx_http_clockodo_dedupe_enum = {
    ngx_http_clockodo_dedupe_modes,
    "\"off\", \"mark\" or \"drop\""
};


char *
ngx_http_clockodo_dedupe(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_uint_t   i;

    if (lcf->dedupe != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    ngx_http_clockodo_set_place(cf, cmd, &lcf->setting);

    value = cf->args->elts;

    rv = ngx_http_clockodo_parse_enum(cf, cmd, &value[1],
                                      &ngx_http_clockodo_dedupe_enum,
                                      &lcf->dedupe);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    for (i = 2; i < cf->args->nelts; i++) {
        rv = ngx_http_clockodo_dedupe_parameter(cf, cmd, lcf, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    ngx_conf_init_msec_value(lcf->dedupe_ttl, NGX_HTTP_CLOCKODO_DEDUPE_TTL);
    ngx_conf_init_msec_value(lcf->dedupe_lease,
                             NGX_HTTP_CLOCKODO_DEDUPE_LEASE);

    return NGX_CONF_OK;
}


static char *
ngx_http_clockodo_dedupe_parameter(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_str_t *value)
{
    ngx_str_t    time;
    ngx_int_t    msec;
    ngx_msec_t  *np;

    if (ngx_strncmp(value->data, "ttl=", 4) == 0) {
        np = &lcf->dedupe_ttl;
        time.data = value->data + 4;
        time.len = value->len - 4;

    } else if (ngx_strncmp(value->data, "lease=", 6) == 0) {
        np = &lcf->dedupe_lease;
        time.data = value->data + 6;
        time.len = value->len - 6;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" in \"%V\" directive, "
                           "it must be \"ttl=TIME\" or \"lease=TIME\"",
                           value, &cmd->name);
        return NGX_CONF_ERROR;
    }

    if (*np != NGX_CONF_UNSET_MSEC) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate parameter \"%V\" in \"%V\" directive",
                           value, &cmd->name);
        return NGX_CONF_ERROR;
    }

    msec = ngx_parse_time(&time, 0);

    if (msec == NGX_ERROR || msec == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time in \"%V\" in \"%V\" directive, it "
                           "must be such as \"30s\", \"5m\" or \"24h\""
                           NGX_HTTP_CLOCKODO_AT_MOST,
                           value, &cmd->name);
        return NGX_CONF_ERROR;
    }

    *np = msec;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_clockodo_claim(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    clockodo_dedupe_e               state;
    ngx_pool_cleanup_t             *cln;
    ngx_http_clockodo_main_conf_t  *mcf;

    if (lcf->dedupe == NGX_HTTP_CLOCKODO_DEDUPE_OFF
        || ctx->claimed
        || ctx->duplicate
        || ctx->event.entity_id.len == 0)
    {
        return NGX_OK;
    }

    if (clockodo_event_key(&ctx->event) != 0) {
        return NGX_ERROR;
    }

    cln = ngx_pool_cleanup_add(r->pool, 0);
    if (cln == NULL) {
        return NGX_ERROR;
    }

    cln->handler = ngx_http_clockodo_claim_cleanup;
    cln->data = ctx;

    mcf = ngx_http_get_module_main_conf(r, ngx_http_clockodo_module);

    state = ngx_http_clockodo_try_claim(&mcf->zone, lcf, ctx);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "clockodo claim: state %ui, owner %ui",
                   (ngx_uint_t) state, (ngx_uint_t) ctx->claim.owner);

    switch (state) {

    case CLOCKODO_DEDUPE_NEW:
        return NGX_OK;

    case CLOCKODO_DEDUPE_FULL:
        ngx_http_clockodo_warn_full(r, mcf->zone.sh);
        return NGX_OK;

    default:
        break;
    }

    if (lcf->dedupe == NGX_HTTP_CLOCKODO_DEDUPE_MARK) {
        ctx->duplicate = 1;

    } else if (state == CLOCKODO_DEDUPE_COMMITTED) {
        ctx->verdict = CLOCKODO_VERDICT_DUPLICATE;

    } else {
        ngx_http_clockodo_reject(r, lcf, ctx, CLOCKODO_FAULT_IN_FLIGHT);
    }

    return NGX_OK;
}


static clockodo_dedupe_e
ngx_http_clockodo_try_claim(ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    u_char             *digest;
    uint32_t            scope;
    uint64_t            now;
    clockodo_dedupe_e   state;
    clockodo_dedupe_t  *dedupe;

    dedupe = zone->sh->dedupe;
    digest = ctx->event.key_digest;
    scope = lcf->location->counters->number;

    ngx_shmtx_lock(&zone->shpool->mutex);

    now = ngx_http_clockodo_dedupe_now(dedupe);

    if (lcf->webhook == NGX_HTTP_CLOCKODO_REPORT) {
        state = clockodo_dedupe_find(dedupe, digest, scope, now);

    } else {
        state = clockodo_dedupe_claim(dedupe, digest, scope, now,
                                      lcf->dedupe_lease, &ctx->claim);
    }

    ngx_shmtx_unlock(&zone->shpool->mutex);

    if (ctx->claim.owner) {
        ctx->claimed = lcf;
        ctx->zone = zone;
    }

    return state;
}


/* the event is forwarded all the same: none is lost for want of memory */

static void
ngx_http_clockodo_warn_full(ngx_http_request_t *r,
    ngx_http_clockodo_shctx_t *sh)
{
    (void) ngx_atomic_fetch_add(&sh->unclaimed, 1);

    if (ngx_http_clockodo_once(&sh->full, NGX_HTTP_CLOCKODO_DEDUPE_WARN)) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "\"clockodo_zone\" is full of events in flight, "
                      "further ones are forwarded without a check for "
                      "duplicates");
    }
}


/* the event was delivered: its key counts as known */

static void
ngx_http_clockodo_commit(ngx_http_clockodo_ctx_t *ctx)
{
    ngx_slab_pool_t    *shpool;
    clockodo_dedupe_t  *dedupe;

    if (ctx->claim.owner == 0) {
        return;
    }

    shpool = ctx->zone->shpool;
    dedupe = ctx->zone->sh->dedupe;

    ngx_shmtx_lock(&shpool->mutex);
    clockodo_dedupe_commit(dedupe, &ctx->claim,
                           ngx_http_clockodo_dedupe_now(dedupe),
                           ctx->claimed->dedupe_ttl);
    ngx_shmtx_unlock(&shpool->mutex);
}


void
ngx_http_clockodo_release(ngx_http_clockodo_ctx_t *ctx)
{
    ngx_slab_pool_t  *shpool;

    if (ctx->claim.owner == 0) {
        return;
    }

    shpool = ctx->zone->shpool;

    ngx_shmtx_lock(&shpool->mutex);
    clockodo_dedupe_release(ctx->zone->sh->dedupe, &ctx->claim);
    ngx_shmtx_unlock(&shpool->mutex);
}


/* whatever has become of the request */

static void
ngx_http_clockodo_claim_cleanup(void *data)
{
    ngx_http_clockodo_ctx_t *ctx = data;

    /* a spool may have the event, though its sender is gone */

    if (ctx->stored) {
        ngx_http_clockodo_commit(ctx);

    } else {
        ngx_http_clockodo_release(ctx);
    }
}


void
ngx_http_clockodo_dedupe_filter_init(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_clockodo_header_filter;
}


/*
 * Before the reply leaves, for the sender may repeat the event as soon as it
 * has that: log phase and clean-up can come much later.
 */

static ngx_int_t
ngx_http_clockodo_header_filter(ngx_http_request_t *r)
{
    ngx_http_clockodo_ctx_t  *ctx;

    if (r == r->main) {
        ctx = ngx_http_clockodo_get_module_ctx(r);

        if (ctx && ctx->claim.owner) {
            ngx_http_clockodo_settle(r, ctx);
        }
    }

    return ngx_http_next_header_filter(r);
}


static void
ngx_http_clockodo_settle(ngx_http_request_t *r, ngx_http_clockodo_ctx_t *ctx)
{
    if (ngx_http_clockodo_delivered(r, ctx)) {
        ngx_http_clockodo_commit(ctx);

    } else {
        ngx_http_clockodo_release(ctx);
    }

    /* no conf if the name of the upstream could not be made out */

    if (r->upstream && r->upstream->conf) {
        ngx_http_clockodo_warn_lease(r, ctx->claimed);
        ngx_http_clockodo_warn_abort(r, ctx->claimed);
    }
}


/*
 * An error page may well say 200 of an upstream that has failed, or that was
 * not even asked.
 */

ngx_uint_t
ngx_http_clockodo_delivered(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx)
{
    ngx_http_upstream_state_t  *state;

    if (ctx->stored) {

        /* whatever an upstream has said before */

        return 1;
    }

    if (r->headers_out.status / 100 != 2) {
        return 0;
    }

    if (r->upstream == NULL) {
        return !r->error_page && r->err_status == 0;
    }

    if (r->upstream_states == NULL || r->upstream_states->nelts == 0) {
        return 0;
    }

    state = r->upstream_states->elts;

    return state[r->upstream_states->nelts - 1].status / 100 == 2;
}


/* once for each lease that is set */

static void
ngx_http_clockodo_warn_lease(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf)
{
    ngx_msec_t     timeout;
    ngx_atomic_t  *warned;

    timeout = ngx_http_clockodo_upstream_timeout(r->upstream);

    if (lcf->dedupe_lease >= timeout) {
        return;
    }

    warned = &lcf->location->counters->short_lease;

    if (*warned == lcf->dedupe_lease) {
        return;
    }

    *warned = lcf->dedupe_lease;

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "the lease of \"clockodo_dedupe\", %M ms, is shorter than "
                  "the upstream's time-outs for connecting, sending and "
                  "reading with all tries, %M ms: an event that takes longer "
                  "can be delivered twice", lcf->dedupe_lease, timeout);
}


/* once; grpc_pass is left out, it has no such directive */

static void
ngx_http_clockodo_warn_abort(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf)
{
    ngx_http_upstream_t  *u;

    u = r->upstream;

    if (u->conf->ignore_client_abort
        || (u->schema.len > 4 && ngx_strncmp(u->schema.data, "grpc", 4) == 0)
        || !ngx_atomic_cmp_set(&lcf->location->counters->abort, 0, 1))
    {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                  "with \"clockodo_dedupe\", a sender that hangs up early "
                  "ends the delivery, and its repeat reaches the application "
                  "as if it were the first: set \"proxy_ignore_client_abort "
                  "on\", or its like of \"fastcgi\", \"uwsgi\" or \"scgi\"");
}


/*
 * Of the tries that are left, the current one among them, which are all of
 * them unless others have failed before.
 */

static ngx_msec_t
ngx_http_clockodo_upstream_timeout(ngx_http_upstream_t *u)
{
    ngx_msec_t                 last, others;
    ngx_http_upstream_conf_t  *conf;

    conf = u->conf;
    last = conf->connect_timeout + conf->send_timeout + conf->read_timeout;

    if (u->peer.tries < 2 || (conf->next_upstream & NGX_HTTP_UPSTREAM_FT_OFF)) {
        return last;
    }

    /* once sent, a POST does not go to the next server unless this is set */

    others = (conf->next_upstream & NGX_HTTP_UPSTREAM_FT_NON_IDEMPOTENT)
             ? last : conf->connect_timeout;

    others *= u->peer.tries - 1;

    /* after this time no other try begins */

    if (conf->next_upstream_timeout) {
        others = ngx_min(others, conf->next_upstream_timeout);
    }

    return others + last;
}
