
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * What a byte of a body costs: does with one body of each kind what the module
 * does with a call, under callgrind, which counts the instructions, for
 * tools/cost.  The first is an ordinary event, the others are what an attacker
 * would send to waste time; each of these is COST_LEN long.
 */


#define _GNU_SOURCE

#include "clockodo_judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>


/* "clockodo_max_body_size" is 16k */
#define COST_LEN        16384

#define cost_count(a)   (sizeof(a) / sizeof((a)[0]))


/* start, then part again and again, "%u" in it being a number, then end */

typedef struct {
    const char  *name;
    const char  *start;
    const char  *part;
    const char  *end;
} cost_body_t;


static clockodo_token_t  cost_token;


static size_t cost_make(const cost_body_t *body, char *text);
void cost_call(const char *text, size_t len);


#define EVENT                                                                 \
    "{\"subscription_id\":42,\"company_id\":1337,"                            \
    "\"occurred_at\":\"1986-05-10T17:02:00Z\","                               \
    "\"payload\":{\"team\":{\"id\":9001}},"                                   \
    "\"event_name\":\"team.updated\",\"token\":\"My_Sup3r_T0k3n\"}"

#define DEEP                                                                  \
    "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]],"


static const cost_body_t  cost_bodies[] = {
    { "event", EVENT, NULL, "" },
    { "further members",
      "{\"subscription_id\":42,\"company_id\":1337,"
      "\"occurred_at\":\"1986-05-10T17:02:00Z\","
      "\"payload\":{\"team\":{\"id\":9001}},"
      "\"event_name\":\"team.updated\",\"token\":\"\"",
      ",\"%u\":0", "}" },
    { "further members of an entity",
      "{\"subscription_id\":42,\"company_id\":1337,"
      "\"occurred_at\":\"1986-05-10T17:02:00Z\","
      "\"event_name\":\"team.updated\",\"token\":\"\","
      "\"payload\":{\"team\":{\"id\":9001", ",\"%u\":0", "}}}" },
    { "deep nesting", "{\"a\":[", DEEP, "0]}" },
    { "deep nesting, not closed", "{\"a\":", "[", "" },
    { "objects", "{\"a\":[", "{\"a\":{}},", "0]}" },
    { "empty arrays", "{\"a\":[", "[],", "0]}" },
    { "short numbers", "{\"a\":[", "0,", "0]}" },
    { "members", "{", "\"%u\":0,", "\"a\":0}" },
    { "members, not closed", "{", "\"%u\":0,", "" },
    { "a long number", "{\"a\":", "9", "}" },
    { "long numbers", "{\"a\":[",
      "1234567890123456789012345678901234567890123456789012345678901e9,",
      "0]}" },
    { "a long name", "{\"", "a", "\":0}" },
    { "long names", "{",
      "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa%u\":0,",
      "\"a\":0}" },
    { "a long string", "{\"a\":\"", "a", "\"}" },
    { "a long token", "{\"token\":\"", "a", "\"}" },
    { "a string, not closed", "{\"a\":\"", "a", "" },
    { "escapes", "{\"a\":\"", "\\n", "\"}" },
    { "escapes of 4 digits", "{\"a\":\"", "\\u00e4", "\"}" },
    { "surrogates", "{\"a\":\"", "\\ud83d\\ude00", "\"}" },
    { "escapes in a name", "{\"", "\\u00e4", "\":0}" },
    { "UTF-8", "{\"a\":\"", "\xf0\x9f\x98\x80", "\"}" },
    { "white space", "{\"a\":", " ", "0}" },
    { "literals", "{\"a\":[", "null,", "0]}" }
};


int
main(void)
{
    char    *text;
    size_t   i, len;

    /* as long as it is, not longer */

    text = malloc(COST_LEN + 1);

    if (text == NULL
        || clockodo_sha256("My_Sup3r_T0k3n", 14, cost_token.digest) != 0)
    {
        return 1;
    }

    /* what libraries do but once */

    len = cost_make(&cost_bodies[0], text);
    cost_call(text, len);
    CALLGRIND_DUMP_STATS_AT("warm");

    for (i = 0; i < cost_count(cost_bodies); i++) {
        len = cost_make(&cost_bodies[i], text);
        cost_call(text, len);

        printf("%zu %s\n", len, cost_bodies[i].name);
        CALLGRIND_DUMP_STATS_AT(cost_bodies[i].name);
    }

    free(text);

    return 0;
}


static size_t
cost_make(const cost_body_t *body, char *text)
{
    char    *p, *last;
    size_t   n, left;

    p = stpcpy(text, body->start);
    last = text + COST_LEN - strlen(body->end);

    for (n = 0; body->part; n++) {
        left = last - p;

        if (left < strlen(body->part) + 8) {
            break;
        }

        p += snprintf(p, left + 1, body->part, (unsigned) n);
    }

    return stpcpy(p, body->end) - text;
}


/* callgrind counts in here */

__attribute__((noinline)) void
cost_call(const char *text, size_t len)
{
    size_t                 number;
    clockodo_json_e        error;
    clockodo_json_error_t  json;
    clockodo_event_t       event;
    clockodo_fault_e       fault;
    clockodo_policy_t      policy;

    error = clockodo_event_parse((const unsigned char *) text, len, 12345,
                                 &event, &json);

    if (error == CLOCKODO_JSON_NO_MEMORY) {
        abort();
    }

    if (error != CLOCKODO_JSON_OK) {
        return;
    }

    memset(&policy, 0, sizeof(clockodo_policy_t));

    policy.tokens = &cost_token;
    policy.ntokens = 1;

    if (clockodo_judge(&event, &policy, 0, &fault, &number)
        == CLOCKODO_VERDICT_ACCEPTED
        && clockodo_event_key(&event) != 0)
    {
        abort();
    }
}
