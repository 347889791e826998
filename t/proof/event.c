
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * An event, from a list of members that is as the scan leaves it: each name and
 * each value stands in the text, strings between their quotes.
 */


#include "libc.h"
#include "libcjson.h"
#include "core.h"
#include "any.h"

#include "clockodo_event.h"


#define LOOP_event_consists_of_0  LOOP((i), (i <= text->len), (text->len - i))


static clockodo_event_t  event;


/*
 * 7.24.5.1, of a documented name: it has a dot, neither at its start nor at its
 * end, as prove_event_names() shows.
 */

static const char *
find_dot(const char *name, int c, size_t len)
{
    size_t  i;

    __CPROVER_assert(c == '.' && event.type != NULL && event.type->len == len,
                     "it is a documented name");

    i = any_up_to(len);
    assume(i > 0 && i + 1 < len && name[i] == c);

    return name + i;
}


#define memchr                     find_dot
#define clockodo_json_scan         any_scan
#define clockodo_json_members_free  any_free

static clockodo_json_e any_scan(const unsigned char *text, size_t len,
    uint32_t key, clockodo_json_error_t *error,
    clockodo_json_members_t *members);
static void any_free(clockodo_json_members_t *members);

#include "clockodo_event_values.c"
#include "clockodo_event.c"


#define STR(s)  TEXT((s)->data, (s)->len)

#define VALUE(v)                                                              \
    ((v)->type == CLOCKODO_JSON_STRING_TYPE                                   \
     ? QUOTED(v)                                                              \
     : READABLE((v)->data, (v)->len) && !(v)->escaped                         \
       && ((v)->type != CLOCKODO_JSON_NUMBER_TYPE                             \
           || ((v)->len > 0 && (v)->data[0] != '"')))

/* the type is in the table, the entity in the event */

#define EVENT_TYPE(e)                                                         \
    ((e)->type == NULL                                                        \
     || BETWEEN(&clockodo_event_types[0], (e)->type,                          \
                &clockodo_event_types[CLOCKODO_EVENT_TYPES - 1]))

#define EVENT_ENTITY(e)                                                       \
    ((e)->entity.len == 0                                                     \
     || ((e)->entity.data == (e)->event_buf                                   \
         && (e)->entity.len < CLOCKODO_EVENT_NAME_LEN))

/* what stays when a value is read */

#define EVENT_STAYS(e, old)                                                   \
    ((e)->handshake == (old)->handshake                                       \
     && (e)->secret_fault == (old)->secret_fault                              \
     && (e)->token_fault == (old)->token_fault                                \
     && (e)->envelope_fault == (old)->envelope_fault                          \
     && (e)->payload_fault == (old)->payload_fault)

#define READER(m)                                                             \
    ((m)->read == clockodo_event_read_secret                                  \
     || (m)->read == clockodo_event_read_token                                \
     || (m)->read == clockodo_event_read_subscription                         \
     || (m)->read == clockodo_event_read_company                              \
     || (m)->read == clockodo_event_read_occurred_at                          \
     || (m)->read == clockodo_event_read_name                                 \
     || (m)->read == clockodo_event_read_any                                  \
     || (m)->read == clockodo_event_read_entity_id                            \
     || (m)->read == clockodo_event_read_budget_type                          \
     || (m)->read == clockodo_event_read_threshold)


static int
event_consists_of(const clockodo_str_t *text, size_t max, const char *others)
REQUIRES(READABLE(text, sizeof(clockodo_str_t)) && STR(text))
REQUIRES(TERMINATED(others))
ASSIGNS()
ENSURES(RESULT == 0 || (text->len > 0 && text->len <= max));


clockodo_read_e
clockodo_event_read_name(clockodo_event_t *event, const clockodo_str_t *text)
REQUIRES(WRITABLE(event, sizeof(clockodo_event_t)))
REQUIRES(READABLE(text, sizeof(clockodo_str_t)) && STR(text))
ASSIGNS(event->type, event->event, event->entity, event->action,
        __CPROVER_object_upto(event->event_buf, CLOCKODO_EVENT_NAME_LEN))
ENSURES(RESULT == CLOCKODO_READ_OK || RESULT == CLOCKODO_READ_INVALID)
ENSURES(EVENT_TYPE(event))
ENSURES(RESULT == CLOCKODO_READ_OK
        ? EVENT_ENTITY(event) && event->entity.len > 0
        : event->entity.len == OLD(event->entity.len));


#define VALUE_ENSURES(m, member, result)                                      \
    (result >= CLOCKODO_READ_MISSING && result <= CLOCKODO_READ_NO_MEMORY     \
     && (result == CLOCKODO_READ_MISSING) == (member == NULL)                 \
     && (member == NULL                                                       \
         || (result == CLOCKODO_READ_MISTYPED)                                \
            == (member->value.type != m->type)))


/* contracts of core.h, libcjson.h and above, for a proof without them */

clockodo_read_e
stub_clockodo_event_read_name(clockodo_event_t *event,
    const clockodo_str_t *text)
{
    clockodo_str_t  any;

    __CPROVER_assert(STR(text), "clockodo_event_read_name requires");

    event->type = nondet_bool()
                  ? &clockodo_event_types[any_up_to(CLOCKODO_EVENT_TYPES - 1)]
                  : NULL;

    event->event = any;
    event->action = any;

    if (nondet_bool()) {
        return CLOCKODO_READ_INVALID;
    }

    __CPROVER_havoc_slice(event->event_buf, CLOCKODO_EVENT_NAME_LEN);

    event->entity.data = event->event_buf;
    event->entity.len = 1 + any_up_to(CLOCKODO_EVENT_NAME_LEN - 2);

    return CLOCKODO_READ_OK;
}


/* a name goes to the buffer that it has, and fits into it */

#define FITS(to, len)                                                         \
    (to == event.secret_buf ? len <= CLOCKODO_SECRET_LEN                      \
     : to == event.event_buf ? len <= CLOCKODO_EVENT_NAME_LEN                 \
     : to == event.subscription_buf ? len <= CLOCKODO_ID_LEN                  \
     : to == event.company_buf ? len <= CLOCKODO_ID_LEN                       \
     : to == event.occurred_at_buf ? len <= CLOCKODO_TIME_LEN                 \
     : to == event.entity_id_buf ? len <= CLOCKODO_ID_LEN                     \
     : to == event.budget_type_buf && len <= CLOCKODO_BUDGET_TYPE_LEN)


void
stub_event_set(clockodo_str_t *name, char *buf, const clockodo_str_t *text)
{
    __CPROVER_assert(STR(text) && FITS(buf, text->len), "event_set requires");

    name->data = buf;
    name->len = text->len;
}


int
stub_event_consists_of(const clockodo_str_t *text, size_t max,
    const char *others)
{
    __CPROVER_assert(STR(text) && TERMINATED(others), "consists_of requires");

    return nondet_bool() && text->len > 0 && text->len <= max;
}


int
stub_clockodo_sha256(const void *text, size_t len,
    unsigned char digest[CLOCKODO_SHA256_LEN])
{
    __CPROVER_assert(TEXT(text, len) && WRITABLE(digest, CLOCKODO_SHA256_LEN),
                     "clockodo_sha256 requires");
    __CPROVER_havoc_slice(digest, CLOCKODO_SHA256_LEN);

    return nondet_bool() ? 0 : -1;
}


int
stub_clockodo_time_parse(const unsigned char *text, size_t len,
    int64_t *seconds)
{
    int64_t  any;

    __CPROVER_assert(TEXT(text, len) && WRITABLE(seconds, sizeof(int64_t)),
                     "clockodo_time_parse requires");

    if (len > CLOCKODO_TIME_LEN || nondet_bool()) {
        return -1;
    }

    *seconds = any;

    return 0;
}


uint64_t
stub_clockodo_id_parse(const unsigned char *text, size_t len)
{
    __CPROVER_assert(TEXT(text, len), "clockodo_id_parse requires");

    return len > 0 && len <= CLOCKODO_ID_LEN ? nondet_size() : 0;
}


size_t
stub_clockodo_number_format(double value, char buf[CLOCKODO_NUMBER_LEN])
{
    __CPROVER_assert(WRITABLE(buf, CLOCKODO_NUMBER_LEN),
                     "clockodo_number_format requires");
    __CPROVER_havoc_slice(buf, CLOCKODO_NUMBER_LEN);

    return any_up_to(CLOCKODO_NUMBER_LEN);
}


cJSON *
stub_cJSON_ParseWithLengthOpts(const char *value, size_t buffer_length,
    const char **return_parse_end, cJSON_bool require_null_terminated)
{
    char   *string;
    cJSON  *item;

    __CPROVER_assert(buffer_length > 0 && READABLE(value, buffer_length)
                     && (value[0] != '"' || buffer_length >= 2)
                     && return_parse_end == NULL, "cJSON requires");

    if (nondet_bool()) {
        return NULL;
    }

    item = (cJSON *) any_text(sizeof(cJSON));

    if (value[0] == '"') {
        string = (char *) any_text(buffer_length - 1);
        assume(string[buffer_length - 2] == '\0');

        item->valuestring = string;
    }

    return item;
}


void
stub_cJSON_Delete(cJSON *item)
{
    __CPROVER_assert(READABLE(item, sizeof(cJSON)), "cJSON_Delete requires");
}


size_t
stub_strlen(const char *s)
{
    size_t  n;

    __CPROVER_assert(TERMINATED(s), "strlen requires");

    n = any_up_to(ROOM(s) - 1);
    assume(s[n] == '\0');

    return n;
}


#define TEXT_LEN  256


static clockodo_str_t
any_sent(void)
{
    clockodo_str_t  str;

    str.len = any_up_to(PROOF_TEXT);
    str.data = (char *) any_text(str.len);

    return str;
}


void
prove_event_consists_of(void)
{
    size_t          max;
    clockodo_str_t  text;

    text = any_sent();

    (void) event_consists_of(&text, max, nondet_bool() ? "._~-" : "_");
}


void
prove_clockodo_event_read_name(void)
{
    clockodo_str_t  text;

    text = any_sent();
    event.type = NULL;
    event.entity.len = 0;

    (void) clockodo_event_read_name(&event, &text);
}


void
prove_event_set(void)
{
    clockodo_str_t  name, text;

    text.len = any_up_to(CLOCKODO_SECRET_LEN);
    text.data = (char *) any_text(text.len);

    event_set(&name, (char *) any_text(text.len), &text);

    __CPROVER_assert(name.len == text.len, "it is as long");
}


/* a value that is any part of a text */

static clockodo_json_value_t
any_value(const unsigned char *text, size_t len)
{
    size_t                 start;
    clockodo_json_value_t  value;

    start = any_up_to(len);

    value.data = text + start;
    value.len = any_up_to(len - start);

    assume(VALUE(&value));

    return value;
}


static const event_member_t *
any_member(void)
{
    size_t  i;

    if (nondet_bool()) {
        i = any_up_to(EVENT_NAMES - 1);
        return &event_members[i];
    }

    if (nondet_bool()) {
        i = any_up_to(EVENT_BUDGET_MEMBERS - 1);
        return &event_budget_members[i];
    }

    return nondet_bool() ? &event_entity : &event_entity_id;
}


void
prove_event_read_value(void)
{
    clockodo_read_e                   rc;
    clockodo_event_t               old, any;
    const event_member_t          *m;
    clockodo_json_member_t         member;
    const clockodo_json_member_t  *found;

    member.value = any_value(any_text(TEXT_LEN), TEXT_LEN);
    found = nondet_bool() ? &member : NULL;
    m = any_member();

    event = any;
    event.type = NULL;
    event.entity.len = 0;
    old = event;

    rc = event_read_value(&event, m, found);

    __CPROVER_assert(VALUE_ENSURES(m, found, rc), "what the value is");
    __CPROVER_assert(EVENT_STAYS(&event, &old), "faults stay");
    __CPROVER_assert(EVENT_TYPE(&event) && EVENT_ENTITY(&event),
                     "there is such a type and such an entity");
}


#define MEMBERS_MAX  2


/*
 * Members of any objects of a text, as the scan leaves them: each value is
 * somewhere in it.  What looks for members reads none of its bytes, and hands
 * names and values of the list on, which nobody writes to.
 */

static clockodo_json_member_t  list[MEMBERS_MAX];
static size_t                  listed;


static void
any_list(const unsigned char *text, size_t len,
    clockodo_json_members_t *members)
{
    size_t  i, start;

    listed = any_up_to(MEMBERS_MAX);

    members->n = listed;
    members->list = list;

    for (i = 0; i < MEMBERS_MAX; i++) {
        clockodo_json_member_t  any;

        start = any_up_to(len);

        list[i] = any;
        list[i].value.data = text + start;
        list[i].value.len = any_up_to(len - start);
    }
}


#define is_listed(member)                                                     \
    ((listed > 0 && (member) == &list[0])                                     \
     || (listed > 1 && (member) == &list[1]))

#define is_name(name)                                                         \
    ((listed > 0 && (name) == &list[0].name)                                  \
     || (listed > 1 && (name) == &list[1].name))


int
stub_name(const clockodo_json_value_t *name, const char *expected, size_t len)
{
    __CPROVER_assert(is_name(name) && READABLE(expected, len),
                     "a name requires");

    return nondet_bool();
}


/* what else is in an event no one looks at who looks for members */

static void
any_names(clockodo_event_t *event)
{
    event->type = nondet_bool()
                  ? &clockodo_event_types[any_up_to(CLOCKODO_EVENT_TYPES - 1)]
                  : NULL;

    event->entity.data = event->event_buf;
    event->entity.len = any_up_to(CLOCKODO_EVENT_NAME_LEN - 1);
}


/*
 * What is proved of event_read_value(), for what relies upon it: any names,
 * while faults stay.
 */

clockodo_read_e
stub_event_read_value(clockodo_event_t *event, const event_member_t *m,
    const clockodo_json_member_t *member)
{
    clockodo_read_e  rc;

    __CPROVER_assert(WRITABLE(event, sizeof(clockodo_event_t))
                     && READABLE(m, sizeof(event_member_t)) && READER(m)
                     && (member == NULL || is_listed(member)),
                     "event_read_value requires");

    any_names(event);

    assume(VALUE_ENSURES(m, member, rc));

    return rc;
}


static const clockodo_json_member_t *
any_of_list(void)
{
    size_t  i;

    i = any_up_to(MEMBERS_MAX);

    return i < listed ? &list[i] : NULL;
}


/* members may be looked for from any place on, and from the end */

const clockodo_json_member_t *
stub_clockodo_json_find(const clockodo_json_members_t *members,
    uint32_t object, const char *name, size_t len,
    const clockodo_json_member_t *member)
{
    const clockodo_json_member_t  *found;

    __CPROVER_assert(members->list == list && members->n == listed
                     && READABLE(name, len)
                     && (is_listed(member) || member == &list[listed]),
                     "clockodo_json_find requires");

    found = any_of_list();
    assume(FIND_ENSURES(members, object, found));

    return found;
}


/*
 * event_read_members() is called with one of the tables; a fault that is not
 * there says that its members are, but for those that may be missing.
 */

#define MEMBERS_REQUIRES(m, n)                                                \
    ((n) == EVENT_MEMBERS ? (m) == event_members                              \
     : (n) == EVENT_BUDGET_MEMBERS ? (m) == event_budget_members              \
     : (n) == 1 && ((m) == &event_members[EVENT_SECRET]                       \
                    || (m) == &event_entity_id                                \
                    || (m)->read == event_entity.read))

#define MEMBERS_ENSURES(e, m, found, rc)                                      \
    ((rc) == CLOCKODO_READ_NO_MEMORY                                          \
     || ((rc) == CLOCKODO_READ_OK                                             \
         && ((found) || FAULT(e, m)                                           \
             || (m)->faults[CLOCKODO_READ_MISSING] == CLOCKODO_FAULT_NONE)))

/* of several faults that go to the same place, the first stays */

#define FIRST_STAYS(before, after)                                            \
    ((before) == CLOCKODO_FAULT_NONE || (after) == (before))

#define FAULTS_STAY(old, e)                                                   \
    (FIRST_STAYS((old)->secret_fault, (e)->secret_fault)                      \
     && FIRST_STAYS((old)->token_fault, (e)->token_fault)                     \
     && FIRST_STAYS((old)->envelope_fault, (e)->envelope_fault)               \
     && FIRST_STAYS((old)->payload_fault, (e)->payload_fault))

#define FAULT(e, m)                                                           \
    ((m)->fault == offsetof(clockodo_event_t, envelope_fault)                 \
     ? (e)->envelope_fault                                                    \
     : (m)->fault == offsetof(clockodo_event_t, payload_fault)                \
       ? (e)->payload_fault                                                   \
       : (m)->fault == offsetof(clockodo_event_t, token_fault)                \
         ? (e)->token_fault : (e)->secret_fault)


clockodo_read_e
stub_event_read_members(event_reader_t *r,
    const clockodo_json_member_t *parent, const event_member_t *m, size_t n,
    const clockodo_json_member_t **found)
{
    size_t            i;
    clockodo_read_e   rc;
    clockodo_event_t  old;
    clockodo_fault_e  secret, token, envelope, payload;

    __CPROVER_assert(MEMBERS_REQUIRES(m, n)
                     && WRITABLE(found, n * sizeof(found[0]))
                     && (parent == NULL || is_listed(parent)),
                     "event_read_members requires");

    any_names(r->event);

    old.secret_fault = r->event->secret_fault;
    old.token_fault = r->event->token_fault;
    old.envelope_fault = r->event->envelope_fault;
    old.payload_fault = r->event->payload_fault;

    r->event->secret_fault = secret;
    r->event->token_fault = token;
    r->event->envelope_fault = envelope;
    r->event->payload_fault = payload;

    assume(FAULTS_STAY(&old, r->event));

    r->found = any_up_to(2 * EVENT_NAMES);

    rc = nondet_bool() ? CLOCKODO_READ_OK : CLOCKODO_READ_NO_MEMORY;

    for (i = 0; i < n; i++) {
        found[i] = any_of_list();

        assume(MEMBERS_ENSURES(r->event, &m[i], found[i], rc));
    }

    return rc;
}


static void
read_members(const event_member_t *m, size_t n)
{
    size_t                         k;
    event_reader_t                 r;
    clockodo_read_e                rc;
    clockodo_event_t               any, old;
    clockodo_json_members_t        members;
    const clockodo_json_member_t  *found[EVENT_MEMBERS];

    any_list(any_text(TEXT_LEN), TEXT_LEN, &members);

    event = any;
    old = event;

    r.event = &event;
    r.members = &members;
    r.found = 0;

    rc = event_read_members(&r, any_of_list(), m, n, found);

    /* each of them */

    k = any_up_to(n - 1);

    __CPROVER_assert(FAULTS_STAY(&old, &event), "faults stay");
    __CPROVER_assert(MEMBERS_ENSURES(&event, &m[k], found[k], rc)
                     && (rc != CLOCKODO_READ_OK || found[k] == NULL
                         || is_listed(found[k])),
                     "event_read_members ensures");
}


/* a table at a time, so that CBMC knows where faults go */

void
prove_event_read_members(void)
{
    event_member_t  m;

    switch (nondet_int()) {

    case 0:
        read_members(event_members, EVENT_MEMBERS);
        break;

    case 1:
        read_members(&event_members[EVENT_SECRET], 1);
        break;

    case 2:
        read_members(event_budget_members, EVENT_BUDGET_MEMBERS);
        break;

    case 3:
        m = event_entity;
        m.len = any_up_to(CLOCKODO_EVENT_NAME_LEN);
        m.name = (char *) any_text(m.len);

        read_members(&m, 1);
        break;

    case 4:
        read_members(&event_entity_id, 1);
    }
}


static clockodo_json_e
any_scan(const unsigned char *text, size_t len, uint32_t key,
    clockodo_json_error_t *error, clockodo_json_members_t *members)
{
    clockodo_json_error_t  any;

    *error = any;

    if (error->code == CLOCKODO_JSON_OK) {
        any_list(text, len, members);
    }

    return error->code;
}


static void
any_free(clockodo_json_members_t *members)
{
    __CPROVER_assert(members->list == list, "it is still the list");
}


/* as it is called for an event; no one here reads what is behind that */

void *
stub_memset(void *p, int c, size_t n)
{
    static const clockodo_event_t  zero;

    __CPROVER_assert(p == &event && c == 0
                     && n == offsetof(clockodo_event_t, event_buf),
                     "memset requires");

    event = zero;

    return p;
}


void
prove_clockodo_event_parse(void)
{
    uint32_t               key;
    clockodo_json_e        rc;
    clockodo_json_error_t  error;

    rc = clockodo_event_parse(any_text(TEXT_LEN), TEXT_LEN, key, &event,
                              &error);

    __CPROVER_assert(rc == error.code, "the result is the code of the error");
    __CPROVER_assert(rc != CLOCKODO_JSON_OK || event.handshake
                     || event.token_fault
                     || event.token_offset + event.token_len <= TEXT_LEN,
                     "the token stands in the text");
}
