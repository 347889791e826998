
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * Every date that four, two and two digits can spell, against a calendar that
 * counts day by day; every time of day; every zone.
 */


#include "clockodo_time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


/* 0000-01-01T00:00:00Z */
#define FIRST_DAY  (-62167219200)

#define DAYS       3652425
#define DAY        86400

/* what *seconds holds as long as nothing was parsed */
#define UNTOUCHED  (-4242424242424242)


static int test_month_days(int year, int month);
static void test_put(char *text, int n);
static void test_parse(const char *text, size_t len, int64_t expected);


/* a block of memory of just that size: a read beyond it is found */

static char *
test_block(const char *text)
{
    char  *block;

    block = malloc(strlen(text));
    assert_non_null(block);

    return memcpy(block, text, strlen(text));
}


static void
time_every_date(void **state)
{
    int      year, month, day, last;
    char    *text;
    size_t   dates;
    int64_t  midnight;

    (void) state;

    text = test_block("0000-00-00T00:00:00Z");

    dates = 0;
    midnight = FIRST_DAY;

    for (year = 0; year <= 9999; year++) {
        test_put(text, year / 100);
        test_put(text + 2, year % 100);

        for (month = 0; month <= 99; month++) {
            test_put(text + 5, month);
            last = test_month_days(year, month);

            for (day = 0; day <= 99; day++) {
                test_put(text + 8, day);

                if (day < 1 || day > last) {
                    test_parse(text, 20, UNTOUCHED);
                    continue;
                }

                if (year == 1970 && month == 1 && day == 1) {
                    assert_int_equal(midnight, 0);
                }

                test_parse(text, 20, midnight);

                midnight += DAY;
                dates++;
            }
        }
    }

    assert_int_equal(dates, DAYS);

    free(text);
}


/* 0 of what is no month */

static int
test_month_days(int year, int month)
{
    switch (month) {

    case 4:
    case 6:
    case 9:
    case 11:
        return 30;

    case 2:
        if (year % 400 == 0) {
            return 29;
        }

        if (year % 100 == 0) {
            return 28;
        }

        return year % 4 == 0 ? 29 : 28;

    default:
        return month >= 1 && month <= 12 ? 31 : 0;
    }
}


static void
time_every_second(void **state)
{
    int      hour, minute, second;
    char    *text;
    size_t   i;
    int64_t  seconds;

    static const struct {
        const char  *text;
        int64_t      midnight;
    } dates[] = {
        { "0000-01-01T00:00:00Z", FIRST_DAY },
        { "1969-12-31T00:00:00Z", -DAY },
        { "2024-02-29T00:00:00Z", 1709164800 },
        { "9999-12-31T00:00:00Z", FIRST_DAY + (int64_t) DAY * (DAYS - 1) }
    };

    (void) state;

    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        text = test_block(dates[i].text);
        seconds = dates[i].midnight;

        for (hour = 0; hour <= 99; hour++) {
            test_put(text + 11, hour);

            for (minute = 0; minute <= 99; minute++) {
                test_put(text + 14, minute);

                for (second = 0; second <= 99; second++) {
                    test_put(text + 17, second);

                    if (hour < 24 && minute < 60 && second < 60) {
                        test_parse(text, 20, seconds++);

                    } else {
                        test_parse(text, 20, UNTOUCHED);
                    }
                }
            }
        }

        assert_int_equal(seconds, dates[i].midnight + DAY);

        free(text);
    }
}


/* any offset is well-formed in RFC 3339, one is UTC */

static void
time_every_offset(void **state)
{
    int    hour, minute, sign;
    char  *text;

    (void) state;

    text = test_block("1970-01-01T00:00:00+00:00");

    for (sign = 0; sign <= 255; sign++) {
        text[19] = (char) sign;

        for (hour = 0; hour <= 99; hour++) {
            test_put(text + 20, hour);

            for (minute = 0; minute <= 99; minute++) {
                test_put(text + 23, minute);

                test_parse(text, 25, sign == '+' && hour == 0 && minute == 0
                                     ? 0 : UNTOUCHED);
            }
        }
    }

    free(text);
}


/* of 0 to 12 digits, each of them any byte */

static void
time_every_fraction(void **state)
{
    int      c, ok;
    char     spelled[64], *text;
    size_t   digits, i, z, len;

    static const char  *const  zones[] = { "Z", "+00:00" };

    (void) state;

    for (digits = 0; digits <= 12; digits++) {
        for (z = 0; z < sizeof(zones) / sizeof(zones[0]); z++) {

            len = snprintf(spelled, sizeof(spelled),
                           "1970-01-01T00:00:00.%.*s%s", (int) digits,
                           "123456789012", zones[z]);

            text = test_block(spelled);

            ok = digits >= 1 && digits <= 9;
            test_parse(text, len, ok ? 0 : UNTOUCHED);

            for (i = 20; i < 20 + digits; i++) {
                for (c = 0; c <= 255; c++) {
                    text[i] = (char) c;
                    test_parse(text, len, ok && c >= '0' && c <= '9'
                                          ? 0 : UNTOUCHED);
                }

                text[i] = spelled[i];
            }

            free(text);
        }
    }
}


static void
test_put(char *text, int n)
{
    text[0] = '0' + n / 10;
    text[1] = '0' + n % 10;
}


static void
test_parse(const char *text, size_t len, int64_t expected)
{
    int      rc;
    int64_t  seconds;

    seconds = UNTOUCHED;
    rc = clockodo_time_parse((const unsigned char *) text, len, &seconds);

    if (seconds != expected || rc != (expected == UNTOUCHED ? -1 : 0)) {
        fail_msg("\"%.*s\": %d, %lld, not %lld", (int) len, text, rc,
                 (long long) seconds, (long long) expected);
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(time_every_date),
        cmocka_unit_test(time_every_second),
        cmocka_unit_test(time_every_offset),
        cmocka_unit_test(time_every_fraction)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
