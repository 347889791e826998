
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * The scan against the two strict readers of t/fuzz/, which say what they are
 * made to agree on: every text of up to five bytes of an alphabet, by itself
 * and where a longer text goes on.
 */


#include "clockodo_json.h"
#include "strict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>


#define LEN       5
#define ALPHABET  20

/* 20^0 + 20^1 + ... + 20^5 */
#define TEXTS     3368421


/*
 * What JSON is written with: its six marks, the quote and the backslash; a
 * blank; of numbers the digit that may not lead and one that may, and what
 * stands before, between and behind digits; "true" and "null" as a whole, the
 * "f" of "false" as a start that is none, and of these letters those that
 * follow a backslash.
 */

static const unsigned char  grammar[] = "{}[]\":,\\ 01-.etrunlf";

/* what is left of numbers, and "false" */
static const unsigned char  numbers[] = "019-+.eEfals,:\"[]{} ";

/* of both halves of surrogates, and past either end of the digits */
static const unsigned char  digits[] = "0178abcdefABDFGgu\\\"/";

/* the ends of the ranges of Unicode's table 3-7, and what is one byte */

static const unsigned char  sequences[] =
    "\"\\a\x1f\x7f\x80\x8f\x90\x9f\xa0\xbf\xc1\xc2\xdf\xe0\xed\xef\xf0\xf4\xf5";


#define TEN(s)  s s s s s s s s s s


typedef struct {
    const char           *name;
    const unsigned char  *alphabet;
    const char           *head;
    const char           *tail;
} test_place_t;


static const test_place_t  test_places[] = {
    { "scan_text", grammar, "", "" },
    { "scan_value", grammar, "{\"\":", "}" },
    { "scan_number", numbers, "{\"\":", "}" },
    { "scan_member", grammar, "{\"\":0,", "}" },
    { "scan_name", grammar, "{\"\\n\":0,\"", "\":0}" },
    { "scan_depth_31", grammar, "{\"\":" TEN("[[["), TEN("]]]") "}" },
    { "scan_escape", digits, "{\"\":\"\\u", "\"}" },
    { "scan_surrogate", digits, "{\"\":\"\\ud834\\", "\"}" },
    { "scan_sequence", sequences, "{\"\":\"", "\"}" }
};

#define PLACES  (sizeof(test_places) / sizeof(test_places[0]))


/* how often the scan said what */
static size_t  test_said[CLOCKODO_JSON_ERRORS];


static int test_next(const test_place_t *place, unsigned char *p,
    unsigned letter[LEN], size_t len);
static void test_agree(const unsigned char *text, size_t len);
static void test_disagree(const unsigned char *text, size_t len,
    const int verdict[3]);


static void
scan_agrees(void **state)
{
    size_t               head, tail, len, texts, valid;
    unsigned             letter[LEN];
    unsigned char       *text;
    const test_place_t  *place;

    place = *state;

    head = strlen(place->head);
    tail = strlen(place->tail);

    texts = 0;
    valid = test_said[CLOCKODO_JSON_OK];

    for (len = 0; len <= LEN; len++) {

        /* never of size 0 */

        text = malloc(head + len + tail + 1);
        assert_non_null(text);

        memcpy(text, place->head, head);
        memset(text + head, place->alphabet[0], len);
        memcpy(text + head + len, place->tail, tail);

        memset(letter, 0, sizeof(letter));

        do {
            test_agree(text, head + len + tail);
            texts++;
        } while (test_next(place, text + head, letter, len));

        free(text);
    }

    assert_int_equal(texts, TEXTS);

    valid = test_said[CLOCKODO_JSON_OK] - valid;
    assert_true(valid > 0 && valid < texts);
}


/* the text that comes after text[0..len), as a number after the next */

static int
test_next(const test_place_t *place, unsigned char *p, unsigned letter[LEN],
    size_t len)
{
    size_t  i;

    for (i = len; i > 0; i--) {
        letter[i - 1] = (letter[i - 1] + 1) % ALPHABET;
        p[i - 1] = place->alphabet[letter[i - 1]];

        if (letter[i - 1]) {
            return 1;
        }
    }

    return 0;
}


static void
test_agree(const unsigned char *text, size_t len)
{
    int                      verdict[3];
    json_t                  *root;
    clockodo_json_e          error;
    clockodo_json_error_t    json;
    clockodo_json_members_t  members;

    error = clockodo_json_scan(text, len, 1, &json, &members);
    test_said[error]++;

    if (error == CLOCKODO_JSON_OK) {
        clockodo_json_members_free(&members);
    }

    root = strict_jansson((const char *) text, len);

    verdict[0] = (error == CLOCKODO_JSON_OK);
    verdict[1] = (root != NULL);
    verdict[2] = strict_nlohmann((const char *) text, len);

    if (root) {
        json_decref(root);
    }

    if (verdict[0] != verdict[1] || verdict[0] != verdict[2]) {
        test_disagree(text, len, verdict);
    }
}


static void
test_disagree(const unsigned char *text, size_t len, const int verdict[3])
{
    size_t  i;
    char    shown[3 * 128 + 1];

    for (i = 0; i < len && i < 128; i++) {
        (void) snprintf(shown + 3 * i, 4, " %02x", text[i]);
    }

    fail_msg("the scan says %d, jansson %d, nlohmann %d of%s", verdict[0],
             verdict[1], verdict[2], shown);
}


/* no error is out of reach of the alphabets but these */

static void
scan_every_error(void **state)
{
    size_t  i;

    (void) state;

    for (i = 0; i < CLOCKODO_JSON_ERRORS; i++) {

        if (i == CLOCKODO_JSON_NO_MEMORY || i == CLOCKODO_JSON_BOM) {
            continue;
        }

        if (test_said[i] == 0) {
            fail_msg("no text was \"%s\"", clockodo_json_errors[i]);
        }
    }
}


int
main(void)
{
    size_t             i;
    struct CMUnitTest  tests[PLACES + 1];

    _Static_assert(sizeof(grammar) == ALPHABET + 1
                   && sizeof(numbers) == ALPHABET + 1
                   && sizeof(digits) == ALPHABET + 1
                   && sizeof(sequences) == ALPHABET + 1,
                   "an alphabet has not as many bytes as it should");

    memset(tests, 0, sizeof(tests));

    for (i = 0; i < PLACES; i++) {
        tests[i].name = test_places[i].name;
        tests[i].test_func = scan_agrees;
        tests[i].initial_state = (void *) &test_places[i];
    }

    tests[PLACES].name = "scan_every_error";
    tests[PLACES].test_func = scan_every_error;

    return cmocka_run_group_tests(tests, NULL, NULL);
}
