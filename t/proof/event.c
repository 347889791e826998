
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


#define VALUE_REQUIRES(event, m, member)                                      \
    (WRITABLE(event, sizeof(clockodo_event_t))                                \
     && READABLE(m, sizeof(event_member_t)) && READER(m)                      \
     && (member == NULL                                                       \
         || (READABLE(member, sizeof(clockodo_json_member_t))                 \
             && VALUE(&member->value))))

#define VALUE_ENSURES(m, member, result)                                      \
    (result >= CLOCKODO_READ_MISSING && result <= CLOCKODO_READ_NO_MEMORY     \
     && (result == CLOCKODO_READ_MISSING) == (member == NULL)                 \
     && (member == NULL                                                       \
         || (result == CLOCKODO_READ_MISTYPED)                                \
            == (member->value.type != m->type)))


/*
 * What is proved of event_read_value(), for what relies upon it: any values,
 * while faults stay.
 */

clockodo_read_e
stub_event_read_value(clockodo_event_t *event, const event_member_t *m,
    const clockodo_json_member_t *member)
{
    clockodo_read_e      rc;
    clockodo_event_t  any;

    __CPROVER_assert(VALUE_REQUIRES(event, m, member), "value requires");

    any.type = nondet_bool()
               ? &clockodo_event_types[any_up_to(CLOCKODO_EVENT_TYPES - 1)]
               : NULL;

    any.entity.data = event->event_buf;
    any.entity.len = any_up_to(CLOCKODO_EVENT_NAME_LEN - 1);

    assume(EVENT_STAYS(&any, event));

    *event = any;

    assume(VALUE_ENSURES(m, member, rc));

    return rc;
}


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


int
stub_name(const clockodo_json_value_t *name, const char *expected, size_t len)
{
    __CPROVER_assert(NAME(name) && TEXT(expected, len), "a name requires");

    return nondet_bool();
}


#define TEXT_LEN  256


static clockodo_str_t
any_str(void)
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

    text = any_str();

    (void) event_consists_of(&text, max, nondet_bool() ? "._~-" : "_");
}


void
prove_clockodo_event_read_name(void)
{
    clockodo_str_t  text;

    text = any_str();
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


static clockodo_json_member_t  list[MEMBERS_MAX];


/* members of any objects of the text, as the scan leaves them */

static clockodo_json_e
any_scan(const unsigned char *text, size_t len, uint32_t key,
    clockodo_json_error_t *error, clockodo_json_members_t *members)
{
    size_t                 i;
    clockodo_json_error_t  any;

    *error = any;

    if (error->code != CLOCKODO_JSON_OK) {
        return error->code;
    }

    members->n = any_up_to(MEMBERS_MAX);
    members->list = list;

    for (i = 0; i < MEMBERS_MAX; i++) {
        list[i].name = any_value(text, len);
        assume(NAME(&list[i].name));

        list[i].value = any_value(text, len);
    }

    return CLOCKODO_JSON_OK;
}


static void
any_free(clockodo_json_members_t *members)
{
    __CPROVER_assert(members->list == list, "it is still the list");
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
