
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_zone.h"


#define NGX_HTTP_CLOCKODO_ZONE_SIZE     (1024 * 1024)

/* the least memory for claims */
#define NGX_HTTP_CLOCKODO_DEDUPE_PAGES  8


static ngx_int_t ngx_http_clockodo_set_label(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf, ngx_http_clockodo_location_t *loc);
static u_char *ngx_http_clockodo_escape_label(u_char *p, u_char *last,
    ngx_str_t *text);
static ngx_uint_t ngx_http_clockodo_count_label(
    ngx_http_clockodo_main_conf_t *mcf, ngx_str_t *name);
static size_t ngx_http_clockodo_zone_least(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf);
static ngx_int_t ngx_http_clockodo_zone_fits(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf, size_t size);
static ngx_int_t ngx_http_clockodo_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_clockodo_zone_fill(
    ngx_http_clockodo_main_conf_t *mcf, ngx_slab_pool_t *shpool);
static ngx_int_t ngx_http_clockodo_zone_add_location(
    ngx_http_clockodo_shctx_t *sh, ngx_http_clockodo_location_t *loc,
    ngx_slab_pool_t *shpool);
static ngx_int_t ngx_http_clockodo_zone_add_dedupe(
    ngx_http_clockodo_shctx_t *sh, ngx_slab_pool_t *shpool);
static ngx_http_clockodo_counters_t *ngx_http_clockodo_zone_add_counters(
    ngx_http_clockodo_shctx_t *sh, ngx_str_t *label, ngx_slab_pool_t *shpool);
static ngx_http_clockodo_token_use_t *ngx_http_clockodo_zone_add_token(
    ngx_http_clockodo_counters_t *counters, clockodo_token_t *token,
    ngx_slab_pool_t *shpool);


static ngx_str_t  ngx_http_clockodo_zone_name =
    ngx_string("ngx_http_clockodo_module");


char *
ngx_http_clockodo_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_main_conf_t *mcf = conf;

    ssize_t     size;
    ngx_str_t  *value;

    if (mcf->zone_size) {
        return "is duplicate";
    }

    value = cf->args->elts;

    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR || size == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" in \"%V\" directive, "
                           "it must be a size such as \"512k\" or \"1m\"",
                           &value[1], &cmd->name);
        return NGX_CONF_ERROR;
    }

    mcf->zone_size = size;
    mcf->zone_file = cf->conf_file->file.name.data;
    mcf->zone_line = cf->conf_file->line;

    return NGX_CONF_OK;
}


ngx_http_clockodo_location_t *
ngx_http_clockodo_add_location(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf, ngx_http_clockodo_loc_conf_t *lcf)
{
    ngx_http_clockodo_location_t  *loc, **locp;

    loc = ngx_pcalloc(cf->pool, sizeof(ngx_http_clockodo_location_t));
    if (loc == NULL) {
        return NULL;
    }

    if (ngx_http_clockodo_set_label(cf, mcf, loc) != NGX_OK) {
        return NULL;
    }

    if (lcf->tokens) {
        loc->tokens = lcf->tokens;

        loc->uses = ngx_palloc(cf->pool,
                               loc->tokens->nelts
                               * sizeof(ngx_http_clockodo_token_use_t *));
        if (loc->uses == NULL) {
            return NULL;
        }
    }

    locp = ngx_array_push(&mcf->locations);
    if (locp == NULL) {
        return NULL;
    }

    *locp = loc;

    if (lcf->dedupe == NGX_HTTP_CLOCKODO_DEDUPE_OFF) {
        return loc;
    }

    mcf->dedupe = 1;

    if (loc->label.len != loc->name_len) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"clockodo_dedupe\" tells location \"%V\" from others "
                      "of this name by their order, which must stay the same: "
                      "give servers names of their own", &loc->label);
    }

    return loc;
}


/*
 * "server_name/location", as in the configuration.  Where that is there
 * already, on another port or with another modifier, "#2" and so on follow.
 */

static ngx_int_t
ngx_http_clockodo_set_label(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf, ngx_http_clockodo_location_t *loc)
{
    u_char                    *p, *last;
    ngx_str_t                  name;
    ngx_uint_t                 n;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_core_srv_conf_t  *cscf;

    cscf = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    loc->label.data = ngx_pnalloc(cf->pool, NGX_HTTP_CLOCKODO_LABEL_LEN);
    if (loc->label.data == NULL) {
        return NGX_ERROR;
    }

    name = cscf->server_name;

    if (name.len == 0) {
        ngx_str_set(&name, "_");
    }

    /* there is always room for the number */

    p = loc->label.data;
    last = p + NGX_HTTP_CLOCKODO_LABEL_LEN - (1 + NGX_INT_T_LEN);

    p = ngx_http_clockodo_escape_label(p, last, &name);
    p = ngx_http_clockodo_escape_label(p, last, &clcf->name);

    loc->label.len = p - loc->label.data;
    loc->name_len = loc->label.len;

    n = ngx_http_clockodo_count_label(mcf, &loc->label);

    if (n) {
        loc->label.len = ngx_sprintf(p, "#%ui", n + 1) - loc->label.data;
    }

    return NGX_OK;
}


/*
 * Appends text, cut off at last, such that it can stand between quotes in
 * JSON (RFC 8259, section 7) and as the value of a label in Prometheus's
 * text format.
 */

static u_char *
ngx_http_clockodo_escape_label(u_char *p, u_char *last, ngx_str_t *text)
{
    u_char      c;
    ngx_uint_t  i;

    for (i = 0; i < text->len && last - p >= 3; i++) {
        c = text->data[i];

        /* "#" is ours */

        if (c < ' ' || c > '~' || c == '#') {
            p = ngx_sprintf(p, "%%%02Xd", c);
            continue;
        }

        if (c == '"' || c == '\\') {
            *p++ = '\\';
        }

        *p++ = c;
    }

    return p;
}


/* how many locations there are of this name */

static ngx_uint_t
ngx_http_clockodo_count_label(ngx_http_clockodo_main_conf_t *mcf,
    ngx_str_t *name)
{
    ngx_uint_t                      i, n;
    ngx_http_clockodo_location_t  **locp;

    n = 0;
    locp = mcf->locations.elts;

    for (i = 0; i < mcf->locations.nelts; i++) {
        if (locp[i]->name_len == name->len
            && ngx_memcmp(locp[i]->label.data, name->data, name->len) == 0)
        {
            n++;
        }
    }

    return n;
}


ngx_int_t
ngx_http_clockodo_add_zone(ngx_conf_t *cf, ngx_http_clockodo_main_conf_t *mcf)
{
    size_t           size, least;
    ngx_shm_zone_t  *shm_zone;

    size = mcf->zone_size ? mcf->zone_size : NGX_HTTP_CLOCKODO_ZONE_SIZE;

    least = ngx_http_clockodo_zone_least(cf, mcf);

    if (least == 0) {
        return NGX_ERROR;
    }

    if (size < least) {

        if (mcf->zone_size) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"clockodo_zone\" is too small, "
                          "it must be at least %uzk in %s:%ui",
                          least / 1024, mcf->zone_file, mcf->zone_line);

        } else {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "so many locations or tokens need "
                          "a \"clockodo_zone\" of at least %uzk",
                          least / 1024);
        }

        return NGX_ERROR;
    }

    shm_zone = ngx_shared_memory_add(cf, &ngx_http_clockodo_zone_name, size,
                                     &ngx_http_clockodo_module);
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    shm_zone->init = ngx_http_clockodo_init_zone;
    shm_zone->data = mcf;

    return NGX_OK;
}


/* the least size of a new zone that holds all, or 0 on errors */

static size_t
ngx_http_clockodo_zone_least(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf)
{
    size_t     low, high, pages;
    ngx_int_t  rc;

    /* in pages; low does not fit */

    low = 0;
    high = 8;

    for ( ;; ) {
        rc = ngx_http_clockodo_zone_fits(cf, mcf, high * ngx_pagesize);

        if (rc == NGX_OK) {
            break;
        }

        if (rc == NGX_ERROR) {
            return 0;
        }

        low = high;
        high *= 2;
    }

    while (high - low > 1) {
        pages = (low + high) / 2;

        if (ngx_http_clockodo_zone_fits(cf, mcf, pages * ngx_pagesize)
            == NGX_OK)
        {
            high = pages;

        } else {
            low = pages;
        }
    }

    return high * ngx_pagesize;
}


/* tried out, not reckoned: NGX_OK, NGX_DECLINED, or NGX_ERROR: no memory */

static ngx_int_t
ngx_http_clockodo_zone_fits(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf, size_t size)
{
    ngx_int_t         rc;
    ngx_slab_pool_t  *shpool;

    /* room for the pool itself */

    if (size < 8 * ngx_pagesize) {
        return NGX_DECLINED;
    }

    shpool = ngx_memalign(ngx_pagesize, size, cf->log);
    if (shpool == NULL) {
        return NGX_ERROR;
    }

    /* as ngx_init_zone_pool() does */

    ngx_memzero(shpool, sizeof(ngx_slab_pool_t));

    shpool->addr = shpool;
    shpool->end = (u_char *) shpool + size;
    shpool->min_shift = 3;

    ngx_slab_init(shpool);

    shpool->log_nomem = 0;

    rc = ngx_http_clockodo_zone_fill(mcf, shpool);

    ngx_free(shpool);

    return rc == NGX_OK ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_clockodo_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t                *shpool;
    ngx_http_clockodo_main_conf_t  *mcf;

    mcf = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    shpool->log_nomem = 0;

    ngx_shmtx_lock(&shpool->mutex);

    if (ngx_http_clockodo_zone_fill(mcf, shpool) != NGX_OK) {
        ngx_shmtx_unlock(&shpool->mutex);

        /* it is large enough for them alone, as we have made sure */

        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "\"clockodo_zone\" has no room for more locations or "
                      "tokens than it has seen, change its size or restart");
        return NGX_ERROR;
    }

    ngx_shmtx_unlock(&shpool->mutex);

    mcf->shpool = shpool;
    mcf->sh = shpool->data;

    return NGX_OK;
}


/* all that is there already, from an earlier configuration, is found again */

static ngx_int_t
ngx_http_clockodo_zone_fill(ngx_http_clockodo_main_conf_t *mcf,
    ngx_slab_pool_t *shpool)
{
    ngx_uint_t                      i;
    ngx_http_clockodo_shctx_t      *sh;
    ngx_http_clockodo_location_t  **locp;

    sh = shpool->data;

    if (sh == NULL) {
        sh = ngx_slab_calloc_locked(shpool, sizeof(ngx_http_clockodo_shctx_t));
        if (sh == NULL) {
            return NGX_ERROR;
        }

        sh->since = ngx_time();

        shpool->data = sh;
    }

    locp = mcf->locations.elts;

    for (i = 0; i < mcf->locations.nelts; i++) {
        if (ngx_http_clockodo_zone_add_location(sh, locp[i], shpool)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return mcf->dedupe ? ngx_http_clockodo_zone_add_dedupe(sh, shpool)
                       : NGX_OK;
}


/* all that is left, but for what other configurations may need one day */

static ngx_int_t
ngx_http_clockodo_zone_add_dedupe(ngx_http_clockodo_shctx_t *sh,
    ngx_slab_pool_t *shpool)
{
    void        *p;
    ngx_uint_t   pages;

    if (sh->dedupe) {
        return NGX_OK;
    }

    pages = shpool->pfree - shpool->pfree / 8;

    for ( ;; ) {

        if (pages < NGX_HTTP_CLOCKODO_DEDUPE_PAGES) {
            return NGX_ERROR;
        }

        p = ngx_slab_alloc_locked(shpool, pages * ngx_pagesize);

        if (p) {
            break;
        }

        /* free pages need not be side by side */

        pages -= pages / 8;
    }

    sh->dedupe = clockodo_dedupe_init(p, pages * ngx_pagesize);

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_zone_add_location(ngx_http_clockodo_shctx_t *sh,
    ngx_http_clockodo_location_t *loc, ngx_slab_pool_t *shpool)
{
    ngx_uint_t         i;
    clockodo_token_t  *tokens;

    loc->counters = ngx_http_clockodo_zone_add_counters(sh, &loc->label,
                                                        shpool);
    if (loc->counters == NULL) {
        return NGX_ERROR;
    }

    if (loc->tokens == NULL) {
        return NGX_OK;
    }

    tokens = loc->tokens->elts;

    for (i = 0; i < loc->tokens->nelts; i++) {
        loc->uses[i] = ngx_http_clockodo_zone_add_token(loc->counters,
                                                        &tokens[i], shpool);
        if (loc->uses[i] == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_http_clockodo_counters_t *
ngx_http_clockodo_zone_add_counters(ngx_http_clockodo_shctx_t *sh,
    ngx_str_t *label, ngx_slab_pool_t *shpool)
{
    ngx_http_clockodo_counters_t  *counters;

    for (counters = sh->locations; counters; counters = counters->next) {
        if (counters->len == label->len
            && ngx_memcmp(counters->label, label->data, label->len) == 0)
        {
            return counters;
        }
    }

    counters = ngx_slab_calloc_locked(shpool,
                                offsetof(ngx_http_clockodo_counters_t, label)
                                + label->len);
    if (counters == NULL) {
        return NULL;
    }

    counters->len = label->len;
    ngx_memcpy(counters->label, label->data, label->len);

    ngx_rbtree_init(&counters->tokens, &counters->sentinel,
                    ngx_rbtree_insert_value);

    counters->number = sh->locations ? sh->locations->number + 1 : 1;
    counters->next = sh->locations;
    sh->locations = counters;

    return counters;
}


static ngx_http_clockodo_token_use_t *
ngx_http_clockodo_zone_add_token(ngx_http_clockodo_counters_t *counters,
    clockodo_token_t *token, ngx_slab_pool_t *shpool)
{
    ngx_rbtree_key_t                key;
    ngx_rbtree_node_t              *node, *sentinel;
    ngx_http_clockodo_token_use_t  *use;

    /* tells tokens apart well enough */

    ngx_memcpy(&key, token->digest, sizeof(ngx_rbtree_key_t));

    node = counters->tokens.root;
    sentinel = counters->tokens.sentinel;

    while (node != sentinel) {

        if (key == node->key) {
            return (ngx_http_clockodo_token_use_t *) node;
        }

        node = (key < node->key) ? node->left : node->right;
    }

    use = ngx_slab_calloc_locked(shpool,
                                 sizeof(ngx_http_clockodo_token_use_t));
    if (use == NULL) {
        return NULL;
    }

    use->node.key = key;
    ngx_rbtree_insert(&counters->tokens, &use->node);

    return use;
}
