
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_verdict.h"


#define clockodo_name(s)  { sizeof(s) - 1, s }


const clockodo_name_t  clockodo_verdicts[CLOCKODO_VERDICTS] = {

    [CLOCKODO_VERDICT_NONE]      = clockodo_name(""),
    [CLOCKODO_VERDICT_ACCEPTED]  = clockodo_name("accepted"),
    [CLOCKODO_VERDICT_HANDSHAKE] = clockodo_name("handshake"),
    [CLOCKODO_VERDICT_FILTERED]  = clockodo_name("filtered"),
    [CLOCKODO_VERDICT_DUPLICATE] = clockodo_name("duplicate"),
    [CLOCKODO_VERDICT_REJECTED]  = clockodo_name("rejected")
};


const clockodo_reason_t  clockodo_reasons[CLOCKODO_REASONS] = {

    [CLOCKODO_REASON_NONE]              = { clockodo_name(""), 0 },
    [CLOCKODO_REASON_METHOD]            = { clockodo_name("method"), 405 },
    [CLOCKODO_REASON_CONTENT_TYPE]      = { clockodo_name("content_type"),
                                            415 },
    [CLOCKODO_REASON_CONTENT_ENCODING]  = { clockodo_name("content_encoding"),
                                            415 },
    [CLOCKODO_REASON_EMPTY_BODY]        = { clockodo_name("empty_body"), 400 },
    [CLOCKODO_REASON_BODY_TOO_LARGE]    = { clockodo_name("body_too_large"),
                                            413 },
    [CLOCKODO_REASON_MALFORMED_JSON]    = { clockodo_name("malformed_json"),
                                            400 },
    [CLOCKODO_REASON_HANDSHAKE_INVALID] = { clockodo_name("handshake"), 400 },
    [CLOCKODO_REASON_HANDSHAKE_OFF]     = { clockodo_name("handshake"), 403 },
    [CLOCKODO_REASON_HANDSHAKE_FAILED]  = { clockodo_name("handshake"), 500 },
    [CLOCKODO_REASON_HANDSHAKE_FULL]    = { clockodo_name("handshake"), 503 },
    [CLOCKODO_REASON_TOKEN]             = { clockodo_name("token"), 403 },
    [CLOCKODO_REASON_ENVELOPE]          = { clockodo_name("envelope"), 400 },
    [CLOCKODO_REASON_UNKNOWN_EVENT]     = { clockodo_name("unknown_event"),
                                            400 },
    [CLOCKODO_REASON_PAYLOAD]           = { clockodo_name("payload"), 400 },
    [CLOCKODO_REASON_COMPANY]           = { clockodo_name("company"), 403 },
    [CLOCKODO_REASON_STALE]             = { clockodo_name("stale"), 400 },
    [CLOCKODO_REASON_IN_FLIGHT]         = { clockodo_name("in_flight"), 409 }
};


const clockodo_fault_t  clockodo_faults[CLOCKODO_FAULTS] = {

    [CLOCKODO_FAULT_NONE] = { CLOCKODO_REASON_NONE, "" },

    [CLOCKODO_FAULT_METHOD] = {
        CLOCKODO_REASON_METHOD, "the method is not POST" },

    [CLOCKODO_FAULT_CONTENT_TYPE_MISSING] = {
        CLOCKODO_REASON_CONTENT_TYPE, "there is no \"Content-Type\" header" },

    [CLOCKODO_FAULT_CONTENT_TYPE_REPEATED] = {
        CLOCKODO_REASON_CONTENT_TYPE,
        "there is more than one \"Content-Type\" header" },

    [CLOCKODO_FAULT_CONTENT_TYPE] = {
        CLOCKODO_REASON_CONTENT_TYPE,
        "\"Content-Type\" is not \"application/json\" in UTF-8" },

    [CLOCKODO_FAULT_CONTENT_ENCODING] = {
        CLOCKODO_REASON_CONTENT_ENCODING,
        "\"Content-Encoding\" is not \"identity\"" },

    [CLOCKODO_FAULT_EMPTY_BODY] = {
        CLOCKODO_REASON_EMPTY_BODY, "the body is empty" },

    [CLOCKODO_FAULT_CONTENT_LENGTH] = {
        CLOCKODO_REASON_BODY_TOO_LARGE,
        "\"Content-Length\" is larger than \"clockodo_max_body_size\"" },

    [CLOCKODO_FAULT_BODY_TOO_LARGE] = {
        CLOCKODO_REASON_BODY_TOO_LARGE,
        "the body is larger than \"clockodo_max_body_size\"" },

    /* the scan's own error and its position are logged instead */
    [CLOCKODO_FAULT_MALFORMED_JSON] = {
        CLOCKODO_REASON_MALFORMED_JSON, "malformed JSON" },

    [CLOCKODO_FAULT_SECRET_TYPE] = {
        CLOCKODO_REASON_HANDSHAKE_INVALID,
        "member \"secret\" is not a string" },

    [CLOCKODO_FAULT_SECRET_VALUE] = {
        CLOCKODO_REASON_HANDSHAKE_INVALID,
        "member \"secret\" is not 1 to 128 characters of [A-Za-z0-9._~-]" },

    [CLOCKODO_FAULT_SECRET_SPELLING] = {
        CLOCKODO_REASON_HANDSHAKE_INVALID,
        "a member beside \"secret\" has the name of a documented one "
        "in another case" },

    [CLOCKODO_FAULT_SECRET_FILE_OFF] = {
        CLOCKODO_REASON_HANDSHAKE_OFF, "\"clockodo_secret_file\" is off" },

    [CLOCKODO_FAULT_SECRET_FILE_FAILED] = {
        CLOCKODO_REASON_HANDSHAKE_FAILED,
        "the secret could not be written to \"clockodo_secret_file\"" },

    [CLOCKODO_FAULT_SECRET_FILE_FULL] = {
        CLOCKODO_REASON_HANDSHAKE_FULL,
        "\"clockodo_secret_file\" is full, rotate it" },

    [CLOCKODO_FAULT_SECRET_FILE_BUSY] = {
        CLOCKODO_REASON_HANDSHAKE_FULL, "\"clockodo_secret_file\" is busy" },

    [CLOCKODO_FAULT_TOKEN_MISSING] = {
        CLOCKODO_REASON_TOKEN, "member \"token\" is missing" },

    [CLOCKODO_FAULT_TOKEN_TYPE] = {
        CLOCKODO_REASON_TOKEN, "member \"token\" is not a string" },

    [CLOCKODO_FAULT_TOKEN_UNKNOWN] = {
        CLOCKODO_REASON_TOKEN,
        "member \"token\" matches no configured token" },

    [CLOCKODO_FAULT_TOKEN_SUBSCRIPTION] = {
        CLOCKODO_REASON_TOKEN,
        "member \"token\" matches a token that is not configured "
        "for this \"subscription_id\"" },

    [CLOCKODO_FAULT_SUBSCRIPTION_ID_MISSING] = {
        CLOCKODO_REASON_ENVELOPE, "member \"subscription_id\" is missing" },

    [CLOCKODO_FAULT_SUBSCRIPTION_ID] = {
        CLOCKODO_REASON_ENVELOPE,
        "member \"subscription_id\" is not a positive integer" },

    [CLOCKODO_FAULT_COMPANY_ID_MISSING] = {
        CLOCKODO_REASON_ENVELOPE, "member \"company_id\" is missing" },

    [CLOCKODO_FAULT_COMPANY_ID] = {
        CLOCKODO_REASON_ENVELOPE,
        "member \"company_id\" is not a positive integer" },

    [CLOCKODO_FAULT_OCCURRED_AT_MISSING] = {
        CLOCKODO_REASON_ENVELOPE, "member \"occurred_at\" is missing" },

    [CLOCKODO_FAULT_OCCURRED_AT] = {
        CLOCKODO_REASON_ENVELOPE,
        "member \"occurred_at\" is not an RFC 3339 time in UTC" },

    [CLOCKODO_FAULT_PAYLOAD_MISSING] = {
        CLOCKODO_REASON_ENVELOPE, "member \"payload\" is missing" },

    [CLOCKODO_FAULT_PAYLOAD_TYPE] = {
        CLOCKODO_REASON_ENVELOPE, "member \"payload\" is not an object" },

    [CLOCKODO_FAULT_EVENT_NAME_MISSING] = {
        CLOCKODO_REASON_ENVELOPE, "member \"event_name\" is missing" },

    [CLOCKODO_FAULT_EVENT_NAME] = {
        CLOCKODO_REASON_ENVELOPE,
        "member \"event_name\" is not \"entity.action\" of [a-z0-9_], "
        "64 bytes at most" },

    [CLOCKODO_FAULT_ENVELOPE_SPELLING] = {
        CLOCKODO_REASON_ENVELOPE,
        "a member has the name of a documented one in another case" },

    [CLOCKODO_FAULT_UNKNOWN_EVENT] = {
        CLOCKODO_REASON_UNKNOWN_EVENT,
        "member \"event_name\" is not a documented event" },

    [CLOCKODO_FAULT_ENTITY_MISSING] = {
        CLOCKODO_REASON_PAYLOAD,
        "member \"payload\" has no object named after the entity" },

    [CLOCKODO_FAULT_ENTITY_ID] = {
        CLOCKODO_REASON_PAYLOAD,
        "the entity's \"id\" in \"payload\" is not a positive integer" },

    [CLOCKODO_FAULT_BUDGET_ID] = {
        CLOCKODO_REASON_PAYLOAD,
        "member \"id\" in \"payload\" is not a positive integer" },

    [CLOCKODO_FAULT_BUDGET_TYPE] = {
        CLOCKODO_REASON_PAYLOAD,
        "member \"type\" in \"payload\" is not 1 to 64 characters "
        "of [A-Za-z0-9_]" },

    [CLOCKODO_FAULT_BUDGET_THRESHOLD] = {
        CLOCKODO_REASON_PAYLOAD,
        "member \"threshold\" in \"payload\" is not a number" },

    [CLOCKODO_FAULT_PAYLOAD_SPELLING] = {
        CLOCKODO_REASON_PAYLOAD,
        "a member in \"payload\" has the name of a documented one "
        "in another case" },

    [CLOCKODO_FAULT_COMPANY] = {
        CLOCKODO_REASON_COMPANY,
        "member \"company_id\" is not in \"clockodo_company\"" },

    [CLOCKODO_FAULT_TOO_OLD] = {
        CLOCKODO_REASON_STALE,
        "member \"occurred_at\" is older than \"clockodo_max_age\"" },

    [CLOCKODO_FAULT_IN_FUTURE] = {
        CLOCKODO_REASON_STALE,
        "member \"occurred_at\" is more than 5 minutes in the future" },

    [CLOCKODO_FAULT_IN_FLIGHT] = {
        CLOCKODO_REASON_IN_FLIGHT, "the same event is being delivered" }
};
