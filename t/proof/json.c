
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * The scan, for texts of 0 to 65536 bytes: from any place in one, each of its
 * functions stays in it.
 */


#include "proof.h"

#define IN_TEXT(s, p)  BETWEEN((s)->text, p, (s)->end)


#define LOOP_json_digits_0                                                    \
    LOOP((p), (BETWEEN(LOOP_ENTRY(p), p, s->end) && p != s->end),             \
         (s->end - p))


#include "clockodo_json.c"


static const unsigned char *
json_fail(json_scan_t *s, const unsigned char *p, clockodo_json_e error)
REQUIRES(IN_TEXT(s, p))
REQUIRES(error > CLOCKODO_JSON_OK && error < CLOCKODO_JSON_ERRORS)
ASSIGNS(*s->error)
ENSURES(RESULT == NULL)
ENSURES(s->error->code > CLOCKODO_JSON_OK
        && s->error->code < CLOCKODO_JSON_ERRORS)
ENSURES(s->error->offset <= s->end - s->text);


/* what is found starts where it was, or behind that */

static const unsigned char *
json_digits(json_scan_t *s, const unsigned char *p)
REQUIRES(IN_TEXT(s, p))
ASSIGNS(*s->error)
ENSURES(RESULT == NULL || NEAR(p, RESULT, s->end));


static json_scan_t             s;
static clockodo_json_error_t   error;


/* a scan that has come to any place */

static const unsigned char *
any_place(void)
{
    size_t  len;

    len = any_up_to(PROOF_TEXT);

    s.text = any_text(len);
    s.end = s.text + len;
    s.error = &error;

    return s.text + any_up_to(len);
}


void
prove_json_fail(void)
{
    clockodo_json_e  any;

    (void) json_fail(&s, any_place(), any);
}


void
prove_json_digits(void)
{
    (void) json_digits(&s, any_place());
}
