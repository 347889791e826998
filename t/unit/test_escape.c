
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_escape.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>


#define test_count(a)  (sizeof(a) / sizeof((a)[0]))


typedef struct {
    size_t                len;
    const char           *text;
    const char           *escaped;
} test_escape_t;


#define test_escape(text, escaped)  { sizeof(text) - 1, text, escaped }


static const test_escape_t  test_texts[] = {

    /* what addresses look like stays as it is */

    test_escape("", ""),
    test_escape("203.0.113.7", "203.0.113.7"),
    test_escape("2001:db8::1", "2001:db8::1"),
    test_escape("unix:", "unix:"),
    test_escape("unix:/run/a-b_c.sock", "unix:/run/a-b_c.sock"),

    /* a line has three fields */

    test_escape("a b\tc", "a%20b%09c"),
    test_escape("a\n2026-01-01T00:00:00Z 192.0.2.1 s",
                "a%0A2026-01-01T00:00:00Z%20192.0.2.1%20s"),
    test_escape("\r\v\f", "%0D%0B%0C"),

    /* and JSON, HTML and terminals have their own */

    test_escape("\"\\", "%22%5C"),
    test_escape("<a href='x'>&amp;", "%3Ca%20href=%27x%27%3E%26amp;"),
    test_escape("\0\x01\x1b\x1f\x7f", "%00%01%1B%1F%7F"),
    test_escape("\x80\xc3\xa9\xff", "%80%C3%A9%FF"),

    /* no two texts look the same */

    test_escape("%0A", "%250A")
};


static void
known(void **state)
{
    size_t                i, n;
    unsigned char         dst[256];
    const unsigned char  *text;
    const test_escape_t  *t;

    (void) state;

    for (i = 0; i < test_count(test_texts); i++) {
        t = &test_texts[i];

        text = guard_text(t->text, t->len);
        n = clockodo_escape(dst, sizeof(dst) - 1, text, t->len);
        guard_free(text, t->len);

        dst[n] = '\0';
        assert_string_equal((char *) dst, t->escaped);
    }
}


static void
each_byte(void **state)
{
    char           hex[CLOCKODO_ESCAPED + 1];
    size_t         n;
    unsigned       c;
    unsigned char  byte, dst[CLOCKODO_ESCAPED];

    (void) state;

    for (c = 0; c <= UINT8_MAX; c++) {
        byte = (unsigned char) c;
        n = clockodo_escape(dst, sizeof(dst), &byte, 1);

        if (n == 1) {
            assert_int_equal(dst[0], c);
            assert_true(c > 0x20 && c < 0x7f);
            assert_null(memchr("\"\\%<>&'", (int) c, 7));
            continue;
        }

        snprintf(hex, sizeof(hex), "%%%02X", c);

        assert_int_equal(n, CLOCKODO_ESCAPED);
        assert_memory_equal(dst, hex, CLOCKODO_ESCAPED);
    }
}


/* an escape is there as a whole, or not at all */

static void
no_room(void **state)
{
    size_t         size;
    unsigned char  dst[16];

    static const size_t  lens[] = { 0, 1, 1, 1, 4, 5, 5, 5, 8, 8 };

    (void) state;

    for (size = 0; size < test_count(lens); size++) {
        memset(dst, '.', sizeof(dst));

        assert_int_equal(clockodo_escape(dst, size, "a\nb\n", 4), lens[size]);
        assert_memory_equal(dst, "a%0Ab%0A", lens[size]);
        assert_int_equal(dst[lens[size]], '.');
    }

    assert_int_equal(clockodo_escape(NULL, 0, "a", 1), 0);
    assert_int_equal(clockodo_escape(dst, sizeof(dst), NULL, 0), 0);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(known),
        cmocka_unit_test(each_byte),
        cmocka_unit_test(no_room)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
