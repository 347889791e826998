
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * The strict scan is our own, since it finds what no library reports: members
 * of the same name however they are spelled, where the token stands, for
 * masking, and ids as they were sent.  Its list of members serves instead of a
 * tree, which would cost an event another 10,800 instructions.  cJSON decodes
 * strings that have escapes, and reads numbers.
 */


#include <stddef.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "clockodo_event_internal.h"


/* a member that is looked for, and what to say if it is not as it should be */

typedef struct {
    const char              *name;
    size_t                   len;
    clockodo_json_type_e     type;
    clockodo_read_e        (*read)(clockodo_event_t *event,
                                   const clockodo_str_t *text);
    size_t                   fault;        /* where it goes */
    clockodo_fault_e         faults[CLOCKODO_READ_FAULTS];
} event_member_t;


/* what is read, the members found, and which of them hold judged objects */

typedef struct {
    clockodo_event_t               *event;
    const clockodo_json_members_t  *members;
    size_t                          found;
    const clockodo_json_member_t   *payload;
    const clockodo_json_member_t   *entity;
} event_reader_t;


static clockodo_read_e event_read(event_reader_t *r,
    const unsigned char *text);
static int event_is_handshake(const event_reader_t *r);
static int event_has(const event_reader_t *r, const event_member_t *m);
static clockodo_read_e event_read_event(event_reader_t *r,
    const unsigned char *text);
static clockodo_read_e event_read_payload(event_reader_t *r);
static clockodo_read_e event_read_entity(event_reader_t *r);
static void event_check_spelling(const event_reader_t *r);
static void event_check_names(const event_reader_t *r, uint32_t object,
    const event_member_t *m, size_t n, clockodo_fault_e spelling);
static int event_is_spelling(const clockodo_json_value_t *name,
    const event_member_t *m, size_t n);
static clockodo_read_e event_read_members(event_reader_t *r,
    const clockodo_json_member_t *parent, const event_member_t *m, size_t n,
    const clockodo_json_member_t **found);
static clockodo_read_e event_read_value(clockodo_event_t *event,
    const event_member_t *m, const clockodo_json_member_t *member);
static clockodo_read_e event_read_escaped(clockodo_event_t *event,
    const event_member_t *m, const clockodo_str_t *sent);


#define event_member(name, type, read, fault)                                 \
    name, sizeof(name) - 1, CLOCKODO_JSON_ ## type ## _TYPE,                  \
    clockodo_event_read_ ## read,                                             \
    offsetof(clockodo_event_t, fault ## _fault)


/*
 * The documented names of a body, in the order in which they are sent.  What
 * every event has comes first; what is in the payload is read once its event
 * is known.
 */

static const event_member_t  event_members[] = {

    { event_member("subscription_id", NUMBER, subscription, envelope),
      { CLOCKODO_FAULT_SUBSCRIPTION_ID_MISSING,
        CLOCKODO_FAULT_SUBSCRIPTION_ID,
        CLOCKODO_FAULT_SUBSCRIPTION_ID } },

    { event_member("company_id", NUMBER, company, envelope),
      { CLOCKODO_FAULT_COMPANY_ID_MISSING,
        CLOCKODO_FAULT_COMPANY_ID,
        CLOCKODO_FAULT_COMPANY_ID } },

    { event_member("occurred_at", STRING, occurred_at, envelope),
      { CLOCKODO_FAULT_OCCURRED_AT_MISSING,
        CLOCKODO_FAULT_OCCURRED_AT,
        CLOCKODO_FAULT_OCCURRED_AT } },

    { event_member("payload", OBJECT, any, envelope),
      { CLOCKODO_FAULT_PAYLOAD_MISSING,
        CLOCKODO_FAULT_PAYLOAD_TYPE,
        CLOCKODO_FAULT_NONE } },

    { event_member("event_name", STRING, name, envelope),
      { CLOCKODO_FAULT_EVENT_NAME_MISSING,
        CLOCKODO_FAULT_EVENT_NAME,
        CLOCKODO_FAULT_EVENT_NAME } },

    { event_member("token", STRING, token, token),
      { CLOCKODO_FAULT_TOKEN_MISSING,
        CLOCKODO_FAULT_TOKEN_TYPE,
        CLOCKODO_FAULT_NONE } },

    { event_member("secret", STRING, secret, secret),
      { CLOCKODO_FAULT_NONE,
        CLOCKODO_FAULT_SECRET_TYPE,
        CLOCKODO_FAULT_SECRET_VALUE } }
};

#define EVENT_NAMES    (sizeof(event_members) / sizeof(event_members[0]))
#define EVENT_MEMBERS  (EVENT_NAMES - 1)
#define EVENT_PAYLOAD  (EVENT_NAMES - 4)
#define EVENT_EVENT    (EVENT_NAMES - 3)
#define EVENT_TOKEN    (EVENT_NAMES - 2)
#define EVENT_SECRET   (EVENT_NAMES - 1)


/* named after the event's entity */

static const event_member_t  event_entity = {
    NULL, 0, CLOCKODO_JSON_OBJECT_TYPE, clockodo_event_read_any,
    offsetof(clockodo_event_t, payload_fault),
    { CLOCKODO_FAULT_ENTITY_MISSING,
      CLOCKODO_FAULT_ENTITY_MISSING,
      CLOCKODO_FAULT_NONE }
};


static const event_member_t  event_entity_id = {
    event_member("id", NUMBER, entity_id, payload),
    { CLOCKODO_FAULT_ENTITY_ID,
      CLOCKODO_FAULT_ENTITY_ID,
      CLOCKODO_FAULT_ENTITY_ID }
};


static const event_member_t  event_budget_members[] = {

    { event_member("id", NUMBER, entity_id, payload),
      { CLOCKODO_FAULT_BUDGET_ID,
        CLOCKODO_FAULT_BUDGET_ID,
        CLOCKODO_FAULT_BUDGET_ID } },

    { event_member("type", STRING, budget_type, payload),
      { CLOCKODO_FAULT_BUDGET_TYPE,
        CLOCKODO_FAULT_BUDGET_TYPE,
        CLOCKODO_FAULT_BUDGET_TYPE } },

    { event_member("threshold", NUMBER, threshold, payload),
      { CLOCKODO_FAULT_BUDGET_THRESHOLD,
        CLOCKODO_FAULT_BUDGET_THRESHOLD,
        CLOCKODO_FAULT_BUDGET_THRESHOLD } }
};

#define EVENT_BUDGET_MEMBERS                                                  \
    (sizeof(event_budget_members) / sizeof(event_budget_members[0]))


clockodo_json_e
clockodo_event_parse(const unsigned char *text, size_t len, uint32_t key,
    clockodo_event_t *event, clockodo_json_error_t *error)
{
    clockodo_read_e          rc;
    event_reader_t           r;
    clockodo_json_members_t  members;

    memset(event, 0, offsetof(clockodo_event_t, event_buf));

    if (clockodo_json_scan(text, len, key, error, &members)
        != CLOCKODO_JSON_OK)
    {
        return error->code;
    }

    r.event = event;
    r.members = &members;
    r.found = 0;
    r.payload = NULL;
    r.entity = NULL;

    rc = event_read(&r, text);

    clockodo_json_members_free(&members);

    if (rc != CLOCKODO_READ_OK) {
        error->code = CLOCKODO_JSON_NO_MEMORY;
    }

    return error->code;
}


static clockodo_read_e
event_read(event_reader_t *r, const unsigned char *text)
{
    clockodo_read_e                rc;
    const clockodo_json_member_t  *secret;

    if (event_is_handshake(r)) {
        r->event->handshake = 1;

        rc = event_read_members(r, NULL, &event_members[EVENT_SECRET], 1,
                                &secret);

    } else {
        rc = event_read_event(r, text);
    }

    /* mostly there are no other members than those that were looked for */

    if (rc == CLOCKODO_READ_OK && r->members->n > r->found) {
        event_check_spelling(r);
    }

    return rc;
}


/* no token and no name of an event, whatever else there is */

static int
event_is_handshake(const event_reader_t *r)
{
    const clockodo_json_member_t  *last;

    /* mostly the token comes last */

    if (r->members->n) {
        last = &r->members->list[r->members->n - 1];

        if (last->object == CLOCKODO_JSON_ROOT
            && clockodo_json_name_is(&last->name,
                                     event_members[EVENT_TOKEN].name,
                                     event_members[EVENT_TOKEN].len))
        {
            return 0;
        }
    }

    return !event_has(r, &event_members[EVENT_TOKEN])
           && !event_has(r, &event_members[EVENT_EVENT])
           && event_has(r, &event_members[EVENT_SECRET]);
}


static int
event_has(const event_reader_t *r, const event_member_t *m)
{
    return clockodo_json_find(r->members, CLOCKODO_JSON_ROOT, m->name, m->len,
                              r->members->list)
           != NULL;
}


static clockodo_read_e
event_read_event(event_reader_t *r, const unsigned char *text)
{
    clockodo_read_e                rc;
    clockodo_event_t              *event;
    const clockodo_json_member_t  *found[EVENT_MEMBERS];

    event = r->event;

    rc = event_read_members(r, NULL, event_members, EVENT_MEMBERS, found);

    if (rc == CLOCKODO_READ_OK
        && event->envelope_fault == CLOCKODO_FAULT_NONE)
    {
        r->payload = found[EVENT_PAYLOAD];
        rc = event_read_payload(r);
    }

    if (rc == CLOCKODO_READ_OK && event->token_fault == CLOCKODO_FAULT_NONE) {
        event->token_offset = found[EVENT_TOKEN]->value.data - text;
        event->token_len = found[EVENT_TOKEN]->value.len;
    }

    return rc;
}


static clockodo_read_e
event_read_payload(event_reader_t *r)
{
    clockodo_read_e                rc;
    clockodo_event_t              *event;
    const clockodo_json_member_t  *found[EVENT_BUDGET_MEMBERS];

    event = r->event;

    if (event->type && event->type->budget) {
        return event_read_members(r, r->payload, event_budget_members,
                                  EVENT_BUDGET_MEMBERS, found);
    }

    rc = event_read_entity(r);

    if (event->type == NULL) {

        /* nobody knows what the payload of this one should be */

        event->payload_fault = CLOCKODO_FAULT_NONE;
    }

    return rc;
}


static clockodo_read_e
event_read_entity(event_reader_t *r)
{
    clockodo_read_e                rc;
    event_member_t                 m;
    const clockodo_json_member_t  *entity, *id;

    m = event_entity;
    m.name = r->event->entity.data;
    m.len = r->event->entity.len;

    rc = event_read_members(r, r->payload, &m, 1, &entity);

    /* not tested: rc is OK, an object is read without memory */

    if (rc != CLOCKODO_READ_OK || r->event->payload_fault) {
        return rc;
    }

    r->entity = entity;

    return event_read_members(r, entity, &event_entity_id, 1, &id);
}


/*
 * An application that matches names without case takes the last one of "id"
 * and "Id": it would read something else than what was judged.
 */

static void
event_check_spelling(const event_reader_t *r)
{
    event_member_t     m;
    clockodo_event_t  *event;

    event = r->event;

    event_check_names(r, CLOCKODO_JSON_ROOT, event_members, EVENT_NAMES,
                      event->handshake ? CLOCKODO_FAULT_SECRET_SPELLING
                                       : CLOCKODO_FAULT_ENVELOPE_SPELLING);

    if (r->payload == NULL) {
        return;
    }

    if (event->type && event->type->budget) {
        event_check_names(r, r->payload->value.object, event_budget_members,
                          EVENT_BUDGET_MEMBERS,
                          CLOCKODO_FAULT_PAYLOAD_SPELLING);
        return;
    }

    m.name = event->entity.data;
    m.len = event->entity.len;

    event_check_names(r, r->payload->value.object, &m, 1,
                      CLOCKODO_FAULT_PAYLOAD_SPELLING);

    if (r->entity) {
        event_check_names(r, r->entity->value.object, &event_entity_id, 1,
                          CLOCKODO_FAULT_PAYLOAD_SPELLING);
    }
}


static void
event_check_names(const event_reader_t *r, uint32_t object,
    const event_member_t *m, size_t n, clockodo_fault_e spelling)
{
    clockodo_fault_e              *fault;
    const clockodo_json_member_t  *member, *last;

    switch (spelling) {

    case CLOCKODO_FAULT_SECRET_SPELLING:
        fault = &r->event->secret_fault;
        break;

    case CLOCKODO_FAULT_ENVELOPE_SPELLING:
        fault = &r->event->envelope_fault;
        break;

    default:
        fault = &r->event->payload_fault;
    }

    last = &r->members->list[r->members->n];

    for (member = r->members->list;
         member < last && *fault == CLOCKODO_FAULT_NONE;
         member++)
    {
        if (member->object == object
            && event_is_spelling(&member->name, m, n))
        {
            *fault = spelling;
        }
    }
}


/* whether it is another spelling of one of n names */

static int
event_is_spelling(const clockodo_json_value_t *name, const event_member_t *m,
    size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {

        /* what folds gets no longer by it */

        if (name->len >= m[i].len
            && clockodo_json_name_folds_to(name, m[i].name, m[i].len))
        {
            return !clockodo_json_name_is(name, m[i].name, m[i].len);
        }
    }

    return 0;
}


/*
 * Finds n members of the body, or of the object that is a member's value, and
 * reads them.  Of several faults that go to the same place, the first stays.
 */

static clockodo_read_e
event_read_members(event_reader_t *r, const clockodo_json_member_t *parent,
    const event_member_t *m, size_t n, const clockodo_json_member_t **found)
{
    size_t                         i;
    uint32_t                       object;
    clockodo_read_e                rc;
    clockodo_fault_e              *place;
    const clockodo_json_member_t  *next;

    /* what is in an object comes behind it */

    object = parent ? parent->value.object : CLOCKODO_JSON_ROOT;
    next = parent ? parent + 1 : r->members->list;

    for (i = 0; i < n; i++) {
        found[i] = clockodo_json_find(r->members, object, m[i].name, m[i].len,
                                      next);

        if (found[i]) {
            next = found[i] + 1;
            r->found++;
        }

        rc = event_read_value(r->event, &m[i], found[i]);

        if (rc == CLOCKODO_READ_OK) {
            continue;
        }

        if (rc == CLOCKODO_READ_NO_MEMORY) {
            return rc;
        }

        place = (clockodo_fault_e *) ((char *) r->event + m[i].fault);

        if (*place == CLOCKODO_FAULT_NONE) {
            *place = m[i].faults[rc];
        }
    }

    return CLOCKODO_READ_OK;
}


static clockodo_read_e
event_read_value(clockodo_event_t *event, const event_member_t *m,
    const clockodo_json_member_t *member)
{
    clockodo_str_t                text;
    const clockodo_json_value_t  *value;

    if (member == NULL) {
        return CLOCKODO_READ_MISSING;
    }

    value = &member->value;

    if (value->type != m->type) {
        return CLOCKODO_READ_MISTYPED;
    }

    text.data = (const char *) value->data;
    text.len = value->len;

    return value->escaped ? event_read_escaped(event, m, &text)
                          : m->read(event, &text);
}


static clockodo_read_e
event_read_escaped(clockodo_event_t *event, const event_member_t *m,
    const clockodo_str_t *sent)
{
    cJSON            *decoded;
    clockodo_read_e   rc;
    clockodo_str_t    text;

    /* what the scan let pass cJSON reads too, unless it is out of memory */

    decoded = cJSON_ParseWithLengthOpts(sent->data - 1, sent->len + 2, NULL, 0);
    if (decoded == NULL) {
        return CLOCKODO_READ_NO_MEMORY;
    }

    text.data = decoded->valuestring;
    text.len = strlen(text.data);

    rc = m->read(event, &text);

    cJSON_Delete(decoded);

    return rc;
}
