
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#define _GNU_SOURCE

#include "clockodo_event.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include <cmocka.h>


/* what can fail: the linker's --wrap puts them in place of these */

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void __real_free(void *p);
int __real_clockodo_sha256(const void *text, size_t len,
    unsigned char digest[CLOCKODO_SHA256_LEN]);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void __wrap_free(void *p);
int __wrap_clockodo_sha256(const void *text, size_t len,
    unsigned char digest[CLOCKODO_SHA256_LEN]);


#define test_count(a)  (sizeof(a) / sizeof((a)[0]))

#define KEY            0x5eed

#define TEN            "1234567890"
#define NUMBER_80      TEN TEN TEN TEN TEN TEN TEN TEN
#define A_61           "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"                     \
                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A_64           A_61 "aaa"
#define ARRAYS_31      "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["                      \
                       "]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"
#define ARRAYS_32      "[" ARRAYS_31 "]"

#define TEAM           "{\"team\":{\"id\":9001}}"
#define BUDGET         "{\"id\":123,\"type\":\"projectBudget\","              \
                       "\"threshold\":80}"

#define SUBSCRIPTION   "\"subscription_id\":42"
#define COMPANY        "\"company_id\":1337"
#define OCCURRED_AT    "\"occurred_at\":\"1986-05-10T17:02:00Z\""
#define PAYLOAD        "\"payload\":" TEAM
#define EVENT_NAME     "\"event_name\":\"team.updated\""
#define TOKEN          "\"token\":\"My_Sup3r_T0k3n\""

/* the example of the documentation */
#define EVENT          "{" SUBSCRIPTION "," COMPANY "," OCCURRED_AT ","       \
                       PAYLOAD "," EVENT_NAME "," TOKEN "}"

/* the documented names: jq -r .[].event_name events.json | sort | sha256sum */
#define NAMES_SHA256                                                          \
    "76abb95ce89160ad1a49bd83189294262ee21152bb0a59155a2909f345cbcea1"

/* printf %s My_Sup3r_T0k3n | sha256sum */
#define TOKEN_SHA256                                                          \
    "7757d225e7fcd2812a70ab4ababdd73ab7bd2057b20ecf7012dbaae02203a815"

/*
 * printf %s 4:1337,2:42,12:team.updated,4:9001,20:1986-05-10T17:02:00Z, \
 *     | sha256sum
 */
#define EVENT_KEY                                                             \
    "633b8f56106c4032c21ce18598d8e9054f032c96514af2fc0e9530f5d5cd1991"

/*
 * printf %s 4:1337,2:42,27:project.budget_notification,3:123,\
 * 20:1986-05-10T17:02:00Z,13:projectBudget,2:80, | sha256sum
 */
#define BUDGET_KEY                                                            \
    "d8e28780bc70f2db1581edaa117b411cca45234992719001400c1b269e92f39a"

/*
 * printf %s 4:1337,2:42,12:team.updated,10:1234567890,\
 * 20:1986-05-10T17:02:00Z, | sha256sum
 */
#define TEN_KEY                                                               \
    "91da9ef25e3a748e741c5f57770a3764d142f5c86d9de13f7c52bc07312fe004"

/*
 * printf %s 4:1337,2:42,12:team.unknown,0:,20:1986-05-10T17:02:00Z, \
 *     | sha256sum
 */
#define UNKNOWN_KEY                                                           \
    "574df8aec4ca7ce204a147a2a0d8c9b535e1928502c1300f287bc45256177270"


/*
 * printf %s 16:9007199254740991,16:9007199254740991,\
 * 27:project.budget_notification,16:9007199254740991,\
 * 35:1986-05-10T17:02:00.123456789+00:00,64:$(printf 'a%.0s' $(seq 64)),\
 * 24:-2.2250738585072014e-308, | sha256sum
 */
#define LONGEST_KEY                                                           \
    "7df1ec690b81ed0ecafd55214f467f10e33701c87a548965bb644dd072ad53e1"


/* the example with other values: NULL leaves it as it is, "" leaves it out */

typedef struct {
    const char           *subscription;
    const char           *company;
    const char           *occurred_at;
    const char           *payload;
    const char           *name;
    const char           *token;
} test_values_t;


typedef struct {
    clockodo_fault_e      fault;
    test_values_t         values;
} test_fault_t;


typedef struct {
    const char           *payload;
    const char           *name;
    const char           *entity_id;
    const char           *key;             /* NULL: any */
} test_payload_t;


typedef struct {
    clockodo_fault_e      fault;
    const char           *text;
    const char           *secret;          /* NULL: no handshake */
} test_secret_t;


typedef struct {
    const char           *name;
    size_t                entity;
} test_name_t;


/* a member that is added to the example, and what is said of it then */

typedef struct {
    clockodo_fault_e      fault;
    const char           *added;
} test_spelling_t;


static const test_fault_t  test_faults[] = {

    { CLOCKODO_FAULT_NONE, { .name = NULL } },

    { CLOCKODO_FAULT_TOKEN_MISSING, { .token = "" } },
    { CLOCKODO_FAULT_TOKEN_TYPE, { .token = "null" } },
    { CLOCKODO_FAULT_TOKEN_TYPE, { .token = "1" } },
    { CLOCKODO_FAULT_TOKEN_TYPE, { .token = "true" } },
    { CLOCKODO_FAULT_TOKEN_TYPE, { .token = "[\"My_Sup3r_T0k3n\"]" } },
    { CLOCKODO_FAULT_TOKEN_TYPE, { .token = "{\"token\":\"a\"}" } },
    { CLOCKODO_FAULT_NONE, { .token = "\"\"" } },

    { CLOCKODO_FAULT_SUBSCRIPTION_ID_MISSING, { .subscription = "" } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = "0" } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = "-0" } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = "-1" } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = "1.0" } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = "1e0" } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = "1E2" } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = "\"1\"" } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = "null" } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = "true" } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = "[1]" } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = "{}" } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = NUMBER_80 } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = "1e999" } },
    { CLOCKODO_FAULT_SUBSCRIPTION_ID, { .subscription = "9007199254740992" } },
    { CLOCKODO_FAULT_NONE, { .subscription = "9007199254740991" } },
    { CLOCKODO_FAULT_NONE, { .subscription = "1" } },

    { CLOCKODO_FAULT_COMPANY_ID_MISSING, { .company = "" } },
    { CLOCKODO_FAULT_COMPANY_ID, { .company = "0" } },
    { CLOCKODO_FAULT_COMPANY_ID, { .company = "1.0" } },
    { CLOCKODO_FAULT_COMPANY_ID, { .company = "\"1337\"" } },
    { CLOCKODO_FAULT_COMPANY_ID, { .company = "9007199254740992" } },
    { CLOCKODO_FAULT_NONE, { .company = "9007199254740991" } },

    { CLOCKODO_FAULT_OCCURRED_AT_MISSING, { .occurred_at = "" } },
    { CLOCKODO_FAULT_OCCURRED_AT, { .occurred_at = "516128520" } },
    { CLOCKODO_FAULT_OCCURRED_AT, { .occurred_at = "null" } },
    { CLOCKODO_FAULT_OCCURRED_AT, { .occurred_at = "\"\"" } },
    { CLOCKODO_FAULT_OCCURRED_AT,
      { .occurred_at = "\"1986-02-30T17:02:00Z\"" } },
    { CLOCKODO_FAULT_OCCURRED_AT,
      { .occurred_at = "\"1986-05-10T17:02:00\"" } },
    { CLOCKODO_FAULT_OCCURRED_AT,
      { .occurred_at = "\"1986-05-10T17:02:00+01:00\"" } },
    { CLOCKODO_FAULT_OCCURRED_AT,
      { .occurred_at = "\"1986-05-10T17:02:00.1234567890+00:00\"" } },
    { CLOCKODO_FAULT_NONE,
      { .occurred_at = "\"1986-05-10T17:02:00.123456789+00:00\"" } },
    { CLOCKODO_FAULT_NONE, { .occurred_at = "\"1986-05-10T17:02:00.5Z\"" } },

    { CLOCKODO_FAULT_EVENT_NAME_MISSING, { .name = "" } },
    { CLOCKODO_FAULT_EVENT_NAME, { .name = "null" } },
    { CLOCKODO_FAULT_EVENT_NAME, { .name = "[\"team.updated\"]" } },
    { CLOCKODO_FAULT_EVENT_NAME, { .name = "\"\"" } },
    { CLOCKODO_FAULT_EVENT_NAME, { .name = "\"team\"" } },
    { CLOCKODO_FAULT_EVENT_NAME, { .name = "\"team.updated.now\"" } },
    { CLOCKODO_FAULT_EVENT_NAME, { .name = "\"Team.updated\"" } },
    { CLOCKODO_FAULT_EVENT_NAME, { .name = "\"team.updated\\n\"" } },
    { CLOCKODO_FAULT_EVENT_NAME, { .name = "\"t\xc3\xa4" "m.updated\"" } },
    { CLOCKODO_FAULT_EVENT_NAME, { .name = "\"" A_64 ".\"" } },

    { CLOCKODO_FAULT_PAYLOAD_MISSING, { .payload = "" } },
    { CLOCKODO_FAULT_PAYLOAD_TYPE, { .payload = "null" } },
    { CLOCKODO_FAULT_PAYLOAD_TYPE, { .payload = "[]" } },
    { CLOCKODO_FAULT_PAYLOAD_TYPE, { .payload = "\"team\"" } },
    { CLOCKODO_FAULT_PAYLOAD_TYPE, { .payload = "9001" } },

    { CLOCKODO_FAULT_ENTITY_MISSING, { .payload = "{}" } },
    { CLOCKODO_FAULT_ENTITY_MISSING, { .payload = "{\"id\":9001}" } },
    { CLOCKODO_FAULT_ENTITY_MISSING, { .payload = "{\"Team\":{\"id\":1}}" } },
    { CLOCKODO_FAULT_ENTITY_MISSING, { .payload = "{\"user\":{\"id\":1}}" } },
    { CLOCKODO_FAULT_ENTITY_MISSING, { .payload = "{\"team\":[{\"id\":1}]}" } },
    { CLOCKODO_FAULT_ENTITY_MISSING, { .payload = "{\"team\":9001}" } },
    { CLOCKODO_FAULT_ENTITY_MISSING, { .payload = "{\"a\":" TEAM "}" } },
    { CLOCKODO_FAULT_ENTITY_ID, { .payload = "{\"team\":{}}" } },
    { CLOCKODO_FAULT_ENTITY_ID, { .payload = "{\"team\":{\"ID\":1}}" } },
    { CLOCKODO_FAULT_ENTITY_ID, { .payload = "{\"team\":{\"id\":0}}" } },
    { CLOCKODO_FAULT_ENTITY_ID, { .payload = "{\"team\":{\"id\":1.5}}" } },
    { CLOCKODO_FAULT_ENTITY_ID, { .payload = "{\"team\":{\"id\":\"1\"}}" } },
    { CLOCKODO_FAULT_ENTITY_ID,
      { .payload = "{\"team\":{\"a\":{\"id\":1}}}" } },
    { CLOCKODO_FAULT_ENTITY_ID,
      { .payload = "{\"team\":{\"id\":" NUMBER_80 "}}" } },

    /* whatever comes first: the envelope before the payload */
    { CLOCKODO_FAULT_SUBSCRIPTION_ID,
      { .subscription = "0", .company = "", .payload = "{}" } },
    { CLOCKODO_FAULT_EVENT_NAME, { .name = "\"team\"", .payload = "{}" } }
};


/* of a budget notification */

static const test_fault_t  test_budget_faults[] = {
    { CLOCKODO_FAULT_NONE, { .payload = BUDGET } },
    { CLOCKODO_FAULT_BUDGET_ID, { .payload = "{}" } },
    { CLOCKODO_FAULT_BUDGET_ID,
      { .payload = "{\"project\":{\"id\":123}}" } },
    { CLOCKODO_FAULT_BUDGET_ID,
      { .payload = "{\"type\":\"a\",\"threshold\":80}" } },
    { CLOCKODO_FAULT_BUDGET_ID,
      { .payload = "{\"id\":\"1\",\"type\":\"a\",\"threshold\":80}" } },
    { CLOCKODO_FAULT_BUDGET_ID,
      { .payload = "{\"id\":1.0,\"type\":\"a\",\"threshold\":80}" } },
    { CLOCKODO_FAULT_BUDGET_TYPE,
      { .payload = "{\"id\":1,\"threshold\":80}" } },
    { CLOCKODO_FAULT_BUDGET_TYPE,
      { .payload = "{\"id\":1,\"type\":1,\"threshold\":80}" } },
    { CLOCKODO_FAULT_BUDGET_TYPE,
      { .payload = "{\"id\":1,\"type\":\"\",\"threshold\":80}" } },
    { CLOCKODO_FAULT_BUDGET_TYPE,
      { .payload = "{\"id\":1,\"type\":\"a b\",\"threshold\":80}" } },
    { CLOCKODO_FAULT_BUDGET_TYPE,
      { .payload = "{\"id\":1,\"type\":\"a.b\",\"threshold\":80}" } },
    { CLOCKODO_FAULT_BUDGET_TYPE,
      { .payload = "{\"id\":1,\"type\":\"a\\n\",\"threshold\":80}" } },
    { CLOCKODO_FAULT_BUDGET_TYPE,
      { .payload = "{\"id\":1,\"type\":\"" A_64 "a\",\"threshold\":80}" } },
    { CLOCKODO_FAULT_NONE,
      { .payload = "{\"id\":1,\"type\":\"" A_64 "\",\"threshold\":80}" } },
    { CLOCKODO_FAULT_NONE,
      { .payload = "{\"id\":1,\"type\":\"aZ_09\",\"threshold\":-0.5}" } },
    { CLOCKODO_FAULT_BUDGET_THRESHOLD,
      { .payload = "{\"id\":1,\"type\":\"a\"}" } },
    { CLOCKODO_FAULT_BUDGET_THRESHOLD,
      { .payload = "{\"id\":1,\"type\":\"a\",\"threshold\":\"80\"}" } },
    { CLOCKODO_FAULT_BUDGET_THRESHOLD,
      { .payload = "{\"id\":1,\"type\":\"a\",\"threshold\":null}" } },
    { CLOCKODO_FAULT_BUDGET_THRESHOLD,
      { .payload = "{\"id\":1,\"type\":\"a\",\"threshold\":1e999}" } },
    { CLOCKODO_FAULT_BUDGET_THRESHOLD,
      { .payload = "{\"id\":1,\"type\":\"a\",\"threshold\":-1e999}" } },
    { CLOCKODO_FAULT_BUDGET_THRESHOLD,
      { .payload = "{\"id\":1,\"type\":\"a\",\"threshold\":" NUMBER_80 "}" } }
};


/* other spellings of the example */

static const char *const  test_spellings[] = {

    EVENT,

    "{" TOKEN "," EVENT_NAME "," PAYLOAD "," OCCURRED_AT "," COMPANY ","
    SUBSCRIPTION "}",

    " \n{\t\"subscription_id\" :\r\n42 , \"company_id\": 1337,\n\n"
    "\"occurred_at\" : \"1986-05-10T17:02:00Z\" , \"payload\" : { \"team\" :\n"
    "{ \"id\" : 9001 } } , \"event_name\" : \"team.updated\" ,"
    " \"token\" :\t\"My_Sup3r_T0k3n\" } \r\n",

    "{\"\\u0073ubscription_\\u0069\\u0064\":42,\"company\\u005fid\":1337,"
    "\"occurred\\u005Fat\":\"1986\\u002d05-10\\u005417:02:00\\u005a\","
    "\"p\\u0061yload\":{\"te\\u0061m\":{\"\\u0069d\":9001}},"
    "\"event_nam\\u0065\":\"team\\u002eupdate\\u0064\","
    "\"\\u0074oken\":\"\\u004dy_Sup3r_T0k3\\u006E\"}",

    /* further members are fine, also those that look like others */
    "{\"id\":1,\"secret\":\"a\",\"oken\":1,\"tokens\":{\"token\":0,"
    "\"Token\":0},\"more\":1,\"More\":1,"
    SUBSCRIPTION "," COMPANY "," OCCURRED_AT
    ",\"payload\":{\"id\":1,\"ID\":2,\"team\":{\"team\":{\"id\":3,"
    "\"ID\":3},\"Team\":4,\"Token\":4,\"id\":9001,"
    "\"name\":\"\\\"id\\\":5}\"},\"teams\":[{\"id\":6}]},"
    EVENT_NAME "," TOKEN ",\"\":null,\"\\u00e9\":\"\\ud83d\\ude00\"}",

    /* numbers that cJSON cannot hold, and all the depth there may be */
    "{\"a\":" NUMBER_80 "," SUBSCRIPTION ",\"b\":[-0." NUMBER_80 ",1e" NUMBER_80
    "]," COMPANY "," OCCURRED_AT "," PAYLOAD "," EVENT_NAME ",\"c\":\""
    NUMBER_80 "\"," TOKEN ",\"d\":" ARRAYS_31 "}",

    "{" SUBSCRIPTION "," COMPANY "," OCCURRED_AT ",\"payload\":{\"a\":"
    NUMBER_80 ",\"team\":{\"b\":" NUMBER_80 ",\"id\":9001}}," EVENT_NAME ","
    TOKEN "}"
};


static const test_payload_t  test_payloads[] = {
    { TEAM, "team.updated", "9001", EVENT_KEY },
    { "{\"team\":{\"id\":" TEN "}}", "team.updated", TEN, TEN_KEY },

    /* unknown events: any object, and an id if there is one */
    { "{}", "team.unknown", "", UNKNOWN_KEY },
    { "{\"team\":1}", "team.unknown", "", UNKNOWN_KEY },
    { "{\"team\":{\"id\":0}}", "team.unknown", "", UNKNOWN_KEY },
    { "{\"team\":{\"id\":\"a\"}}", "team.unknown", "", UNKNOWN_KEY },
    { TEAM, "team.unknown", "9001", NULL },
    { TEAM, "teams.updated", "", NULL },
    { "{\"_\":{\"id\":1}}", "_._", "1", NULL },
    { "{\"" A_64 "\":{\"id\":1}}", "a." A_64, NULL, NULL },

    /* thresholds of the same value */
    { BUDGET, "project.budget_notification", "123", BUDGET_KEY },
    { "{\"threshold\":80.0,\"type\":\"project\\u0042udget\",\"id\":123}",
      "project.budget_notification", "123", BUDGET_KEY },
    { "{\"id\":123,\"type\":\"projectBudget\",\"threshold\":8e1,"
      "\"project\":{\"id\":7}}",
      "project.budget_notification", "123", BUDGET_KEY },
    { "{\"id\":123,\"type\":\"projectBudget\",\"threshold\":800.00E-1}",
      "project.budget_notification", "123", BUDGET_KEY }
};


static const test_secret_t  test_secrets[] = {
    { CLOCKODO_FAULT_NONE,
      "{\"secret\":\"8ee3d438-fbfc-411c-a38a-25893becd505\"}",
      "8ee3d438-fbfc-411c-a38a-25893becd505" },
    { CLOCKODO_FAULT_NONE, " { \"secret\" : \"a\" } ", "a" },
    { CLOCKODO_FAULT_NONE, "{\"\\u0073ecret\":\"\\u0041.z_0~9-\"}",
      "A.z_0~9-" },
    { CLOCKODO_FAULT_NONE, "{\"secret\":\"" A_64 A_64 "\"}", A_64 A_64 },
    { CLOCKODO_FAULT_SECRET_VALUE, "{\"secret\":\"" A_64 A_64 "a\"}", "" },
    { CLOCKODO_FAULT_SECRET_VALUE, "{\"secret\":\"\"}", "" },
    { CLOCKODO_FAULT_SECRET_VALUE, "{\"secret\":\"a b\"}", "" },
    { CLOCKODO_FAULT_SECRET_VALUE, "{\"secret\":\"a\\n\"}", "" },
    { CLOCKODO_FAULT_SECRET_VALUE, "{\"secret\":\"a/b\"}", "" },
    { CLOCKODO_FAULT_SECRET_VALUE, "{\"secret\":\"a,\"}", "" },
    { CLOCKODO_FAULT_SECRET_VALUE, "{\"secret\":\"\xc3\xa9\"}", "" },
    { CLOCKODO_FAULT_SECRET_TYPE, "{\"secret\":1}", "" },
    { CLOCKODO_FAULT_SECRET_TYPE, "{\"secret\":" NUMBER_80 "}", "" },
    { CLOCKODO_FAULT_SECRET_TYPE, "{\"secret\":null}", "" },
    { CLOCKODO_FAULT_SECRET_TYPE, "{\"secret\":true}", "" },
    { CLOCKODO_FAULT_SECRET_TYPE, "{\"secret\":[\"a\"]}", "" },
    { CLOCKODO_FAULT_SECRET_TYPE, "{\"secret\":{\"secret\":\"a\"}}", "" },
    { CLOCKODO_FAULT_TOKEN_MISSING, "{}", NULL },
    { CLOCKODO_FAULT_TOKEN_MISSING, "{\"Secret\":\"a\"}", NULL },
    { CLOCKODO_FAULT_TOKEN_MISSING, "{\"secrets\":\"a\"}", NULL },
    { CLOCKODO_FAULT_TOKEN_MISSING, "{\"a\":{\"secret\":\"a\"}}", NULL },

    /* whatever else it has, but what makes an event */
    { CLOCKODO_FAULT_NONE, "{\"secret\":\"a\",\"b\":1}", "a" },
    { CLOCKODO_FAULT_NONE, "{\"b\":{\"token\":1},\"secret\":\"a\"}", "a" },
    { CLOCKODO_FAULT_NONE,
      "{" SUBSCRIPTION "," COMPANY "," OCCURRED_AT "," PAYLOAD
      ",\"secret\":\"a\",\"More\":1,\"more\":2}", "a" },
    { CLOCKODO_FAULT_SECRET_TYPE, "{\"secret\":5,\"b\":1}", "" },
    { CLOCKODO_FAULT_TOKEN_TYPE, "{\"secret\":\"a\",\"token\":1}", NULL },
    { CLOCKODO_FAULT_TOKEN_TYPE, "{\"\\u0074oken\":1,\"secret\":\"a\"}",
      NULL },
    { CLOCKODO_FAULT_TOKEN_MISSING, "{\"secret\":\"a\"," EVENT_NAME "}",
      NULL },

    /* no application may read an event, or another secret, in it */
    { CLOCKODO_FAULT_SECRET_SPELLING, "{\"secret\":\"a\",\"Secret\":\"b\"}",
      "a" },
    { CLOCKODO_FAULT_SECRET_SPELLING,
      "{\"\\u017fecret\":\"b\",\"secret\":\"a\"}", "a" },
    { CLOCKODO_FAULT_SECRET_SPELLING, "{\"secret\":\"a\",\"Token\":\"b\"}",
      "a" },
    { CLOCKODO_FAULT_SECRET_SPELLING,
      "{\"to\xe2\x84\xaa" "en\":\"b\",\"secret\":\"a\"}", "a" },
    { CLOCKODO_FAULT_SECRET_SPELLING,
      "{\"secret\":\"a\",\"Event_name\":\"b\"}", "a" },
    { CLOCKODO_FAULT_SECRET_SPELLING, "{\"secret\":\"a\",\"Payload\":1}",
      "a" }
};


static const test_name_t  test_names[] = {
    { "team.updated", 4 },
    { "a.b", 1 },
    { "_.0", 1 },
    { "lump_sum_service.created", 16 },
    { "aa." A_61, 2 },
    { "aa." A_61 "a", 0 },
    { A_61 "a.a", 62 },
    { A_61 "aa.a", 0 },
    { "", 0 },
    { ".", 0 },
    { "..", 0 },
    { "team", 0 },
    { "team.", 0 },
    { ".updated", 0 },
    { "..updated", 0 },
    { "team..updated", 0 },
    { "team.updated.", 0 },
    { "a.b.c", 0 },
    { "Team.updated", 0 },
    { "team.Updated", 0 },
    { "team-updated", 0 },
    { "team.up-dated", 0 },
    { "team.updated ", 0 },
    { " team.updated", 0 },
    { "team.*", 0 },
    { "t\xc3\xa4m.updated", 0 }
};


/* in the body, with the value 1 */

static const test_spelling_t  test_body_spellings[] = {
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "Subscription_id" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "subscription_iD" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "SUBSCRIPTION_ID" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "\\u0053ubscription_id" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "subscription\\u005FID" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "\xc5\xbfub\xc5\xbf" "cription_id" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "\\u017Fubscription_id" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "\xc5\xbf" "ub\\u017fcription_id" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "Company_Id" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "Occurred_at" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "Event_Name" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "Payload" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "Token" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "to\xe2\x84\xaa" "en" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "to\\u212Aen" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "TO\\u212aEN" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "Secret" },
    { CLOCKODO_FAULT_ENVELOPE_SPELLING, "\xc5\xbf" "ecret" },

    /* others are not the same, whatever they look like */
    { CLOCKODO_FAULT_NONE, "secret" },
    { CLOCKODO_FAULT_NONE, "\\u0073ecret" },
    { CLOCKODO_FAULT_NONE, "Id" },
    { CLOCKODO_FAULT_NONE, "Team" },
    { CLOCKODO_FAULT_NONE, "" },
    { CLOCKODO_FAULT_NONE, "Toke" },
    { CLOCKODO_FAULT_NONE, "Tokens" },
    { CLOCKODO_FAULT_NONE, "Token\xc5\xbf" },
    { CLOCKODO_FAULT_NONE, "To\xc5\xbf" "en" },
    { CLOCKODO_FAULT_NONE, "Subscription-Id" },
    { CLOCKODO_FAULT_NONE, "Subscription\x7fId" },
    { CLOCKODO_FAULT_NONE, "SubscriptionId" },
    { CLOCKODO_FAULT_NONE, "Subscription_\xc4\xb1" "d" },
    { CLOCKODO_FAULT_NONE, "Subscription_\xc4\xb0" "d" },
    { CLOCKODO_FAULT_NONE, "\xc5\xbe" "ecret" },
    { CLOCKODO_FAULT_NONE, "\xc3\xbf" "ecret" },
    { CLOCKODO_FAULT_NONE, "to\xe2\x84\xab" "en" },
    { CLOCKODO_FAULT_NONE, "to\xe2\x85\xaa" "en" },
    { CLOCKODO_FAULT_NONE, "to\xe1\x84\xaa" "en" },
    { CLOCKODO_FAULT_NONE, "to\xef\xbd\x8b" "en" },
    { CLOCKODO_FAULT_NONE, "to\xcc\x81" "ken" }
};


/* payloads of documented events and of one that is not */

static const test_fault_t  test_payload_spellings[] = {
    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"team\":{\"id\":1},\"Team\":{\"id\":2}}" } },
    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"TEAM\":2,\"team\":{\"id\":1}}" } },
    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"team\":{\"id\":1},\"\\u0054eam\":null}" } },
    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"team\":{\"id\":1,\"Id\":2}}" } },
    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"team\":{\"iD\":2,\"id\":1}}" } },
    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"team\":{\"id\":1,\"\\u0049d\":2}}" } },
    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"work_time_change_reque\xc5\xbft\":1,"
                   "\"work_time_change_request\":{\"id\":1}}",
        .name = "\"work_time_change_request.created\"" } },
    { CLOCKODO_FAULT_NONE,
      { .payload = "{\"team\":{\"id\":1,\"More\":2,\"more\":2},\"ID\":1,"
                   "\"User\":{\"Id\":1},\"more\":{\"id\":1,\"Id\":2}}" } },

    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"id\":1,\"type\":\"a\",\"threshold\":8,\"ID\":2}",
        .name = "\"project.budget_notification\"" } },
    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"id\":1,\"type\":\"a\",\"threshold\":8,\"Type\":2}",
        .name = "\"project.budget_notification\"" } },
    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"Threshold\":1,\"id\":1,\"type\":\"a\","
                   "\"threshold\":8}",
        .name = "\"project.budget_notification\"" } },
    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"thre\\u017fhold\":1,\"id\":1,\"type\":\"a\","
                   "\"threshold\":8}",
        .name = "\"project.budget_notification\"" } },
    { CLOCKODO_FAULT_NONE,
      { .payload = "{\"id\":1,\"type\":\"a\",\"threshold\":8,\"Token\":2,"
                   "\"Project\":1,\"project\":{\"Id\":1,\"id\":2}}",
        .name = "\"project.budget_notification\"" } },

    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"Team\":{\"id\":1}}", .name = "\"team.unknown\"" } },
    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"team\":1,\"TEAM\":1}",
        .name = "\"team.unknown\"" } },
    { CLOCKODO_FAULT_PAYLOAD_SPELLING,
      { .payload = "{\"team\":{\"ID\":1}}", .name = "\"team.unknown\"" } },
    { CLOCKODO_FAULT_NONE,
      { .payload = "{\"Id\":{\"Id\":1},\"team\":[{\"Id\":1}]}",
        .name = "\"team.unknown\"" } },

    /* what is missing or wrong is said first */
    { CLOCKODO_FAULT_ENTITY_MISSING,
      { .payload = "{\"Team\":{\"id\":1}}" } },
    { CLOCKODO_FAULT_ENTITY_ID,
      { .payload = "{\"team\":{\"Id\":1,\"id\":0}}" } }
};


static const char *test_event_text(const test_values_t *values);
static char *test_event_member(char *p, const char *name, const char *value,
    const char *usual);
static void test_fault_is(const test_values_t *values,
    clockodo_fault_e fault);
static void test_parse_cut(const char *text);
static const unsigned char *test_parse(const char *text,
    clockodo_event_t *event);
static void test_name_is(const clockodo_str_t *name, const char *expected);
static void test_hex_is(const unsigned char *digest, const char *expected);


/* what can fail, counted; the call of this number does */
static size_t  test_calls;
static size_t  test_fail;
static size_t  test_live;


static void
event_types(void **state)
{
    char                         *p, name[64], names[2048];
    size_t                        i, n, budget, documented;
    unsigned char                 digest[CLOCKODO_SHA256_LEN];
    const clockodo_event_type_t  *t;

    (void) state;

    budget = 0;
    p = names;

    for (i = 0; i < CLOCKODO_EVENT_TYPES; i++) {
        t = &clockodo_event_types[i];
        n = strlen(t->name);

        assert_int_equal(t->len, n);
        assert_true(clockodo_event_entity(t->name, n) > 0);
        assert_true(i == 0 || strcmp(t[-1].name, t->name) < 0);
        assert_ptr_equal(clockodo_event_type(t->name, n), t);

        budget += t->budget;
        p += sprintf(p, "%s\n", t->name);

        /* all that is nearly the same; each name before its end */

        for (documented = 0; n > 0; n--) {
            documented += clockodo_event_type(t->name, n) != NULL;
        }

        assert_int_equal(documented, 1);

        n = sprintf(name, "%s_", t->name);
        assert_null(clockodo_event_type(name, n));
        assert_null(clockodo_event_type(name + 1, n - 2));
        assert_null(clockodo_event_type(name, n - 2));

        name[n - 2]--;
        assert_null(clockodo_event_type(name, n - 1));

        name[n - 2] += 2;
        assert_null(clockodo_event_type(name, n - 1));

        name[n - 2]--;
        name[0] -= 'a' - 'A';
        assert_null(clockodo_event_type(name, n - 1));
    }

    assert_int_equal(clockodo_sha256(names, p - names, digest), 0);
    test_hex_is(digest, NAMES_SHA256);

    assert_int_equal(budget, 1);
    assert_null(clockodo_event_type("", 0));
    assert_null(clockodo_event_type("~", 1));
}


static void
event_names(void **state)
{
    int                   c;
    size_t                i, len;
    const test_name_t    *t;
    const unsigned char  *p;

    (void) state;

    for (i = 0; i < test_count(test_names); i++) {
        t = &test_names[i];
        len = strlen(t->name);

        p = guard_text(t->name, len);

        if (clockodo_event_entity((const char *) p, len) != t->entity) {
            fail_msg("\"%s\": not %zu", t->name, t->entity);
        }

        guard_free(p, len);
    }

    for (c = 0; c < 256; c++) {
        assert_int_equal(!!clockodo_event_char((char) c),
                         c && strchr("abcdefghijklmnopqrstuvwxyz0123456789_",
                                     c));
    }
}


static void
event_example(void **state)
{
    clockodo_event_t      event;
    const unsigned char  *p;

    (void) state;

    p = test_parse(EVENT, &event);

    assert_int_equal(event.handshake, 0);
    assert_int_equal(event.token_fault, CLOCKODO_FAULT_NONE);
    assert_int_equal(event.envelope_fault, CLOCKODO_FAULT_NONE);
    assert_int_equal(event.payload_fault, CLOCKODO_FAULT_NONE);

    assert_int_equal(event.token_len, 14);
    assert_memory_equal(p + event.token_offset, "My_Sup3r_T0k3n", 14);

    assert_int_equal(event.subscription_id, 42);
    assert_int_equal(event.company_id, 1337);
    assert_int_equal(event.occurred, 516128520);
    assert_string_equal(event.type->name, "team.updated");

    test_name_is(&event.event, "team.updated");
    test_name_is(&event.entity, "team");
    test_name_is(&event.action, "updated");
    test_name_is(&event.subscription, "42");
    test_name_is(&event.company, "1337");
    test_name_is(&event.occurred_at, "1986-05-10T17:02:00Z");
    test_name_is(&event.entity_id, "9001");
    test_name_is(&event.budget_type, "");
    test_name_is(&event.threshold, "");
    test_name_is(&event.key, "");

    guard_free(p, strlen(EVENT));
}


/* every documented event, each cut off at every length */

static void
event_documented(void **state)
{
    char                          payload[128], name[64];
    size_t                        i, dot;
    const char                   *text;
    test_values_t                 values;
    clockodo_event_t              event;
    const clockodo_event_type_t  *t;

    (void) state;

    for (i = 0; i < CLOCKODO_EVENT_TYPES; i++) {
        t = &clockodo_event_types[i];
        dot = strchr(t->name, '.') - t->name;

        (void) sprintf(payload, "{\"%.*s\":{\"id\":123}}", (int) dot, t->name);
        (void) sprintf(name, "\"%s\"", t->name);

        memset(&values, 0, sizeof(test_values_t));
        values.name = name;
        values.payload = t->budget ? BUDGET : payload;

        test_fault_is(&values, CLOCKODO_FAULT_NONE);

        text = test_event_text(&values);
        guard_free(test_parse(text, &event), strlen(text));

        assert_ptr_equal(event.type, t);
        test_name_is(&event.event, t->name);
        test_name_is(&event.action, t->name + dot + 1);
        assert_int_equal(event.entity.len, dot);
        test_name_is(&event.entity_id, "123");
        test_name_is(&event.budget_type, t->budget ? "projectBudget" : "");
        test_name_is(&event.threshold, t->budget ? "80" : "");

        /* the payload of the other kind */

        values.payload = t->budget ? payload : BUDGET;
        test_fault_is(&values, t->budget ? CLOCKODO_FAULT_BUDGET_ID
                                         : CLOCKODO_FAULT_ENTITY_MISSING);
    }
}


static void
event_faults(void **state)
{
    size_t         i;
    test_values_t  values;

    (void) state;

    for (i = 0; i < test_count(test_faults); i++) {
        test_fault_is(&test_faults[i].values, test_faults[i].fault);
    }

    for (i = 0; i < test_count(test_budget_faults); i++) {
        values = test_budget_faults[i].values;
        values.name = "\"project.budget_notification\"";

        test_fault_is(&values, test_budget_faults[i].fault);
    }
}


/* a second spelling of a documented name, before and behind all others */

static void
event_spelled_twice(void **state)
{
    char                    text[512];
    size_t                  i, j;
    clockodo_event_t        event;
    const test_spelling_t  *t;

    static const char      *forms[] = {
        "{\"%s\":1," SUBSCRIPTION "," COMPANY "," OCCURRED_AT "," PAYLOAD ","
            EVENT_NAME "," TOKEN "}",
        "{" SUBSCRIPTION "," COMPANY "," OCCURRED_AT "," PAYLOAD ","
            EVENT_NAME "," TOKEN ",\"%s\":1}"
    };

    (void) state;

    for (i = 0; i < test_count(test_body_spellings); i++) {
        t = &test_body_spellings[i];

        for (j = 0; j < test_count(forms); j++) {
            (void) sprintf(text, forms[j], t->added);

            test_parse_cut(text);
            guard_free(test_parse(text, &event), strlen(text));

            if (event.token_fault || event.envelope_fault != t->fault
                || event.payload_fault)
            {
                fail_msg("%s: %d, %d, %d, not %d", text, event.token_fault,
                         event.envelope_fault, event.payload_fault,
                         t->fault);
            }
        }
    }

    for (i = 0; i < test_count(test_payload_spellings); i++) {
        test_fault_is(&test_payload_spellings[i].values,
                      test_payload_spellings[i].fault);
    }
}


/* token, envelope and payload do not hide each other's faults */

static void
event_fault_and_fault(void **state)
{
    const char           *text;
    test_values_t         values;
    clockodo_event_t      event;

    (void) state;

    memset(&values, 0, sizeof(test_values_t));
    values.token = "1";
    values.payload = "{}";

    text = test_event_text(&values);
    guard_free(test_parse(text, &event), strlen(text));

    assert_int_equal(event.token_fault, CLOCKODO_FAULT_TOKEN_TYPE);
    assert_int_equal(event.envelope_fault, CLOCKODO_FAULT_NONE);
    assert_int_equal(event.payload_fault, CLOCKODO_FAULT_ENTITY_MISSING);

    values.company = "0";

    text = test_event_text(&values);
    guard_free(test_parse(text, &event), strlen(text));

    assert_int_equal(event.token_fault, CLOCKODO_FAULT_TOKEN_TYPE);
    assert_int_equal(event.envelope_fault, CLOCKODO_FAULT_COMPANY_ID);

    /* a token may be tied to subscriptions, and so needs a valid one */

    values.subscription = "42.0";

    text = test_event_text(&values);
    guard_free(test_parse(text, &event), strlen(text));

    assert_int_equal(event.subscription_id, 0);
}


static void
event_spellings(void **state)
{
    size_t                i, len;
    clockodo_event_t      event;
    const unsigned char  *p, *token;

    (void) state;

    for (i = 0; i < test_count(test_spellings); i++) {
        test_parse_cut(test_spellings[i]);

        len = strlen(test_spellings[i]);
        p = test_parse(test_spellings[i], &event);

        assert_int_equal(event.token_fault, CLOCKODO_FAULT_NONE);
        assert_int_equal(event.envelope_fault, CLOCKODO_FAULT_NONE);
        assert_int_equal(event.payload_fault, CLOCKODO_FAULT_NONE);

        test_name_is(&event.entity_id, "9001");
        test_name_is(&event.occurred_at, "1986-05-10T17:02:00Z");
        test_hex_is(event.token, TOKEN_SHA256);

        assert_int_equal(clockodo_event_key(&event), 0);
        test_name_is(&event.key, EVENT_KEY);

        /* what is masked stands between the quotes */

        token = p + event.token_offset;

        assert_int_equal(token[-1], '"');
        assert_int_equal(token[event.token_len], '"');
        assert_null(memchr(token, '"', event.token_len));
        assert_non_null(memmem(token, event.token_len, "y_Sup3r_T0k3", 12));

        guard_free(p, len);
    }
}


static void
event_payloads(void **state)
{
    char                   name[128];
    size_t                 i;
    const char            *text;
    test_values_t          values;
    clockodo_event_t       event;
    const test_payload_t  *t;

    (void) state;

    for (i = 0; i < test_count(test_payloads); i++) {
        t = &test_payloads[i];

        (void) sprintf(name, "\"%s\"", t->name);

        memset(&values, 0, sizeof(test_values_t));
        values.name = name;
        values.payload = t->payload;

        if (t->entity_id == NULL) {
            test_fault_is(&values, CLOCKODO_FAULT_EVENT_NAME);
            continue;
        }

        test_fault_is(&values, CLOCKODO_FAULT_NONE);

        text = test_event_text(&values);
        guard_free(test_parse(text, &event), strlen(text));

        test_name_is(&event.entity_id, t->entity_id);
        assert_int_equal(clockodo_event_key(&event), 0);

        if (t->key) {
            test_name_is(&event.key, t->key);
        }
    }
}


/* the longest values that an event can have */

static void
event_longest(void **state)
{
    size_t            len;
    const char       *text;
    test_values_t     values;
    clockodo_event_t  event;

    (void) state;

    memset(&values, 0, sizeof(test_values_t));
    values.subscription = "9007199254740991";
    values.company = "9007199254740991";
    values.occurred_at = "\"1986-05-10T17:02:00.123456789+00:00\"";
    values.payload = "{\"id\":9007199254740991,\"type\":\"" A_64
                     "\",\"threshold\":-2.2250738585072014e-308}";
    values.name = "\"project.budget_notification\"";

    test_fault_is(&values, CLOCKODO_FAULT_NONE);

    text = test_event_text(&values);
    len = strlen(text);
    guard_free(test_parse(text, &event), len);

    test_name_is(&event.occurred_at, "1986-05-10T17:02:00.123456789+00:00");
    test_name_is(&event.threshold, "-2.2250738585072014e-308");
    assert_int_equal(clockodo_event_key(&event), 0);

    test_name_is(&event.key, LONGEST_KEY);

    /* once is enough: it is not made again */

    event.company.len = 0;

    assert_int_equal(clockodo_event_key(&event), 0);

    test_name_is(&event.key, LONGEST_KEY);
}


static void
event_handshakes(void **state)
{
    size_t                i;
    clockodo_event_t      event;
    const test_secret_t  *t;

    (void) state;

    for (i = 0; i < test_count(test_secrets); i++) {
        t = &test_secrets[i];

        test_parse_cut(t->text);
        guard_free(test_parse(t->text, &event), strlen(t->text));

        if (event.handshake != (t->secret != NULL)
            || event.secret_fault != (t->secret ? t->fault : 0)
            || event.token_fault != (t->secret ? 0 : t->fault))
        {
            fail_msg("%s: %u, %d, %d", t->text, event.handshake,
                     event.secret_fault, event.token_fault);
        }

        test_name_is(&event.secret, t->secret ? t->secret : "");
    }
}


static void
event_malformed(void **state)
{
    size_t                 i, len;
    clockodo_json_error_t  json;
    clockodo_event_t       event;
    const unsigned char   *p;

    static const struct {
        clockodo_json_e   error;
        size_t            offset;
        const char       *text;
    } tests[] = {
        { CLOCKODO_JSON_END, 0, "" },
        { CLOCKODO_JSON_NOT_OBJECT, 0, "[" EVENT "]" },
        { CLOCKODO_JSON_TRAILING, sizeof(EVENT) - 1, EVENT "," },
        { CLOCKODO_JSON_DUPLICATE, 11, "{\"token\":1,\"tok\\u0065n\":1}" },
        { CLOCKODO_JSON_DEPTH_EXCEEDED, 5 + 31, "{\"a\":" ARRAYS_32 "}" },
        { CLOCKODO_JSON_NUMBER, 11, "{\"secret\":01}" }
    };

    (void) state;

    for (i = 0; i < test_count(tests); i++) {
        len = strlen(tests[i].text);

        p = guard_text(tests[i].text, len);

        assert_int_equal(clockodo_event_parse(p, len, KEY, &event, &json),
                         tests[i].error);
        assert_int_equal(json.offset, tests[i].offset);

        guard_free(p, len);
    }
}


/* each allocation fails once, ours and cJSON's, and each digest */

static void
event_no_memory(void **state)
{
    char                   text[4096], *p;
    size_t                 i, len, calls;
    cJSON_Hooks            hooks;
    clockodo_json_e        error;
    clockodo_json_error_t  json;
    clockodo_event_t       event;

    (void) state;

    /* more members than fit without malloc(), and strings to decode */

    p = text + sprintf(text, "{\"a\":0");

    for (i = 0; i < 40; i++) {
        p += sprintf(p, ",\"%zu\":\"\"", i);
    }

    p += sprintf(p, "," SUBSCRIPTION "," COMPANY "," OCCURRED_AT ","
                    "\"payload\":{\"id\":123,\"type\":\"project\\u0042udget\","
                    "\"threshold\":80},"
                    "\"event_name\":\"project.budget\\u005fnotification\","
                    "\"token\":\"\\u004dy_Sup3r_T0k3n\"}");
    len = p - text;

    hooks.malloc_fn = __wrap_malloc;
    hooks.free_fn = __wrap_free;
    cJSON_InitHooks(&hooks);

    test_calls = 0;
    test_fail = 0;

    assert_int_equal(clockodo_event_parse((unsigned char *) text, len, KEY,
                                          &event, &json),
                     CLOCKODO_JSON_OK);
    assert_int_equal(test_live, 0);

    /* the members, two for each of three strings, a number, a digest */

    calls = test_calls;
    assert_true(calls >= 1 + 3 * 2 + 1 + 1);

    for (test_fail = 1; test_fail <= calls; test_fail++) {
        test_calls = 0;

        error = clockodo_event_parse((unsigned char *) text, len, KEY, &event,
                                     &json);

        assert_int_equal(test_live, 0);

        if (error != CLOCKODO_JSON_NO_MEMORY) {
            fail_msg("call %zu of %zu failed: %d", test_fail, calls, error);
        }
    }

    /* one more than there are */

    test_calls = 0;
    assert_int_equal(clockodo_event_parse((unsigned char *) text, len, KEY,
                                          &event, &json),
                     CLOCKODO_JSON_OK);

    test_calls = 0;
    test_fail = 1;
    assert_int_equal(clockodo_event_key(&event), -1);
    test_name_is(&event.key, "");

    test_fail = 0;
    assert_int_equal(clockodo_event_key(&event), 0);
    test_name_is(&event.key, BUDGET_KEY);

    /* once it is there, nothing is done */

    test_calls = 0;
    test_fail = 1;
    assert_int_equal(clockodo_event_key(&event), 0);
    assert_int_equal(test_calls, 0);
    test_name_is(&event.key, BUDGET_KEY);
    test_fail = 0;

    cJSON_InitHooks(NULL);
}


static const char *
test_event_text(const test_values_t *values)
{
    char         *p;

    static char   text[4096];

    p = text;

    p = test_event_member(p, "subscription_id", values->subscription, "42");
    p = test_event_member(p, "company_id", values->company, "1337");
    p = test_event_member(p, "occurred_at", values->occurred_at,
                          "\"1986-05-10T17:02:00Z\"");
    p = test_event_member(p, "payload", values->payload, TEAM);
    p = test_event_member(p, "event_name", values->name, "\"team.updated\"");
    p = test_event_member(p, "token", values->token, "\"My_Sup3r_T0k3n\"");

    text[0] = '{';
    (void) sprintf(p, "}");

    return text;
}


static char *
test_event_member(char *p, const char *name, const char *value,
    const char *usual)
{
    value = value ? value : usual;

    return *value ? p + sprintf(p, ",\"%s\":%s", name, value) : p;
}


static void
test_fault_is(const test_values_t *values, clockodo_fault_e fault)
{
    const char         *text;
    clockodo_fault_e    token, envelope, payload;
    clockodo_event_t    event;
    clockodo_reason_e   reason;

    text = test_event_text(values);

    test_parse_cut(text);
    guard_free(test_parse(text, &event), strlen(text));

    reason = clockodo_faults[fault].reason;

    token = (reason == CLOCKODO_REASON_TOKEN) ? fault : 0;
    envelope = (reason == CLOCKODO_REASON_ENVELOPE) ? fault : 0;
    payload = (reason == CLOCKODO_REASON_PAYLOAD) ? fault : 0;

    if (event.handshake
        || event.token_fault != token
        || event.envelope_fault != envelope
        || event.payload_fault != payload)
    {
        fail_msg("%s: %d, %d, %d, not %d", text, event.token_fault,
                 event.envelope_fault, event.payload_fault, fault);
    }
}


/* no object is the beginning of another one */

static void
test_parse_cut(const char *text)
{
    size_t                 len;
    clockodo_json_e        error;
    clockodo_json_error_t  json;
    clockodo_event_t       event;
    const unsigned char   *p;

    for (len = 0; len < (size_t) (strrchr(text, '}') - text); len++) {

        p = guard_text(text, len);
        error = clockodo_event_parse(p, len, KEY, &event, &json);
        guard_free(p, len);

        if (error != CLOCKODO_JSON_END || json.offset != len) {
            fail_msg("%.*s: %d at %zu", (int) len, text, error, json.offset);
        }
    }
}


/* the guarded text, for token_offset */

static const unsigned char *
test_parse(const char *text, clockodo_event_t *event)
{
    size_t                 len;
    clockodo_json_e        error;
    clockodo_json_error_t  json;
    const unsigned char   *p;

    len = strlen(text);
    memset(event, 0xff, sizeof(clockodo_event_t));

    p = guard_text(text, len);
    error = clockodo_event_parse(p, len, KEY, event, &json);

    if (error != CLOCKODO_JSON_OK) {
        fail_msg("%s: \"%s\" at %zu", text, clockodo_json_errors[error],
                 json.offset);
    }

    return p;
}


static void
test_name_is(const clockodo_str_t *name, const char *expected)
{
    if (name->len != strlen(expected)
        || (name->len && memcmp(name->data, expected, name->len) != 0))
    {
        fail_msg("\"%.*s\", not \"%s\"", (int) name->len, name->data,
                 expected);
    }
}


static void
test_hex_is(const unsigned char *digest, const char *expected)
{
    char    hex[2 * CLOCKODO_SHA256_LEN + 1];
    size_t  i;

    for (i = 0; i < CLOCKODO_SHA256_LEN; i++) {
        (void) sprintf(hex + 2 * i, "%02x", digest[i]);
    }

    assert_string_equal(hex, expected);
}


void *
__wrap_malloc(size_t size)
{
    void  *p;

    if (++test_calls == test_fail) {
        return NULL;
    }

    p = __real_malloc(size);
    test_live += (p != NULL);

    return p;
}


void *
__wrap_calloc(size_t n, size_t size)
{
    void  *p;

    if (++test_calls == test_fail) {
        return NULL;
    }

    p = __real_calloc(n, size);
    test_live += (p != NULL);

    return p;
}


void
__wrap_free(void *p)
{
    test_live -= (p != NULL);
    __real_free(p);
}


int
__wrap_clockodo_sha256(const void *text, size_t len,
    unsigned char digest[CLOCKODO_SHA256_LEN])
{
    if (++test_calls == test_fail) {
        return -1;
    }

    return __real_clockodo_sha256(text, len, digest);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(event_types),
        cmocka_unit_test(event_names),
        cmocka_unit_test(event_example),
        cmocka_unit_test(event_documented),
        cmocka_unit_test(event_faults),
        cmocka_unit_test(event_spelled_twice),
        cmocka_unit_test(event_fault_and_fault),
        cmocka_unit_test(event_spellings),
        cmocka_unit_test(event_payloads),
        cmocka_unit_test(event_longest),
        cmocka_unit_test(event_handshakes),
        cmocka_unit_test(event_malformed),
        cmocka_unit_test(event_no_memory)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
