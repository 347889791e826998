
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * Out of memory: whichever allocation fails, of the core itself, of cJSON or
 * of libcrypto, the answer says so and nothing is leaked.  The core's own
 * calls get here by the linker's --wrap.
 */


#include "clockodo_event.h"
#include "clockodo_judge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <openssl/crypto.h>
#include <openssl/err.h>

#include <cmocka.h>


#define test_text(s)   s, sizeof(s) - 1
#define test_count(a)  (sizeof(a) / sizeof((a)[0]))

#define MEMBERS        200
#define MEMBER_LEN     9                   /* of ,"k000":0 */


/* a call: returns 0 and what has come of it, or -1 if there was no memory */

typedef struct {
    const char        *name;
    int              (*run)(const char *text, size_t len,
                            unsigned char result[CLOCKODO_SHA256_LEN]);
    const char        *text;
    size_t             len;
    unsigned           allocates:1;        /* for sure */
} test_call_t;


/* how often memory was asked for; the ones in [fail, last] fail */

typedef struct {
    size_t             asked;
    size_t             fail;
    size_t             last;
    unsigned           failed:1;           /* without libcrypto's */
    long               held;               /* blocks, likewise */
} test_memory_t;


void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __wrap_free(void *p);

static int test_fails(void);
static void *test_crypto_malloc(size_t size, const char *file, int line);
static void *test_crypto_realloc(void *p, size_t size, const char *file,
    int line);
static void test_crypto_free(void *p, const char *file, int line);
static void test_call(const test_call_t *call);
static void test_fail(const test_call_t *call, size_t len,
    const unsigned char *expected, size_t n, size_t last);
static int test_scan(const char *text, size_t len,
    unsigned char result[CLOCKODO_SHA256_LEN]);
static int test_parse(const char *text, size_t len,
    unsigned char result[CLOCKODO_SHA256_LEN]);
static int test_sha256(const char *text, size_t len,
    unsigned char result[CLOCKODO_SHA256_LEN]);
static int test_key(const char *text, size_t len,
    unsigned char result[CLOCKODO_SHA256_LEN]);


static test_memory_t  test_memory;

/* an object of MEMBERS members, "k000" and so on */
static char           test_many[MEMBERS * MEMBER_LEN + 2];

/* the same, with an event's first */
static char           test_many_event[sizeof(test_many) + 256];


#define EVENT                                                                 \
    "\"subscription_id\":42,\"company_id\":1337,"                             \
    "\"occurred_at\":\"1986-05-10T17:02:00Z\","                               \
    "\"payload\":{\"team\":{\"id\":9001}},"                                   \
    "\"event_name\":\"team.updated\",\"token\":\"My_Sup3r_T0k3n\""

#define LONG                                                                  \
    "1234567890123456789012345678901234567890123456789012345678901234567890"


static const test_call_t  test_calls[] = {
    { "scan", test_scan, test_text("{" EVENT "}"), 0 },
    { "scan, many members", test_scan, test_many, 0, 1 },
    { "event", test_parse, test_text("{" EVENT "}"), 0 },
    { "event, escapes", test_parse,
      test_text("{\"token\":\"\\u0061\",\"event_name\":\"\\u0074eam.updated\","
                "\"payload\":{\"\\u0074eam\":1}}"), 1 },
    { "event, a threshold", test_parse,
      test_text("{\"subscription_id\":42,\"company_id\":1337,"
                "\"occurred_at\":\"1986-05-10T17:02:00Z\","
                "\"event_name\":\"project.budget_notification\","
                "\"payload\":{\"id\":1,\"type\":\"t\",\"threshold\":80},"
                "\"token\":\"My_Sup3r_T0k3n\"}"), 1 },
    { "event, more members", test_parse,
      test_text("{" EVENT ",\"a\":[1,{\"b\":null}],\"c\\u0064\":\"\\u00e4\"}"),
      1 },
    { "event, a long number", test_parse,
      test_text("{" EVENT ",\"a\":" LONG "}"), 0 },
    { "event, many members", test_parse, test_many_event, 0, 1 },
    { "event, wrong types", test_parse,
      test_text("{\"token\":[],\"payload\":1,\"event_name\":{}}"), 0 },
    { "handshake", test_parse, test_text("{\"secret\":\"a-b\"}"), 0 },
    { "handshake, escapes", test_parse, test_text("{\"secret\":\"\\u0061\"}"),
      1 },
    { "empty object", test_parse, test_text("{}"), 0 },
    { "digest", test_sha256, test_text("My_Sup3r_T0k3n"), 0 },
    { "key", test_key, test_text(""), 0 }
};


void *
__wrap_malloc(size_t size)
{
    if (test_fails()) {
        test_memory.failed = 1;
        return NULL;
    }

    test_memory.held++;

    return __real_malloc(size);
}


void *
__wrap_calloc(size_t n, size_t size)
{
    if (test_fails()) {
        test_memory.failed = 1;
        return NULL;
    }

    test_memory.held++;

    return __real_calloc(n, size);
}


void *
__wrap_realloc(void *p, size_t size)
{
    if (test_fails()) {
        test_memory.failed = 1;
        return NULL;
    }

    test_memory.held += (p == NULL);

    return __real_realloc(p, size);
}


void
__wrap_free(void *p)
{
    test_memory.held -= (p != NULL);

    __real_free(p);
}


static int
test_fails(void)
{
    test_memory.asked++;

    return test_memory.asked >= test_memory.fail
           && test_memory.asked <= test_memory.last;
}


/* what libcrypto holds stays: its errors, its caches */

static void *
test_crypto_malloc(size_t size, const char *file, int line)
{
    (void) file;
    (void) line;

    return test_fails() ? NULL : __real_malloc(size);
}


static void *
test_crypto_realloc(void *p, size_t size, const char *file, int line)
{
    (void) file;
    (void) line;

    return test_fails() ? NULL : __real_realloc(p, size);
}


static void
test_crypto_free(void *p, const char *file, int line)
{
    (void) file;
    (void) line;

    __real_free(p);
}


/* the n-th fails, for all n; then the n-th and all after it */

static void
test_each(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < test_count(test_calls); i++) {
        test_call(&test_calls[i]);
    }
}


static void
test_call(const test_call_t *call)
{
    int            forever;
    size_t         n, len, total;
    unsigned char  expected[CLOCKODO_SHA256_LEN];

    len = call->len ? call->len : strlen(call->text);

    memset(&test_memory, 0, sizeof(test_memory_t));
    memset(expected, 0, CLOCKODO_SHA256_LEN);

    assert_int_equal(call->run(call->text, len, expected), 0);

    total = test_memory.asked;

    print_message("# %s: %zu allocations\n", call->name, total);
    assert_true(total > 0 || !call->allocates);

    for (forever = 0; forever <= 1; forever++) {
        for (n = 1; n <= total; n++) {
            test_fail(call, len, expected, n, forever ? total : n);
        }
    }

    /* it has done no lasting harm */

    test_fail(call, len, expected, total + 1, total + 1);
}


/* libcrypto can do without some of what it asks for */

static void
test_fail(const test_call_t *call, size_t len, const unsigned char *expected,
    size_t n, size_t last)
{
    int            rc;
    unsigned char  result[CLOCKODO_SHA256_LEN];

    memset(&test_memory, 0, sizeof(test_memory_t));
    memset(result, 0, CLOCKODO_SHA256_LEN);

    test_memory.fail = n;
    test_memory.last = last;

    rc = call->run(call->text, len, result);

    test_memory.last = 0;
    ERR_clear_error();

    if (rc == 0 ? test_memory.failed
                  || memcmp(result, expected, CLOCKODO_SHA256_LEN) != 0
                : test_memory.asked < n)
    {
        fail_msg("%s: allocation %zu fails: %d", call->name, n, rc);
    }

    if (test_memory.held != 0) {
        fail_msg("%s: allocation %zu fails: %ld blocks are leaked",
                 call->name, n, test_memory.held);
    }
}


static int
test_scan(const char *text, size_t len,
    unsigned char result[CLOCKODO_SHA256_LEN])
{
    clockodo_json_e          error;
    clockodo_json_error_t    json;
    clockodo_json_members_t  members;

    (void) result;

    error = clockodo_json_scan((const unsigned char *) text, len, 1, &json,
                               &members);

    if (error == CLOCKODO_JSON_OK) {
        clockodo_json_members_free(&members);
        return 0;
    }

    assert_int_equal(error, CLOCKODO_JSON_NO_MEMORY);

    return -1;
}


static int
test_parse(const char *text, size_t len,
    unsigned char result[CLOCKODO_SHA256_LEN])
{
    clockodo_json_e        error;
    clockodo_json_error_t  json;
    clockodo_event_t       event;

    error = clockodo_event_parse((const unsigned char *) text, len, 1, &event,
                                 &json);

    assert_true(error == CLOCKODO_JSON_OK || error == CLOCKODO_JSON_NO_MEMORY);

    memcpy(result, event.token, CLOCKODO_SHA256_LEN);

    return error == CLOCKODO_JSON_OK ? 0 : -1;
}


static int
test_sha256(const char *text, size_t len,
    unsigned char result[CLOCKODO_SHA256_LEN])
{
    return clockodo_sha256(text, len, result);
}


static int
test_key(const char *text, size_t len,
    unsigned char result[CLOCKODO_SHA256_LEN])
{
    int               rc;
    clockodo_event_t  event;

    (void) text;
    (void) len;

    memset(&event, 0, sizeof(clockodo_event_t));

    rc = clockodo_event_key(&event);

    memcpy(result, event.key_buf, CLOCKODO_SHA256_LEN);

    return rc;
}


/* what is left of a request is done without memory */

static void
test_without(void **state)
{
    size_t                 number;
    clockodo_json_error_t  json;
    clockodo_fault_e       fault;
    clockodo_event_t       event;
    clockodo_token_t       token;
    clockodo_policy_t      policy;
    clockodo_token_line_t  tl;

    static const unsigned char  line[] = "My_Sup3r_T0k3n subscription=1,42";

    (void) state;

    memset(&test_memory, 0, sizeof(test_memory_t));
    memset(&token, 0, sizeof(clockodo_token_t));
    memset(&policy, 0, sizeof(clockodo_policy_t));

    assert_int_equal(clockodo_sha256("My_Sup3r_T0k3n", 14, token.digest), 0);
    assert_int_equal(clockodo_event_parse((const unsigned char *)
                                          test_many_event,
                                          strlen(test_many_event), 1, &event,
                                          &json),
                     CLOCKODO_JSON_OK);

    policy.tokens = &token;
    policy.ntokens = 1;

    test_memory.asked = 0;
    test_memory.fail = 1;
    test_memory.last = (size_t) -1;

    assert_int_equal(clockodo_judge(&event, &policy, 0, &fault, &number),
                     CLOCKODO_VERDICT_ACCEPTED);
    assert_int_equal(clockodo_token_line_parse(line, sizeof(line) - 1, &tl),
                     CLOCKODO_TOKEN_LINE_OK);
    assert_int_equal(test_memory.asked, 0);

    test_memory.last = 0;
}


int
main(void)
{
    int             i;
    char           *p;
    cJSON_Hooks     hooks;
    unsigned char   digest[CLOCKODO_SHA256_LEN];

    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_each),
        cmocka_unit_test(test_without)
    };

    /* cJSON would call the C library's, which the linker leaves alone */

    hooks.malloc_fn = __wrap_malloc;
    hooks.free_fn = __wrap_free;

    cJSON_InitHooks(&hooks);

    if (CRYPTO_set_mem_functions(test_crypto_malloc, test_crypto_realloc,
                                 test_crypto_free)
        != 1)
    {
        fprintf(stderr, "libcrypto has taken memory already\n");
        return 1;
    }

    /* libcrypto starts up with the first digest, in nginx with a token's */

    if (clockodo_sha256("", 0, digest) != 0) {
        fprintf(stderr, "SHA-256 failed\n");
        return 1;
    }

    p = test_many;

    for (i = 0; i < MEMBERS; i++) {
        p += sprintf(p, "%c\"k%03d\":%d", i ? ',' : '{', i, i % 10);
    }

    strcpy(p, "}");
    sprintf(test_many_event, "{%s,%s", EVENT, test_many + 1);

    return cmocka_run_group_tests(tests, NULL, NULL);
}
