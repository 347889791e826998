
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#define _GNU_SOURCE

/* timegm() knows all years, on 32-bit systems too */
#define _FILE_OFFSET_BITS  64
#define _TIME_BITS         64

#include "clockodo_time.h"
#include "guard.h"
#include "random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>


#define RANDOM_TIMES  5000

/* what *seconds holds as long as nothing was parsed */
#define UNTOUCHED     (-4242424242424242)

#define test_text(s)   s, sizeof(s) - 1
#define test_count(a)  (sizeof(a) / sizeof((a)[0]))


typedef struct {
    const char           *text;
    size_t                len;
    int64_t               seconds;
} test_time_t;


static const test_time_t  test_valid[] = {
    { test_text("1970-01-01T00:00:00Z"), 0 },
    { test_text("1970-01-01T00:00:01Z"), 1 },
    { test_text("1969-12-31T23:59:59Z"), -1 },
    { test_text("1986-05-10T17:02:00Z"), 516128520 },
    { test_text("1986-05-10T17:02:00+00:00"), 516128520 },
    { test_text("1986-05-10T17:02:00.0Z"), 516128520 },
    { test_text("1986-05-10T17:02:00.999999999Z"), 516128520 },
    { test_text("1986-05-10T17:02:00.123456789+00:00"), 516128520 },
    { test_text("1969-12-31T23:59:59.999Z"), -1 },
    { test_text("0000-01-01T00:00:00Z"), -62167219200 },
    { test_text("0000-02-29T00:00:00Z"), -62162121600 },
    { test_text("0001-01-01T00:00:00Z"), -62135596800 },
    { test_text("1900-02-28T23:59:59Z"), -2203891201 },
    { test_text("1900-03-01T00:00:00Z"), -2203891200 },
    { test_text("2000-02-29T00:00:00Z"), 951782400 },
    { test_text("2001-09-09T01:46:40Z"), 1000000000 },
    { test_text("2023-02-28T00:00:00Z"), 1677542400 },
    { test_text("2024-02-29T12:00:00Z"), 1709208000 },
    { test_text("2024-12-31T23:59:59Z"), 1735689599 },
    { test_text("2038-01-19T03:14:08Z"), 2147483648 },
    { test_text("9999-12-31T23:59:59Z"), 253402300799 }
};


static const test_time_t  test_invalid[] = {
    { test_text(""), 0 },
    { test_text("Z"), 0 },

    /* dates that the calendar does not have */
    { test_text("1900-02-29T00:00:00Z"), 0 },
    { test_text("2000-02-30T00:00:00Z"), 0 },
    { test_text("2023-02-29T00:00:00Z"), 0 },
    { test_text("2024-02-30T00:00:00Z"), 0 },
    { test_text("2100-02-29T00:00:00Z"), 0 },
    { test_text("2024-00-10T00:00:00Z"), 0 },
    { test_text("2024-13-10T00:00:00Z"), 0 },
    { test_text("2024-99-10T00:00:00Z"), 0 },
    { test_text("2024-01-00T00:00:00Z"), 0 },
    { test_text("2024-01-32T00:00:00Z"), 0 },
    { test_text("2024-04-31T00:00:00Z"), 0 },
    { test_text("2024-06-31T00:00:00Z"), 0 },
    { test_text("2024-09-31T00:00:00Z"), 0 },
    { test_text("2024-11-31T00:00:00Z"), 0 },

    /* hours, minutes, seconds */
    { test_text("1986-05-10T24:00:00Z"), 0 },
    { test_text("1986-05-10T17:60:00Z"), 0 },
    { test_text("1986-05-10T17:02:60Z"), 0 },
    { test_text("1990-12-31T23:59:60Z"), 0 },

    /* letters and punctuation */
    { test_text("1986-05-10t17:02:00Z"), 0 },
    { test_text("1986-05-10T17:02:00z"), 0 },
    { test_text("1986-05-10 17:02:00Z"), 0 },
    { test_text("1986/05/10T17:02:00Z"), 0 },
    { test_text("1986-05-10T17.02.00Z"), 0 },
    { test_text("1986-05-10T17:02:00,5Z"), 0 },
    { test_text("19860510T170200Z"), 0 },
    { test_text("1986-5-10T17:02:00Z"), 0 },
    { test_text("986-05-10T17:02:00Z"), 0 },
    { test_text("+1986-05-10T17:02:00Z"), 0 },
    { test_text("-1986-05-10T17:02:00Z"), 0 },
    { test_text("11986-05-10T17:02:00Z"), 0 },
    { test_text("1986-05-10T17:02Z"), 0 },
    { test_text("1986-05-10"), 0 },
    { test_text("1986-05-10T17:02:00"), 0 },

    /* zones */
    { test_text("1986-05-10T17:02:00-00:00"), 0 },
    { test_text("1986-05-10T17:02:00+01:00"), 0 },
    { test_text("1986-05-10T17:02:00+00:01"), 0 },
    { test_text("1986-05-10T17:02:00+0000"), 0 },
    { test_text("1986-05-10T17:02:00+00"), 0 },
    { test_text("1986-05-10T17:02:00+00:000"), 0 },
    { test_text("1986-05-10T17:02:00ZZ"), 0 },
    { test_text("1986-05-10T17:02:00Z+00:00"), 0 },
    { test_text("1986-05-10T17:02:00UTC"), 0 },

    /* fractions of no digits and of ten */
    { test_text("1986-05-10T17:02:00.Z"), 0 },
    { test_text("1986-05-10T17:02:00.+00:00"), 0 },
    { test_text("1986-05-10T17:02:00.1234567890Z"), 0 },
    { test_text("1986-05-10T17:02:00.1234567890+00:00"), 0 },
    { test_text("1986-05-10T17:02:00.1"), 0 },
    { test_text("1986-05-10T17:02:00.1.2Z"), 0 },
    { test_text("1986-05-10T17:02:00.-1Z"), 0 },
    { test_text("1986-05-10T17:02:00.1 Z"), 0 },

    /* something before, inside or after it */
    { test_text(" 1986-05-10T17:02:00Z"), 0 },
    { test_text("1986-05-10T17:02:00Z "), 0 },
    { test_text("1986-05-10T17:02:00 Z"), 0 },
    { test_text("1986-05-10T17:02:00Z\n"), 0 },
    { test_text("1986-05- 1T17:02:00Z"), 0 },
    { test_text("1986-05-10T17:02:00Z\0"), 0 },
    { test_text("1986-05-10T17:02:00\0Z"), 0 },
    { test_text("\0" "986-05-10T17:02:00Z"), 0 },
    { test_text("1986-05-1\0T17:02:00Z"), 0 },
    { test_text("1986-05-1\xb0T17:02:00Z"), 0 },
    { test_text("1986-05-1/T17:02:00Z"), 0 },
    { test_text("1986-05-0:T17:02:00Z"), 0 }
};


static int test_guarded(const char *text, size_t len, int64_t *seconds);


static void
time_valid(void **state)
{
    size_t              i;
    int64_t             seconds;
    const test_time_t  *t;

    (void) state;

    for (i = 0; i < test_count(test_valid); i++) {
        t = &test_valid[i];

        if (test_guarded(t->text, t->len, &seconds) != 0
            || seconds != t->seconds)
        {
            fail_msg("\"%s\": %lld, not %lld", t->text,
                     (long long) seconds, (long long) t->seconds);
        }
    }
}


/* no time is the beginning of another one */

static void
time_valid_cut(void **state)
{
    size_t              i, len;
    int64_t             seconds;
    const test_time_t  *t;

    (void) state;

    for (i = 0; i < test_count(test_valid); i++) {
        t = &test_valid[i];

        for (len = 0; len < t->len; len++) {
            if (test_guarded(t->text, len, &seconds) != -1) {
                fail_msg("\"%.*s\" passed", (int) len, t->text);
            }

            assert_int_equal(seconds, UNTOUCHED);
        }
    }
}


static void
time_invalid(void **state)
{
    int                 ok;
    size_t              i, len;
    int64_t             seconds;
    const test_time_t  *t;

    (void) state;

    for (i = 0; i < test_count(test_invalid); i++) {
        t = &test_invalid[i];

        if (test_guarded(t->text, t->len, &seconds) != -1) {
            fail_msg("\"%s\" passed", t->text);
        }

        assert_int_equal(seconds, UNTOUCHED);

        for (len = 0; len < t->len; len++) {
            ok = (len == 20
                  && memcmp(t->text, "1986-05-10T17:02:00Z", 20) == 0)
                 || (len == 25
                     && memcmp(t->text, "1986-05-10T17:02:00+00:00", 25) == 0);

            if ((test_guarded(t->text, len, &seconds) == 0) != ok) {
                fail_msg("\"%.*s\": not %d", (int) len, t->text, ok);
            }
        }
    }
}


/* every byte at every place of a valid time */

static void
time_one_byte(void **state)
{
    int                len, i, c, ok, digit;
    char               text[CLOCKODO_TIME_LEN + 1];
    int64_t            seconds;

    static const char  valid[] = "2000-11-11T11:11:11.123456789+00:00";
    static const char  limit[] = "9999-12129T29:59:59.999999999+00:00";

    (void) state;

    len = sizeof(valid) - 1;
    assert_int_equal(len, CLOCKODO_TIME_LEN);

    for (i = 0; i < len; i++) {
        for (c = 0; c < 256; c++) {
            memcpy(text, valid, len);
            text[i] = (char) c;

            digit = valid[i] >= '0' && valid[i] <= '9' && i < len - 6;

            ok = (text[i] == valid[i])
                 || (digit && c >= '0' && c <= limit[i]);

            if ((test_guarded(text, len, &seconds) == 0) != ok) {
                fail_msg("\"%.*s\": not %d", len, text, ok);
            }
        }
    }
}


static void
time_every_day(void **state)
{
    int        year, month, day, valid;
    char       text[64];
    time_t     expected;
    int64_t    seconds;
    struct tm  tm;

    (void) state;

    for (year = 0; year <= 9999; year++) {
        for (month = 1; month <= 12; month++) {
            for (day = 28; day <= 31; day++) {

                memset(&tm, 0, sizeof(struct tm));
                tm.tm_year = year - 1900;
                tm.tm_mon = month - 1;
                tm.tm_mday = day;

                /* timegm() turns April 31 into May 1 */

                expected = timegm(&tm);
                valid = (tm.tm_mday == day);

                (void) snprintf(text, sizeof(text),
                                "%04d-%02d-%02dT00:00:00Z", year, month, day);

                seconds = UNTOUCHED;

                if ((clockodo_time_parse((unsigned char *) text, 20, &seconds)
                     == 0) != valid
                    || seconds != (valid ? expected : UNTOUCHED))
                {
                    fail_msg("\"%s\": %lld, not %lld", text,
                             (long long) seconds, (long long) expected);
                }
            }
        }
    }
}


static void
time_random(void **state)
{
    char       text[64];
    size_t     i, len;
    time_t     expected;
    int64_t    seconds;
    struct tm  tm;

    (void) state;

    for (i = 0; i < RANDOM_TIMES; i++) {

        /* the years 0000 to 9999 */
        expected = (time_t) (test_random() % 315569520000) - 62167219200;

        assert_non_null(gmtime_r(&expected, &tm));
        assert_int_equal(timegm(&tm), expected);

        len = snprintf(text, sizeof(text),
                       "%04d-%02d-%02dT%02d:%02d:%02d.%d%s",
                       tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
                       tm.tm_hour, tm.tm_min, tm.tm_sec,
                       (int) (test_random() % 1000000000),
                       i % 2 ? "Z" : "+00:00");

        if (test_guarded(text, len, &seconds) != 0 || seconds != expected) {
            fail_msg("\"%s\": %lld, not %lld", text,
                     (long long) seconds, (long long) expected);
        }
    }
}


static int
test_guarded(const char *text, size_t len, int64_t *seconds)
{
    int                   rc;
    const unsigned char  *p;

    *seconds = UNTOUCHED;

    p = guard_text(text, len);
    rc = clockodo_time_parse(p, len, seconds);
    guard_free(p, len);

    return rc;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(time_valid),
        cmocka_unit_test(time_valid_cut),
        cmocka_unit_test(time_invalid),
        cmocka_unit_test(time_one_byte),
        cmocka_unit_test(time_every_day),
        cmocka_unit_test(time_random)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
