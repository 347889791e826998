
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#define _GNU_SOURCE

#include "clockodo_judge.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define test_name(s)   { sizeof(s) - 1, s }
#define test_count(a)  (sizeof(a) / sizeof((a)[0]))

#define NOW            1000000
#define MAX_AGE        600


/* an event, good but for what is set; and the first reason to reject it */

typedef struct {
    clockodo_fault_e      fault;

    clockodo_fault_e      token;
    int                   other_token;
    clockodo_fault_e      envelope;
    int                   unknown;
    clockodo_fault_e      payload;
    uint64_t              company;
    int64_t               age;
} test_order_t;


typedef struct {
    const char           *token;
    uint64_t              subscription;
    size_t                ntokens;
    clockodo_fault_e      fault;
    size_t                number;
} test_token_t;


typedef struct {
    int64_t               max_age;
    int64_t               age;
    clockodo_fault_e      fault;
} test_age_t;


typedef struct {
    int                   known;
    clockodo_unknown_e    unknown_events;
    const char           *patterns[3];
    clockodo_verdict_e    verdict;
} test_wanted_t;


typedef struct {
    const char           *text;
    int                   rc;
    const char           *matches;         /* "entity.action", or NULL */
    const char           *differs;
} test_pattern_t;


static const test_order_t  test_orders[] = {
    { CLOCKODO_FAULT_NONE, 0, 0, 0, 0, 0, 1337, 0 },

    { CLOCKODO_FAULT_TOKEN_MISSING, CLOCKODO_FAULT_TOKEN_MISSING, 0,
      CLOCKODO_FAULT_COMPANY_ID, 1, CLOCKODO_FAULT_ENTITY_ID, 1, 601 },
    { CLOCKODO_FAULT_TOKEN_TYPE, CLOCKODO_FAULT_TOKEN_TYPE, 1,
      0, 0, 0, 1337, 0 },
    { CLOCKODO_FAULT_TOKEN_UNKNOWN, 0, 1,
      CLOCKODO_FAULT_COMPANY_ID, 1, CLOCKODO_FAULT_ENTITY_ID, 1, 601 },
    { CLOCKODO_FAULT_COMPANY_ID, 0, 0,
      CLOCKODO_FAULT_COMPANY_ID, 1, CLOCKODO_FAULT_ENTITY_ID, 1, 601 },
    { CLOCKODO_FAULT_UNKNOWN_EVENT, 0, 0,
      0, 1, CLOCKODO_FAULT_ENTITY_ID, 1, 601 },
    { CLOCKODO_FAULT_ENTITY_ID, 0, 0,
      0, 0, CLOCKODO_FAULT_ENTITY_ID, 1, 601 },
    { CLOCKODO_FAULT_COMPANY, 0, 0, 0, 0, 0, 1, 601 },
    { CLOCKODO_FAULT_TOO_OLD, 0, 0, 0, 0, 0, 1337, 601 },
    { CLOCKODO_FAULT_IN_FUTURE, 0, 0, 0, 0, 0, 1337, -301 }
};


/* against "all", "tied" to 42 and 43, "both" and "both" tied to 44 */

static const test_token_t  test_tokens[] = {
    { "all", 42, 0, CLOCKODO_FAULT_TOKEN_UNKNOWN, 0 },
    { "all", 42, 1, CLOCKODO_FAULT_NONE, 1 },
    { "all", 0, 1, CLOCKODO_FAULT_NONE, 1 },
    { "tied", 42, 1, CLOCKODO_FAULT_TOKEN_UNKNOWN, 0 },
    { "all", 42, 4, CLOCKODO_FAULT_NONE, 1 },
    { "tied", 42, 4, CLOCKODO_FAULT_NONE, 2 },
    { "tied", 43, 4, CLOCKODO_FAULT_NONE, 2 },
    { "tied", 44, 4, CLOCKODO_FAULT_TOKEN_SUBSCRIPTION, 0 },
    { "tied", 0, 4, CLOCKODO_FAULT_TOKEN_SUBSCRIPTION, 0 },
    { "both", 44, 4, CLOCKODO_FAULT_NONE, 4 },
    { "both", 45, 4, CLOCKODO_FAULT_NONE, 3 },
    { "both", 44, 3, CLOCKODO_FAULT_NONE, 3 },
    { "other", 42, 4, CLOCKODO_FAULT_TOKEN_UNKNOWN, 0 },
    { "al", 42, 4, CLOCKODO_FAULT_TOKEN_UNKNOWN, 0 },
    { "", 42, 4, CLOCKODO_FAULT_TOKEN_UNKNOWN, 0 }
};


static const test_age_t  test_ages[] = {
    { MAX_AGE, 0, CLOCKODO_FAULT_NONE },
    { MAX_AGE, 599, CLOCKODO_FAULT_NONE },
    { MAX_AGE, 600, CLOCKODO_FAULT_NONE },
    { MAX_AGE, 601, CLOCKODO_FAULT_TOO_OLD },
    { MAX_AGE, 100000000, CLOCKODO_FAULT_TOO_OLD },
    { MAX_AGE, -300, CLOCKODO_FAULT_NONE },
    { MAX_AGE, -301, CLOCKODO_FAULT_IN_FUTURE },
    { 1, 1, CLOCKODO_FAULT_NONE },
    { 1, 2, CLOCKODO_FAULT_TOO_OLD },

    /* the largest time that nginx reads, and the years 0 and 9999 */
    { INT64_MAX, NOW + 62167219200, CLOCKODO_FAULT_NONE },
    { INT64_MAX, NOW - 253402300799, CLOCKODO_FAULT_IN_FUTURE },

    /* off */
    { 0, 100000000, CLOCKODO_FAULT_NONE },
    { 0, -100000000, CLOCKODO_FAULT_NONE }
};


/* of team.updated, documented or not */

static const test_wanted_t  test_wanted[] = {
    { 1, CLOCKODO_UNKNOWN_REJECT, { NULL }, CLOCKODO_VERDICT_ACCEPTED },
    { 1, CLOCKODO_UNKNOWN_FORWARD, { NULL }, CLOCKODO_VERDICT_ACCEPTED },
    { 1, CLOCKODO_UNKNOWN_IGNORE, { NULL }, CLOCKODO_VERDICT_ACCEPTED },
    { 1, CLOCKODO_UNKNOWN_IGNORE, { "*" }, CLOCKODO_VERDICT_ACCEPTED },
    { 1, CLOCKODO_UNKNOWN_REJECT, { "team.*" }, CLOCKODO_VERDICT_ACCEPTED },
    { 1, CLOCKODO_UNKNOWN_REJECT, { "*.deleted" },
      CLOCKODO_VERDICT_FILTERED },
    { 1, CLOCKODO_UNKNOWN_REJECT, { "user.*", "*.deleted" },
      CLOCKODO_VERDICT_FILTERED },
    { 1, CLOCKODO_UNKNOWN_REJECT, { "user.*", "*.deleted", "team.updated" },
      CLOCKODO_VERDICT_ACCEPTED },
    { 1, CLOCKODO_UNKNOWN_REJECT, { "*.updated", "user.*" },
      CLOCKODO_VERDICT_ACCEPTED },

    { 0, CLOCKODO_UNKNOWN_REJECT, { NULL }, CLOCKODO_VERDICT_REJECTED },
    { 0, CLOCKODO_UNKNOWN_REJECT, { "*" }, CLOCKODO_VERDICT_REJECTED },
    { 0, CLOCKODO_UNKNOWN_REJECT, { "user.*" }, CLOCKODO_VERDICT_REJECTED },
    { 0, CLOCKODO_UNKNOWN_FORWARD, { NULL }, CLOCKODO_VERDICT_ACCEPTED },
    { 0, CLOCKODO_UNKNOWN_FORWARD, { "team.*" }, CLOCKODO_VERDICT_ACCEPTED },
    { 0, CLOCKODO_UNKNOWN_FORWARD, { "user.*" }, CLOCKODO_VERDICT_FILTERED },
    { 0, CLOCKODO_UNKNOWN_IGNORE, { NULL }, CLOCKODO_VERDICT_FILTERED },
    { 0, CLOCKODO_UNKNOWN_IGNORE, { "team.updated" },
      CLOCKODO_VERDICT_FILTERED }
};


static const test_pattern_t  test_patterns[] = {
    { "*", 0, "team.updated", NULL },
    { "*.*", 0, "team.updated", NULL },
    { "team.*", 0, "team.updated", "teams.updated" },
    { "team.*", 0, "team.x", "tea.updated" },
    { "team.*", 0, "team.team", "updated.team" },
    { "*.updated", 0, "team.updated", "team.updated_" },
    { "*.updated", 0, "x.updated", "updated.x" },
    { "team.updated", 0, "team.updated", "team.update" },
    { "team.updated", 0, "team.updated", "user.updated" },
    { "a_0.b_9", 0, "a_0.b_9", "a_0.b_8" },

    { "", -1, NULL, NULL },
    { ".", -1, NULL, NULL },
    { "team", -1, NULL, NULL },
    { "team.", -1, NULL, NULL },
    { ".updated", -1, NULL, NULL },
    { "**", -1, NULL, NULL },
    { "*.", -1, NULL, NULL },
    { ".*", -1, NULL, NULL },
    { "*.*.*", -1, NULL, NULL },
    { "team.up*", -1, NULL, NULL },
    { "*eam.updated", -1, NULL, NULL },
    { "team.**", -1, NULL, NULL },
    { "team.updated.now", -1, NULL, NULL },
    { "team.updated.*", -1, NULL, NULL },
    { "team..updated", -1, NULL, NULL },
    { "Team.updated", -1, NULL, NULL },
    { "team.upd ted", -1, NULL, NULL },
    { " team.*", -1, NULL, NULL },
    { "team-x.*", -1, NULL, NULL },
    { "team.?", -1, NULL, NULL },
    { "t\xc3\xa4m.*", -1, NULL, NULL }
};


/* the documented reasons, each with all statuses of its faults */

static const struct {
    const char  *name;
    unsigned     statuses[5];
} test_reasons[] = {
    { "", { 0 } },
    { "method", { 405, 0 } },
    { "content_type", { 415, 0 } },
    { "content_encoding", { 415, 0 } },
    { "empty_body", { 400, 0 } },
    { "body_too_large", { 413, 0 } },
    { "malformed_json", { 400, 0 } },
    { "handshake", { 400, 403, 500, 503, 0 } },
    { "token", { 403, 0 } },
    { "envelope", { 400, 0 } },
    { "unknown_event", { 400, 0 } },
    { "payload", { 400, 0 } },
    { "company", { 403, 0 } },
    { "stale", { 400, 0 } },
    { "in_flight", { 409, 0 } }
};


static const char *const  test_verdicts[] = {
    "", "accepted", "handshake", "filtered", "duplicate", "rejected"
};


static const uint64_t  test_subscriptions[] = { 42, 43, 44 };
static const uint64_t  test_companies[] = { 4242, 1337 };

/* what judge_setup() makes */
static clockodo_token_t  test_configured[4];


static void test_event(clockodo_event_t *event);
static void test_policy(clockodo_policy_t *policy);
static void test_digest(const char *token, unsigned char *digest);
static void test_split(const char *name, clockodo_str_t *entity,
    clockodo_str_t *action);


static void
judge_order(void **state)
{
    size_t               i, token;
    clockodo_fault_e     fault;
    clockodo_event_t     event;
    clockodo_policy_t    policy;
    clockodo_verdict_e   verdict;
    const test_order_t  *t;

    (void) state;

    test_policy(&policy);

    for (i = 0; i < test_count(test_orders); i++) {
        t = &test_orders[i];

        test_event(&event);

        event.token_fault = t->token;
        event.token[0] ^= t->other_token;
        event.envelope_fault = t->envelope;
        event.type = t->unknown ? NULL : event.type;
        event.payload_fault = t->payload;
        event.company_id = t->company;
        event.occurred = NOW - t->age;

        fault = CLOCKODO_FAULT_METHOD;
        verdict = clockodo_judge(&event, &policy, NOW, &fault, &token);

        if (fault != t->fault
            || verdict != (t->fault ? CLOCKODO_VERDICT_REJECTED
                                    : CLOCKODO_VERDICT_ACCEPTED))
        {
            fail_msg("%zu: \"%s\"", i, clockodo_faults[fault].text);
        }
    }
}


static void
judge_tokens(void **state)
{
    size_t               i, token;
    clockodo_fault_e     fault;
    clockodo_event_t     event;
    clockodo_policy_t    policy;
    const test_token_t  *t;

    (void) state;

    test_policy(&policy);

    for (i = 0; i < test_count(test_tokens); i++) {
        t = &test_tokens[i];

        test_event(&event);
        test_digest(t->token, event.token);
        event.subscription_id = t->subscription;

        policy.ntokens = t->ntokens;

        (void) clockodo_judge(&event, &policy, NOW, &fault, &token);

        if (fault != t->fault || token != t->number) {
            fail_msg("\"%s\" of %u: \"%s\", number %zu", t->token,
                     (unsigned) t->subscription, clockodo_faults[fault].text,
                     token);
        }
    }
}


static void
judge_companies(void **state)
{
    size_t             token;
    clockodo_fault_e   fault;
    clockodo_event_t   event;
    clockodo_policy_t  policy;

    (void) state;

    test_event(&event);
    test_policy(&policy);

    /* the last of two, the one that is not in the list, any */

    (void) clockodo_judge(&event, &policy, NOW, &fault, &token);
    assert_int_equal(fault, CLOCKODO_FAULT_NONE);

    policy.ncompanies = 1;
    (void) clockodo_judge(&event, &policy, NOW, &fault, &token);
    assert_int_equal(fault, CLOCKODO_FAULT_COMPANY);

    policy.ncompanies = 0;
    (void) clockodo_judge(&event, &policy, NOW, &fault, &token);
    assert_int_equal(fault, CLOCKODO_FAULT_NONE);
}


static void
judge_ages(void **state)
{
    size_t              i, token;
    clockodo_fault_e    fault;
    clockodo_event_t    event;
    clockodo_policy_t   policy;
    const test_age_t   *t;

    (void) state;

    test_event(&event);
    test_policy(&policy);

    for (i = 0; i < test_count(test_ages); i++) {
        t = &test_ages[i];

        policy.max_age = t->max_age;
        event.occurred = NOW - t->age;

        (void) clockodo_judge(&event, &policy, NOW, &fault, &token);

        if (fault != t->fault) {
            fail_msg("%lld seconds: \"%s\"", (long long) t->age,
                     clockodo_faults[fault].text);
        }
    }
}


static void
judge_wanted_events(void **state)
{
    size_t                i, n, token;
    clockodo_fault_e      fault;
    clockodo_event_t      event;
    clockodo_policy_t     policy;
    clockodo_pattern_t    patterns[3];
    clockodo_verdict_e    verdict;
    const test_wanted_t  *t;

    (void) state;

    test_policy(&policy);
    policy.patterns = patterns;

    for (i = 0; i < test_count(test_wanted); i++) {
        t = &test_wanted[i];

        test_event(&event);
        event.type = t->known ? event.type : NULL;

        for (n = 0; n < 3 && t->patterns[n]; n++) {
            assert_int_equal(clockodo_pattern_parse(t->patterns[n],
                                                    strlen(t->patterns[n]),
                                                    &patterns[n]),
                             0);
        }

        policy.npatterns = n;
        policy.unknown_events = t->unknown_events;

        verdict = clockodo_judge(&event, &policy, NOW, &fault, &token);

        if (verdict != t->verdict
            || fault != (verdict == CLOCKODO_VERDICT_REJECTED
                         ? CLOCKODO_FAULT_UNKNOWN_EVENT
                         : CLOCKODO_FAULT_NONE))
        {
            fail_msg("%zu: %s", i, clockodo_verdicts[verdict].data);
        }
    }
}


static void
judge_handshakes(void **state)
{
    size_t             token;
    clockodo_fault_e   fault;
    clockodo_event_t   event;
    clockodo_policy_t  policy;

    (void) state;

    /* of an event nothing is set, and no token is asked for */

    memset(&event, 0, sizeof(clockodo_event_t));
    event.handshake = 1;

    test_policy(&policy);
    policy.ntokens = 0;

    policy.handshakes = 1;
    assert_int_equal(clockodo_judge(&event, &policy, NOW, &fault, &token),
                     CLOCKODO_VERDICT_HANDSHAKE);
    assert_int_equal(fault, CLOCKODO_FAULT_NONE);

    policy.handshakes = 0;
    assert_int_equal(clockodo_judge(&event, &policy, NOW, &fault, &token),
                     CLOCKODO_VERDICT_REJECTED);
    assert_int_equal(fault, CLOCKODO_FAULT_SECRET_FILE_OFF);

    event.secret_fault = CLOCKODO_FAULT_SECRET_VALUE;
    assert_int_equal(clockodo_judge(&event, &policy, NOW, &fault, &token),
                     CLOCKODO_VERDICT_REJECTED);
    assert_int_equal(fault, CLOCKODO_FAULT_SECRET_VALUE);

    policy.handshakes = 1;
    assert_int_equal(clockodo_judge(&event, &policy, NOW, &fault, &token),
                     CLOCKODO_VERDICT_REJECTED);
    assert_int_equal(fault, CLOCKODO_FAULT_SECRET_VALUE);
}


static void
pattern_syntax(void **state)
{
    int                    rc;
    size_t                 i, len;
    const char            *p;
    clockodo_str_t         entity, action;
    clockodo_pattern_t     pattern;
    const test_pattern_t  *t;

    (void) state;

    for (i = 0; i < test_count(test_patterns); i++) {
        t = &test_patterns[i];
        len = strlen(t->text);

        memset(&pattern, 0xff, sizeof(clockodo_pattern_t));

        p = (const char *) guard_text(t->text, len);
        rc = clockodo_pattern_parse(p, len, &pattern);

        if (rc != t->rc) {
            fail_msg("\"%s\": %d", t->text, rc);
        }

        if (t->matches) {
            test_split(t->matches, &entity, &action);

            if (!clockodo_pattern_match(&pattern, &entity, &action)) {
                fail_msg("\"%s\" is not \"%s\"", t->text, t->matches);
            }
        }

        if (t->differs) {
            test_split(t->differs, &entity, &action);

            if (clockodo_pattern_match(&pattern, &entity, &action)) {
                fail_msg("\"%s\" is \"%s\"", t->text, t->differs);
            }
        }

        guard_free((const unsigned char *) p, len);
    }

    assert_int_equal(clockodo_pattern_parse(NULL, 0, &pattern), -1);
}


static void
verdict_tables(void **state)
{
    size_t           i, k, len;
    const unsigned  *status;

    (void) state;

    assert_int_equal(test_count(test_verdicts), CLOCKODO_VERDICTS);

    for (i = 0; i < CLOCKODO_VERDICTS; i++) {
        assert_string_equal(clockodo_verdicts[i].data, test_verdicts[i]);
        assert_int_equal(clockodo_verdicts[i].len, strlen(test_verdicts[i]));
    }

    assert_int_equal(test_count(test_reasons), CLOCKODO_REASONS);

    for (i = 0; i < CLOCKODO_REASONS; i++) {
        assert_string_equal(clockodo_reasons[i].data, test_reasons[i].name);
        assert_int_equal(clockodo_reasons[i].len,
                         strlen(test_reasons[i].name));

        /* each of its statuses is that of some fault */

        for (status = test_reasons[i].statuses; *status; status++) {
            for (k = 0;
                 clockodo_faults[k].reason != i
                 || clockodo_faults[k].status != *status;
                 k++)
            {
                assert_true(k + 1 < CLOCKODO_FAULTS);
            }
        }
    }

    /* and no fault has another one */

    for (i = 1; i < CLOCKODO_FAULTS; i++) {
        status = test_reasons[clockodo_faults[i].reason].statuses;

        while (*status != clockodo_faults[i].status) {
            assert_int_not_equal(*status++, 0);
        }
    }

    /* each fault has a text of its own, which fits a line of the log */

    for (i = 1; i < CLOCKODO_FAULTS; i++) {
        assert_non_null(clockodo_faults[i].text);
        assert_int_not_equal(clockodo_faults[i].reason, CLOCKODO_REASON_NONE);

        len = strlen(clockodo_faults[i].text);
        assert_true(len >= 10 && len <= 120);
        assert_int_equal(strspn(clockodo_faults[i].text, " \n"), 0);

        for (k = 0; k < i; k++) {
            assert_string_not_equal(clockodo_faults[i].text,
                                    clockodo_faults[k].text);
        }
    }

    assert_int_equal(clockodo_faults[CLOCKODO_FAULT_NONE].reason,
                     CLOCKODO_REASON_NONE);
    assert_int_equal(clockodo_faults[CLOCKODO_FAULT_NONE].status, 0);
    assert_string_equal(clockodo_faults[CLOCKODO_FAULT_NONE].text, "");
}


/* a good one: team.updated of company 1337 and subscription 42, just now */

static void
test_event(clockodo_event_t *event)
{
    memset(event, 0, sizeof(clockodo_event_t));

    test_digest("tied", event->token);

    event->subscription_id = 42;
    event->company_id = 1337;
    event->occurred = NOW;
    event->type = clockodo_event_type("team.updated", 12);

    test_split("team.updated", &event->entity, &event->action);
}


static void
test_policy(clockodo_policy_t *policy)
{
    memset(policy, 0, sizeof(clockodo_policy_t));

    policy->tokens = test_configured;
    policy->ntokens = test_count(test_configured);
    policy->companies = test_companies;
    policy->ncompanies = test_count(test_companies);
    policy->max_age = MAX_AGE;
}


static void
test_digest(const char *token, unsigned char *digest)
{
    assert_int_equal(clockodo_sha256(token, strlen(token), digest), 0);
}


static void
test_split(const char *name, clockodo_str_t *entity, clockodo_str_t *action)
{
    const char  *dot;

    dot = strchr(name, '.');

    entity->data = name;
    entity->len = dot - name;

    action->data = dot + 1;
    action->len = strlen(dot + 1);
}


static int
judge_setup(void **state)
{
    (void) state;

    test_digest("all", test_configured[0].digest);

    test_digest("tied", test_configured[1].digest);
    test_configured[1].subscriptions = test_subscriptions;
    test_configured[1].nsubscriptions = 2;

    test_digest("both", test_configured[2].digest);

    test_digest("both", test_configured[3].digest);
    test_configured[3].subscriptions = &test_subscriptions[2];
    test_configured[3].nsubscriptions = 1;

    return 0;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(judge_order),
        cmocka_unit_test(judge_tokens),
        cmocka_unit_test(judge_companies),
        cmocka_unit_test(judge_ages),
        cmocka_unit_test(judge_wanted_events),
        cmocka_unit_test(judge_handshakes),
        cmocka_unit_test(pattern_syntax),
        cmocka_unit_test(verdict_tables)
    };

    return cmocka_run_group_tests(tests, judge_setup, NULL);
}
