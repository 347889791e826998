
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* ids and numbers; what libc prints and reads is taken from the C standard */


#include "libc.h"
#include "core.h"
#include "any.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>


#undef isfinite
#define isfinite(value)  __CPROVER_isfinited(value)

/* the bytes of a decimal point, as locales have it */
#define POINT_MAX        4

/* of a finite double, in its shortest form too */
#define EXPONENT_MIN     (-324)
#define EXPONENT_MAX     308


/*
 * 7.21.6.1: "%.*e" is a sign or none, a digit, a decimal point and as many
 * digits as the precision says, unless that is 0, an "e" and the exponent, with
 * its sign and two digits or more.
 */

static int
print_scientific(char *text, size_t size, const char *format, int precision,
    double value)
{
    size_t  i, sign, point, e, end;

    assert(precision >= 0 && precision < 17);

    sign = nondet_bool();
    point = precision ? 1 + any_up_to(POINT_MAX - 1) : 0;
    e = sign + 1 + point + precision;
    end = e + 4 + nondet_bool();

    assert(end < size);

    __CPROVER_havoc_slice(text, end + 1);

    for (i = 0; i < 2 + POINT_MAX + 16; i++) {
        if (i < e) {
            assume(text[i] != 'e');
            assume((text[i] >= '0' && text[i] <= '9')
                   == (i == sign || i > sign + point));
        }
    }

    assume(text[e] == 'e' && text[end] == '\0');

    return end;
}


/* 7.21.6.1: "e%+d" */

static int
print_exponent(char *text, size_t size, const char *format, int n)
{
    int  len;

    assert(n > -1000 && n < 1000);

    len = (n > -10 && n < 10) ? 3 : (n > -100 && n < 100) ? 4 : 5;

    assert((size_t) len < size);

    __CPROVER_havoc_slice(text, len + 1);

    return len;
}


/* 7.24.5.2; there is one */

static char *
find_e(char *text, int c)
{
    while (*text != c) {
        text++;
    }

    return text;
}


/* 7.22.1.3, 7.22.1.4 */

static double
read_number(const char *text, char **end)
{
    double  any;

    assert(READABLE(text, 1) && end == NULL);

    return any;
}


static long
read_exponent(const char *text, char **end, int base)
{
    int  any;

    assert(text[-1] == 'e' && end == NULL && base == 10);
    assume(any >= EXPONENT_MIN && any <= EXPONENT_MAX);

    return any;
}


#define snprintf(text, size, ...)                                             \
    print(__VA_ARGS__, print_scientific, print_exponent)                      \
        (text, size, __VA_ARGS__)

#define print(format, n, value, name, ...)  name

#define strchr  find_e
#define strtod  read_number
#define strtol  read_exponent


#include "clockodo_number.c"


static void
clockodo_number_shortest(double value, clockodo_decimal_t *d)
REQUIRES(WRITABLE(d, sizeof(clockodo_decimal_t)))
ASSIGNS(*d)
ENSURES(d->ndigits >= 1 && d->ndigits <= CLOCKODO_NUMBER_DIGITS)
ENSURES(d->exponent >= EXPONENT_MIN && d->exponent <= EXPONENT_MAX);


void
prove_clockodo_id_parse(void)
{
    size_t  len;

    len = any_up_to(PROOF_TEXT);

    (void) clockodo_id_parse(any_text_or_null(len), len);
}


void
prove_clockodo_number_format(void)
{
    char    buf[CLOCKODO_NUMBER_LEN];
    double  any;

    (void) clockodo_number_format(any, buf);
}


void
prove_clockodo_number_shortest(void)
{
    double              any;
    clockodo_decimal_t  d;

    clockodo_number_shortest(any, &d);
}
