
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo.h"


typedef struct {
    size_t      offset;                    /* in clockodo_event_t */
    ngx_uint_t  payload;                   /* needs a valid one */
} ngx_http_clockodo_event_value_t;


typedef struct {
    ngx_str_t   name;
    size_t      offset;                    /* in the main configuration */
} ngx_http_clockodo_indexed_t;


static ngx_int_t ngx_http_clockodo_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_clockodo_get_event_value(
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_value_e id,
    ngx_str_t *value);


static ngx_http_variable_t  ngx_http_clockodo_vars[] = {

    { ngx_string("clockodo_event"), NULL, ngx_http_clockodo_variable,
      NGX_HTTP_CLOCKODO_EVENT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("clockodo_entity"), NULL, ngx_http_clockodo_variable,
      NGX_HTTP_CLOCKODO_ENTITY, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("clockodo_action"), NULL, ngx_http_clockodo_variable,
      NGX_HTTP_CLOCKODO_ACTION, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("clockodo_entity_id"), NULL, ngx_http_clockodo_variable,
      NGX_HTTP_CLOCKODO_ENTITY_ID, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("clockodo_subscription_id"), NULL,
      ngx_http_clockodo_variable,
      NGX_HTTP_CLOCKODO_SUBSCRIPTION_ID, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("clockodo_company_id"), NULL, ngx_http_clockodo_variable,
      NGX_HTTP_CLOCKODO_COMPANY_ID, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("clockodo_occurred_at"), NULL, ngx_http_clockodo_variable,
      NGX_HTTP_CLOCKODO_OCCURRED_AT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("clockodo_idempotency_key"), NULL,
      ngx_http_clockodo_variable,
      NGX_HTTP_CLOCKODO_IDEMPOTENCY_KEY, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("clockodo_verdict"), NULL, ngx_http_clockodo_variable,
      NGX_HTTP_CLOCKODO_VERDICT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("clockodo_reason"), NULL, ngx_http_clockodo_variable,
      NGX_HTTP_CLOCKODO_REASON, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("clockodo_body"), NULL, ngx_http_clockodo_variable,
      NGX_HTTP_CLOCKODO_BODY, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


static ngx_http_clockodo_indexed_t  ngx_http_clockodo_indexed[] = {

    { ngx_string("content_length"),
      offsetof(ngx_http_clockodo_main_conf_t, content_length) },

    { ngx_string("http_content_length"),
      offsetof(ngx_http_clockodo_main_conf_t, http_content_length) },

    { ngx_string("content_type"),
      offsetof(ngx_http_clockodo_main_conf_t, content_type) },

    { ngx_string("http_content_type"),
      offsetof(ngx_http_clockodo_main_conf_t, http_content_type) },

    { ngx_null_string, 0 }
};


static const clockodo_name_t  ngx_http_clockodo_duplicate[] = {
    { 0, "" },
    { 1, "1" }
};


static ngx_http_clockodo_event_value_t  ngx_http_clockodo_event_values[] = {

    [NGX_HTTP_CLOCKODO_EVENT] = { offsetof(clockodo_event_t, event), 0 },
    [NGX_HTTP_CLOCKODO_ENTITY] = { offsetof(clockodo_event_t, entity), 0 },
    [NGX_HTTP_CLOCKODO_ACTION] = { offsetof(clockodo_event_t, action), 0 },

    [NGX_HTTP_CLOCKODO_ENTITY_ID] =
        { offsetof(clockodo_event_t, entity_id), 1 },

    [NGX_HTTP_CLOCKODO_SUBSCRIPTION_ID] =
        { offsetof(clockodo_event_t, subscription), 0 },

    [NGX_HTTP_CLOCKODO_COMPANY_ID] =
        { offsetof(clockodo_event_t, company), 0 },

    [NGX_HTTP_CLOCKODO_OCCURRED_AT] =
        { offsetof(clockodo_event_t, occurred_at), 0 },

    [NGX_HTTP_CLOCKODO_IDEMPOTENCY_KEY] =
        { offsetof(clockodo_event_t, key), 1 }
};


ngx_int_t
ngx_http_clockodo_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_clockodo_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_clockodo_index_variables(ngx_conf_t *cf,
    ngx_http_clockodo_main_conf_t *mcf)
{
    ngx_int_t                    *index;
    ngx_http_clockodo_indexed_t  *var;

    for (var = ngx_http_clockodo_indexed; var->name.len; var++) {
        index = (ngx_int_t *) ((u_char *) mcf + var->offset);

        *index = ngx_http_get_variable_index(cf, &var->name);

        if (*index == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_http_clockodo_forget_variable(ngx_http_request_t *r, ngx_int_t index)
{
    r->variables[index].valid = 0;
    r->variables[index].not_found = 0;
}


static ngx_int_t
ngx_http_clockodo_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                 value;
    ngx_http_clockodo_ctx_t  *ctx;

    ctx = ngx_http_clockodo_get_module_ctx(r->main);

    ngx_str_set(&value, "");

    if (ctx && ngx_http_clockodo_get_value(r->main, ctx, data, &value)
               != NGX_OK)
    {
        return NGX_ERROR;
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = (value.len == 0);
    v->len = value.len;
    v->data = value.data;

    return NGX_OK;
}


ngx_int_t
ngx_http_clockodo_get_value(ngx_http_request_t *r,
    ngx_http_clockodo_ctx_t *ctx, ngx_http_clockodo_value_e id,
    ngx_str_t *value)
{
    const clockodo_name_t  *name;

    switch (id) {

    case NGX_HTTP_CLOCKODO_DUPLICATE:
        name = &ngx_http_clockodo_duplicate[ctx->duplicate];
        break;

    case NGX_HTTP_CLOCKODO_VERDICT:
        name = &clockodo_verdicts[ctx->verdict];
        break;

    case NGX_HTTP_CLOCKODO_REASON:
        name = &clockodo_reasons[clockodo_faults[ctx->fault].reason].name;
        break;

    case NGX_HTTP_CLOCKODO_BODY:
        return ngx_http_clockodo_masked_body(r, ctx, value);

    default:
        return ngx_http_clockodo_get_event_value(ctx, id, value);
    }

    value->len = name->len;
    value->data = (u_char *) name->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_clockodo_get_event_value(ngx_http_clockodo_ctx_t *ctx,
    ngx_http_clockodo_value_e id, ngx_str_t *value)
{
    clockodo_event_t                 *event;
    clockodo_reason_e                 reason;
    const clockodo_name_t            *name;
    ngx_http_clockodo_event_value_t  *ev;

    event = &ctx->event;
    reason = clockodo_faults[ctx->fault].reason;
    ev = &ngx_http_clockodo_event_values[id];

    ngx_str_set(value, "");

    if (ctx->verdict == CLOCKODO_VERDICT_NONE
        || (reason != CLOCKODO_REASON_NONE
            && reason <= CLOCKODO_REASON_ENVELOPE)
        || event->handshake
        || (ev->payload && event->payload_fault))
    {
        return NGX_OK;
    }

    if (id == NGX_HTTP_CLOCKODO_IDEMPOTENCY_KEY
        && event->key.len == 0
        && clockodo_event_key(event) != 0)
    {
        return NGX_ERROR;
    }

    name = (clockodo_name_t *) ((u_char *) event + ev->offset);

    if (name->len) {
        value->len = name->len;
        value->data = (u_char *) name->data;
    }

    return NGX_OK;
}
