
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#define _GNU_SOURCE

#include "clockodo_number.h"
#include "guard.h"
#include "random.h"

#include <float.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>


#define RANDOM_NUMBERS  200000

#define test_text(s)    s, sizeof(s) - 1
#define test_count(a)   (sizeof(a) / sizeof((a)[0]))


typedef struct {
    const char           *text;
    size_t                len;
    uint64_t              id;
} test_id_t;


typedef struct {
    double                value;
    const char           *text;
} test_number_t;


static const test_id_t  test_ids[] = {
    { test_text(""), 0 },
    { test_text("0"), 0 },
    { test_text("1"), 1 },
    { test_text("9"), 9 },
    { test_text("10"), 10 },
    { test_text("1337"), 1337 },
    { test_text("4294967296"), 4294967296 },
    { test_text("9007199254740990"), 9007199254740990 },
    { test_text("9007199254740991"), 9007199254740991 },
    { test_text("9007199254740992"), 0 },
    { test_text("9999999999999999"), 0 },
    { test_text("10000000000000000"), 0 },
    { test_text("18446744073709551615"), 0 },
    { test_text("18446744073709551616"), 0 },
    { test_text("18446744073709551617"), 0 },
    { test_text("99999999999999999999"), 0 },
    { test_text("00"), 0 },
    { test_text("01"), 0 },
    { test_text("0000000000000001"), 0 },
    { test_text("-0"), 0 },
    { test_text("-1"), 0 },
    { test_text("+1"), 0 },
    { test_text("1."), 0 },
    { test_text("1.0"), 0 },
    { test_text("1e3"), 0 },
    { test_text("1E3"), 0 },
    { test_text("0x1"), 0 },
    { test_text(" 1"), 0 },
    { test_text("1 "), 0 },
    { test_text("1,2"), 0 },
    { test_text("1/"), 0 },
    { test_text("1:"), 0 },
    { test_text("\0"), 0 },
    { test_text("1\0"), 0 },
    { test_text("1\0" "1"), 0 },
    { test_text("\xb1"), 0 },
    { test_text("1\xb1"), 0 }
};


/* what node prints for String(value) */

static const test_number_t  test_numbers[] = {
    { 0, "0" },
    { 1, "1" },
    { 80, "80" },
    { 80.0, "80" },
    { 8e1, "80" },
    { 80.5, "80.5" },
    { 100, "100" },
    { 123.456, "123.456" },
    { 0.1, "0.1" },
    { 0.3, "0.3" },
    { 0.1 + 0.2, "0.30000000000000004" },
    { 1.0 / 3, "0.3333333333333333" },
    { 2.0 / 3, "0.6666666666666666" },
    { 0.00001, "0.00001" },
    { 0.000123, "0.000123" },
    { 1e-6, "0.000001" },
    { 1.5e-6, "0.0000015" },
    { 1.2345678901234567e-6, "0.0000012345678901234567" },
    { 9.99999999999999e-7, "9.99999999999999e-7" },
    { 1e-7, "1e-7" },
    { 1.5e-7, "1.5e-7" },
    { 1.25e-10, "1.25e-10" },
    { 4294967296.5, "4294967296.5" },
    { 9007199254740991, "9007199254740991" },
    { 9007199254740993.0, "9007199254740992" },
    { 123456789012345680000.0, "123456789012345680000" },
    { 1e20, "100000000000000000000" },
    { 999999999999999900000.0, "999999999999999900000" },
    { 1e21, "1e+21" },
    { 1.5e21, "1.5e+21" },
    { 1e22, "1e+22" },
    { 1e23, "1e+23" },
    { 1e100, "1e+100" },
    { 1.2345678901234567e-308, "1.2345678901234567e-308" },
    { DBL_MAX, "1.7976931348623157e+308" },
    { DBL_MIN, "2.2250738585072014e-308" },
    { 5e-324, "5e-324" },
    { 1e-323, "1e-323" },

    /* powers of two, the nearest decimal of this length does not read back */
    { 0x1p-44, "5.684341886080802e-14" },
    { 0x1p-1022, "2.2250738585072014e-308" },
    { 0x1p89, "6.189700196426902e+26" }
};


static void test_number_is(double value, const char *expected);
static uint64_t test_id_expected(const char *text, size_t len);


static void
guard_faults(void **state)
{
    int                   status;
    pid_t                 pid;
    size_t                i, len;
    const unsigned char  *p;

    static const size_t   lens[] = { 0, 1, 100, 4095, 4096, 4097, 65536 };
    static char           text[65536];

    (void) state;

    for (i = 0; i < test_count(lens); i++) {
        len = lens[i];
        p = guard_text(text, len);
        assert_memory_equal(p, text, len);

        pid = fork();
        assert_int_not_equal(pid, -1);

        if (pid == 0) {
            signal(SIGSEGV, SIG_DFL);
            _exit(*(const volatile unsigned char *) (p + len) == 1);
        }

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGSEGV);

        guard_free(p, len);
    }
}


static void
id_parse(void **state)
{
    size_t                i, len;
    uint64_t              id, expected;
    const test_id_t      *t;
    const unsigned char  *p;

    (void) state;

    for (i = 0; i < test_count(test_ids); i++) {
        t = &test_ids[i];

        for (len = 0; len <= t->len; len++) {
            p = guard_text(t->text, len);
            id = clockodo_id_parse(p, len);
            guard_free(p, len);

            expected = (len == t->len) ? t->id : test_id_expected(t->text, len);

            if (id != expected) {
                fail_msg("\"%.*s\": %llu, not %llu", (int) len, t->text,
                         (unsigned long long) id,
                         (unsigned long long) expected);
            }
        }
    }
}


/* of a text that was cut off */

static uint64_t
test_id_expected(const char *text, size_t len)
{
    size_t    n;
    uint64_t  id;

    n = strspn(text, "0123456789");

    if (len == 0 || len > n || text[0] == '0' || len > 16) {
        return 0;
    }

    id = 0;

    for (n = 0; n < len; n++) {
        id = id * 10 + (text[n] - '0');
    }

    return (id < 1ULL << 53) ? id : 0;
}


static void
number_format(void **state)
{
    char                  negative[64];
    size_t                i;
    const test_number_t  *t;

    (void) state;

    for (i = 0; i < test_count(test_numbers); i++) {
        t = &test_numbers[i];

        test_number_is(t->value, t->text);

        (void) snprintf(negative, sizeof(negative), "%s%s",
                        t->value == 0 ? "" : "-", t->text);

        test_number_is(-t->value, negative);
    }
}


static void
number_format_not_finite(void **state)
{
    (void) state;

    test_number_is(INFINITY, "");
    test_number_is(-INFINITY, "");
    test_number_is(NAN, "");
    test_number_is(-NAN, "");
}


static void
test_number_is(double value, const char *expected)
{
    char    buf[CLOCKODO_NUMBER_LEN + 1];
    size_t  n, i;

    memset(buf, '!', sizeof(buf));

    n = clockodo_number_format(value, buf);

    if (n != strlen(expected) || memcmp(buf, expected, n) != 0) {
        fail_msg("%.17g: \"%.*s\", not \"%s\"", value, (int) n, buf, expected);
    }

    for (i = n; i < sizeof(buf); i++) {
        assert_int_equal(buf[i], '!');
    }
}


static void
number_format_locale(void **state)
{
    size_t                i;
    const test_number_t  *t;

    (void) state;

    /* made by the Makefile */

    assert_int_equal(setenv("LOCPATH", "build/unit/locale", 1), 0);
    assert_non_null(setlocale(LC_ALL, "de_DE.UTF-8"));
    assert_string_equal(localeconv()->decimal_point, ",");

    for (i = 0; i < test_count(test_numbers); i++) {
        t = &test_numbers[i];
        test_number_is(t->value, t->text);
    }
}


static int
test_locale_reset(void **state)
{
    (void) state;

    return setlocale(LC_ALL, "C") ? 0 : -1;
}


static void
number_format_random(void **state)
{
    char      buf[CLOCKODO_NUMBER_LEN + 1], fewer[64];
    size_t    i, n, digits;
    double    value;
    uint64_t  bits;

    (void) state;

    for (i = 0; i < RANDOM_NUMBERS; i++) {
        bits = test_random();
        memcpy(&value, &bits, sizeof(double));

        /* every other one of a size that people use */

        if (i % 2) {
            value = (double) (bits >> 32);

            for (n = bits % 13; n > 0; n--) {
                value /= 10;
            }
        }

        if (!isfinite(value) || value == 0) {
            continue;
        }

        n = clockodo_number_format(value, buf);
        assert_true(n >= 1 && n <= CLOCKODO_NUMBER_LEN);
        buf[n] = '\0';

        if (strtod(buf, NULL) != value) {
            fail_msg("%.17g: \"%s\" does not read back", value, buf);
        }

        if ((strchr(buf, 'e') != NULL)
            != (fabs(value) < 1e-6 || fabs(value) >= 1e21))
        {
            fail_msg("%.17g: \"%s\" has the wrong form", value, buf);
        }

        /* significant ones: no zeros at the front or at the end */

        digits = 0;

        for (n = strspn(buf, "-0."); buf[n] != '\0' && buf[n] != 'e'; n++) {
            digits += (buf[n] != '.');
        }

        if (strpbrk(buf, ".e") == NULL) {
            while (buf[--n] == '0') {
                digits--;
            }
        }

        if (digits < 2) {
            continue;
        }

        (void) snprintf(fewer, sizeof(fewer), "%.*e", (int) digits - 2, value);

        if (strtod(fewer, NULL) == value) {
            fail_msg("%.17g: \"%s\" has more digits than \"%s\"",
                     value, buf, fewer);
        }
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(guard_faults),
        cmocka_unit_test(id_parse),
        cmocka_unit_test(number_format),
        cmocka_unit_test(number_format_not_finite),
        cmocka_unit_test_teardown(number_format_locale, test_locale_reset),
        cmocka_unit_test(number_format_random)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
