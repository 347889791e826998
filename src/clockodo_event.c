
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "clockodo_event.h"


/* of seven netstrings, "NN:" and "," around each value */
#define EVENT_KEY_TEXT_LEN                                                    \
    (2 * CLOCKODO_ID_LEN + CLOCKODO_EVENT_NAME_LEN + CLOCKODO_ID_LEN          \
     + CLOCKODO_TIME_LEN + CLOCKODO_BUDGET_TYPE_LEN + CLOCKODO_NUMBER_LEN     \
     + 7 * 4)


/* a value in both views: decoded by cJSON, and as it was sent */

typedef struct {
    const cJSON             *item;         /* NULL: there is none */
    clockodo_json_value_t    sent;
} event_value_t;


typedef struct {
    const char              *name;
    size_t                   len;
    int                    (*read)(clockodo_event_t *event,
                                   const event_value_t *value);
    size_t                   fault;        /* where it goes */
    clockodo_fault_e         missing;
    clockodo_fault_e         invalid;
} event_member_t;


static cJSON *event_tree(const unsigned char *text, size_t len,
    unsigned long_number);
static int event_read(clockodo_event_t *event, const cJSON *root,
    const unsigned char *text, size_t len);
static void event_read_secret(clockodo_event_t *event, const cJSON *secret);
static int event_read_token(clockodo_event_t *event,
    const event_value_t *value);
static int event_read_subscription(clockodo_event_t *event,
    const event_value_t *value);
static int event_read_company(clockodo_event_t *event,
    const event_value_t *value);
static int event_read_occurred_at(clockodo_event_t *event,
    const event_value_t *value);
static int event_read_object(clockodo_event_t *event,
    const event_value_t *value);
static int event_read_name(clockodo_event_t *event,
    const event_value_t *value);
static clockodo_fault_e event_read_entity(clockodo_event_t *event,
    const event_value_t *payload);
static clockodo_fault_e event_read_budget(clockodo_event_t *event,
    const event_value_t *payload);
static event_value_t event_member(const event_value_t *object,
    const char *name);
static uint64_t event_read_id(const event_value_t *value, char *buf,
    clockodo_name_t *name);
static void event_set(clockodo_name_t *name, char *buf, const char *text,
    size_t len);
static int event_consists_of(const char *text, size_t len, size_t max,
    const char *others);
static char *event_netstring(char *p, const clockodo_name_t *name);


#define event_type(name, budget)  { name, sizeof(name) - 1, budget }


const clockodo_event_type_t  clockodo_event_types[CLOCKODO_EVENT_TYPES] = {
    event_type("absence.approved", 0),
    event_type("absence.created", 0),
    event_type("absence.deleted", 0),
    event_type("absence.updated", 0),
    event_type("customer.created", 0),
    event_type("customer.deleted", 0),
    event_type("customer.updated", 0),
    event_type("entry.created", 0),
    event_type("entry.deleted", 0),
    event_type("entry.started", 0),
    event_type("entry.stopped", 0),
    event_type("entry.updated", 0),
    event_type("holidays_carry.created", 0),
    event_type("holidays_carry.deleted", 0),
    event_type("holidays_carry.updated", 0),
    event_type("holidays_quota.created", 0),
    event_type("holidays_quota.deleted", 0),
    event_type("holidays_quota.updated", 0),
    event_type("lump_sum_service.created", 0),
    event_type("lump_sum_service.deleted", 0),
    event_type("lump_sum_service.updated", 0),
    event_type("nonbusiness_group.created", 0),
    event_type("nonbusiness_group.deleted", 0),
    event_type("nonbusiness_group.updated", 0),
    event_type("overtime_carry.created", 0),
    event_type("overtime_carry.deleted", 0),
    event_type("overtime_carry.updated", 0),
    event_type("project.budget_notification", 1),
    event_type("project.completed", 0),
    event_type("project.created", 0),
    event_type("project.deleted", 0),
    event_type("project.updated", 0),
    event_type("service.created", 0),
    event_type("service.deleted", 0),
    event_type("service.updated", 0),
    event_type("subproject.created", 0),
    event_type("subproject.deleted", 0),
    event_type("subproject.updated", 0),
    event_type("team.created", 0),
    event_type("team.deleted", 0),
    event_type("team.updated", 0),
    event_type("user.created", 0),
    event_type("user.deleted", 0),
    event_type("user.updated", 0),
    event_type("work_time_change_request.created", 0),
    event_type("work_time_change_request.deleted", 0),
    event_type("work_time_change_request.updated", 0)
};


#define event_fault(f)  offsetof(clockodo_event_t, f ## _fault)


/* what every event has; the payload is read once its event is known */

static const event_member_t  event_members[] = {

    { "token", sizeof("token") - 1,
      event_read_token, event_fault(token),
      CLOCKODO_FAULT_TOKEN_MISSING, CLOCKODO_FAULT_TOKEN_TYPE },

    { "subscription_id", sizeof("subscription_id") - 1,
      event_read_subscription, event_fault(envelope),
      CLOCKODO_FAULT_SUBSCRIPTION_ID_MISSING, CLOCKODO_FAULT_SUBSCRIPTION_ID },

    { "company_id", sizeof("company_id") - 1,
      event_read_company, event_fault(envelope),
      CLOCKODO_FAULT_COMPANY_ID_MISSING, CLOCKODO_FAULT_COMPANY_ID },

    { "occurred_at", sizeof("occurred_at") - 1,
      event_read_occurred_at, event_fault(envelope),
      CLOCKODO_FAULT_OCCURRED_AT_MISSING, CLOCKODO_FAULT_OCCURRED_AT },

    { "event_name", sizeof("event_name") - 1,
      event_read_name, event_fault(envelope),
      CLOCKODO_FAULT_EVENT_NAME_MISSING, CLOCKODO_FAULT_EVENT_NAME },

    { "payload", sizeof("payload") - 1,
      event_read_object, event_fault(envelope),
      CLOCKODO_FAULT_PAYLOAD_MISSING, CLOCKODO_FAULT_PAYLOAD_TYPE }
};

#define EVENT_MEMBERS  (sizeof(event_members) / sizeof(event_members[0]))
#define EVENT_TOKEN    0
#define EVENT_PAYLOAD  (EVENT_MEMBERS - 1)


const clockodo_event_type_t *
clockodo_event_type(const char *name, size_t len)
{
    int     rc;
    size_t  low, high, mid, n;

    low = 0;
    high = CLOCKODO_EVENT_TYPES;

    while (low < high) {
        mid = (low + high) / 2;

        n = clockodo_event_types[mid].len;
        rc = memcmp(name, clockodo_event_types[mid].name, len < n ? len : n);

        if (rc == 0 && len == n) {
            return &clockodo_event_types[mid];
        }

        if (rc < 0 || (rc == 0 && len < n)) {
            high = mid;

        } else {
            low = mid + 1;
        }
    }

    return NULL;
}


size_t
clockodo_event_entity(const char *name, size_t len)
{
    size_t  i, entity;

    if (len > CLOCKODO_EVENT_NAME_LEN) {
        return 0;
    }

    entity = 0;

    for (i = 0; i < len; i++) {

        if (name[i] == '.' && i > 0 && entity == 0) {
            entity = i;
            continue;
        }

        if (!clockodo_event_char(name[i])) {
            return 0;
        }
    }

    return entity + 1 < len ? entity : 0;
}


int
clockodo_event_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}


clockodo_json_e
clockodo_event_parse(const unsigned char *text, size_t len, uint32_t key,
    clockodo_event_t *event, clockodo_json_t *json)
{
    int              rc;
    cJSON           *root;
    clockodo_json_e  error;

    memset(event, 0, sizeof(clockodo_event_t));

    error = clockodo_json_scan(text, len, key, json);

    if (error != CLOCKODO_JSON_OK) {
        return error;
    }

    root = event_tree(text, len, json->long_number);

    if (root == NULL) {
        return CLOCKODO_JSON_NO_MEMORY;
    }

    rc = event_read(event, root, text, len);

    cJSON_Delete(root);

    return rc == 0 ? CLOCKODO_JSON_OK : CLOCKODO_JSON_NO_MEMORY;
}


static cJSON *
event_tree(const unsigned char *text, size_t len, unsigned long_number)
{
    cJSON          *root;
    unsigned char  *copy;

    /* what the scan let pass cJSON reads too, unless it is out of memory */

    if (!long_number) {
        return cJSON_ParseWithLengthOpts((const char *) text, len, NULL, 0);
    }

    copy = malloc(len);
    if (copy == NULL) {
        return NULL;
    }

    memcpy(copy, text, len);
    clockodo_json_cut_numbers(copy, len);

    root = cJSON_ParseWithLengthOpts((char *) copy, len, NULL, 0);

    free(copy);

    return root;
}


static int
event_read(clockodo_event_t *event, const cJSON *root,
    const unsigned char *text, size_t len)
{
    size_t                   i;
    clockodo_fault_e        *fault;
    event_value_t            values[EVENT_MEMBERS];
    clockodo_json_member_t   sent[EVENT_MEMBERS];

    if (root->child && root->child->next == NULL
        && strcmp(root->child->string, "secret") == 0)
    {
        event->handshake = 1;
        event_read_secret(event, root->child);
        return 0;
    }

    for (i = 0; i < EVENT_MEMBERS; i++) {
        sent[i].name = event_members[i].name;
        sent[i].len = event_members[i].len;
    }

    clockodo_json_members(text, len, sent, EVENT_MEMBERS);

    for (i = 0; i < EVENT_MEMBERS; i++) {
        values[i].item = cJSON_GetObjectItemCaseSensitive(root,
                                                        event_members[i].name);
        values[i].sent = sent[i].value;

        if (values[i].item && event_members[i].read(event, &values[i]) == 0) {
            continue;
        }

        fault = (clockodo_fault_e *) ((char *) event + event_members[i].fault);

        if (*fault == CLOCKODO_FAULT_NONE) {
            *fault = values[i].item ? event_members[i].invalid
                                    : event_members[i].missing;
        }
    }

    if (event->envelope_fault == CLOCKODO_FAULT_NONE) {
        event->payload_fault = event->type && event->type->budget
                               ? event_read_budget(event,
                                                   &values[EVENT_PAYLOAD])
                               : event_read_entity(event,
                                                   &values[EVENT_PAYLOAD]);
    }

    if (event->token_fault) {
        return 0;
    }

    event->token_offset = values[EVENT_TOKEN].sent.data - text;
    event->token_len = values[EVENT_TOKEN].sent.len;

    return clockodo_sha256(values[EVENT_TOKEN].item->valuestring,
                           strlen(values[EVENT_TOKEN].item->valuestring),
                           event->token);
}


static void
event_read_secret(clockodo_event_t *event, const cJSON *secret)
{
    size_t  len;

    if (!cJSON_IsString(secret)) {
        event->secret_fault = CLOCKODO_FAULT_SECRET_TYPE;
        return;
    }

    len = strlen(secret->valuestring);

    if (!event_consists_of(secret->valuestring, len, CLOCKODO_SECRET_LEN,
                           "._~-"))
    {
        event->secret_fault = CLOCKODO_FAULT_SECRET_VALUE;
        return;
    }

    event_set(&event->secret, event->secret_buf, secret->valuestring, len);
}


static int
event_read_token(clockodo_event_t *event, const event_value_t *value)
{
    (void) event;

    return cJSON_IsString(value->item) ? 0 : -1;
}


static int
event_read_subscription(clockodo_event_t *event, const event_value_t *value)
{
    event->subscription_id = event_read_id(value, event->subscription_buf,
                                           &event->subscription);

    return event->subscription_id ? 0 : -1;
}


static int
event_read_company(clockodo_event_t *event, const event_value_t *value)
{
    event->company_id = event_read_id(value, event->company_buf,
                                      &event->company);

    return event->company_id ? 0 : -1;
}


static int
event_read_occurred_at(clockodo_event_t *event, const event_value_t *value)
{
    size_t       len;
    const char  *text;

    if (!cJSON_IsString(value->item)) {
        return -1;
    }

    text = value->item->valuestring;
    len = strlen(text);

    if (clockodo_time_parse((const unsigned char *) text, len,
                            &event->occurred)
        != 0)
    {
        return -1;
    }

    event_set(&event->occurred_at, event->occurred_at_buf, text, len);

    return 0;
}


static int
event_read_name(clockodo_event_t *event, const event_value_t *value)
{
    size_t       len, entity;
    const char  *text;

    if (!cJSON_IsString(value->item)) {
        return -1;
    }

    text = value->item->valuestring;
    len = strlen(text);

    entity = clockodo_event_entity(text, len);

    if (entity == 0) {
        return -1;
    }

    event_set(&event->event, event->event_buf, text, len);

    event->entity.data = event->event_buf;
    event->entity.len = entity;

    event->action.data = event->event_buf + entity + 1;
    event->action.len = len - entity - 1;

    event->type = clockodo_event_type(text, len);

    return 0;
}


static int
event_read_object(clockodo_event_t *event, const event_value_t *value)
{
    (void) event;

    return cJSON_IsObject(value->item) ? 0 : -1;
}


static clockodo_fault_e
event_read_entity(clockodo_event_t *event, const event_value_t *payload)
{
    char           name[CLOCKODO_EVENT_NAME_LEN];
    event_value_t  entity, id;

    memcpy(name, event->entity.data, event->entity.len);
    name[event->entity.len] = '\0';

    entity = event_member(payload, name);
    id = event_member(&entity, "id");

    if (event_read_id(&id, event->entity_id_buf, &event->entity_id)
        || event->type == NULL)
    {
        return CLOCKODO_FAULT_NONE;
    }

    return cJSON_IsObject(entity.item) ? CLOCKODO_FAULT_ENTITY_ID
                                       : CLOCKODO_FAULT_ENTITY_MISSING;
}


static clockodo_fault_e
event_read_budget(clockodo_event_t *event, const event_value_t *payload)
{
    size_t         len;
    const char    *text;
    event_value_t  id, type, threshold;

    id = event_member(payload, "id");
    type = event_member(payload, "type");
    threshold = event_member(payload, "threshold");

    if (event_read_id(&id, event->entity_id_buf, &event->entity_id) == 0) {
        return CLOCKODO_FAULT_BUDGET_ID;
    }

    text = cJSON_IsString(type.item) ? type.item->valuestring : "";
    len = strlen(text);

    if (!event_consists_of(text, len, CLOCKODO_BUDGET_TYPE_LEN, "_")) {
        return CLOCKODO_FAULT_BUDGET_TYPE;
    }

    event_set(&event->budget_type, event->budget_type_buf, text, len);

    if (!cJSON_IsNumber(threshold.item)
        || threshold.sent.len > CLOCKODO_JSON_NUMBER_LEN)
    {
        return CLOCKODO_FAULT_BUDGET_THRESHOLD;
    }

    event->threshold.data = event->threshold_buf;
    event->threshold.len = clockodo_number_format(threshold.item->valuedouble,
                                                  event->threshold_buf);

    return event->threshold.len ? CLOCKODO_FAULT_NONE
                                : CLOCKODO_FAULT_BUDGET_THRESHOLD;
}


/* no member of what is not an object */

static event_value_t
event_member(const event_value_t *object, const char *name)
{
    event_value_t           value;
    clockodo_json_member_t  sent;

    memset(&value, 0, sizeof(event_value_t));

    if (!cJSON_IsObject(object->item)) {
        return value;
    }

    sent.name = name;
    sent.len = strlen(name);

    clockodo_json_members(object->sent.data, object->sent.len, &sent, 1);

    value.item = cJSON_GetObjectItemCaseSensitive(object->item, name);
    value.sent = sent.value;

    return value;
}


static uint64_t
event_read_id(const event_value_t *value, char *buf, clockodo_name_t *name)
{
    uint64_t  id;

    if (!cJSON_IsNumber(value->item)) {
        return 0;
    }

    id = clockodo_id_parse(value->sent.data, value->sent.len);

    if (id) {
        event_set(name, buf, (const char *) value->sent.data,
                  value->sent.len);
    }

    return id;
}


/* the caller has made sure that the text fits */

static void
event_set(clockodo_name_t *name, char *buf, const char *text, size_t len)
{
    memcpy(buf, text, len);

    name->data = buf;
    name->len = len;
}


/* 1 to max letters, digits and others */

static int
event_consists_of(const char *text, size_t len, size_t max,
    const char *others)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        if (!clockodo_event_char(text[i])
            && !(text[i] >= 'A' && text[i] <= 'Z')
            && strchr(others, text[i]) == NULL)
        {
            return 0;
        }
    }

    return len > 0 && len <= max;
}


int
clockodo_event_key(clockodo_event_t *event)
{
    char                *p;
    size_t               i;
    char                 text[EVENT_KEY_TEXT_LEN];
    unsigned char       *digest;

    static const char    hex[] = "0123456789abcdef";

    p = event_netstring(text, &event->company);
    p = event_netstring(p, &event->subscription);
    p = event_netstring(p, &event->event);
    p = event_netstring(p, &event->entity_id);
    p = event_netstring(p, &event->occurred_at);

    if (event->type && event->type->budget) {
        p = event_netstring(p, &event->budget_type);
        p = event_netstring(p, &event->threshold);
    }

    digest = event->key_digest;

    if (clockodo_sha256(text, p - text, digest) != 0) {
        return -1;
    }

    for (i = 0; i < CLOCKODO_SHA256_LEN; i++) {
        event->key_buf[2 * i] = hex[digest[i] >> 4];
        event->key_buf[2 * i + 1] = hex[digest[i] & 0xf];
    }

    event->key.data = event->key_buf;
    event->key.len = CLOCKODO_KEY_LEN;

    return 0;
}


/* https://cr.yp.to/proto/netstrings.txt; no value here has 100 bytes */

static char *
event_netstring(char *p, const clockodo_name_t *name)
{
    if (name->len > 9) {
        *p++ = '0' + name->len / 10;
    }

    *p++ = '0' + name->len % 10;
    *p++ = ':';

    if (name->len) {
        memcpy(p, name->data, name->len);
        p += name->len;
    }

    *p++ = ',';

    return p;
}
