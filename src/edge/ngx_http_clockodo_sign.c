
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"

#include <openssl/rand.h>


/* of an id, in bytes and in hex */
#define NGX_HTTP_CLOCKODO_RANDOM      8
#define NGX_HTTP_CLOCKODO_RANDOM_HEX  (2 * NGX_HTTP_CLOCKODO_RANDOM)


static char *ngx_http_clockodo_add_sign_key(ngx_conf_t *cf,
    ngx_http_clockodo_loc_conf_t *lcf, clockodo_token_line_t *tl);
static void ngx_http_clockodo_clear_sign_key(void *data);
static u_char *ngx_http_clockodo_webhook_id(ngx_http_clockodo_ctx_t *ctx,
    u_char *p);
static u_char *ngx_http_clockodo_decimal(u_char *p, uint64_t n);


/* no message shows a key, nor what could be one */

static char  *ngx_http_clockodo_sign_key_errors[] = {
    NGX_CONF_OK,                           /* CLOCKODO_SIGN_KEY_OK */
    "has a key that does not start with \"whsec_\"",
    "has a key that is not base64 with its padding behind \"whsec_\"",
    "has a key of less than 24 bytes",
    "has a key of more than 64 bytes",
    "has a key that libcrypto cannot take"
};


static char  *ngx_http_clockodo_sign_line_errors[] = {
    NGX_CONF_OK,                           /* CLOCKODO_TOKEN_LINE_OK */
    NGX_CONF_OK,                           /* CLOCKODO_TOKEN_LINE_BLANK */
    "has a NUL byte",
    "must be a key and nothing else",
    "must be a key and nothing else"
};


ngx_http_clockodo_secrets_t  ngx_http_clockodo_sign_secrets = {
    ngx_http_clockodo_sign_line_errors,
    NULL,
    ngx_http_clockodo_add_sign_key,
    "key"
};


char *
ngx_http_clockodo_sign_key(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_clockodo_loc_conf_t *lcf = conf;

    char                   *error;
    ngx_str_t              *value;
    clockodo_token_line_t   tl;

    ngx_http_clockodo_set_place(cf, cmd, &lcf->setting);

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (lcf->sign_keys != NGX_CONF_UNSET_PTR) {
            return lcf->sign_keys ? "is \"off\" beside a key" : "is duplicate";
        }

        lcf->sign_keys = NULL;

        return NGX_CONF_OK;
    }

    ngx_memzero(&tl, sizeof(clockodo_token_line_t));

    tl.token = value[1].data;
    tl.token_len = value[1].len;

    error = ngx_http_clockodo_add_sign_key(cf, lcf, &tl);

    ngx_explicit_memzero(value[1].data, value[1].len);

    return error;
}


static char *
ngx_http_clockodo_add_sign_key(ngx_conf_t *cf,
    ngx_http_clockodo_loc_conf_t *lcf, clockodo_token_line_t *tl)
{
    ngx_uint_t             i;
    ngx_pool_cleanup_t    *cln;
    clockodo_sign_key_e    rc;
    clockodo_sign_key_t  **key, **keys;

    if (tl->subscriptions_len) {
        return ngx_http_clockodo_sign_line_errors
                   [CLOCKODO_TOKEN_LINE_SUBSCRIPTION];
    }

    if (lcf->sign_keys == NULL) {
        return "has a key beside \"off\"";
    }

    if (lcf->sign_keys == NGX_CONF_UNSET_PTR) {
        lcf->sign_keys = ngx_array_create(cf->pool, 2,
                                          sizeof(clockodo_sign_key_t *));
        if (lcf->sign_keys == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    key = ngx_array_push(lcf->sign_keys);
    if (key == NULL) {
        return NGX_CONF_ERROR;
    }

    /* nothing of it stays behind in memory: an array would move it about */

    cln = ngx_pool_cleanup_add(cf->pool, sizeof(clockodo_sign_key_t));
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    *key = cln->data;
    cln->handler = ngx_http_clockodo_clear_sign_key;

    rc = clockodo_sign_key_parse(tl->token, tl->token_len, *key);

    if (rc != CLOCKODO_SIGN_KEY_OK) {
        return ngx_http_clockodo_sign_key_errors[rc];
    }

    keys = lcf->sign_keys->elts;

    for (i = 0; i < lcf->sign_keys->nelts - 1; i++) {
        if (clockodo_sign_key_equal(keys[i], *key)) {
            return "has a duplicate key";
        }
    }

    return NGX_CONF_OK;
}


static void
ngx_http_clockodo_clear_sign_key(void *data)
{
    clockodo_sign_key_clear(data);
}


ngx_int_t
ngx_http_clockodo_sign(ngx_http_request_t *r,
    ngx_http_clockodo_loc_conf_t *lcf, ngx_http_clockodo_ctx_t *ctx)
{
    u_char                         *head, *p;
    size_t                          len;
    ngx_uint_t                      i;
    clockodo_sign_key_t           **keys;
    ngx_http_clockodo_signature_t  *signature;
    u_char                          mac[CLOCKODO_SHA256_LEN];

    keys = lcf->sign_keys->elts;

    len = CLOCKODO_KEY_LEN + sizeof("-") - 1 + NGX_HTTP_CLOCKODO_RANDOM_HEX
          + sizeof(".") - 1 + NGX_TIME_T_LEN + sizeof(".") - 1
          + lcf->sign_keys->nelts * (sizeof(" ") - 1 + CLOCKODO_SIGN_LEN);

    signature = ngx_palloc(r->pool,
                           sizeof(ngx_http_clockodo_signature_t) + len);
    if (signature == NULL) {
        return NGX_ERROR;
    }

    head = (u_char *) signature + sizeof(ngx_http_clockodo_signature_t);

    p = ngx_http_clockodo_webhook_id(ctx, head);
    if (p == NULL) {
        return NGX_ERROR;
    }

    signature->id.len = p - head;
    signature->id.data = head;

    *p++ = '.';

    signature->timestamp.data = p;

    p = ngx_http_clockodo_decimal(p, ngx_time());

    signature->timestamp.len = p - signature->timestamp.data;

    *p++ = '.';

    signature->text.data = p;

    for (i = 0; i < lcf->sign_keys->nelts; i++) {

        if (clockodo_sign(keys[i], head, signature->text.data - head,
                          ctx->body.data, ctx->body.len, mac)
            != 0)
        {
            return NGX_ERROR;
        }

        *p++ = ' ';

        clockodo_sign_encode(mac, (char *) p);
        p += CLOCKODO_SIGN_LEN;
    }

    /* but for the blank before the first one */

    signature->text.data++;
    signature->text.len = p - signature->text.data;

    ctx->signature = signature;
    ctx->has_signature = 1;

    return NGX_OK;
}


/*
 * Consumers take an id for unique.  What an unknown event is about may not be
 * known: two of them could have the same key, and be different ones.
 */

static u_char *
ngx_http_clockodo_webhook_id(ngx_http_clockodo_ctx_t *ctx, u_char *p)
{
    u_char             random[NGX_HTTP_CLOCKODO_RANDOM];
    clockodo_event_t  *event;

    if (ctx->signature) {

        /* another location has sent it by this one */

        return ngx_cpymem(p, ctx->signature->id.data, ctx->signature->id.len);
    }

    event = &ctx->event;

    if (clockodo_event_key(event) != 0) {
        return NULL;
    }

    p = ngx_cpymem(p, event->key.data, event->key.len);

    if (event->entity_id.len) {
        return p;
    }

    if (RAND_bytes(random, NGX_HTTP_CLOCKODO_RANDOM) != 1) {
        return NULL;
    }

    *p++ = '-';

    return ngx_hex_dump(p, random, NGX_HTTP_CLOCKODO_RANDOM);
}


/* ngx_sprintf() takes four times as long */

static u_char *
ngx_http_clockodo_decimal(u_char *p, uint64_t n)
{
    u_char  text[NGX_INT64_LEN], *last, *q;

    last = text + NGX_INT64_LEN;
    q = last;

    do {
        *--q = '0' + n % 10;
        n /= 10;
    } while (n);

    return ngx_cpymem(p, q, last - q);
}
