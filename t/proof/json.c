
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * The scan, for texts of 0 to 65536 bytes: from any place in one, what reads
 * strings, numbers and literals stays in it.
 */


#include "libc.h"


#define LOOP_json_peek_0                                                      \
    LOOP((*p), (BETWEEN(LOOP_ENTRY(*p), *p, s->end)), (s->end - *p))

#define LOOP_json_digits_0                                                    \
    LOOP((p), (BETWEEN(LOOP_ENTRY(p), p, s->end) && p != s->end),             \
         (s->end - p))

#define LOOP_json_string_rest_0                                               \
    LOOP((p, escaped, *s->error), (BETWEEN(LOOP_ENTRY(p), p, s->end)),        \
         (s->end - p))


#include "clockodo_json.c"

#include "json.h"


static json_scan_t             s;
static clockodo_json_error_t   error;
static clockodo_json_value_t   value;


/* a scan that has come to any place */

static const unsigned char *
any_place(void)
{
    any_scan(&s, &error, PROOF_TEXT);

    return any_place_from(&s, s.text);
}


void
prove_json_fail(void)
{
    clockodo_json_e  any;

    (void) json_fail(&s, any_place(), any);
}


void
prove_json_peek(void)
{
    const unsigned char  *p;

    p = any_place();

    (void) json_peek(&s, &p);
}


void
prove_json_literal(void)
{
    size_t  len;

    len = any_up_to(5);

    (void) json_literal(&s, any_place(), (char *) any_text(len), len, &value);
}


void
prove_json_number(void)
{
    (void) json_number(&s, any_place(), &value);
}


void
prove_json_digits(void)
{
    (void) json_digits(&s, any_place());
}


/* json_skip_plain(), as skip.c shows it */

const unsigned char *
stub_json_skip_plain(const unsigned char *p, const unsigned char *end)
{
    __CPROVER_assert(SKIP_REQUIRES(p, end), "json_skip_plain requires");

    return p + any_up_to(end - p);
}


void
prove_json_string(void)
{
    (void) json_string(&s, any_place(), &value);
}


void
prove_json_string_rest(void)
{
    const unsigned char  *p;

    p = any_place();

    (void) json_string_rest(&s, s.text + any_up_to(p - s.text), p, &value);
}


void
prove_json_escape(void)
{
    (void) json_escape(&s, any_place());
}


void
prove_json_hex(void)
{
    (void) json_hex(&s, any_place());
}


void
prove_json_utf8(void)
{
    (void) json_utf8(&s, any_place());
}
