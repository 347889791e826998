
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include <string.h>

#include <cjson/cJSON.h>

#include "clockodo_event_internal.h"


/* cJSON before 1.7.19 gives up on numbers with more bytes than this */
#define EVENT_NUMBER_LEN  63


static uint64_t event_read_id(const clockodo_str_t *text, char *buf,
    clockodo_str_t *name);
static void event_set(clockodo_str_t *name, char *buf,
    const clockodo_str_t *text);
static int event_consists_of(const clockodo_str_t *text, size_t max,
    const char *others);


clockodo_read_e
clockodo_event_read_secret(clockodo_event_t *event, const clockodo_str_t *text)
{
    if (!event_consists_of(text, CLOCKODO_SECRET_LEN, "._~-")) {
        return CLOCKODO_READ_INVALID;
    }

    event_set(&event->secret, event->secret_buf, text);

    return CLOCKODO_READ_OK;
}


clockodo_read_e
clockodo_event_read_token(clockodo_event_t *event, const clockodo_str_t *text)
{
    return clockodo_sha256(text->data, text->len, event->token) == 0
           ? CLOCKODO_READ_OK : CLOCKODO_READ_NO_MEMORY;
}


clockodo_read_e
clockodo_event_read_subscription(clockodo_event_t *event,
    const clockodo_str_t *text)
{
    event->subscription_id = event_read_id(text, event->subscription_buf,
                                           &event->subscription);

    return event->subscription_id ? CLOCKODO_READ_OK : CLOCKODO_READ_INVALID;
}


clockodo_read_e
clockodo_event_read_company(clockodo_event_t *event, const clockodo_str_t *text)
{
    event->company_id = event_read_id(text, event->company_buf,
                                      &event->company);

    return event->company_id ? CLOCKODO_READ_OK : CLOCKODO_READ_INVALID;
}


clockodo_read_e
clockodo_event_read_occurred_at(clockodo_event_t *event,
    const clockodo_str_t *text)
{
    if (clockodo_time_parse((const unsigned char *) text->data, text->len,
                            &event->occurred)
        != 0)
    {
        return CLOCKODO_READ_INVALID;
    }

    event_set(&event->occurred_at, event->occurred_at_buf, text);

    return CLOCKODO_READ_OK;
}


clockodo_read_e
clockodo_event_read_name(clockodo_event_t *event, const clockodo_str_t *text)
{
    size_t  entity;

    event->type = clockodo_event_type(text->data, text->len);

    /* a documented name is well-formed */

    entity = event->type
             ? (size_t) ((char *) memchr(text->data, '.', text->len)
                         - text->data)
             : clockodo_event_entity(text->data, text->len);

    if (entity == 0) {
        return CLOCKODO_READ_INVALID;
    }

    event_set(&event->event, event->event_buf, text);

    event->entity.data = event->event_buf;
    event->entity.len = entity;

    event->action.data = event->event_buf + entity + 1;
    event->action.len = text->len - entity - 1;

    return CLOCKODO_READ_OK;
}


/* what is in an object is read afterwards */

clockodo_read_e
clockodo_event_read_any(clockodo_event_t *event, const clockodo_str_t *text)
{
    (void) event;
    (void) text;

    return CLOCKODO_READ_OK;
}


clockodo_read_e
clockodo_event_read_entity_id(clockodo_event_t *event,
    const clockodo_str_t *text)
{
    return event_read_id(text, event->entity_id_buf, &event->entity_id)
           ? CLOCKODO_READ_OK : CLOCKODO_READ_INVALID;
}


clockodo_read_e
clockodo_event_read_budget_type(clockodo_event_t *event,
    const clockodo_str_t *text)
{
    if (!event_consists_of(text, CLOCKODO_BUDGET_TYPE_LEN, "_")) {
        return CLOCKODO_READ_INVALID;
    }

    event_set(&event->budget_type, event->budget_type_buf, text);

    return CLOCKODO_READ_OK;
}


clockodo_read_e
clockodo_event_read_threshold(clockodo_event_t *event,
    const clockodo_str_t *text)
{
    cJSON  *number;

    if (text->len > EVENT_NUMBER_LEN) {
        return CLOCKODO_READ_INVALID;
    }

    number = cJSON_ParseWithLengthOpts(text->data, text->len, NULL, 0);
    if (number == NULL) {
        return CLOCKODO_READ_NO_MEMORY;
    }

    event->threshold.data = event->threshold_buf;
    event->threshold.len = clockodo_number_format(number->valuedouble,
                                                  event->threshold_buf);

    cJSON_Delete(number);

    return event->threshold.len ? CLOCKODO_READ_OK : CLOCKODO_READ_INVALID;
}


static uint64_t
event_read_id(const clockodo_str_t *text, char *buf, clockodo_str_t *name)
{
    uint64_t  id;

    id = clockodo_id_parse((const unsigned char *) text->data, text->len);

    if (id) {
        event_set(name, buf, text);
    }

    return id;
}


/* the caller has made sure that the text fits */

static void
event_set(clockodo_str_t *name, char *buf, const clockodo_str_t *text)
{
    memcpy(buf, text->data, text->len);

    name->data = buf;
    name->len = text->len;
}


/* 1 to max letters, digits and others */

static int
event_consists_of(const clockodo_str_t *text, size_t max,
    const char *others)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {
        if (!clockodo_event_char(text->data[i])
            && !(text->data[i] >= 'A' && text->data[i] <= 'Z')
            && strchr(others, text->data[i]) == NULL)
        {
            return 0;
        }
    }

    return text->len > 0 && text->len <= max;
}
