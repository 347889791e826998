
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


/* any double can be told from all others by this many digits */
#define CLOCKODO_NUMBER_DIGITS  17


/* digits[0].digits[1]... * 10^exponent */

typedef struct {
    char                  digits[CLOCKODO_NUMBER_DIGITS];
    int                   ndigits;
    int                   exponent;
} clockodo_decimal_t;


static void clockodo_number_shortest(double value, clockodo_decimal_t *d);
static char *clockodo_number_fixed(char *p, const clockodo_decimal_t *d);
static char *clockodo_number_scientific(char *p, const clockodo_decimal_t *d);
static char *clockodo_number_copy(char *p, const char *text, int n);
static char *clockodo_number_zeros(char *p, int n);


_Static_assert(CLOCKODO_NUMBER_LEN >= sizeof("-0.0000012345678901234567") - 1,
               "CLOCKODO_NUMBER_LEN has no room for the longest number");


uint64_t
clockodo_id_parse(const unsigned char *text, size_t len)
{
    size_t    i;
    uint64_t  id;

    if (len == 0 || len > CLOCKODO_ID_LEN || text[0] == '0') {
        return 0;
    }

    id = 0;

    for (i = 0; i < len; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return 0;
        }

        id = id * 10 + (text[i] - '0');
    }

    return (id <= CLOCKODO_ID_MAX) ? id : 0;
}


size_t
clockodo_number_format(double value, char buf[CLOCKODO_NUMBER_LEN])
{
    char                *p;
    clockodo_decimal_t   d;

    if (!isfinite(value)) {
        return 0;
    }

    p = buf;

    if (value < 0) {
        *p++ = '-';
    }

    clockodo_number_shortest(value, &d);

    if (d.exponent >= -6 && d.exponent <= 20) {
        p = clockodo_number_fixed(p, &d);

    } else {
        p = clockodo_number_scientific(p, &d);
    }

    return p - buf;
}


static void
clockodo_number_shortest(double value, clockodo_decimal_t *d)
{
    int          precision;
    char         text[48], *e;
    const char  *p;

    e = NULL;

    /* not tested: the end, that many digits always read back */

    for (precision = 0; precision < CLOCKODO_NUMBER_DIGITS; precision++) {

        (void) snprintf(text, sizeof(text), "%.*e", precision, value);
        e = strchr(text, 'e');

        if (strtod(text, NULL) == value) {
            break;
        }

        /*
         * A power of two has its next double twice as far above as below.
         * So the nearest decimal, if below, may not read back while its
         * neighbour above does.  After a 9 that one has fewer digits
         * and was tried before.
         */

        if (e[-1] != '9') {
            e[-1]++;

            if (strtod(text, NULL) == value) {
                break;
            }
        }
    }

    /* the decimal point is the locale's and can have several bytes */

    d->ndigits = 0;

    for (p = text; p < e; p++) {
        if (*p - (unsigned) '0' <= 9) {
            d->digits[d->ndigits++] = *p;
        }
    }

    d->exponent = (int) strtol(e + 1, NULL, 10);
}


static char *
clockodo_number_fixed(char *p, const clockodo_decimal_t *d)
{
    int  whole;

    whole = d->exponent + 1;

    if (whole <= 0) {
        p = clockodo_number_copy(p, "0.", 2);
        p = clockodo_number_zeros(p, -whole);

        return clockodo_number_copy(p, d->digits, d->ndigits);
    }

    if (whole >= d->ndigits) {
        p = clockodo_number_copy(p, d->digits, d->ndigits);

        return clockodo_number_zeros(p, whole - d->ndigits);
    }

    p = clockodo_number_copy(p, d->digits, whole);
    *p++ = '.';

    return clockodo_number_copy(p, d->digits + whole, d->ndigits - whole);
}


static char *
clockodo_number_scientific(char *p, const clockodo_decimal_t *d)
{
    int   n;
    char  exponent[16];

    *p++ = d->digits[0];

    if (d->ndigits > 1) {
        *p++ = '.';
        p = clockodo_number_copy(p, d->digits + 1, d->ndigits - 1);
    }

    n = snprintf(exponent, sizeof(exponent), "e%+d", d->exponent);

    return clockodo_number_copy(p, exponent, n);
}


static char *
clockodo_number_copy(char *p, const char *text, int n)
{
    memcpy(p, text, n);

    return p + n;
}


static char *
clockodo_number_zeros(char *p, int n)
{
    memset(p, '0', n);

    return p + n;
}
