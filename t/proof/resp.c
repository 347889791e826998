
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* what goes to Redis, and what comes back */


#include "libc.h"
#include "any.h"


#define LOOP_clockodo_resp_error_0                                            \
    LOOP((i), (i >= 1 && i <= len), (len - i))


#include "clockodo_resp.c"


#define ARGS  2


static clockodo_resp_e
clockodo_resp_error(const unsigned char *p, size_t len,
    clockodo_resp_reply_t *reply)
REQUIRES(len > 0 && READABLE(p, len) && WRITABLE(reply, sizeof(*reply)))
ASSIGNS(reply->code)
ENSURES(RESULT == CLOCKODO_RESP_ERROR || RESULT == CLOCKODO_RESP_AGAIN)
ENSURES(reply->code.len < len && reply->code.len <= CLOCKODO_RESP_CODE_LEN)
ENSURES(__CPROVER_pointer_equals(reply->code.data, (const char *) p + 1));


/* arguments, of which any may be empty: as much as was said is written */

void
prove_clockodo_resp_write(void)
{
    size_t          i, size;
    clockodo_str_t  args[ARGS];
    unsigned char  *p;

    for (i = 0; i < ARGS; i++) {
        args[i].len = any_byte();
        args[i].data = (char *) any_text_or_null(args[i].len);
    }

    i = any_up_to(ARGS);
    size = clockodo_resp_size(args, i);
    p = any_text(size);

    __CPROVER_assert(clockodo_resp_write(p, args, i) == p + size,
                     "it has the size that it should have");
}


void
prove_clockodo_resp_error(void)
{
    size_t                 len;
    clockodo_resp_reply_t  reply;

    len = any_up_to(PROOF_TEXT);

    (void) clockodo_resp_error(any_text(len), len, &reply);
}


void
prove_clockodo_resp_read(void)
{
    size_t                 len;
    clockodo_resp_e        rc;
    clockodo_resp_reply_t  reply;

    len = any_up_to(PROOF_TEXT);

    rc = clockodo_resp_read(any_text_or_null(len), len, &reply);

    __CPROVER_assert(rc <= CLOCKODO_RESP_INVALID, "one of the results");
    __CPROVER_assert(reply.len <= len && reply.len <= CLOCKODO_RESP_REPLY_LEN,
                     "a reply that has come");
}


void
prove_clockodo_resp_tag(void)
{
    size_t               len;
    clockodo_resp_tag_e  tag;

    len = any_up_to(PROOF_TEXT);

    tag = clockodo_resp_tag((char *) any_text_or_null(len), len);

    __CPROVER_assert(tag <= CLOCKODO_RESP_NO_TAG_POSSIBLE,
                     "one of the results");
}
