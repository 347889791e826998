
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_verdict.h"


const clockodo_str_t  clockodo_verdicts[CLOCKODO_VERDICTS] = {

    [CLOCKODO_VERDICT_NONE]      = clockodo_string(""),
    [CLOCKODO_VERDICT_ACCEPTED]  = clockodo_string("accepted"),
    [CLOCKODO_VERDICT_HANDSHAKE] = clockodo_string("handshake"),
    [CLOCKODO_VERDICT_FILTERED]  = clockodo_string("filtered"),
    [CLOCKODO_VERDICT_DUPLICATE] = clockodo_string("duplicate"),
    [CLOCKODO_VERDICT_REJECTED]  = clockodo_string("rejected")
};


const clockodo_str_t  clockodo_reasons[CLOCKODO_REASONS] = {

    [CLOCKODO_REASON_NONE]            = clockodo_string(""),
    [CLOCKODO_REASON_METHOD]          = clockodo_string("method"),
    [CLOCKODO_REASON_CONTENT_TYPE]    = clockodo_string("content_type"),
    [CLOCKODO_REASON_CONTENT_ENCODING]= clockodo_string("content_encoding"),
    [CLOCKODO_REASON_EMPTY_BODY]      = clockodo_string("empty_body"),
    [CLOCKODO_REASON_BODY_TOO_LARGE]  = clockodo_string("body_too_large"),
    [CLOCKODO_REASON_MALFORMED_JSON]  = clockodo_string("malformed_json"),
    [CLOCKODO_REASON_HANDSHAKE]       = clockodo_string("handshake"),
    [CLOCKODO_REASON_TOKEN]           = clockodo_string("token"),
    [CLOCKODO_REASON_ENVELOPE]        = clockodo_string("envelope"),
    [CLOCKODO_REASON_UNKNOWN_EVENT]   = clockodo_string("unknown_event"),
    [CLOCKODO_REASON_PAYLOAD]         = clockodo_string("payload"),
    [CLOCKODO_REASON_COMPANY]         = clockodo_string("company"),
    [CLOCKODO_REASON_STALE]           = clockodo_string("stale"),
    [CLOCKODO_REASON_IN_FLIGHT]       = clockodo_string("in_flight")
};


const clockodo_fault_t  clockodo_faults[CLOCKODO_FAULTS] = {

    [CLOCKODO_FAULT_NONE] = { CLOCKODO_REASON_NONE, 0, "" },

    [CLOCKODO_FAULT_METHOD] = {
        CLOCKODO_REASON_METHOD, 405, "the method is not POST" },

    [CLOCKODO_FAULT_CONTENT_TYPE_MISSING] = {
        CLOCKODO_REASON_CONTENT_TYPE, 415,
        "there is no \"Content-Type\" header" },

    [CLOCKODO_FAULT_CONTENT_TYPE_REPEATED] = {
        CLOCKODO_REASON_CONTENT_TYPE, 415,
        "there is more than one \"Content-Type\" header" },

    [CLOCKODO_FAULT_CONTENT_TYPE] = {
        CLOCKODO_REASON_CONTENT_TYPE, 415,
        "\"Content-Type\" is not \"application/json\" in UTF-8" },

    [CLOCKODO_FAULT_CONTENT_ENCODING] = {
        CLOCKODO_REASON_CONTENT_ENCODING, 415,
        "\"Content-Encoding\" is not \"identity\"" },

    [CLOCKODO_FAULT_EMPTY_BODY] = {
        CLOCKODO_REASON_EMPTY_BODY, 400, "the body is empty" },

    [CLOCKODO_FAULT_CONTENT_LENGTH] = {
        CLOCKODO_REASON_BODY_TOO_LARGE, 413,
        "\"Content-Length\" is larger than \"clockodo_max_body_size\"" },

    [CLOCKODO_FAULT_BODY_TOO_LARGE] = {
        CLOCKODO_REASON_BODY_TOO_LARGE, 413,
        "the body is larger than \"clockodo_max_body_size\"" },

    /* the scan's own error and its position are logged instead */
    [CLOCKODO_FAULT_MALFORMED_JSON] = {
        CLOCKODO_REASON_MALFORMED_JSON, 400, "malformed JSON" },

    [CLOCKODO_FAULT_SECRET_TYPE] = {
        CLOCKODO_REASON_HANDSHAKE, 400,
        "member \"secret\" is not a string" },

    [CLOCKODO_FAULT_SECRET_VALUE] = {
        CLOCKODO_REASON_HANDSHAKE, 400,
        "member \"secret\" is not 1 to 128 characters of [A-Za-z0-9._~-]" },

    [CLOCKODO_FAULT_SECRET_SPELLING] = {
        CLOCKODO_REASON_HANDSHAKE, 400,
        "a member beside \"secret\" has the name of a documented one "
        "in another case" },

    [CLOCKODO_FAULT_SECRET_FILE_OFF] = {
        CLOCKODO_REASON_HANDSHAKE, 403, "\"clockodo_secret_file\" is off" },

    [CLOCKODO_FAULT_SECRET_FILE_FAILED] = {
        CLOCKODO_REASON_HANDSHAKE, 500,
        "the secret could not be written to \"clockodo_secret_file\"" },

    [CLOCKODO_FAULT_SECRET_FILE_FULL] = {
        CLOCKODO_REASON_HANDSHAKE, 503,
        "\"clockodo_secret_file\" is full, rotate it" },

    [CLOCKODO_FAULT_SECRET_FILE_BUSY] = {
        CLOCKODO_REASON_HANDSHAKE, 503, "\"clockodo_secret_file\" is busy" },

    [CLOCKODO_FAULT_TOKEN_MISSING] = {
        CLOCKODO_REASON_TOKEN, 403, "member \"token\" is missing" },

    [CLOCKODO_FAULT_TOKEN_TYPE] = {
        CLOCKODO_REASON_TOKEN, 403, "member \"token\" is not a string" },

    [CLOCKODO_FAULT_TOKEN_UNKNOWN] = {
        CLOCKODO_REASON_TOKEN, 403,
        "member \"token\" matches no configured token" },

    [CLOCKODO_FAULT_TOKEN_SUBSCRIPTION] = {
        CLOCKODO_REASON_TOKEN, 403,
        "member \"token\" matches a token that is not configured "
        "for this \"subscription_id\"" },

    [CLOCKODO_FAULT_SUBSCRIPTION_ID_MISSING] = {
        CLOCKODO_REASON_ENVELOPE, 400,
        "member \"subscription_id\" is missing" },

    [CLOCKODO_FAULT_SUBSCRIPTION_ID] = {
        CLOCKODO_REASON_ENVELOPE, 400,
        "member \"subscription_id\" is not a positive integer" },

    [CLOCKODO_FAULT_COMPANY_ID_MISSING] = {
        CLOCKODO_REASON_ENVELOPE, 400, "member \"company_id\" is missing" },

    [CLOCKODO_FAULT_COMPANY_ID] = {
        CLOCKODO_REASON_ENVELOPE, 400,
        "member \"company_id\" is not a positive integer" },

    [CLOCKODO_FAULT_OCCURRED_AT_MISSING] = {
        CLOCKODO_REASON_ENVELOPE, 400, "member \"occurred_at\" is missing" },

    [CLOCKODO_FAULT_OCCURRED_AT] = {
        CLOCKODO_REASON_ENVELOPE, 400,
        "member \"occurred_at\" is not an RFC 3339 time in UTC" },

    [CLOCKODO_FAULT_PAYLOAD_MISSING] = {
        CLOCKODO_REASON_ENVELOPE, 400, "member \"payload\" is missing" },

    [CLOCKODO_FAULT_PAYLOAD_TYPE] = {
        CLOCKODO_REASON_ENVELOPE, 400, "member \"payload\" is not an object" },

    [CLOCKODO_FAULT_EVENT_NAME_MISSING] = {
        CLOCKODO_REASON_ENVELOPE, 400, "member \"event_name\" is missing" },

    [CLOCKODO_FAULT_EVENT_NAME] = {
        CLOCKODO_REASON_ENVELOPE, 400,
        "member \"event_name\" is not \"entity.action\" of [a-z0-9_], "
        "64 bytes at most" },

    [CLOCKODO_FAULT_ENVELOPE_SPELLING] = {
        CLOCKODO_REASON_ENVELOPE, 400,
        "a member has the name of a documented one in another case" },

    [CLOCKODO_FAULT_UNKNOWN_EVENT] = {
        CLOCKODO_REASON_UNKNOWN_EVENT, 400,
        "member \"event_name\" is not a documented event" },

    [CLOCKODO_FAULT_ENTITY_MISSING] = {
        CLOCKODO_REASON_PAYLOAD, 400,
        "member \"payload\" has no object named after the entity" },

    [CLOCKODO_FAULT_ENTITY_ID] = {
        CLOCKODO_REASON_PAYLOAD, 400,
        "the entity's \"id\" in \"payload\" is not a positive integer" },

    [CLOCKODO_FAULT_BUDGET_ID] = {
        CLOCKODO_REASON_PAYLOAD, 400,
        "member \"id\" in \"payload\" is not a positive integer" },

    [CLOCKODO_FAULT_BUDGET_TYPE] = {
        CLOCKODO_REASON_PAYLOAD, 400,
        "member \"type\" in \"payload\" is not 1 to 64 characters "
        "of [A-Za-z0-9_]" },

    [CLOCKODO_FAULT_BUDGET_THRESHOLD] = {
        CLOCKODO_REASON_PAYLOAD, 400,
        "member \"threshold\" in \"payload\" is not a number" },

    [CLOCKODO_FAULT_PAYLOAD_SPELLING] = {
        CLOCKODO_REASON_PAYLOAD, 400,
        "a member in \"payload\" has the name of a documented one "
        "in another case" },

    [CLOCKODO_FAULT_COMPANY] = {
        CLOCKODO_REASON_COMPANY, 403,
        "member \"company_id\" is not in \"clockodo_company\"" },

    [CLOCKODO_FAULT_TOO_OLD] = {
        CLOCKODO_REASON_STALE, 400,
        "member \"occurred_at\" is older than \"clockodo_max_age\"" },

    [CLOCKODO_FAULT_IN_FUTURE] = {
        CLOCKODO_REASON_STALE, 400,
        "member \"occurred_at\" is more than 5 minutes in the future" },

    [CLOCKODO_FAULT_IN_FLIGHT] = {
        CLOCKODO_REASON_IN_FLIGHT, 409, "the same event is being delivered" }
};
