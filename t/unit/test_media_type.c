
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_media_type.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>


#define test_text(s)   s, sizeof(s) - 1
#define test_count(a)  (sizeof(a) / sizeof((a)[0]))

#define JSON           "application/json"

#define A_52                                                                  \
    "aaaaaaaaaaaaaaaaaaaaaaaaaa" "aaaaaaaaaaaaaaaaaaaaaaaaaa"


typedef struct {
    const char           *text;
    size_t                len;
    int                   json;
} test_type_t;


/* cuts has a digit for the text cut off after 16, 17, ... bytes */

typedef struct {
    const char           *text;
    const char           *cuts;
} test_cut_t;


static const test_type_t  test_types[] = {
    { test_text(JSON), 1 },
    { test_text("Application/JSON"), 1 },
    { test_text("APPLICATION/json"), 1 },
    { test_text(" " JSON), 1 },
    { test_text("\t " JSON " \t"), 1 },

    /* other types */
    { test_text(""), 0 },
    { test_text(" "), 0 },
    { test_text("/"), 0 },
    { test_text("application"), 0 },
    { test_text("application/"), 0 },
    { test_text("/json"), 0 },
    { test_text("application/jso"), 0 },
    { test_text("application/json5"), 0 },
    { test_text("application/jsom"), 0 },
    { test_text("bpplication/json"), 0 },
    { test_text("xapplication/json"), 0 },
    { test_text("application/json/json"), 0 },
    { test_text("application//json"), 0 },
    { test_text("application /json"), 0 },
    { test_text("application/ json"), 0 },
    { test_text("application/json-seq"), 0 },
    { test_text("application/problem+json"), 0 },
    { test_text("text/json"), 0 },
    { test_text("*/*"), 0 },
    { test_text("application/*"), 0 },
    { test_text("charset=utf-8"), 0 },
    { test_text(";" JSON), 0 },

    /* bytes that a careless lower-casing takes for "/", "a" and "-" */
    { test_text("application\x0fjson"), 0 },
    { test_text("\x01pplication/json"), 0 },
    { test_text(JSON ";charset=utf\x0d" "8"), 0 },
    { test_text(JSON ";charset=\"utf\x0d" "8\""), 0 },

    /* something after it */
    { test_text(JSON ", text/html"), 0 },
    { test_text(JSON "," JSON), 0 },
    { test_text(JSON " x"), 0 },
    { test_text(JSON " charset=utf-8"), 0 },
    { test_text(JSON "\r"), 0 },
    { test_text(JSON "\n"), 0 },
    { test_text(JSON "\v"), 0 },
    { test_text(JSON "\0"), 0 },
    { test_text(JSON "\0;charset=utf-8"), 0 },
    { test_text(JSON "\xa0"), 0 },

    /* empty parameters */
    { test_text(JSON ";"), 1 },
    { test_text(JSON ";;"), 1 },
    { test_text(JSON " ; \t;; "), 1 },
    { test_text(JSON ";charset=utf-8;"), 1 },
    { test_text(JSON ";;charset=utf-8"), 1 },
    { test_text(JSON ";;charset=utf-16"), 0 },
    { test_text(JSON ";,"), 0 },

    /* charset as a token */
    { test_text(JSON ";charset=utf-8"), 1 },
    { test_text(JSON "; charset=utf-8"), 1 },
    { test_text(JSON "\t;\t \tcharset=utf-8\t"), 1 },
    { test_text(JSON "; CHARSET=UTF-8"), 1 },
    { test_text(JSON "; ChArSeT=uTf-8"), 1 },
    { test_text(JSON "; charset=utf8"), 0 },
    { test_text(JSON "; charset=utf-16"), 0 },
    { test_text(JSON "; charset=utf-80"), 0 },
    { test_text(JSON "; charset=utf-"), 0 },
    { test_text(JSON "; charset=xutf-8"), 0 },
    { test_text(JSON "; charset=iso-8859-1"), 0 },
    { test_text(JSON "; charset=us-ascii"), 0 },
    { test_text(JSON "; charset='utf-8'"), 0 },
    { test_text(JSON "; charset"), 0 },
    { test_text(JSON "; charset="), 0 },
    { test_text(JSON "; charset=;"), 0 },
    { test_text(JSON "; charset =utf-8"), 0 },
    { test_text(JSON "; charset= utf-8"), 0 },
    { test_text(JSON "; charset=utf-8 x"), 0 },
    { test_text(JSON "; charset=utf-8, x"), 0 },
    { test_text(JSON "; charset==utf-8"), 0 },
    { test_text(JSON "; charset=utf-8="), 0 },
    { test_text(JSON "; =utf-8"), 0 },
    { test_text(JSON "; charset:utf-8"), 0 },

    /* charset as a quoted string */
    { test_text(JSON "; charset=\"utf-8\""), 1 },
    { test_text(JSON "; charset=\"UTF-8\" ; a=b"), 1 },
    { test_text(JSON "; charset=\"ut\\f-8\""), 1 },
    { test_text(JSON "; charset=\"\\u\\T\\f\\-\\8\""), 1 },
    { test_text(JSON "; charset=\"\""), 0 },
    { test_text(JSON "; charset=\"utf8\""), 0 },
    { test_text(JSON "; charset=\"utf-\""), 0 },
    { test_text(JSON "; charset=\"utf-80\""), 0 },
    { test_text(JSON "; charset=\"utf-8utf-8\""), 0 },
    { test_text(JSON "; charset=\"xutf-8\""), 0 },
    { test_text(JSON "; charset=\"uxtf-8\""), 0 },
    { test_text(JSON "; charset=\" utf-8\""), 0 },
    { test_text(JSON "; charset=\"utf-8 \""), 0 },
    { test_text(JSON "; charset=\"utf-8\\\""), 0 },
    { test_text(JSON "; charset=\"utf-8\\"), 0 },
    { test_text(JSON "; charset=\"utf-8"), 0 },
    { test_text(JSON "; charset=\"utf-8\"x"), 0 },
    { test_text(JSON "; charset=\"utf-8\"\"\""), 0 },
    { test_text(JSON "; charset=utf\"-8\""), 0 },
    { test_text(JSON "; charset=utf\\-8"), 0 },
    { test_text(JSON "; charset=\"utf-8\0\""), 0 },
    { test_text(JSON "; charset=\"utf-8\\\0\""), 0 },

    /* a charset in RFC 2231's forms: parts, and encoded */
    { test_text(JSON "; charset*0=utf-8"), 1 },
    { test_text(JSON "; CharSet*0=\"UTF-8\""), 1 },
    { test_text(JSON "; charset*0=utf-7"), 0 },
    { test_text(JSON "; charset*0=\"utf-7\""), 0 },
    { test_text(JSON "; CHARSET*0=utf-7"), 0 },
    { test_text(JSON "; charset*1=utf-7"), 0 },
    { test_text(JSON "; charset*10=utf-7"), 0 },
    { test_text(JSON "; charset*a=utf-7"), 0 },
    { test_text(JSON "; charset**=utf-7"), 0 },
    { test_text(JSON "; charset*0=utf-; charset*1=8"), 0 },
    { test_text(JSON "; charset*0=utf-8; charset*1=8"), 0 },
    { test_text(JSON "; charset*0=utf%2D8"), 0 },
    { test_text(JSON "; charset*0=utf-8''utf-8"), 0 },
    { test_text(JSON "; charset=utf-8''utf-8"), 0 },
    { test_text(JSON "; charset=utf%2D8"), 0 },
    { test_text(JSON "; charset*=utf-8"), 1 },
    { test_text(JSON "; charset*=utf-8''utf-8"), 1 },
    { test_text(JSON "; Charset*=UTF-8'en'UTF-8"), 1 },
    { test_text(JSON "; charset*=\"utf-8''utf-8\""), 1 },
    { test_text(JSON "; charset*=utf-8''%75%54%66%2d%38"), 1 },
    { test_text(JSON "; charset*0*=utf-8''utf%2D8"), 1 },
    { test_text(JSON "; charset*0*=utf-8''utf-7"), 0 },
    { test_text(JSON "; charset*=utf-7"), 0 },
    { test_text(JSON "; charset*=utf-8''utf-7"), 0 },
    { test_text(JSON "; charset*=\"utf-8''utf-7\""), 0 },
    { test_text(JSON "; charset*=utf-8''utf%2D7"), 0 },
    { test_text(JSON "; charset*=utf-8''%75%74%66%2D%37"), 0 },
    { test_text(JSON "; charset*=utf-7''utf-8"), 0 },
    { test_text(JSON "; charset*=''utf-8"), 0 },
    { test_text(JSON "; charset*=utf-8'utf-8"), 0 },
    { test_text(JSON "; charset*=utf-8''"), 0 },
    { test_text(JSON "; charset*=utf-8''utf-8'"), 0 },
    { test_text(JSON "; charset*=utf-8''utf-8%"), 0 },
    { test_text(JSON "; charset*=utf-8''utf-8%3"), 0 },
    { test_text(JSON "; charset*=utf-8''utf-%38%00"), 0 },
    { test_text(JSON "; charset*=utf-8''utf-%3x"), 0 },
    { test_text(JSON "; charset*=utf-8''utf-%g8"), 0 },
    { test_text(JSON "; charset*=utf-8''utf-%@8"), 0 },
    { test_text(JSON "; charset*=utf-8''utf-%!8"), 0 },
    { test_text(JSON "; charset*=utf-8''utf-%3\x1a"), 0 },
    { test_text(JSON "; charset*=\"utf-8''utf-%3:\""), 0 },
    { test_text(JSON "; charset*=utf-8''utf-%138"), 0 },
    { test_text(JSON "; charset*=utf-8''utf-"), 0 },
    { test_text(JSON "; charset=utf-8; charset*=utf-8''utf-7"), 0 },
    { test_text(JSON "; charsets*=utf-7"), 1 },
    { test_text(JSON "; charse*=utf-7"), 1 },
    { test_text(JSON "; xcharset*0=utf-7"), 1 },
    { test_text(JSON "; *=utf-7; *charset=utf-7"), 1 },

    /* 64 bytes of a charset are read, and one more is one too many */
    { test_text(JSON "; charset*=utf-8'" A_52 "'utf-8"), 1 },
    { test_text(JSON "; charset*=utf-8'" A_52 "a'utf-8"), 0 },
    { test_text(JSON "; charset*=\"utf-8'" A_52 "'utf-8\\-\""), 0 },
    { test_text(JSON "; charset=utf-8" A_52 A_52), 0 },

    /* what a reader without quoted strings would find: it goes no further */
    { test_text(JSON "; x=\"; charset=utf-7; y=\""), 1 },
    { test_text(JSON "; x=\"; charset*0=utf-7; y=\""), 1 },
    { test_text(JSON "; x=\"\\\"; charset=utf-7; y=\""), 1 },

    /* more than one charset */
    { test_text(JSON ";charset=utf-8;charset=\"UTF-8\""), 1 },
    { test_text(JSON ";charset=utf-8;charset=utf-16"), 0 },
    { test_text(JSON ";charset=utf-16;charset=utf-8"), 0 },
    { test_text(JSON ";charset=utf-8;charset=\"\""), 0 },

    /* other parameters */
    { test_text(JSON ";a=b"), 1 },
    { test_text(JSON ";a=b;c=d ; e=f"), 1 },
    { test_text(JSON ";charse=utf-16"), 1 },
    { test_text(JSON ";charsets=utf-16"), 1 },
    { test_text(JSON ";xcharset=utf-16"), 1 },
    { test_text(JSON ";a=charset"), 1 },
    { test_text(JSON ";a=\"\""), 1 },
    { test_text(JSON ";a=\";charset=utf-16\""), 1 },
    { test_text(JSON ";a=\"\\\";charset=utf-16\""), 1 },
    { test_text(JSON ";a=\"\\\\\";charset=utf-16"), 0 },
    { test_text(JSON ";a=\"\\\\\";charset=utf-8"), 1 },
    { test_text(JSON ";!#$%&'*+-.^_`|~09azAZ=!#$%&'*+-.^_`|~09azAZ"), 1 },
    { test_text(JSON ";a=\" \t!#[]~\x80\xff\\\x80\\\xff\\ \\\t\""), 1 },
    { test_text(JSON ";a"), 0 },
    { test_text(JSON ";a;b=c"), 0 },
    { test_text(JSON ";a="), 0 },
    { test_text(JSON ";a=;b=c"), 0 },
    { test_text(JSON ";a=b c=d"), 0 },
    { test_text(JSON ";a=b/c"), 0 },
    { test_text(JSON ";a=(b)"), 0 },
    { test_text(JSON ";a@=b"), 0 },
    { test_text(JSON ";\"a\"=b"), 0 },
    { test_text(JSON ";a=\xe4"), 0 },
    { test_text(JSON ";\xe4=a"), 0 },
    { test_text(JSON ";a=\"\n\""), 0 },
    { test_text(JSON ";a=\"\x1f\""), 0 },
    { test_text(JSON ";a=\"\x7f\""), 0 },
    { test_text(JSON ";a=\"\\\x7f\""), 0 },
    { test_text(JSON ";a=\"\\\n\""), 0 },
    { test_text(JSON ";a=\"\0\""), 0 },
    { test_text(JSON ";a\0=b"), 0 },
    { test_text(JSON ";a=b\0"), 0 }
};


static const test_cut_t  test_cuts[] = {
    { JSON "; charset=utf-8 ; a=bc;",
           "111" "000000000000" "1111" "00" "111" },
    { JSON ";a=\"\\\"x\" ;\tcharset=\"ut\\f-8\"",
           "11" "000000" "1111" "000000000000000" "1" },
    { JSON ";charset=utf-88",
           "11" "000000000000" "10" },
    { JSON "5", "10" }
};


static int test_guarded(const char *text, size_t len);


static void
media_type(void **state)
{
    size_t              i;
    const test_type_t  *t;

    (void) state;

    for (i = 0; i < test_count(test_types); i++) {
        t = &test_types[i];

        if (test_guarded(t->text, t->len) != t->json) {
            fail_msg("\"%s\" (%zu): not %d", t->text, i, t->json);
        }
    }

    assert_int_equal(clockodo_media_type_is_json(NULL, 0), 0);
}


static void
media_type_cut(void **state)
{
    size_t              i, len, shortest;
    const test_cut_t   *cut;
    const test_type_t  *t;

    (void) state;

    shortest = sizeof(JSON) - 1;

    /* that nothing is read past the end; shorter than the type, none passes */

    for (i = 0; i < test_count(test_types); i++) {
        t = &test_types[i];

        for (len = 0; len < t->len; len++) {
            if (test_guarded(t->text, len) && len < shortest) {
                fail_msg("\"%.*s\" passed", (int) len, t->text);
            }
        }
    }

    for (i = 0; i < test_count(test_cuts); i++) {
        cut = &test_cuts[i];

        assert_int_equal(strlen(cut->cuts), strlen(cut->text) + 1 - shortest);

        for (len = shortest; len <= strlen(cut->text); len++) {
            if (test_guarded(cut->text, len)
                != cut->cuts[len - shortest] - '0')
            {
                fail_msg("\"%.*s\": not %c", (int) len, cut->text,
                         cut->cuts[len - shortest]);
            }
        }
    }
}


/* every byte in a name, in a token and in a quoted string, also escaped */

static void
media_type_one_byte(void **state)
{
    int                 i, c, tchar, text, ok;
    char                value[64];
    size_t              len;

    static const char  *forms[] = {
        JSON ";a%cb=c", JSON ";a=b%cc", JSON ";a=\"b%cc\"", JSON ";a=\"\\%c\""
    };

    (void) state;

    for (c = 0; c < 256; c++) {

        tchar = c > 0x20 && c < 0x7f
                && strchr("\"(),/:;<=>?@[\\]{}", c) == NULL;
        text = c == '\t' || (c >= 0x20 && c != 0x7f);

        for (i = 0; i < 4; i++) {
            len = snprintf(value, sizeof(value), forms[i], c);

            ok = (i < 2) ? tchar : text && !(i == 2 && c == '"');

            if (test_guarded(value, len) != ok) {
                fail_msg("form %d, byte %d: not %d", i, c, ok);
            }
        }
    }
}


static int
test_guarded(const char *text, size_t len)
{
    int                   json;
    const unsigned char  *p;

    p = guard_text(text, len);
    json = clockodo_media_type_is_json(p, len);
    guard_free(p, len);

    return json;
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(media_type),
        cmocka_unit_test(media_type_cut),
        cmocka_unit_test(media_type_one_byte)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
