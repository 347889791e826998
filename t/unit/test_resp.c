
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_resp.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define test_text(s)   s, sizeof(s) - 1
#define test_count(a)  (sizeof(a) / sizeof((a)[0]))

#define TEST_A32       "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"


typedef struct {
    const char           *text;
    size_t                len;
    clockodo_resp_e       rc;
    const char           *code;            /* of an error */
} test_reply_t;


typedef struct {
    const char           *text;
    size_t                len;
    clockodo_resp_tag_e   tag;
} test_key_t;


static const test_reply_t  test_replies[] = {
    { test_text("+OK\r\n"), CLOCKODO_RESP_OK, NULL },
    { test_text("$-1\r\n"), CLOCKODO_RESP_NULL, NULL },
    { test_text("$3\r\n1-0\r\n"), CLOCKODO_RESP_ID, NULL },
    { test_text("$15\r\n1700000000000-0\r\n"), CLOCKODO_RESP_ID, NULL },
    { test_text("$41\r\n18446744073709551615-18446744073709551615\r\n"),
      CLOCKODO_RESP_ID, NULL },

    { test_text("-ERR \r\n"), CLOCKODO_RESP_ERROR, "ERR" },
    { test_text("-ERR\r\n"), CLOCKODO_RESP_ERROR, "ERR" },
    { test_text("-CLUSTERDOWN The cluster is down\r\n"), CLOCKODO_RESP_ERROR,
      "CLUSTERDOWN" },
    { test_text("-" TEST_A32 " "), CLOCKODO_RESP_ERROR, TEST_A32 },
    { test_text("-" TEST_A32 "A"), CLOCKODO_RESP_ERROR, "" },
    { test_text("-\r\n"), CLOCKODO_RESP_ERROR, "" },
    { test_text("- ERR\r\n"), CLOCKODO_RESP_ERROR, "" },
    { test_text("-ERR\t"), CLOCKODO_RESP_ERROR, "" },
    { test_text("-ERR\n"), CLOCKODO_RESP_ERROR, "" },
    { test_text("-ERR\0"), CLOCKODO_RESP_ERROR, "" },
    { test_text("-ERR_\r\n"), CLOCKODO_RESP_ERROR, "" },
    { test_text("-ERRx\r\n"), CLOCKODO_RESP_ERROR, "" },
    { test_text("-ERR[\r\n"), CLOCKODO_RESP_ERROR, "" },
    { test_text("-ERR@\r\n"), CLOCKODO_RESP_ERROR, "" },
    { test_text("-ERR\xc3\xa4\r\n"), CLOCKODO_RESP_ERROR, "" },

    { test_text("\0"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text(" +OK\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("+ok\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("+OK\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("+OK\r\r"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("+QUEUED\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text(":1\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("*1\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("_\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("H"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$-2"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$-1\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$-1\r\r"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$\r"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$x"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$/3"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$:3"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$3:"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$0\r"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$00\r"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$42\r"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$99\r"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$100"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$3\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$3\r\r"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$3\r\n1-0\r\r"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$3\r\n1-0\n\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$3\r\n100\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$3\r\n-00\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$3\r\n10-\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$3\r\n1--\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$5\r\n1-0-0\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$3\r\n1-:\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$3\r\n/-1\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$1\r\n1\r\n"), CLOCKODO_RESP_INVALID, NULL },
    { test_text("$1\r\n-\r\n"), CLOCKODO_RESP_INVALID, NULL }
};


/* t/redis.t asks a cluster */

static const test_key_t  test_keys[] = {
    { test_text("clockodo:events"), CLOCKODO_RESP_NO_TAG },
    { test_text("{"), CLOCKODO_RESP_NO_TAG },
    { test_text("a{b"), CLOCKODO_RESP_NO_TAG },
    { test_text("{{a"), CLOCKODO_RESP_NO_TAG },
    { test_text("{a}"), CLOCKODO_RESP_TAG },
    { test_text("x{a}y"), CLOCKODO_RESP_TAG },
    { test_text("{a}{}"), CLOCKODO_RESP_TAG },
    { test_text("}{a}"), CLOCKODO_RESP_TAG },
    { test_text("{{}"), CLOCKODO_RESP_TAG },
    { test_text("{a}}"), CLOCKODO_RESP_TAG },
    { test_text("}"), CLOCKODO_RESP_NO_TAG_POSSIBLE },
    { test_text("a}b"), CLOCKODO_RESP_NO_TAG_POSSIBLE },
    { test_text("{}"), CLOCKODO_RESP_NO_TAG_POSSIBLE },
    { test_text("{}{a}"), CLOCKODO_RESP_NO_TAG_POSSIBLE },
    { test_text("}{a"), CLOCKODO_RESP_NO_TAG_POSSIBLE }
};


static clockodo_resp_e test_read(const char *text, size_t len,
    clockodo_resp_reply_t *reply, char *code);


static void
resp_read(void **state)
{
    char                    code[64];
    size_t                  i;
    clockodo_resp_e         rc;
    const test_reply_t     *t;
    clockodo_resp_reply_t   reply;

    (void) state;

    for (i = 0; i < test_count(test_replies); i++) {
        t = &test_replies[i];

        rc = test_read(t->text, t->len, &reply, code);

        if (rc != t->rc) {
            fail_msg("\"%s\" (%zu): %d, not %d", t->text, i, rc, t->rc);
        }

        if (rc == CLOCKODO_RESP_ERROR) {
            assert_string_equal(code, t->code);
        }

        if (rc == CLOCKODO_RESP_ERROR || rc == CLOCKODO_RESP_INVALID) {
            assert_int_equal(reply.len, 0);

        } else {
            assert_int_equal(reply.len, t->len);
            assert_true(reply.len <= CLOCKODO_RESP_REPLY_LEN);
        }
    }
}


/* a byte less is never another answer, unless the answer is known already */

static void
resp_read_cut(void **state)
{
    char                    code[64];
    size_t                  i, len;
    clockodo_resp_e         rc;
    const test_reply_t     *t;
    clockodo_resp_reply_t   reply;

    (void) state;

    for (i = 0; i < test_count(test_replies); i++) {
        t = &test_replies[i];

        for (len = 0; len < t->len; len++) {
            rc = test_read(t->text, len, &reply, code);

            if (rc == CLOCKODO_RESP_AGAIN
                || (rc == t->rc
                    && (rc == CLOCKODO_RESP_INVALID
                        || (rc == CLOCKODO_RESP_ERROR
                            && strcmp(code, t->code) == 0))))
            {
                continue;
            }

            fail_msg("\"%.*s\" (%zu): %d", (int) len, t->text, i, rc);
        }
    }
}


/* what follows a reply is not looked at */

static void
resp_read_more(void **state)
{
    char                    text[128], code[64];
    size_t                  i;
    clockodo_resp_e         rc;
    const test_reply_t     *t;
    clockodo_resp_reply_t   reply;

    (void) state;

    for (i = 0; i < test_count(test_replies); i++) {
        t = &test_replies[i];

        memcpy(text, t->text, t->len);
        memcpy(text + t->len, "$-1", 3);

        rc = test_read(text, t->len + 3, &reply, code);

        assert_int_equal(rc, t->rc);

        if (rc != CLOCKODO_RESP_ERROR && rc != CLOCKODO_RESP_INVALID) {
            assert_int_equal(reply.len, t->len);
        }
    }
}


static void
resp_write(void **state)
{
    char                   *want;
    size_t                  i, size;
    unsigned char          *p, *text;
    clockodo_str_t          args[12];

    static const char       big[] = "*3\r\n$4\r\nXADD\r\n$0\r\n\r\n$1000\r\n";

    (void) state;

    args[0].len = 4;
    args[0].data = "XADD";
    args[1].len = 0;
    args[1].data = NULL;
    args[2].len = 1000;
    args[2].data = calloc(1, 1000);
    assert_non_null(args[2].data);

    size = sizeof(big) - 1 + 1000 + 2;
    assert_int_equal(clockodo_resp_size(args, 3), size);

    text = malloc(size);
    assert_non_null(text);

    p = clockodo_resp_write(text, args, 3);

    assert_int_equal(p - text, size);
    assert_memory_equal(text, big, sizeof(big) - 1);
    assert_memory_equal(text + size - 2, "\r\n", 2);

    free((void *) args[2].data);
    free(text);

    /* lengths with a digit more */

    for (i = 0; i < 12; i++) {
        args[i].len = i;
        args[i].data = "0123456789ab";
    }

    want = "*12\r\n$0\r\n\r\n$1\r\n0\r\n$2\r\n01\r\n$3\r\n012\r\n$4\r\n0123\r\n"
           "$5\r\n01234\r\n$6\r\n012345\r\n$7\r\n0123456\r\n$8\r\n01234567\r\n"
           "$9\r\n012345678\r\n$10\r\n0123456789\r\n$11\r\n0123456789a\r\n";

    size = strlen(want);
    assert_int_equal(clockodo_resp_size(args, 12), size);

    text = malloc(size);
    assert_non_null(text);

    p = clockodo_resp_write(text, args, 12);

    assert_int_equal(p - text, size);
    assert_memory_equal(text, want, size);

    free(text);
}


static void
resp_tag(void **state)
{
    size_t                  i;
    const test_key_t       *t;
    clockodo_resp_tag_e     tag;
    const unsigned char    *p;

    (void) state;

    for (i = 0; i < test_count(test_keys); i++) {
        t = &test_keys[i];

        p = guard_text(t->text, t->len);
        tag = clockodo_resp_tag((const char *) p, t->len);
        guard_free(p, t->len);

        if (tag != t->tag) {
            fail_msg("\"%s\": %d, not %d", t->text, tag, t->tag);
        }
    }

    assert_int_equal(clockodo_resp_tag(NULL, 0), CLOCKODO_RESP_NO_TAG);
}


static clockodo_resp_e
test_read(const char *text, size_t len, clockodo_resp_reply_t *reply,
    char *code)
{
    clockodo_resp_e       rc;
    const unsigned char  *p;

    memset(reply, 'x', sizeof(clockodo_resp_reply_t));

    p = guard_text(text, len);

    rc = clockodo_resp_read(p, len, reply);

    if (rc == CLOCKODO_RESP_ERROR) {
        memcpy(code, reply->code.data, reply->code.len);
        code[reply->code.len] = '\0';
    }

    guard_free(p, len);

    return rc;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(resp_read),
        cmocka_unit_test(resp_read_cut),
        cmocka_unit_test(resp_read_more),
        cmocka_unit_test(resp_write),
        cmocka_unit_test(resp_tag)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
