
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_zone.h"


#define NGX_HTTP_CLOCKODO_ZONE_SIZE     (1024 * 1024)

/* the least memory for claims */
#define NGX_HTTP_CLOCKODO_DEDUPE_PAGES  8

/* how many entries a look at the figures frees at the most */
#define NGX_HTTP_CLOCKODO_DEDUPE_EXPIRE  1000

/* nginx's own, see ngx_init_zone_pool() */
#define NGX_HTTP_CLOCKODO_MIN_SHIFT     3


/* what is to be taken from a slab pool */

typedef struct {
    ngx_uint_t  pages;
    ngx_uint_t  chunks[8 * sizeof(size_t)];    /* by the binary logarithm */
} ngx_http_clockodo_need_t;


static size_t ngx_http_clockodo_zone_least(ngx_http_clockodo_zone_t *zone);
static void ngx_http_clockodo_zone_need(ngx_http_clockodo_need_t *need,
    size_t size, ngx_uint_t n);
static ngx_uint_t ngx_http_clockodo_zone_pages(
    ngx_http_clockodo_need_t *need);
static ngx_int_t ngx_http_clockodo_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);
static ngx_int_t ngx_http_clockodo_zone_fill(ngx_http_clockodo_zone_t *zone,
    ngx_slab_pool_t *shpool);
static ngx_int_t ngx_http_clockodo_zone_add_dedupe(
    ngx_http_clockodo_shctx_t *sh, ngx_slab_pool_t *shpool);
static ngx_int_t ngx_http_clockodo_zone_add_location(
    ngx_http_clockodo_shctx_t *sh, ngx_http_clockodo_location_t *loc,
    ngx_slab_pool_t *shpool);
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
    char  *p = conf;

    ssize_t                    size;
    ngx_str_t                 *value;
    ngx_http_clockodo_zone_t  *zone;

    zone = (ngx_http_clockodo_zone_t *) (p + cmd->offset);

    if (zone->size) {
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

    zone->size = size;
    zone->file = cf->conf_file->file.name.data;
    zone->line = cf->conf_file->line;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_clockodo_add_zone(ngx_conf_t *cf, ngx_http_clockodo_zone_t *zone,
    void *tag)
{
    size_t           size, least;
    ngx_shm_zone_t  *shm_zone;

    size = zone->size ? zone->size : NGX_HTTP_CLOCKODO_ZONE_SIZE;

    least = ngx_http_clockodo_zone_least(zone);

    if (size < least) {

        if (zone->size) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"clockodo_zone\" is too small, "
                          "it must be at least %uzk in %s:%ui",
                          least / 1024, zone->file, zone->line);

        } else {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "so many locations or tokens need "
                          "a \"clockodo_zone\" of at least %uzk",
                          least / 1024);
        }

        return NGX_ERROR;
    }

    shm_zone = ngx_shared_memory_add(cf, &ngx_http_clockodo_zone_name, size,
                                     tag);
    if (shm_zone == NULL) {
        return NGX_ERROR;
    }

    shm_zone->init = ngx_http_clockodo_init_zone;
    shm_zone->data = zone;

    return NGX_OK;
}


/* of a new zone that holds all */

static size_t
ngx_http_clockodo_zone_least(ngx_http_clockodo_zone_t *zone)
{
    size_t                          head;
    ngx_uint_t                      i, pages;
    ngx_http_clockodo_need_t        need;
    ngx_http_clockodo_location_t  **locp;

    ngx_memzero(&need, sizeof(ngx_http_clockodo_need_t));

    ngx_http_clockodo_zone_need(&need, sizeof(ngx_http_clockodo_shctx_t), 1);

    locp = zone->locations.elts;

    for (i = 0; i < zone->locations.nelts; i++) {
        ngx_http_clockodo_zone_need(&need,
                                    sizeof(ngx_http_clockodo_counters_t), 1);
        ngx_http_clockodo_zone_need(&need, locp[i]->label.len, 1);

        if (locp[i]->tokens) {
            ngx_http_clockodo_zone_need(&need,
                                        sizeof(ngx_http_clockodo_token_use_t),
                                        locp[i]->tokens->nelts);
        }
    }

    pages = ngx_http_clockodo_zone_pages(&need);

    if (zone->dedupe) {

        /* it leaves an eighth */

        pages += NGX_HTTP_CLOCKODO_DEDUPE_PAGES
                 + NGX_HTTP_CLOCKODO_DEDUPE_PAGES / 8;
    }

    /* as ngx_slab_init() lays it out */

    head = sizeof(ngx_slab_pool_t)
           + (ngx_pagesize_shift - NGX_HTTP_CLOCKODO_MIN_SHIFT)
             * (sizeof(ngx_slab_page_t) + sizeof(ngx_slab_stat_t))
           + pages * sizeof(ngx_slab_page_t);

    return pages * ngx_pagesize + ngx_align(head, ngx_pagesize);
}


/* adds n pieces of memory, each of which is of this size */

static void
ngx_http_clockodo_zone_need(ngx_http_clockodo_need_t *need, size_t size,
    ngx_uint_t n)
{
    ngx_uint_t  shift;

    if (size > ngx_pagesize / 2) {
        need->pages += n * (ngx_align(size, ngx_pagesize) / ngx_pagesize);
        return;
    }

    shift = NGX_HTTP_CLOCKODO_MIN_SHIFT;

    while (((size_t) 1 << shift) < size) {
        shift++;
    }

    need->chunks[shift] += n;
}


/* as ngx_slab_alloc_locked() takes them */

static ngx_uint_t
ngx_http_clockodo_zone_pages(ngx_http_clockodo_need_t *need)
{
    ngx_uint_t  n, pages, shift;

    pages = need->pages;

    for (shift = NGX_HTTP_CLOCKODO_MIN_SHIFT; shift < ngx_pagesize_shift;
         shift++)
    {
        n = ngx_pagesize >> shift;

        if (n > 8 * sizeof(uintptr_t)) {

            /* a bit for each does not fit in a word: the first have them */

            n -= ngx_max((n >> shift) / 8, 1);
        }

        pages += (need->chunks[shift] + n - 1) / n;
    }

    return pages;
}


static ngx_int_t
ngx_http_clockodo_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_slab_pool_t           *shpool;
    ngx_http_clockodo_zone_t  *zone;

    zone = shm_zone->data;
    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    shpool->log_nomem = 0;

    ngx_shmtx_lock(&shpool->mutex);

    if (ngx_http_clockodo_zone_fill(zone, shpool) != NGX_OK) {
        ngx_shmtx_unlock(&shpool->mutex);

        /* it is large enough for them alone, as we have made sure */

        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "\"clockodo_zone\" has no room for more locations or "
                      "tokens than it has seen, change its size or restart");
        return NGX_ERROR;
    }

    ngx_shmtx_unlock(&shpool->mutex);

    zone->shpool = shpool;
    zone->sh = shpool->data;

    return NGX_OK;
}


/* all that is there already, from an earlier configuration, is found again */

static ngx_int_t
ngx_http_clockodo_zone_fill(ngx_http_clockodo_zone_t *zone,
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

    locp = zone->locations.elts;

    for (i = 0; i < zone->locations.nelts; i++) {
        if (ngx_http_clockodo_zone_add_location(sh, locp[i], shpool)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return zone->dedupe ? ngx_http_clockodo_zone_add_dedupe(sh, shpool)
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

    if (pages < NGX_HTTP_CLOCKODO_DEDUPE_PAGES) {
        return NGX_ERROR;
    }

    /* free pages are side by side, since nothing is freed but what came last */

    p = ngx_slab_alloc_locked(shpool, pages * ngx_pagesize);
    if (p == NULL) {
        return NGX_ERROR;
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
        if (counters->label.len == label->len
            && ngx_memcmp(counters->label.data, label->data, label->len) == 0)
        {
            return counters;
        }
    }

    counters = ngx_slab_calloc_locked(shpool,
                                      sizeof(ngx_http_clockodo_counters_t));
    if (counters == NULL) {
        return NULL;
    }

    counters->label.data = ngx_slab_alloc_locked(shpool, label->len);
    if (counters->label.data == NULL) {
        ngx_slab_free_locked(shpool, counters);
        return NULL;
    }

    counters->label.len = label->len;
    ngx_memcpy(counters->label.data, label->data, label->len);

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


void
ngx_http_clockodo_dedupe_status(ngx_http_clockodo_zone_t *zone,
    ngx_http_clockodo_dedupe_status_t *status)
{
    clockodo_dedupe_t  *dedupe;

    ngx_memzero(status, sizeof(ngx_http_clockodo_dedupe_status_t));

    /* an earlier configuration may have left one */

    if (!zone->dedupe) {
        return;
    }

    dedupe = zone->sh->dedupe;

    ngx_shmtx_lock(&zone->shpool->mutex);

    clockodo_dedupe_expire(dedupe, ngx_http_clockodo_dedupe_now(dedupe),
                           NGX_HTTP_CLOCKODO_DEDUPE_EXPIRE);

    status->capacity = dedupe->capacity;
    status->entries = dedupe->entries;
    status->evictions = dedupe->evictions;

    ngx_shmtx_unlock(&zone->shpool->mutex);

    status->unclaimed = zone->sh->unclaimed;
}
