
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * Ids, 1 to 2^53 - 1, against how the C library writes numbers: every text of
 * up to eight digits, every number near a power of two or ten, and every byte
 * at every place of those that are long.
 */


#include "clockodo_number.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define DIGITS  8

/* on either side of a power */
#define NEAR    100000


static void test_near(uint64_t n);
static void test_number(uint64_t n);
static void test_parse(const char *text, size_t len, uint64_t expected);


/* with leading zeros, which an id has not */

static void
id_every_text(void **state)
{
    char      *text;
    size_t     len, i;
    uint64_t   n, end;

    (void) state;

    for (len = 1, end = 10; len <= DIGITS; len++, end *= 10) {

        text = malloc(len);
        assert_non_null(text);

        memset(text, '0', len);

        for (n = 0; n < end; n++) {
            test_parse(text, len, text[0] == '0' ? 0 : n);

            for (i = len; i > 0 && text[i - 1] == '9'; i--) {
                text[i - 1] = '0';
            }

            if (i > 0) {
                text[i - 1]++;
            }
        }

        free(text);
    }
}


static void
id_near_powers(void **state)
{
    unsigned  i;
    uint64_t  n;

    (void) state;

    for (i = 0, n = 1; i < 64; i++, n *= 2) {
        test_near(n);
    }

    for (i = 0, n = 1; i < 20; i++, n *= 10) {
        test_near(n);
    }

    test_near(CLOCKODO_ID_MAX);
    test_near(UINT64_MAX);
}


static void
test_near(uint64_t n)
{
    uint64_t  from, to;

    from = n > NEAR ? n - NEAR : 0;
    to = n < UINT64_MAX - NEAR ? n + NEAR : UINT64_MAX;

    for (n = from; n < to; n++) {
        test_number(n);
    }

    test_number(to);
}


static void
test_number(uint64_t n)
{
    int   len;
    char  text[32], *block;

    len = snprintf(text, sizeof(text), "%llu", (unsigned long long) n);

    block = malloc(len);
    assert_non_null(block);

    memcpy(block, text, len);
    test_parse(block, len, n < 1ULL << 53 ? n : 0);

    free(block);
}


/* what is no number of 64 bits, such as 2^64 + 1 */

static void
id_too_long(void **state)
{
    size_t  len;
    char    text[256];

    (void) state;

    test_parse("18446744073709551616", 20, 0);
    test_parse("18446744073709551617", 20, 0);
    test_parse("27453751073709551617", 20, 0);

    memset(text, '0', sizeof(text));
    text[0] = '1';

    for (len = CLOCKODO_ID_LEN + 1; len <= sizeof(text); len++) {
        test_parse(text, len, 0);
    }
}


/* an id reads back as it was written */

static void
id_one_byte(void **state)
{
    int        c;
    char       text[32], back[32];
    size_t     len, i;
    uint64_t   n;

    static const char  max[] = "9007199254740991";

    (void) state;

    for (len = 1; len <= CLOCKODO_ID_LEN; len++) {
        for (i = 0; i < len; i++) {
            for (c = 0; c <= 255; c++) {

                (void) snprintf(text, sizeof(text), "%.*s", (int) len, max);
                text[i] = (char) c;

                n = strtoull(text, NULL, 10);
                (void) snprintf(back, sizeof(back), "%llu",
                                (unsigned long long) n);

                test_parse(text, len, strlen(back) == len
                                      && memcmp(text, back, len) == 0
                                      && n < 1ULL << 53
                                      ? n : 0);
            }
        }
    }

    test_parse(max, 0, 0);
}


static void
test_parse(const char *text, size_t len, uint64_t expected)
{
    uint64_t  id;

    id = clockodo_id_parse((const unsigned char *) text, len);

    if (id != expected) {
        fail_msg("\"%.*s\": %llu, not %llu", (int) len, text,
                 (unsigned long long) id, (unsigned long long) expected);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(id_every_text),
        cmocka_unit_test(id_near_powers),
        cmocka_unit_test(id_too_long),
        cmocka_unit_test(id_one_byte)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
