
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* what the scan lets pass is read to the same place */


#include "proof.h"


/* the scan of a string goes by pieces: one byte, one escape, one sequence */

#define ROUND_json_string_rest_0  if (a_piece(p))

static bool a_piece(const unsigned char *p);


#include "clockodo_json_text.c"
#include "clockodo_json.c"

#include "json.h"


/* an escape of two surrogates, and more */
#define ESCAPE_MAX  14

/* more than is looked at in one go */
#define PLAIN_MAX   10


static json_scan_t            s;
static clockodo_json_error_t  error;
static const unsigned char   *piece;
static const unsigned char   *behind;


void
prove_clockodo_json_string_escape(void)
{
    int                      c;
    const unsigned char     *p, *end;
    clockodo_json_string_t   string;

    any_scan(&s, &error, ESCAPE_MAX);

    p = s.text;
    assume(p < s.end && *p == '\\');

    end = json_escape(&s, p);

    if (end == NULL) {
        return;
    }

    string.p = p;
    string.nrest = 0;

    c = clockodo_json_string_escape(&string);

    __CPROVER_assert(string.p == end, "it ends where the scan says");
    __CPROVER_assert(string.nrest <= 3, "there is room for the rest");
    __CPROVER_assert(c > 0 && c <= 0xff, "it stands for a byte");
}


/* clockodo_json_string_escape(), of the piece, as it was shown above */

int
stub_clockodo_json_string_escape(clockodo_json_string_t *string)
{
    __CPROVER_assert(string->p == piece && *string->p == '\\',
                     "clockodo_json_string_escape requires");

    string->p = behind;
    string->nrest = any_up_to(sizeof(string->rest));

    return 1 + any_up_to(0xff - 1);
}


/* one call: -1 at the closing quote, else there is a byte */

static void
next(clockodo_json_string_t *string, bool quote)
{
    int                      c;
    clockodo_json_string_t   old;

    old = *string;
    c = clockodo_json_string_next(string);

    if (old.nrest) {
        __CPROVER_assert(string->p == old.p && string->nrest == old.nrest - 1,
                         "the rest gets less");

    } else if (quote) {
        __CPROVER_assert(c == -1 && string->p == old.p && string->nrest == 0,
                         "it stays at the closing quote");
        return;

    } else {
        __CPROVER_assert(string->p > old.p && string->p <= behind
                         && string->nrest <= sizeof(string->rest),
                         "it goes on, no further than the scan");
    }

    __CPROVER_assert(c >= 0 && c <= 0xff, "it is a byte");
}


/*
 * What the scan let pass from one round to the next is read to the same place.
 * Neither looks at what stands before it, so that is so for each piece of a
 * string of any length.
 */

static void
read_piece(void)
{
    clockodo_json_string_t  string;

    string.p = piece;
    string.nrest = 0;

    while (string.p != behind || string.nrest) {
        next(&string, false);
    }
}


static bool
a_piece(const unsigned char *p)
{
    if (piece == NULL) {
        piece = p;
        return true;
    }

    behind = p;
    read_piece();

    assume(false);

    return false;
}


void
prove_clockodo_json_string_next(void)
{
    const unsigned char     *end;
    clockodo_json_value_t    value;
    clockodo_json_string_t   string;

    any_scan(&s, &error, ESCAPE_MAX);

    end = json_string_rest(&s, s.text, s.text, &value);

    if (end == NULL) {
        return;
    }

    behind = end - 1;

    if (piece) {
        read_piece();
    }

    string.p = behind;
    string.nrest = 0;

    next(&string, true);
}


/* a string without escapes is plain, up to what ends it */

void
prove_json_plain(void)
{
    size_t                len, k;
    unsigned char         text[PLAIN_MAX];
    const unsigned char  *last;

    len = any_up_to(PLAIN_MAX);
    last = json_skip_plain(text, text + len);

    __CPROVER_assert(last == text + len || !json_plain[*last],
                     "it stops at what is not plain");

    k = any_up_to(PLAIN_MAX - 1);

    __CPROVER_assert(text + k >= last || json_plain[text[k]],
                     "what it skips is");
}
