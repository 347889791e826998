
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#define _GNU_SOURCE

/* what is inline calls the copy below */
#define clockodo_json_members_grow        failing_json_grow
#define clockodo_json_members_add_hashed  failing_json_add_hashed

#include "clockodo_json.h"
#include "guard.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


/* a second copy of the code, whose memory can run out: failing_json_scan() */

static void *failing_calloc(size_t n, size_t size);
static void failing_free(void *p);

#define calloc                      failing_calloc
#define free                        failing_free
#define clockodo_json_errors        failing_json_errors
#define clockodo_json_scan          failing_json_scan
#define clockodo_json_members_init  failing_json_members_init
#define clockodo_json_members_free  failing_json_members_free
#define clockodo_json_name_decodes_to  failing_json_name_decodes_to
#define clockodo_json_name_folds_to  failing_json_name_folds_to

#include "clockodo_json_members.c"
#include "clockodo_json.c"

#undef calloc
#undef free
#undef clockodo_json_errors
#undef clockodo_json_scan
#undef clockodo_json_members_init
#undef clockodo_json_members_grow
#undef clockodo_json_members_add_hashed
#undef clockodo_json_members_free
#undef clockodo_json_name_decodes_to
#undef clockodo_json_name_folds_to


#define test_text(s)   s, sizeof(s) - 1
#define test_count(a)  (sizeof(a) / sizeof((a)[0]))

/* more bytes than cJSON bears */
#define TEN            "1234567890"
#define NUMBER_64      TEN TEN TEN TEN TEN TEN "1234"

/* more than there may be inside each other */
#define FORTY(s)       s s s s s s s s s s s s s s s s s s s s                \
                       s s s s s s s s s s s s s s s s s s s s


typedef struct {
    const char           *text;
    size_t                len;
} test_valid_t;


/* the first wrong byte is the first one of the rest */

typedef struct {
    clockodo_json_e       error;
    const char           *good;
    size_t                ngood;
    const char           *rest;
    size_t                nrest;
} test_invalid_t;


typedef struct {
    size_t                levels;
    const char           *open;
    const char           *close;
} test_nested_t;


typedef struct {
    const char           *text;
    const char           *name;
    const char           *value;           /* NULL: there is none */
    clockodo_json_type_e  type;
} test_member_t;


/* by the first ones, hashes of names with the same letters collide */

static const uint32_t  test_keys[] = {
    0, 0x7ffffffd, 0x7ffffffe, 0x7fffffff, 0xffffffff,
    0x5eed, 0x12345678, 0xcafe1986
};

#define WEAK_KEYS  5


static const test_valid_t  test_valid[] = {
    { test_text("{}") },
    { test_text(" \t\r\n{ \t\r\n} \t\r\n") },
    { test_text("{\"\":0}") },
    { test_text("{ \"a\" : 1 , \"b\" : [ ] , \"c\" : { } }") },

    /* other names of the same hash, by the first of the keys */
    { test_text("{\"\\u0078\":0,\"aaabbb\":1,\"bbbaaa\":2}") },
    { test_text("{\"\\u0061aabbb\":1,\"bbbaaa\":2}") },
    { test_text("{\"a\":[],\"b\":[1],\"c\":[1,\"2\",[3],{\"4\":5}, null ]}") },
    { test_text("{\"a\":true,\"b\":false,\"c\":null}") },
    { test_text("{\"a\":[" FORTY("[],") FORTY("{},") "0]}") },
    { test_text("{\"a\":[0,-0,1,-1,10,190,1234567890]}") },
    { test_text("{\"a\":[0.0,-0.5,1.25,0e0,1E5,1e+5,1e-05,1.5E-7,1e999]}") },
    { test_text("{\"a\":" NUMBER_64 "." NUMBER_64 "e" NUMBER_64 "}") },
    { test_text("{\"a\":\"\",\"b\":\" \",\"c\":\"\x7f'/\"}") },
    { test_text("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}") },
    { test_text("{\"a\":\"\\u0001\\u00e9\\u00E9\\uabcd\\uABCD\\uffff\"}") },
    { test_text("{\"a\":\"\\ud800\\udc00\\uDBFF\\uDFFF\\ud7ff\\ue000\"}") },
    { test_text("{\"a\":\"\\\\ud800\\\\u0000\"}") },
    { test_text("{\"a\":\"\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\"}") },
    { test_text("{\"a\":\"\xee\x80\x80\xef\xbb\xbf\xef\xbf\xbf\"}") },
    { test_text("{\"a\":\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\"}") },

    /* the same name in different objects, and names that are alike */
    { test_text("{\"a\":{\"a\":{\"a\":1}},\"b\":{\"a\":2},"
                "\"c\":[{\"a\":3},{\"a\":4},{\"c\":5}]}") },
    { test_text("{\"a\":1,\"A\":2,\"\":3,\"aa\":4,\"\\u0041\\u0041\":5,"
                "\"a \":6,\"\\\\u0061\":7,\"e\\u0301\":8,\"\xc3\xa9\":9}") },
    { test_text("{\"abc\":1,\"acb\":2,\"bac\":3,\"bca\":4,\"cab\":5}") },
    { test_text("{\"\\ud83d\\ude00\":1,\"\\ud83d\\ude01\":2}") }
};


static const test_invalid_t  test_invalid[] = {

    /* no object, or more than that */
    { CLOCKODO_JSON_END, test_text(""), test_text("") },
    { CLOCKODO_JSON_END, test_text(" \t\r\n"), test_text("") },
    { CLOCKODO_JSON_NOT_OBJECT, test_text(""), test_text("[]") },
    { CLOCKODO_JSON_NOT_OBJECT, test_text(" "), test_text("\"a\"") },
    { CLOCKODO_JSON_NOT_OBJECT, test_text(""), test_text("1") },
    { CLOCKODO_JSON_NOT_OBJECT, test_text(""), test_text("null") },
    { CLOCKODO_JSON_NOT_OBJECT, test_text(""), test_text("}") },
    { CLOCKODO_JSON_NOT_OBJECT, test_text(""), test_text("\0{}") },
    { CLOCKODO_JSON_NOT_OBJECT, test_text(""), test_text("// x\n{}") },
    { CLOCKODO_JSON_NOT_OBJECT, test_text(""), test_text("\xef\xbb") },
    { CLOCKODO_JSON_NOT_OBJECT, test_text(""), test_text("\xfe\xff\0{\0}") },
    { CLOCKODO_JSON_NOT_OBJECT, test_text(" "), test_text("\xef\xbb\xbf{}") },
    { CLOCKODO_JSON_BOM, test_text(""), test_text("\xef\xbb\xbf{}") },
    { CLOCKODO_JSON_NAME, test_text("{"), test_text("\0}\0") },
    { CLOCKODO_JSON_TRAILING, test_text("{}"), test_text("{}") },
    { CLOCKODO_JSON_TRAILING, test_text("{} "), test_text("}") },
    { CLOCKODO_JSON_TRAILING, test_text("{}"), test_text(",") },
    { CLOCKODO_JSON_TRAILING, test_text("{\"a\":1}\n"), test_text("x") },
    { CLOCKODO_JSON_TRAILING, test_text("{}"), test_text("\0") },
    { CLOCKODO_JSON_TRAILING, test_text("{}"), test_text("\xef\xbb\xbf") },
    { CLOCKODO_JSON_TRAILING, test_text("{}"), test_text("# x") },

    /* white space that JSON does not know */
    { CLOCKODO_JSON_NOT_OBJECT, test_text(""), test_text("\f{}") },
    { CLOCKODO_JSON_NAME, test_text("{"), test_text("\f}") },
    { CLOCKODO_JSON_NAME, test_text("{"), test_text("\v\"a\":1}") },
    { CLOCKODO_JSON_COLON, test_text("{\"a\""), test_text("\f:1}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"), test_text("\f1}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"), test_text("\xc2\xa0" "1}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":1"), test_text("\f}") },
    { CLOCKODO_JSON_TRAILING, test_text("{}"), test_text("\f") },

    /* punctuation */
    { CLOCKODO_JSON_NAME, test_text("{"), test_text(",}") },
    { CLOCKODO_JSON_NAME, test_text("{\"a\":1,"), test_text("}") },
    { CLOCKODO_JSON_NAME, test_text("{\"a\":1,"), test_text(",\"b\":2}") },
    { CLOCKODO_JSON_NAME, test_text("{"), test_text("a:1}") },
    { CLOCKODO_JSON_NAME, test_text("{"), test_text("'a':1}") },
    { CLOCKODO_JSON_NAME, test_text("{"), test_text("1:1}") },
    { CLOCKODO_JSON_NAME, test_text("{"), test_text("null:1}") },
    { CLOCKODO_JSON_NAME, test_text("{"), test_text("{\"a\":1}}") },
    { CLOCKODO_JSON_NAME, test_text("{ "), test_text("/* */ }") },
    { CLOCKODO_JSON_NAME, test_text("{"), test_text("]") },
    { CLOCKODO_JSON_COLON, test_text("{\"a\""), test_text("}") },
    { CLOCKODO_JSON_COLON, test_text("{\"a\" "), test_text("1}") },
    { CLOCKODO_JSON_COLON, test_text("{\"a\""), test_text(",1}") },
    { CLOCKODO_JSON_COLON, test_text("{\"a\""), test_text("=1}") },
    { CLOCKODO_JSON_COLON, test_text("{\"a\""), test_text("\"b\":1}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"), test_text("}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"), test_text(":1}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"), test_text("'1'}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"), test_text("/* */1}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"), test_text("]}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":1 "), test_text("\"b\":2}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":1"), test_text(";}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":1"), test_text("]}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":1 "), test_text("// x\n}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":1"), test_text("\0}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":\"b\""), test_text("c\"}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":[1"), test_text("}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":[1 "), test_text("2]}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":[\"b\""), test_text(":1]}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":[1,"), test_text("]}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":["), test_text(",1]}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":[1,"), test_text(",2]}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":["), test_text("}}") },

    /* literals */
    { CLOCKODO_JSON_LITERAL, test_text("{\"a\":tr"), test_text("y}") },
    { CLOCKODO_JSON_LITERAL, test_text("{\"a\":t"), test_text("RUE}") },
    { CLOCKODO_JSON_LITERAL, test_text("{\"a\":fals"), test_text("}") },
    { CLOCKODO_JSON_LITERAL, test_text("{\"a\":n"), test_text("il}") },
    { CLOCKODO_JSON_LITERAL, test_text("{\"a\":n"), test_text("an}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":null"), test_text("l}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"), test_text("True}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"), test_text("NaN}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"), test_text("Infinity}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"), test_text("undefined}") },

    /* numbers */
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":0"), test_text("1}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":-0"), test_text("1}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":0"), test_text("0}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":2."), test_text("}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":0."), test_text("e1}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":1."), test_text("-1}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":1e"), test_text("}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":1e+"), test_text("}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":1E-"), test_text(",1]}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":1e+"), test_text("-1}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":1e"), test_text(".5}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":-"), test_text("}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":-"), test_text("-1}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":-"), test_text(" 1}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":-"), test_text(".5}") },
    { CLOCKODO_JSON_NUMBER, test_text("{\"a\":-"), test_text("Infinity}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"), test_text(".5}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"), test_text("+1}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":0"), test_text("x1}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":1.2"), test_text(".3}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":1e2"), test_text("e3}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":1e2"), test_text(".3}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":1"), test_text("_000}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":1"), test_text("a}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":1"), test_text("-1}") },
    { CLOCKODO_JSON_COMMA, test_text("{\"a\":1 "), test_text("000}") },
    { CLOCKODO_JSON_VALUE, test_text("{\"a\":"),
      test_text("\xef\xbc\x91}") },

    /* strings, in names as in values */
    { CLOCKODO_JSON_END, test_text("{\"a"), test_text("") },
    { CLOCKODO_JSON_END, test_text("{\"a\\\""), test_text("") },
    { CLOCKODO_JSON_CONTROL, test_text("{\"a\":\""), test_text("\0\"}") },
    { CLOCKODO_JSON_CONTROL, test_text("{\"a\":\"b"), test_text("\n\"}") },
    { CLOCKODO_JSON_CONTROL, test_text("{\"a\":\"b"), test_text("\tb\"}") },
    { CLOCKODO_JSON_CONTROL, test_text("{\"a\":\""), test_text("\x1f\"}") },
    { CLOCKODO_JSON_CONTROL, test_text("{\"a"), test_text("\r\":1}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\"), test_text("x41\"}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\"), test_text("'\"}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\"), test_text("U0041\"}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\"), test_text("\n\"}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\"), test_text("\0\"}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\"), test_text("\xc3\xa9") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\\"), test_text("a\":1}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\u"), test_text("\"}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\u00"), test_text("g1\"}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\u004"), test_text("\"}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\u"), test_text("{41}\"}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\u"), test_text("+041\"}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\u00"), test_text("@@\"}") },
    { CLOCKODO_JSON_NUL, test_text("{\"a\":\"b"), test_text("\\u0000\"}") },
    { CLOCKODO_JSON_NUL, test_text("{\""), test_text("\\u0000\":1}") },

    /* surrogates: high ones need a low one, low ones a high one before */
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\"b"),
      test_text("\\ud800\"}") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\""), test_text("\\ud800\":1}") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\""), test_text("\\uDBFF\"") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\""),
      test_text("\\ud800bcdefg\"}") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\""),
      test_text("\\ud800\\n\"}") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\""),
      test_text("\\ud800\\\\udc00\"}") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\""),
      test_text("\\ud800udc00\"}") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\""),
      test_text("\\ud800\\ud800\\udc00\"}") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\""),
      test_text("\\ud800\\ue000\"}") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\""),
      test_text("\\ud800\\u0041\"}") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\""),
      test_text("\\ud800\\u0000\"}") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\""),
      test_text("\\udc00\"}") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\""),
      test_text("\\uDFFF\\ud800\"}") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\""),
      test_text("\\udc00\\udc00\"}") },
    { CLOCKODO_JSON_SURROGATE, test_text("{\"a\":\"\\ud800\\udc00"),
      test_text("\\udc00\"}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\ud800\\u"),
      test_text("\"}") },
    { CLOCKODO_JSON_ESCAPE, test_text("{\"a\":\"\\ud800\\udc0"),
      test_text("g\"}") },

    /* UTF-8: stray bytes, overlong, surrogates, past U+10FFFF, cut short */
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\""), test_text("\x80\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\""), test_text("\xbf\":1}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\"\xc2\x80"),
      test_text("\x80\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\""), test_text("\xc0\x80\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\""), test_text("\xc0\xa2\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\""), test_text("\xc1\xbf\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\"\xe0"),
      test_text("\x9f\xbf\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\"\xf0"),
      test_text("\x8f\xbf\xbf\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\"\xed"),
      test_text("\xa0\x80\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\"\xed"),
      test_text("\xbf\xbf\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\"\xf4"),
      test_text("\x90\x80\x80\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\""),
      test_text("\xf5\x80\x80\x80\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\""),
      test_text("\xf8\x88\x80\x80\x80\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\""), test_text("\xfe\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\""), test_text("\xff\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\"\xc3"), test_text("\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\"\xc3"), test_text("\xc3\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\"\xe2\x82"), test_text("\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\"\xf0\x9f\x98"),
      test_text("\\u0041\"}") },
    { CLOCKODO_JSON_UTF8, test_text("{\"a\":\"\xe2\x82"),
      test_text("\xc2\x80\"}") },

    /* duplicates */
    { CLOCKODO_JSON_DUPLICATE, test_text("{\"a\":1,"),
      test_text("\"a\":1}") },
    { CLOCKODO_JSON_DUPLICATE, test_text("{\"a\":1,\"b\":2 , "),
      test_text("\"a\":3}") },
    { CLOCKODO_JSON_DUPLICATE, test_text("{\"\":1,"), test_text("\"\":1}") },
    { CLOCKODO_JSON_DUPLICATE, test_text("{\"a\":1,"),
      test_text("\"\\u0061\":1}") },
    { CLOCKODO_JSON_DUPLICATE, test_text("{\"t\\u006Fken\":1,"),
      test_text("\"token\":1}") },
    { CLOCKODO_JSON_DUPLICATE, test_text("{\"\\u00e9\":1,"),
      test_text("\"\xc3\xa9\":1}") },
    { CLOCKODO_JSON_DUPLICATE, test_text("{\"\xe2\x82\xac\":1,"),
      test_text("\"\\u20AC\":1}") },
    { CLOCKODO_JSON_DUPLICATE, test_text("{\"\\ud83d\\ude00x\":1,"),
      test_text("\"\xf0\x9f\x98\x80x\":1}") },
    { CLOCKODO_JSON_DUPLICATE, test_text("{\"\\/\\\\\\\"\":1,"),
      test_text("\"\\u002f\\u005c\\u0022\":1}") },
    { CLOCKODO_JSON_DUPLICATE, test_text("{\"\\b\\f\\n\\r\\t\":1,"),
      test_text("\"\\u0008\\u000c\\u000a\\u000d\\u0009\":1}") },
    { CLOCKODO_JSON_DUPLICATE, test_text("{\"a\":{\"b\":[{\"c\":1,"),
      test_text("\"c\":2}]}}") },
    { CLOCKODO_JSON_DUPLICATE, test_text("{\"a\":{\"b\":1,\"c\":{\"b\":1}},"),
      test_text("\"a\":2}") },
    { CLOCKODO_JSON_DUPLICATE, test_text("{\"a\":{\"b\":{\"b\":1},"),
      test_text("\"b\":1}}") }
};


static const test_nested_t  test_nested[] = {
    { 1, "[", "]" },
    { 1, "{\"a\":", "}" },
    { 1, "[0,", "]" },
    { 1, "{\"b\":0,\"a\":", ",\"c\":1}" },
    { 2, "[{\"a\":", "}]" },
    { 2, "{\"a\":[", "]}" }
};


#define LITERAL  CLOCKODO_JSON_LITERAL_TYPE
#define NUMBER   CLOCKODO_JSON_NUMBER_TYPE
#define STRING   CLOCKODO_JSON_STRING_TYPE
#define ARRAY    CLOCKODO_JSON_ARRAY_TYPE
#define OBJECT   CLOCKODO_JSON_OBJECT_TYPE


static const test_member_t  test_members[] = {
    { "{}", "a", NULL, 0 },
    { "{\"a\":1}", "a", "1", NUMBER },
    { "{\"a\":-1.5e+7}", "a", "-1.5e+7", NUMBER },
    { "{\"a\":1}", "b", NULL, 0 },
    { "{\"a\":1}", "", NULL, 0 },
    { "{\"a\":1}", "A", NULL, 0 },
    { "{\"a\":1}", "aa", NULL, 0 },
    { "{\"aa\":1}", "a", NULL, 0 },
    { "{\"a\":1,\"\":2}", "", "2", NUMBER },
    { "{\"a\":\"\"}", "a", "", STRING },
    { "{\"a\":\"b\"}", "a", "b", STRING },
    { "{\"a\":\"\\\"}\\\\\",\"b\":2}", "a", "\\\"}\\\\", STRING },
    { "{\"a\":\"\\\"}\\\\\",\"b\":2}", "b", "2", NUMBER },
    { "{\"a\":true,\"b\":false,\"c\":null}", "a", "true", LITERAL },
    { "{\"a\":true,\"b\":false,\"c\":null}", "b", "false", LITERAL },
    { "{\"a\":true,\"b\":false,\"c\":null}", "c", "null", LITERAL },
    { "{\"a\":{}}", "a", "", OBJECT },
    { "{\"a\":[]}", "a", "", ARRAY },
    { "{\"b\":{\"a\":1},\"c\":[{\"a\":2}],\"a\":3}", "a", "3", NUMBER },
    { "{\"b\":{\"a\":1},\"c\":[{\"a\":2}]}", "a", NULL, 0 },
    { "{\"a\":[{\"b\":\"]}\"},[1,-2]],\"b\":0}", "a", "",
      ARRAY },
    { "{\"a\":{\"b\":[\"{\",\"\\\"\",\"}\"]},\"b\":0}", "b", "0", NUMBER },
    { "{\"b\":\"\\\\\",\"c\":\",\\\"a\\\":1\",\"a\":2}", "a", "2", NUMBER },
    { "\t{\r\n\"b\" : [ 1 , 2 ] , \"a\" : { \"c\" : 3 } \n} ", "a",
      "", OBJECT },
    { " { \"a\" : \" b \" } ", "a", " b ", STRING },
    { "{\"\\u0061\":1}", "a", "1", NUMBER },
    { "{\"\\u0061\\u0062c\":1}", "abc", "1", NUMBER },
    { "{\"\\\\u0061\":1}", "a", NULL, 0 },
    { "{\"\\\"\\/\":1}", "\"/", "1", NUMBER },
    { "{\"\\u00e9\":1}", "\xc3\xa9", "1", NUMBER },
    { "{\"\\ud83d\\ude00\":1}", "\xf0\x9f\x98\x80", "1", NUMBER }
};


static void test_scan_is(const char *text, size_t len, clockodo_json_e error,
    size_t offset);
static clockodo_json_e test_scan(const char *text, size_t len, uint32_t key,
    clockodo_json_error_t *json);
static const clockodo_json_value_t *test_find(
    const clockodo_json_members_t *members, uint32_t object,
    const char *name);
static char *test_nest(char *p, const test_nested_t *t, const char *value);
static size_t test_utf8(char *p, unsigned code);
static char *test_names(const char *format, size_t n, const char *last,
    size_t *len);


/* what failing_calloc() counts; the call of this number fails */
static size_t  test_calls;
static size_t  test_fail;
static size_t  test_live;


static void
json_valid(void **state)
{
    size_t               i, len;
    const test_valid_t  *t;

    (void) state;

    for (i = 0; i < test_count(test_valid); i++) {
        t = &test_valid[i];

        for (len = 0; len < t->len; len++) {

            /* white space at the end is all that may be missing */

            if (strspn(t->text + len, " \t\r\n") < t->len - len) {
                test_scan_is(t->text, len, CLOCKODO_JSON_END, len);
            }
        }

        test_scan_is(t->text, t->len, CLOCKODO_JSON_OK, 0);
    }
}


static void
json_invalid(void **state)
{
    char                   text[512];
    size_t                 i, len;
    clockodo_json_e        error;
    clockodo_json_error_t  json;
    const test_invalid_t  *t;

    (void) state;

    for (i = 0; i < test_count(test_invalid); i++) {
        t = &test_invalid[i];

        assert_true(t->ngood + t->nrest <= sizeof(text));

        memcpy(text, t->good, t->ngood);
        memcpy(text + t->ngood, t->rest, t->nrest);

        test_scan_is(text, t->ngood + t->nrest, t->error, t->ngood);

        /* what stands before the wrong byte could have become right */

        for (len = 0; len <= t->ngood; len++) {
            error = test_scan(text, len, 0, &json);

            if ((error != CLOCKODO_JSON_END || json.offset != len)
                && (error != CLOCKODO_JSON_OK
                    || t->error != CLOCKODO_JSON_TRAILING))
            {
                fail_msg("%.*s: %d at %zu", (int) len, text, error,
                         json.offset);
            }
        }

        /* and what stands behind it does not help */

        for ( /* void */ ; len < t->ngood + t->nrest; len++) {
            error = test_scan(text, len, 0, &json);

            if ((error != CLOCKODO_JSON_END || json.offset != len)
                && t->error != CLOCKODO_JSON_BOM
                && (error != t->error || json.offset != t->ngood))
            {
                fail_msg("%.*s: %d at %zu", (int) len, text, error,
                         json.offset);
            }
        }
    }
}


/* each byte in a string, and behind a backslash */

static void
json_bytes(void **state)
{
    int   c;
    char  text[] = "{\"a\":\"b?\"}", escape[] = "{\"a\":\"\\?\"}";

    (void) state;

    for (c = 0; c < 256; c++) {
        text[7] = (char) c;
        escape[7] = (char) c;

        if (c < 0x20) {
            test_scan_is(text, sizeof(text) - 1, CLOCKODO_JSON_CONTROL, 7);

        } else if (c == '"') {
            test_scan_is(text, sizeof(text) - 1, CLOCKODO_JSON_COMMA, 8);

        } else if (c == '\\') {
            test_scan_is(text, sizeof(text) - 1, CLOCKODO_JSON_END, 10);

        } else if (c >= 0xc2 && c <= 0xf4) {
            test_scan_is(text, sizeof(text) - 1, CLOCKODO_JSON_UTF8, 8);

        } else if (c >= 0x80) {
            test_scan_is(text, sizeof(text) - 1, CLOCKODO_JSON_UTF8, 7);

        } else {
            test_scan_is(text, sizeof(text) - 1, CLOCKODO_JSON_OK, 0);
        }

        if (c && strchr("\"\\/bfnrt", c)) {
            test_scan_is(escape, sizeof(escape) - 1, CLOCKODO_JSON_OK, 0);

        } else {
            test_scan_is(escape, sizeof(escape) - 1, CLOCKODO_JSON_ESCAPE,
                         c == 'u' ? 8 : 7);
        }
    }
}


/* each escape of one code unit */

static void
json_code_units(void **state)
{
    char                   text[32];
    unsigned               code;
    clockodo_json_e        error, expected;
    clockodo_json_error_t  json;

    (void) state;

    for (code = 0; code < 0x10000; code++) {

        (void) sprintf(text, code % 2 ? "{\"a\":\"\\u%04x\"}"
                                      : "{\"a\":\"\\u%04X\"}", code);

        expected = code == 0 ? CLOCKODO_JSON_NUL
                   : code >> 11 == 0x1b ? CLOCKODO_JSON_SURROGATE
                   : CLOCKODO_JSON_OK;

        error = test_scan(text, strlen(text), 0, &json);

        if (error != expected || (error && json.offset != 6)) {
            fail_msg("%s: %d at %zu", text, error, json.offset);
        }
    }
}


/* each pair of two bytes at the start of a sequence */

static void
json_utf8_pairs(void **state)
{
    char                   text[16];
    size_t                 len, n;
    unsigned               first, second, code, valid;
    clockodo_json_e        error;
    clockodo_json_error_t  json;

    (void) state;

    for (first = 0xc0; first < 0x100; first++) {
        for (second = 0; second < 0x100; second++) {

            n = first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;

            len = sprintf(text, "{\"a\":\"");
            text[len++] = (char) first;
            text[len++] = (char) second;
            memcpy(text + len, "\x80\x80", n - 1);
            len += n - 1;
            memcpy(text + len, "\"}", 2);
            len += 2;

            code = ((first & (0x3f >> n)) << 6 | (second & 0x3f))
                   << 6 * (n - 1);

            valid = (second >> 6 == 2)
                    && code >= (n == 1 ? 0x80u : n == 2 ? 0x800u : 0x10000u)
                    && code <= 0x10ffff
                    && (code < 0xd800 || code > 0xdfff)
                    && first < 0xf8;

            error = test_scan(text, len, 0, &json);

            if (error != (valid ? CLOCKODO_JSON_OK : CLOCKODO_JSON_UTF8)) {
                fail_msg("%02x %02x: %d at %zu", first, second, error,
                         json.offset);
            }
        }
    }
}


/* a name is the same, escaped or not */

static void
json_names_decoded(void **state)
{
    char                   text[64];
    size_t                 len;
    unsigned               code;
    clockodo_json_e        error;
    clockodo_json_error_t  json;

    (void) state;

    for (code = 0x20; code < 0x110000; code += code < 0x1000 ? 1 : 61) {

        if (code == '"' || code == '\\' || (code >= 0xd800 && code < 0xe000)) {
            continue;
        }

        len = sprintf(text, "{\"");
        len += test_utf8(text + len, code);
        len += sprintf(text + len, "\":1,\"");

        if (code < 0x10000) {
            len += sprintf(text + len, "\\u%04x", code);

        } else {
            len += sprintf(text + len, "\\u%04x\\u%04x",
                           0xd800 + ((code - 0x10000) >> 10),
                           0xdc00 + ((code - 0x10000) & 0x3ff));
        }

        len += sprintf(text + len, "\":2}");

        error = test_scan(text, len, code, &json);

        if (error != CLOCKODO_JSON_DUPLICATE) {
            fail_msg("U+%04X: %d at %zu", code, error, json.offset);
        }
    }
}


static void
json_depth(void **state)
{
    char                 *p, *last, text[2048];
    size_t                i;
    const test_nested_t  *t;

    (void) state;

    for (i = 0; i < test_count(test_nested); i++) {
        t = &test_nested[i];

        /* twice, for the depth has to go down again */

        p = text + sprintf(text, "{\"x\":");
        p = test_nest(p, t, "0");
        p += sprintf(p, ",\"y\":");
        p = test_nest(p, t, "?");
        p += sprintf(p, "}");

        last = strchr(text, '?');

        *last = '0';
        test_scan_is(text, p - text, CLOCKODO_JSON_OK, 0);

        *last = '[';
        test_scan_is(text, p - text, CLOCKODO_JSON_DEPTH_EXCEEDED,
                     last - text);

        *last = '{';
        test_scan_is(text, p - text, CLOCKODO_JSON_DEPTH_EXCEEDED,
                     last - text);
    }
}


static void
json_many_members(void **state)
{
    char    *text;
    size_t   i, n, len;

    static const size_t  sizes[] = { 31, 32, 33, 128, 129, 5000, 50000 };

    (void) state;

    for (i = 0; i < test_count(sizes); i++) {
        n = sizes[i];

        /* the last name is one of its own, the first one, the one before */

        text = test_names("%06zu", n, "end", &len);
        test_scan_is(text, len, CLOCKODO_JSON_OK, 0);
        free(text);

        text = test_names("%06zu", n, "\\u0030\\u003000000", &len);
        test_scan_is(text, len, CLOCKODO_JSON_OK, 0);
        free(text);

        text = test_names("%06zu", n, "00000\\u0030", &len);
        test_scan_is(text, len, CLOCKODO_JSON_DUPLICATE,
                     len - sizeof("\"00000\\u0030\":0}") + 1);
        free(text);

        text = test_names("%zu", n, "30", &len);
        test_scan_is(text, len,
                     n > 30 ? CLOCKODO_JSON_DUPLICATE : CLOCKODO_JSON_OK,
                     len - sizeof("\"30\":0}") + 1);
        free(text);
    }
}


/* ends soon: one comparison with all others each would take minutes */

static void
json_cost(void **state)
{
    char                  *text;
    size_t                 i, len;
    clockodo_json_error_t  json;

    static const char *const  formats[] = {
        "%zu", "common_prefix_of_them_all_%06zu", "%06zu_common_suffix"
    };

    (void) state;

    for (i = 0; i < test_count(formats); i++) {
        text = test_names(formats[i], 200000, "end", &len);

        assert_int_equal(test_scan(text, len, 0x5eed, &json),
                         CLOCKODO_JSON_OK);
        free(text);
    }
}


/*
 * Names of one length that differ in few places are what a hash of this
 * kind puts next to each other: as many probes as a good table needs, half
 * full, for such names under any key.
 */

static void
json_probes(void **state)
{
    char                    name[8];
    size_t                  i, n, slot, probes;
    uint32_t                key;
    clockodo_json_member_t  member;

    static unsigned char  taken[16384];

    (void) state;

    for (i = 0; i < 200; i++) {
        key = ((i + 1) * 2654435761u) % (JSON_PRIME - 1) + 1;

        memset(taken, 0, sizeof(taken));
        probes = 0;

        for (n = 0; n < sizeof(taken) / 2; n++) {
            name[0] = (char) ('#' + n / 32 / 32);
            name[1] = (char) (']' + n / 32 % 32);
            name[2] = (char) (']' + n % 32);
            name[3] = '"';

            memset(&member, 0, sizeof(clockodo_json_member_t));
            member.name.data = (unsigned char *) name;
            member.name.len = 3;
            member.object = 1;

            slot = json_hash(key, &member);

            for (probes++; taken[slot % sizeof(taken)]; slot++) {
                probes++;
            }

            taken[slot % sizeof(taken)] = 1;
        }

        if (probes > 2 * n) {
            fail_msg("key %u: %zu probes for %zu names", key, probes, n);
        }
    }
}


static void
json_no_memory(void **state)
{
    char                    *text;
    size_t                   len;
    clockodo_json_error_t    json;
    const unsigned char     *p;
    clockodo_json_members_t  members;

    (void) state;

    /* none for a few members, unless a name has escapes */

    text = test_names("%zu", 31, "end", &len);
    test_calls = 0;
    test_fail = 1;

    assert_int_equal(failing_json_scan((unsigned char *) text, len, 0, &json,
                                       &members),
                     CLOCKODO_JSON_OK);
    assert_int_equal(test_calls, 0);
    failing_json_members_free(&members);

    free(text);

    p = (const unsigned char *) "{\"\\u0061\":1}";

    assert_int_equal(failing_json_scan(p, 12, 0, &json, &members),
                     CLOCKODO_JSON_NO_MEMORY);
    assert_int_equal(test_calls, 1);
    assert_int_equal(test_live, 0);

    text = test_names("%zu", 5000, "end", &len);
    p = guard_text(text, len);

    for (test_fail = 1; test_fail <= 4; test_fail++) {
        test_calls = 0;

        assert_int_equal(failing_json_scan(p, len, 0x5eed, &json, &members),
                         CLOCKODO_JSON_NO_MEMORY);
        assert_int_equal(test_calls, test_fail);
        assert_int_equal(test_live, 0);
    }

    test_calls = 0;
    test_fail = 0;

    assert_int_equal(failing_json_scan(p, len, 0x5eed, &json, &members),
                     CLOCKODO_JSON_OK);
    assert_int_equal(test_calls, 4);
    assert_int_equal(test_live, 1);

    failing_json_members_free(&members);
    assert_int_equal(test_live, 0);

    /* an error after memory was taken; the last byte is missing */

    assert_int_equal(failing_json_scan(p, len - 1, 0x5eed, &json,
                                       &members),
                     CLOCKODO_JSON_END);
    assert_int_equal(test_live, 0);

    guard_free(p, len);
    free(text);
}


static void
json_errors(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < CLOCKODO_JSON_ERRORS; i++) {
        assert_non_null(clockodo_json_errors[i]);
        assert_true((strlen(clockodo_json_errors[i]) == 0)
                    == (i == CLOCKODO_JSON_OK));
    }
}


static void
json_members(void **state)
{
    size_t                        i, len;
    clockodo_json_error_t         json;
    const test_member_t          *t;
    const unsigned char          *p;
    clockodo_json_members_t       members;
    const clockodo_json_value_t  *value;

    (void) state;

    for (i = 0; i < test_count(test_members); i++) {
        t = &test_members[i];
        len = strlen(t->text);

        p = guard_text(t->text, len);

        assert_int_equal(clockodo_json_scan(p, len, 0x5eed, &json, &members),
                         CLOCKODO_JSON_OK);

        value = test_find(&members, CLOCKODO_JSON_ROOT, t->name);

        if ((value == NULL) != (t->value == NULL)
            || (value
                && (value->type != t->type
                    || value->len != strlen(t->value)
                    || memcmp(value->data, t->value, value->len) != 0)))
        {
            fail_msg("%s: \"%s\" has %zu bytes", t->text, t->name,
                     value ? value->len : 0);
        }

        assert_null(test_find(&members, CLOCKODO_JSON_ROOT, "no"));
        assert_null(test_find(&members, 0, t->name));

        clockodo_json_members_free(&members);
        guard_free(p, len);
    }
}


/* each in its own object, whether few or many, which are hashed */

static void
json_members_nested(void **state)
{
    char                         *text, *p;
    size_t                        i, n, len;
    clockodo_json_error_t         json;
    const unsigned char          *guarded;
    clockodo_json_members_t       members;
    const clockodo_json_value_t  *a, *b;

    static const size_t            sizes[] = { 0, 20, 26, 27, 28, 200, 5000 };

    static const char              nested[] =
        "{\"b\":[{\"a\":\"no\"}],\"a\":{\"b\":{},"
        "\"a\":{\"a\":\"\\u0031\"}},\"c\":\"2\"";

    (void) state;

    text = malloc(sizeof(nested) + 5000 * 32);
    assert_non_null(text);

    for (i = 0; i < test_count(sizes); i++) {

        p = text + sprintf(text, "%s", nested);

        for (n = 0; n < sizes[i]; n++) {
            p += sprintf(p, ",\"name%zu\":{\"a\":%zu}", n, n);
        }

        len = p + sprintf(p, "}") - text;

        guarded = guard_text(text, len);

        assert_int_equal(clockodo_json_scan(guarded, len, 0x5eed, &json,
                                            &members),
                         CLOCKODO_JSON_OK);
        assert_int_equal(members.n, 7 + 2 * sizes[i]);

        a = test_find(&members, CLOCKODO_JSON_ROOT, "a");
        b = test_find(&members, a->object, "b");
        assert_int_equal(b->type, OBJECT);
        assert_null(test_find(&members, b->object, "a"));
        assert_null(test_find(&members, a->object, "c"));

        a = test_find(&members, a->object, "a");
        a = test_find(&members, a->object, "a");
        assert_int_equal(a->type, STRING);
        assert_true(a->escaped);
        assert_int_equal(a->len, 6);
        assert_memory_equal(a->data, "\\u0031", 6);

        a = test_find(&members, CLOCKODO_JSON_ROOT, "c");
        assert_false(a->escaped);
        assert_memory_equal(a->data, "2", a->len);

        if (sizes[i]) {
            a = test_find(&members, CLOCKODO_JSON_ROOT, "name19");
            a = test_find(&members, a->object, "a");
            assert_int_equal(a->len, 2);
            assert_memory_equal(a->data, "19", 2);
        }

        clockodo_json_members_free(&members);
        guard_free(guarded, len);
    }

    free(text);
}


static const clockodo_json_value_t *
test_find(const clockodo_json_members_t *members, uint32_t object,
    const char *name)
{
    size_t                        i;
    const clockodo_json_value_t  *value;

    value = NULL;

    for (i = 0; i < members->n; i++) {
        if (members->list[i].object == object
            && clockodo_json_name_is(&members->list[i].name, name,
                                     strlen(name)))
        {
            assert_null(value);
            value = &members->list[i].value;
        }
    }

    return value;
}


static void
test_scan_is(const char *text, size_t len, clockodo_json_e error,
    size_t offset)
{
    size_t                 i;
    clockodo_json_e        result;
    clockodo_json_error_t  json;

    /* the weak ones are too costly for many names */

    for (i = (len > 10000) ? WEAK_KEYS : 0; i < test_count(test_keys); i++) {
        result = test_scan(text, len, test_keys[i], &json);

        if (result != error || (error && json.offset != offset)) {
            fail_msg("%.*s (%zu): \"%s\" at %zu, not \"%s\" at %zu",
                     len > 200 ? 200 : (int) len, text, len,
                     clockodo_json_errors[result], json.offset,
                     clockodo_json_errors[error], offset);
        }
    }
}


static clockodo_json_e
test_scan(const char *text, size_t len, uint32_t key,
    clockodo_json_error_t *json)
{
    clockodo_json_e           error;
    const unsigned char      *p;
    clockodo_json_members_t   members;

    memset(json, 0xff, sizeof(clockodo_json_error_t));
    memset(&members, 0xff, sizeof(clockodo_json_members_t));

    p = guard_text(text, len);
    error = clockodo_json_scan(p, len, key, json, &members);
    guard_free(p, len);

    if (error == CLOCKODO_JSON_OK) {
        clockodo_json_members_free(&members);
    }

    return error;
}


/* a value inside as many levels as there may be within an object */

static char *
test_nest(char *p, const test_nested_t *t, const char *value)
{
    size_t  depth;

    for (depth = 1; depth + t->levels <= 32; depth += t->levels) {
        p += sprintf(p, "%s", t->open);
    }

    p += sprintf(p, depth < 32 ? "[%s]" : "%s", value);

    for (depth = 1; depth + t->levels <= 32; depth += t->levels) {
        p += sprintf(p, "%s", t->close);
    }

    return p;
}


static size_t
test_utf8(char *p, unsigned code)
{
    if (code < 0x80) {
        p[0] = (char) code;
        return 1;
    }

    if (code < 0x800) {
        p[0] = (char) (0xc0 | code >> 6);
        p[1] = (char) (0x80 | (code & 0x3f));
        return 2;
    }

    if (code < 0x10000) {
        p[0] = (char) (0xe0 | code >> 12);
        p[1] = (char) (0x80 | (code >> 6 & 0x3f));
        p[2] = (char) (0x80 | (code & 0x3f));
        return 3;
    }

    p[0] = (char) (0xf0 | code >> 18);
    p[1] = (char) (0x80 | (code >> 12 & 0x3f));
    p[2] = (char) (0x80 | (code >> 6 & 0x3f));
    p[3] = (char) (0x80 | (code & 0x3f));

    return 4;
}


/* an object of n members by number, and one more */

static char *
test_names(const char *format, size_t n, const char *last, size_t *len)
{
    char    *text, *p, name[64];
    size_t   i;

    text = malloc((n + 1) * (sizeof(name) + 8));
    assert_non_null(text);

    p = text;
    *p++ = '{';

    for (i = 0; i < n; i++) {
        (void) snprintf(name, sizeof(name), format, i);
        p += sprintf(p, "\"%s\":0,", name);
    }

    p += sprintf(p, "\"%s\":0}", last);

    *len = p - text;

    return text;
}


static void *
failing_calloc(size_t n, size_t size)
{
    void  *p;

    if (++test_calls == test_fail) {
        return NULL;
    }

    p = calloc(n, size);
    test_live += (p != NULL);

    return p;
}


static void
failing_free(void *p)
{
    test_live -= (p != NULL);
    free(p);
}


int
main(void)
{
    const struct CMUnitTest  tests[] = {
        cmocka_unit_test(json_valid),
        cmocka_unit_test(json_invalid),
        cmocka_unit_test(json_bytes),
        cmocka_unit_test(json_code_units),
        cmocka_unit_test(json_utf8_pairs),
        cmocka_unit_test(json_names_decoded),
        cmocka_unit_test(json_depth),
        cmocka_unit_test(json_many_members),
        cmocka_unit_test(json_cost),
        cmocka_unit_test(json_probes),
        cmocka_unit_test(json_no_memory),
        cmocka_unit_test(json_errors),
        cmocka_unit_test(json_members),
        cmocka_unit_test(json_members_nested)
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
