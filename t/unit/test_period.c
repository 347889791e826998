
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_period.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>


#define ROUNDS  2000

/* in a minute, on any system */
#define MANY    4000000


static void
period_rounds(void **state)
{
    unsigned   i, round;
    uintptr_t  word;

    (void) state;

    word = 0;

    for (round = 0; round < ROUNDS; round++) {
        assert_int_equal(clockodo_period_count(word, round), 0);

        for (i = 1; i <= 3; i++) {
            word = clockodo_period_add(word, round);
            assert_int_equal(clockodo_period_count(word, round), i);
        }

        /* what is of other rounds does not count */

        assert_int_equal(clockodo_period_count(word, round + 1), 0);
        assert_int_equal(clockodo_period_count(word, round + 1023), 0);
        assert_int_equal(clockodo_period_count(word, round - 1), 0);
    }

    /* a clock that was set back */

    word = clockodo_period_add(word, 5);
    assert_int_equal(clockodo_period_count(word, 5), 1);
    assert_int_equal(clockodo_period_count(word, ROUNDS - 1), 0);
}


static void
period_many(void **state)
{
    unsigned   i;
    uintptr_t  word;

    (void) state;

    word = 0;

    for (i = 1; i <= MANY; i++) {
        word = clockodo_period_add(word, 7);
    }

    assert_int_equal(clockodo_period_count(word, 7), MANY);
    assert_int_equal(clockodo_period_count(word, 8), 0);

    /* as many as there is room for, and no other round for one more */

    word = ((uintptr_t) 7 << CLOCKODO_PERIOD_SHIFT) | CLOCKODO_PERIOD_MAX;

    assert_int_equal(clockodo_period_count(word, 7), CLOCKODO_PERIOD_MAX);
    assert_int_equal(clockodo_period_add(word, 7), word);

    word = clockodo_period_add(word - 1, 7);
    assert_int_equal(clockodo_period_count(word, 7), CLOCKODO_PERIOD_MAX);

    word = clockodo_period_add(word, 8);
    assert_int_equal(clockodo_period_count(word, 8), 1);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(period_rounds),
        cmocka_unit_test(period_many)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
