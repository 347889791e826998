
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* any event, judged by any settings, and what is said of it */


#include "core.h"
#include "any.h"


#include "clockodo_judge.c"
#include "clockodo_verdict.c"


#define COMPANIES  2
#define PATTERNS   2

/* no clock and no setting has more seconds */
#define SECONDS    ((int64_t) 1 << 61)


static clockodo_fault_e
any_fault(void)
{
    return (clockodo_fault_e) any_up_to(CLOCKODO_FAULTS - 1);
}


static clockodo_policy_t
any_policy(void)
{
    size_t               i;
    clockodo_policy_t    policy;
    clockodo_pattern_t  *patterns;

    policy.ntokens = any_up_to(3);
    policy.tokens = any_tokens(policy.ntokens);

    policy.ncompanies = any_up_to(COMPANIES);
    policy.companies = (uint64_t *) any_text_or_null(policy.ncompanies
                                                     * sizeof(uint64_t));

    policy.npatterns = any_up_to(PATTERNS);
    patterns = (clockodo_pattern_t *) any_text_or_null(policy.npatterns
                                                       * sizeof(*patterns));
    policy.patterns = patterns;

    for (i = 0; i < policy.npatterns; i++) {
        patterns[i].entity = any_str(CLOCKODO_EVENT_NAME_LEN);
        patterns[i].action = any_str(CLOCKODO_EVENT_NAME_LEN);
    }

    assume(policy.max_age >= 0 && policy.max_age < SECONDS);

    return policy;
}


static clockodo_event_t  event;


void
prove_clockodo_judge(void)
{
    size_t                 token;
    int64_t                now;
    clockodo_fault_e       fault;
    clockodo_event_t       any;
    clockodo_policy_t      policy;
    clockodo_verdict_e     verdict;
    clockodo_event_type_t  type;

    policy = any_policy();

    event = any;
    event.type = nondet_bool() ? &type : NULL;
    event.entity = any_str(CLOCKODO_EVENT_NAME_LEN);
    event.action = any_str(CLOCKODO_EVENT_NAME_LEN);

    event.secret_fault = any_fault();
    event.token_fault = any_fault();
    event.envelope_fault = any_fault();
    event.payload_fault = any_fault();

    assume(now > -SECONDS && now < SECONDS);

    verdict = clockodo_judge(&event, &policy, now, &fault, &token);

    __CPROVER_assert(verdict < CLOCKODO_VERDICTS && fault < CLOCKODO_FAULTS,
                     "one of the results");
    __CPROVER_assert((verdict == CLOCKODO_VERDICT_REJECTED)
                     == (fault != CLOCKODO_FAULT_NONE),
                     "a fault where it is rejected");
    __CPROVER_assert(token <= policy.ntokens, "the number of a token");

    __CPROVER_assert(clockodo_verdicts[verdict].data != NULL
                     && clockodo_faults[fault].text != NULL
                     && clockodo_reasons[clockodo_faults[fault].reason].data
                        != NULL,
                     "there are words for it");
}
