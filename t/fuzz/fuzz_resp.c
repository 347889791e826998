
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * What comes from Redis: an answer that is known does not change with what
 * follows, and is not known otherwise with less.
 */


#include "clockodo_resp.h"
#include "fuzz.h"

#include <string.h>


static clockodo_resp_e resp_read(const uint8_t *data, size_t size,
    clockodo_resp_reply_t *reply);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                  i;
    clockodo_resp_e         rc, earlier;
    clockodo_resp_reply_t   reply, first;

    memset(&first, 0, sizeof(clockodo_resp_reply_t));

    earlier = CLOCKODO_RESP_AGAIN;

    for (i = 0; i <= size; i++) {
        rc = resp_read(data, i, &reply);

        if (earlier == CLOCKODO_RESP_AGAIN) {
            earlier = rc;
            first = reply;
        }

        fuzz_check(rc == earlier);
        fuzz_check(reply.len == first.len);
        fuzz_check(reply.code.len == first.code.len);
        fuzz_check(rc != CLOCKODO_RESP_AGAIN || i < CLOCKODO_RESP_REPLY_LEN);
    }

    (void) clockodo_resp_tag((const char *) data, size);

    return 0;
}


static clockodo_resp_e
resp_read(const uint8_t *data, size_t size, clockodo_resp_reply_t *reply)
{
    size_t            i;
    uint8_t          *copy;
    clockodo_resp_e   rc;

    memset(reply, 0, sizeof(clockodo_resp_reply_t));

    /* of just that size */

    copy = malloc(size + (size == 0));
    fuzz_check(copy != NULL);

    memcpy(copy, data, size);

    rc = clockodo_resp_read(copy, size, reply);

    fuzz_check(reply->len <= size && reply->len <= CLOCKODO_RESP_REPLY_LEN);
    fuzz_check((rc == CLOCKODO_RESP_OK || rc == CLOCKODO_RESP_ID
                || rc == CLOCKODO_RESP_NULL) == (reply->len > 0));

    if (rc == CLOCKODO_RESP_ERROR) {
        for (i = 0; i < reply->code.len; i++) {
            fuzz_check(reply->code.data[i] >= 'A'
                       && reply->code.data[i] <= 'Z');
        }

    } else {
        reply->code.len = 0;
    }

    free(copy);

    return rc;
}
