
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _PROOF_CORE_H_INCLUDED_
#define _PROOF_CORE_H_INCLUDED_


/*
 * What files of src/core/ rely upon of one another, and the harness of the file
 * that is called proves.
 */


#include "proof.h"

#include "clockodo_event_type.h"
#include "clockodo_json_internal.h"
#include "clockodo_number.h"
#include "clockodo_pattern.h"
#include "clockodo_sha256.h"
#include "clockodo_time.h"
#include "clockodo_token.h"


/* may be NULL if there is nothing of it */

#define TEXT(p, n)    ((n) == 0 || READABLE(p, n))

/* -62167219200 is 0000-01-01T00:00:00Z, 253402300799 9999-12-31T23:59:59Z */

#define TIME_MIN      (-62167219200)
#define TIME_MAX      253402300799


int
clockodo_time_parse(const unsigned char *text, size_t len, int64_t *seconds)
REQUIRES(TEXT(text, len) && WRITABLE(seconds, sizeof(int64_t)))
ASSIGNS(*seconds)
ENSURES(RESULT == 0 || RESULT == -1)
ENSURES(RESULT == 0 ? *seconds >= TIME_MIN && *seconds <= TIME_MAX
                      && len <= CLOCKODO_TIME_LEN
                    : *seconds == OLD(*seconds));


uint64_t
clockodo_id_parse(const unsigned char *text, size_t len)
REQUIRES(TEXT(text, len))
ASSIGNS()
ENSURES(RESULT <= CLOCKODO_ID_MAX)
ENSURES(RESULT == 0 || (len > 0 && len <= CLOCKODO_ID_LEN));


size_t
clockodo_number_format(double value, char buf[CLOCKODO_NUMBER_LEN])
REQUIRES(WRITABLE(buf, CLOCKODO_NUMBER_LEN))
ASSIGNS(__CPROVER_object_upto(buf, CLOCKODO_NUMBER_LEN))
ENSURES(RESULT <= CLOCKODO_NUMBER_LEN);


int
clockodo_sha256(const void *text, size_t len,
    unsigned char digest[CLOCKODO_SHA256_LEN])
REQUIRES(TEXT(text, len) && WRITABLE(digest, CLOCKODO_SHA256_LEN))
ASSIGNS(__CPROVER_object_upto(digest, CLOCKODO_SHA256_LEN))
ENSURES(RESULT == 0 || RESULT == -1);


int
clockodo_sha256_start(clockodo_sha256_t *state,
    const unsigned char block[CLOCKODO_SHA256_BLOCK])
REQUIRES(WRITABLE(state, sizeof(clockodo_sha256_t))
         && READABLE(block, CLOCKODO_SHA256_BLOCK))
ASSIGNS(*state)
ENSURES(RESULT == 0 || RESULT == -1);


int
clockodo_sha256_finish(const clockodo_sha256_t *state, const void *head,
    size_t head_len, const void *body, size_t body_len,
    unsigned char digest[CLOCKODO_SHA256_LEN])
REQUIRES(READABLE(state, sizeof(clockodo_sha256_t))
         && TEXT(head, head_len) && TEXT(body, body_len)
         && WRITABLE(digest, CLOCKODO_SHA256_LEN))
ASSIGNS(__CPROVER_object_upto(digest, CLOCKODO_SHA256_LEN))
ENSURES(RESULT == 0 || RESULT == -1);


int
clockodo_event_char(char c)
REQUIRES(true)
ASSIGNS()
ENSURES(RESULT == 0 || RESULT == 1);


const clockodo_event_type_t *
clockodo_event_type(const char *name, size_t len)
REQUIRES(TEXT(name, len))
ASSIGNS()
ENSURES(RESULT == NULL
        || (NEAR(&clockodo_event_types[0], RESULT,
                 &clockodo_event_types[CLOCKODO_EVENT_TYPES - 1])
            && RESULT->len == len && len <= CLOCKODO_EVENT_NAME_LEN));


/* a dot, with something before and behind it */

size_t
clockodo_event_entity(const char *name, size_t len)
REQUIRES(TEXT(name, len))
ASSIGNS()
ENSURES(RESULT == 0
        || (len <= CLOCKODO_EVENT_NAME_LEN && RESULT < len
            && RESULT + 1 < len && name[RESULT] == '.'));


/* tokens: up to 3, for up to 2 subscriptions each */

#define TOKEN(t)                                                              \
    ((t)->nsubscriptions <= 2                                                 \
     && TEXT((t)->subscriptions, (t)->nsubscriptions * sizeof(uint64_t)))

#define TOKENS(t, n)                                                          \
    ((n) <= 3 && TEXT(t, (n) * sizeof(clockodo_token_t))                      \
     && ((n) < 1 || TOKEN(t)) && ((n) < 2 || TOKEN((t) + 1))                  \
     && ((n) < 3 || TOKEN((t) + 2)))


clockodo_token_match_e
clockodo_token_match(const clockodo_token_t *tokens, size_t n,
    const unsigned char digest[CLOCKODO_SHA256_LEN], uint64_t subscription,
    size_t *number)
REQUIRES(TOKENS(tokens, n) && READABLE(digest, CLOCKODO_SHA256_LEN)
         && WRITABLE(number, sizeof(size_t)))
ASSIGNS(*number)
ENSURES(RESULT <= CLOCKODO_TOKEN_UNKNOWN)
ENSURES(RESULT == CLOCKODO_TOKEN_MATCH ? *number >= 1 && *number <= n
                                       : *number == 0);


int
clockodo_pattern_match(const clockodo_pattern_t *pattern,
    const clockodo_str_t *entity, const clockodo_str_t *action)
REQUIRES(READABLE(pattern, sizeof(clockodo_pattern_t))
         && TEXT(pattern->entity.data, pattern->entity.len)
         && TEXT(pattern->action.data, pattern->action.len))
REQUIRES(READABLE(entity, sizeof(clockodo_str_t))
         && READABLE(action, sizeof(clockodo_str_t))
         && TEXT(entity->data, entity->len)
         && TEXT(action->data, action->len))
ASSIGNS()
ENSURES(RESULT == 0 || RESULT == 1);


/* the text of a string, between its quotes */

#define QUOTED(v)                                                             \
    (OFFSET((v)->data) >= 1 && READABLE((v)->data - 1, (v)->len + 2)          \
     && (v)->data[-1] == '"' && (v)->data[(v)->len] == '"')

/* a name, which is a string that the scan let pass */

#define NAME(v)                                                               \
    (READABLE(v, sizeof(clockodo_json_value_t))                               \
     && (v)->type == CLOCKODO_JSON_STRING_TYPE && QUOTED(v))


/* what clockodo_json_find() finds: one of the object's, in the list */

#define FIND_ENSURES(m, of, found)                                            \
    ((found) == NULL                                                          \
     || (BETWEEN((m)->list, found, &(m)->list[(m)->n])                        \
         && (found) != &(m)->list[(m)->n] && (found)->object == (of)))


#endif /* _PROOF_CORE_H_INCLUDED_ */
