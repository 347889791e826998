
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * The scan against two independent strict readers: the three must agree on
 * every text.  What passes cJSON has to read as well, and the event that is
 * made of it has to be what jansson's tree says.
 */


#include "clockodo_event.h"
#include "clockodo_json.h"
#include "fuzz.h"
#include "strict.h"

#include <ctype.h>
#include <string.h>

#include <cjson/cJSON.h>


static int differential_long_number(const uint8_t *data, size_t size);
static void differential_event(const uint8_t *data, size_t size,
    json_t *root);
static void differential_spelling(json_t *root,
    const clockodo_event_t *event);
static int differential_spelled(json_t *object, const char *name,
    size_t len);
static void differential_id(json_t *value, uint64_t id);
static void differential_name(json_t *value, const clockodo_str_t *name);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    cJSON                   *tree;
    json_t                  *root;
    clockodo_json_e          error;
    clockodo_json_error_t    json;
    clockodo_json_members_t  members;

    error = clockodo_json_scan(data, size, 1, &json, &members);
    root = strict_jansson((const char *) data, size);

    fuzz_check((error == CLOCKODO_JSON_OK) == (root != NULL));
    fuzz_check((error == CLOCKODO_JSON_OK)
               == strict_nlohmann((const char *) data, size));

    if (root == NULL) {
        return 0;
    }

    clockodo_json_members_free(&members);

    if (!differential_long_number(data, size)) {
        tree = cJSON_ParseWithLengthOpts((const char *) data, size, NULL, 0);
        fuzz_check(tree != NULL);
        cJSON_Delete(tree);
    }

    differential_event(data, size, root);
    json_decref(root);

    return 0;
}


/* cJSON before 1.7.19 gives up on numbers of more than 63 bytes */

static int
differential_long_number(const uint8_t *data, size_t size)
{
    size_t  i, len;

    for (i = 0, len = 0; i < size && len <= 63; i++) {
        len = data[i] && strchr("0123456789+-.eE", data[i]) ? len + 1 : 0;
    }

    return len > 63;
}


static void
differential_event(const uint8_t *data, size_t size, json_t *root)
{
    json_t                *token, *secret, *payload;
    clockodo_json_error_t  json;
    clockodo_event_t       event;
    unsigned char          digest[CLOCKODO_SHA256_LEN];

    fuzz_check(clockodo_event_parse(data, size, 1, &event, &json)
               == CLOCKODO_JSON_OK);

    secret = json_object_get(root, "secret");
    token = json_object_get(root, "token");

    fuzz_check(event.handshake
               == (secret && !token && !json_object_get(root, "event_name")));

    differential_spelling(root, &event);

    if (event.handshake) {
        if (event.secret_fault == CLOCKODO_FAULT_NONE) {
            differential_name(secret, &event.secret);
        }

        return;
    }

    fuzz_check((event.token_fault == CLOCKODO_FAULT_NONE)
               == json_is_string(token));

    if (json_is_string(token)) {
        fuzz_check(clockodo_sha256(json_string_value(token),
                                   json_string_length(token), digest)
                   == 0);
        fuzz_check(memcmp(digest, event.token, CLOCKODO_SHA256_LEN) == 0);
    }

    differential_id(json_object_get(root, "subscription_id"),
                    event.subscription_id);
    differential_id(json_object_get(root, "company_id"), event.company_id);

    if (event.envelope_fault != CLOCKODO_FAULT_NONE) {
        return;
    }

    differential_name(json_object_get(root, "event_name"), &event.event);
    differential_name(json_object_get(root, "occurred_at"),
                      &event.occurred_at);

    payload = json_object_get(root, "payload");
    fuzz_check(json_is_object(payload));

    if (event.payload_fault != CLOCKODO_FAULT_NONE || event.type == NULL) {
        return;
    }

    if (event.type->budget) {
        differential_name(json_object_get(payload, "type"),
                          &event.budget_type);

    } else {
        payload = json_object_getn(payload, event.entity.data,
                                   event.entity.len);
    }

    differential_id(json_object_get(payload, "id"),
                    clockodo_id_parse((const uint8_t *) event.entity_id.data,
                                      event.entity_id.len));
}


/* no documented name of what is judged stands there in another case, too */

static void
differential_spelling(json_t *root, const clockodo_event_t *event)
{
    size_t       i;
    json_t      *payload, *entity;
    unsigned     twice;

    static const char  *const  names[] = {
        "subscription_id", "company_id", "occurred_at", "event_name",
        "payload", "token", "secret"
    };

    for (twice = 0, i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        twice |= differential_spelled(root, names[i], strlen(names[i]));
    }

    if (event->handshake) {
        fuzz_check(!twice || event->secret_fault);
        fuzz_check(twice
                   || event->secret_fault != CLOCKODO_FAULT_SECRET_SPELLING);
        return;
    }

    fuzz_check(!twice || event->envelope_fault);
    fuzz_check(twice
               || event->envelope_fault != CLOCKODO_FAULT_ENVELOPE_SPELLING);

    if (event->envelope_fault) {
        return;
    }

    payload = json_object_get(root, "payload");

    if (event->type && event->type->budget) {
        twice = differential_spelled(payload, "id", 2)
                || differential_spelled(payload, "type", 4)
                || differential_spelled(payload, "threshold", 9);

    } else {
        entity = json_object_getn(payload, event->entity.data,
                                  event->entity.len);

        twice = differential_spelled(payload, event->entity.data,
                                     event->entity.len)
                || differential_spelled(entity, "id", 2);
    }

    fuzz_check(!twice || event->payload_fault);
    fuzz_check(twice
               || event->payload_fault != CLOCKODO_FAULT_PAYLOAD_SPELLING);
}


static int
differential_spelled(json_t *object, const char *name, size_t len)
{
    size_t       n;
    json_t      *value;
    const char  *key, *p;

    json_object_foreach(object, key, value) {

        for (p = key, n = 0; n < len; n++) {

            if (name[n] == 's' && strncmp(p, "\u017f", 2) == 0) {
                p += 2;

            } else if (name[n] == 'k' && strncmp(p, "\u212a", 3) == 0) {
                p += 3;

            } else if (tolower((unsigned char) *p) == name[n]) {
                p++;

            } else {
                break;
            }
        }

        if (n == len && *p == '\0'
            && (strlen(key) != len || strncmp(key, name, len) != 0))
        {
            return 1;
        }
    }

    return 0;
}


/* jansson tells integers, as they are written, from other numbers */

static void
differential_id(json_t *value, uint64_t id)
{
    json_int_t  n;

    n = json_integer_value(value);

    fuzz_check(id == (n > 0 && n <= (json_int_t) CLOCKODO_ID_MAX
                      ? (uint64_t) n : 0));
}


static void
differential_name(json_t *value, const clockodo_str_t *name)
{
    fuzz_check(json_is_string(value));
    fuzz_check(json_string_length(value) == name->len);
    fuzz_check(memcmp(json_string_value(value), name->data, name->len) == 0);
}
