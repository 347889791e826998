
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_JUDGE_H_INCLUDED_
#define _CLOCKODO_JUDGE_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "clockodo_event.h"
#include "clockodo_pattern.h"
#include "clockodo_token.h"
#include "clockodo_verdict.h"


#pragma GCC visibility push(hidden)


/* how far in the future an event may lie, in seconds */
#define CLOCKODO_FUTURE  300


typedef enum {
    CLOCKODO_UNKNOWN_REJECT = 0,
    CLOCKODO_UNKNOWN_FORWARD,
    CLOCKODO_UNKNOWN_IGNORE
} clockodo_unknown_e;


/* the settings that events are judged by; all arrays are the caller's */

typedef struct {
    const clockodo_token_t    *tokens;
    size_t                     ntokens;    /* 0: no token is right */
    const uint64_t            *companies;
    size_t                     ncompanies; /* 0: any */
    const clockodo_pattern_t  *patterns;
    size_t                     npatterns;  /* 0: all events */
    clockodo_unknown_e         unknown_events;
    int64_t                    max_age;    /* seconds, 0: any age */
    unsigned                   handshakes:1;   /* are recorded */
} clockodo_policy_t;


/*
 * Judges a parsed request in the order of the documented checks; now is in
 * seconds since 1970.  Sets *fault, to CLOCKODO_FAULT_NONE where the verdict
 * is not "rejected"; and *token to the number of the token that was right,
 * counted from 1, or to 0.
 */
clockodo_verdict_e clockodo_judge(const clockodo_event_t *event,
    const clockodo_policy_t *policy, int64_t now, clockodo_fault_e *fault,
    size_t *token);


#pragma GCC visibility pop


#endif /* _CLOCKODO_JUDGE_H_INCLUDED_ */
