
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_placeholder.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>


#define test_count(a)  (sizeof(a) / sizeof((a)[0]))


typedef struct {
    const char  *token;
    const char  *what;
} test_case_t;


static const char *
placeholder(const char *token, int line)
{
    size_t                len;
    const char           *what;
    const unsigned char  *text;

    len = strlen(token);
    text = guard_text(token, len);

    what = clockodo_placeholder(text, len, line);

    guard_free(text, len);

    return what;
}


static void
test_tokens(void **state __attribute__((unused)))
{
    size_t  i;

    static const char  *tokens[] = {
        "My_Sup3r_T0k3n", "x", "<", "${", "{}", "{{}}", "mytoken1",
        "amytoken", "changem", "abc=", "abcd==", "=", "=a", "a-b=c", "a:b=c",
        "a~b=c", "-", ""
    };

    for (i = 0; i < test_count(tokens); i++) {
        assert_null(placeholder(tokens[i], 0));
    }

    for (i = 7; i < test_count(tokens); i++) {
        assert_null(placeholder(tokens[i], 1));
    }
}


static void
test_placeholders(void **state __attribute__((unused)))
{
    size_t  i;

    static const char  *tokens[] = {
        "${TOKEN}", "{{ token }}", "<token>", "example-token",
        "EXAMPLE_TOKEN", "ExampleToken", "your token here", "changeme",
        "CHANGE-ME"
    };

    for (i = 0; i < test_count(tokens); i++) {
        assert_string_equal(placeholder(tokens[i], 0), "a placeholder");
        assert_string_equal(placeholder(tokens[i], 1), "a placeholder");
    }
}


/* in the configuration nginx takes quotes and semicolons away */

static void
test_lines(void **state __attribute__((unused)))
{
    size_t  i;

    static const test_case_t  cases[] = {
        { "\"token\"", "a quoted string" },
        { "'token'", "a quoted string" },
        { "{\"token\":\"x\"}", "JSON" },
        { "[\"x\"]", "JSON" },
        { "\"token\":\"x\",", "JSON" },
        { "TOKEN=value", "\"NAME=value\"" },
        { "clockodo_token=x", "\"NAME=value\"" },
        { "TOKEN2=x", "\"NAME=value\"" },
        { "a==b", "\"NAME=value\"" },
        { "token;", "a directive, with a \";\" at its end" }
    };

    for (i = 0; i < test_count(cases); i++) {
        assert_string_equal(placeholder(cases[i].token, 1), cases[i].what);
        assert_null(placeholder(cases[i].token, 0));
    }
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(test_tokens),
        cmocka_unit_test(test_placeholders),
        cmocka_unit_test(test_lines)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
