
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_VERDICT_H_INCLUDED_
#define _CLOCKODO_VERDICT_H_INCLUDED_


#include <stddef.h>


#pragma GCC visibility push(hidden)


typedef enum {
    CLOCKODO_VERDICT_NONE = 0,             /* not judged yet */
    CLOCKODO_VERDICT_ACCEPTED,
    CLOCKODO_VERDICT_HANDSHAKE,
    CLOCKODO_VERDICT_FILTERED,
    CLOCKODO_VERDICT_DUPLICATE,
    CLOCKODO_VERDICT_REJECTED,
    CLOCKODO_VERDICTS
} clockodo_verdict_e;


/*
 * Why a call was rejected, in the order of the checks.  Four share the name
 * "handshake": a refused handshake has one reason and several statuses.
 */

typedef enum {
    CLOCKODO_REASON_NONE = 0,
    CLOCKODO_REASON_METHOD,
    CLOCKODO_REASON_CONTENT_TYPE,
    CLOCKODO_REASON_CONTENT_ENCODING,
    CLOCKODO_REASON_EMPTY_BODY,
    CLOCKODO_REASON_BODY_TOO_LARGE,
    CLOCKODO_REASON_MALFORMED_JSON,
    CLOCKODO_REASON_HANDSHAKE_INVALID,
    CLOCKODO_REASON_HANDSHAKE_OFF,
    CLOCKODO_REASON_HANDSHAKE_FAILED,
    CLOCKODO_REASON_HANDSHAKE_FULL,
    CLOCKODO_REASON_TOKEN,
    CLOCKODO_REASON_ENVELOPE,
    CLOCKODO_REASON_UNKNOWN_EVENT,
    CLOCKODO_REASON_PAYLOAD,
    CLOCKODO_REASON_COMPANY,
    CLOCKODO_REASON_STALE,
    CLOCKODO_REASON_IN_FLIGHT,
    CLOCKODO_REASONS
} clockodo_reason_e;


/* what exactly is wrong, the finest grain: one line of the error log each */

typedef enum {
    CLOCKODO_FAULT_NONE = 0,

    CLOCKODO_FAULT_METHOD,
    CLOCKODO_FAULT_CONTENT_TYPE_MISSING,
    CLOCKODO_FAULT_CONTENT_TYPE_REPEATED,
    CLOCKODO_FAULT_CONTENT_TYPE,
    CLOCKODO_FAULT_CONTENT_ENCODING,
    CLOCKODO_FAULT_EMPTY_BODY,
    CLOCKODO_FAULT_CONTENT_LENGTH,
    CLOCKODO_FAULT_BODY_TOO_LARGE,

    CLOCKODO_FAULT_MALFORMED_JSON,

    CLOCKODO_FAULT_SECRET_TYPE,
    CLOCKODO_FAULT_SECRET_VALUE,
    CLOCKODO_FAULT_SECRET_SPELLING,
    CLOCKODO_FAULT_SECRET_FILE_OFF,
    CLOCKODO_FAULT_SECRET_FILE_FAILED,
    CLOCKODO_FAULT_SECRET_FILE_FULL,
    CLOCKODO_FAULT_SECRET_FILE_BUSY,

    CLOCKODO_FAULT_TOKEN_MISSING,
    CLOCKODO_FAULT_TOKEN_TYPE,
    CLOCKODO_FAULT_TOKEN_UNKNOWN,
    CLOCKODO_FAULT_TOKEN_SUBSCRIPTION,

    CLOCKODO_FAULT_SUBSCRIPTION_ID_MISSING,
    CLOCKODO_FAULT_SUBSCRIPTION_ID,
    CLOCKODO_FAULT_COMPANY_ID_MISSING,
    CLOCKODO_FAULT_COMPANY_ID,
    CLOCKODO_FAULT_OCCURRED_AT_MISSING,
    CLOCKODO_FAULT_OCCURRED_AT,
    CLOCKODO_FAULT_PAYLOAD_MISSING,
    CLOCKODO_FAULT_PAYLOAD_TYPE,
    CLOCKODO_FAULT_EVENT_NAME_MISSING,
    CLOCKODO_FAULT_EVENT_NAME,
    CLOCKODO_FAULT_ENVELOPE_SPELLING,

    CLOCKODO_FAULT_UNKNOWN_EVENT,

    CLOCKODO_FAULT_ENTITY_MISSING,
    CLOCKODO_FAULT_ENTITY_ID,
    CLOCKODO_FAULT_BUDGET_ID,
    CLOCKODO_FAULT_BUDGET_TYPE,
    CLOCKODO_FAULT_BUDGET_THRESHOLD,
    CLOCKODO_FAULT_PAYLOAD_SPELLING,

    CLOCKODO_FAULT_COMPANY,
    CLOCKODO_FAULT_TOO_OLD,
    CLOCKODO_FAULT_IN_FUTURE,

    CLOCKODO_FAULT_IN_FLIGHT,

    CLOCKODO_FAULTS
} clockodo_fault_e;


typedef struct {
    size_t                len;
    const char           *data;            /* in these tables with a NUL */
} clockodo_name_t;


typedef struct {
    clockodo_name_t       name;
    unsigned              status;          /* HTTP, RFC 9110 section 15 */
} clockodo_reason_t;


typedef struct {
    clockodo_reason_e     reason;
    const char           *text;            /* for the error log */
} clockodo_fault_t;


/* all three are constant and indexed by the enumerations above */

extern const clockodo_name_t    clockodo_verdicts[CLOCKODO_VERDICTS];
extern const clockodo_reason_t  clockodo_reasons[CLOCKODO_REASONS];
extern const clockodo_fault_t   clockodo_faults[CLOCKODO_FAULTS];


#pragma GCC visibility pop


#endif /* _CLOCKODO_VERDICT_H_INCLUDED_ */
