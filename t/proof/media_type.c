
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* the value of a Content-Type header */


#include "libc.h"
#include "any.h"


#define MEDIA_TYPE_STAYS(left)                                                \
    LOOP((p), (BETWEEN(LOOP_ENTRY(p), p, left)), (left - p))

#define LOOP_clockodo_media_type_ows_0    MEDIA_TYPE_STAYS(last)
#define LOOP_clockodo_media_type_token_0  MEDIA_TYPE_STAYS(last)

#define LOOP_clockodo_media_type_value_0                                      \
    LOOP((p, *value), (BETWEEN(LOOP_ENTRY(p), p, end)), (end - p))

#define LOOP_clockodo_media_type_quoted_0                                     \
    LOOP((p, *value), (BETWEEN(LOOP_ENTRY(p), p, last)), (last - p))

#include "clockodo_media_type.c"


#define IN_VALUE(p, last)  (BETWEEN(p, p, last) && READABLE(p, last - p))

#define VALUE_MAX    64
#define IS_JSON_MAX  20

#define VALUE(value)  WRITABLE(value, sizeof(clockodo_media_type_value_t))

/* the name is not empty */

#define CHARSET(name, end, value)                                             \
    (IN_VALUE(name, end) && name != end                                       \
     && READABLE(value, sizeof(clockodo_media_type_value_t)))

#define LOWER(lower)                                                          \
    (lower == clockodo_media_type_json                                        \
     || lower == clockodo_media_type_charset                                  \
     || lower == clockodo_media_type_utf8)


static const unsigned char *
clockodo_media_type_value(const unsigned char *p,
    const unsigned char *last, clockodo_media_type_value_t *value)
REQUIRES(IN_VALUE(p, last) && VALUE(value))
ASSIGNS(*value)
ENSURES(RESULT == NULL || NEAR(p, RESULT, last));


static const unsigned char *
clockodo_media_type_quoted(const unsigned char *p,
    const unsigned char *last, clockodo_media_type_value_t *value)
REQUIRES(IN_VALUE(p, last) && VALUE(value))
ASSIGNS(*value)
ENSURES(RESULT == NULL || NEAR(p, RESULT, last));


static int
clockodo_media_type_charset_ok(const unsigned char *name,
    const unsigned char *end, const clockodo_media_type_value_t *value)
REQUIRES(CHARSET(name, end, value))
ASSIGNS();


static int
clockodo_media_type_extended_ok(const unsigned char *p,
    const unsigned char *last)
REQUIRES(IN_VALUE(p, last) && last - p <= VALUE_MAX)
ASSIGNS();


static const unsigned char *
clockodo_media_type_token(const unsigned char *p, const unsigned char *last)
REQUIRES(IN_VALUE(p, last))
ASSIGNS()
ENSURES(NEAR(p, RESULT, last));


static const unsigned char *
clockodo_media_type_ows(const unsigned char *p, const unsigned char *last)
REQUIRES(IN_VALUE(p, last))
ASSIGNS()
ENSURES(NEAR(p, RESULT, last));


static int
clockodo_media_type_equal(const unsigned char *p, const unsigned char *last,
    const char *lower)
REQUIRES(IN_VALUE(p, last))
REQUIRES(LOWER(lower))
ASSIGNS();


/*
 * The same contracts, for the two proofs below that would take long with those
 * of CBMC: what is required is asserted, and any place that NEAR allows comes
 * back.
 */

const unsigned char *
stub_stays(const unsigned char *p, const unsigned char *last)
{
    __CPROVER_assert(IN_VALUE(p, last), "what stays requires");

    return p + any_up_to(last - p);
}


const unsigned char *
stub_value(const unsigned char *p, const unsigned char *last,
    clockodo_media_type_value_t *value)
{
    clockodo_media_type_value_t  any;

    __CPROVER_assert(IN_VALUE(p, last) && VALUE(value), "value requires");

    *value = any;

    return nondet_bool() ? p + any_up_to(last - p) : NULL;
}


int
stub_charset_ok(const unsigned char *name, const unsigned char *end,
    const clockodo_media_type_value_t *value)
{
    __CPROVER_assert(CHARSET(name, end, value), "charset_ok requires");

    return nondet_int();
}


int
stub_equal(const unsigned char *p, const unsigned char *last,
    const char *lower)
{
    __CPROVER_assert(IN_VALUE(p, last) && LOWER(lower), "equal requires");

    return nondet_int();
}


/* from any place in a value to another one */

static const unsigned char *
any_value(const unsigned char **last)
{
    size_t                len;
    const unsigned char  *text;

    len = any_up_to(PROOF_TEXT);
    text = any_text(len);
    *last = text + len;

    return text + any_up_to(len);
}


void
prove_clockodo_media_type_is_json(void)
{
    int     rc;
    size_t  len;

    len = any_up_to(IS_JSON_MAX);

    rc = clockodo_media_type_is_json(any_text_or_null(len), len);

    __CPROVER_assert(rc == 0 || rc == 1, "yes or no");
}


void
prove_clockodo_media_type_value(void)
{
    const unsigned char         *p, *last;
    clockodo_media_type_value_t  value;

    p = any_value(&last);

    (void) clockodo_media_type_value(p, last, &value);
}


void
prove_clockodo_media_type_quoted(void)
{
    const unsigned char         *p, *last;
    clockodo_media_type_value_t  value;

    p = any_value(&last);

    (void) clockodo_media_type_quoted(p, last, &value);
}


void
prove_clockodo_media_type_charset_ok(void)
{
    const unsigned char         *p, *last;
    clockodo_media_type_value_t  value;

    p = any_value(&last);

    (void) clockodo_media_type_charset_ok(p, last, &value);
}


void
prove_clockodo_media_type_extended_ok(void)
{
    size_t                len;
    const unsigned char  *p;

    len = any_up_to(20);
    p = any_text(len);

    (void) clockodo_media_type_extended_ok(p, p + len);
}


void
prove_clockodo_media_type_token(void)
{
    const unsigned char  *p, *last;

    p = any_value(&last);

    (void) clockodo_media_type_token(p, last);
}


void
prove_clockodo_media_type_ows(void)
{
    const unsigned char  *p, *last;

    p = any_value(&last);

    (void) clockodo_media_type_ows(p, last);
}


void
prove_clockodo_media_type_equal(void)
{
    const unsigned char  *p, *last;

    p = any_value(&last);

    (void) clockodo_media_type_equal(p, last,
                                     nondet_bool() ? clockodo_media_type_json
                                     : nondet_bool()
                                     ? clockodo_media_type_charset
                                     : clockodo_media_type_utf8);
}
