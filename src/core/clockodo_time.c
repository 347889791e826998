
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_time.h"

#include <string.h>


/* from 0000-01-01 to 1970-01-01 */
#define CLOCKODO_TIME_EPOCH  719528

#define clockodo_time_is_digit(c)  ((c) >= '0' && (c) <= '9')


/* two digits each */

enum {
    CLOCKODO_TIME_CENTURY = 0,
    CLOCKODO_TIME_YEAR,
    CLOCKODO_TIME_MONTH,
    CLOCKODO_TIME_DAY,
    CLOCKODO_TIME_HOUR,
    CLOCKODO_TIME_MINUTE,
    CLOCKODO_TIME_SECOND,
    CLOCKODO_TIME_FIELDS
};


typedef struct {
    size_t                offset;
    unsigned              min;
    unsigned              max;
    unsigned char         separator;       /* what follows, 0: anything */
} clockodo_time_field_t;


static int clockodo_time_fields(const unsigned char *text,
    int value[CLOCKODO_TIME_FIELDS]);
static int clockodo_time_is_utc(const unsigned char *text, size_t len);
static int clockodo_time_days(int year, int month, int day);


#define CLOCKODO_TIME_FIELDS_LEN  (sizeof("0000-00-00T00:00:00") - 1)


static const clockodo_time_field_t  clockodo_time_table[] = {

    [CLOCKODO_TIME_CENTURY] = { 0, 0, 99, 0 },
    [CLOCKODO_TIME_YEAR]    = { 2, 0, 99, '-' },
    [CLOCKODO_TIME_MONTH]   = { 5, 1, 12, '-' },
    [CLOCKODO_TIME_DAY]     = { 8, 1, 31, 'T' },
    [CLOCKODO_TIME_HOUR]    = { 11, 0, 23, ':' },
    [CLOCKODO_TIME_MINUTE]  = { 14, 0, 59, ':' },
    [CLOCKODO_TIME_SECOND]  = { 17, 0, 59, 0 }
};


/* days of a common year before each month, and of all of it */
static const int  clockodo_time_before[] = {
    0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365
};


int
clockodo_time_parse(const unsigned char *text, size_t len, int64_t *seconds)
{
    int     days, value[CLOCKODO_TIME_FIELDS];
    size_t  n;

    n = CLOCKODO_TIME_FIELDS_LEN;

    if (len < n || clockodo_time_fields(text, value) == -1) {
        return -1;
    }

    if (!clockodo_time_is_utc(text + n, len - n)) {
        return -1;
    }

    days = clockodo_time_days(value[CLOCKODO_TIME_CENTURY] * 100
                              + value[CLOCKODO_TIME_YEAR],
                              value[CLOCKODO_TIME_MONTH],
                              value[CLOCKODO_TIME_DAY]);
    if (days == -1) {
        return -1;
    }

    *seconds = ((int64_t) days - CLOCKODO_TIME_EPOCH) * 86400
               + value[CLOCKODO_TIME_HOUR] * 3600
               + value[CLOCKODO_TIME_MINUTE] * 60
               + value[CLOCKODO_TIME_SECOND];

    return 0;
}


static int
clockodo_time_fields(const unsigned char *text,
    int value[CLOCKODO_TIME_FIELDS])
{
    size_t                        i;
    unsigned                      tens, ones, n;
    const unsigned char          *p;
    const clockodo_time_field_t  *field;

    for (i = 0; i < CLOCKODO_TIME_FIELDS; i++) {
        field = &clockodo_time_table[i];
        p = text + field->offset;

        /* unsigned: what is below "0" becomes more than 9 */

        tens = p[0] - (unsigned) '0';
        ones = p[1] - (unsigned) '0';

        if (tens > 9 || ones > 9) {
            return -1;
        }

        n = tens * 10 + ones;

        if (n < field->min || n > field->max) {
            return -1;
        }

        if (field->separator && p[2] != field->separator) {
            return -1;
        }

        value[i] = n;
    }

    return 0;
}


/* what follows the seconds: a fraction or none, then the zone */

static int
clockodo_time_is_utc(const unsigned char *text, size_t len)
{
    size_t  n;

    if (len > 0 && text[0] == '.') {

        for (n = 1; n < len && clockodo_time_is_digit(text[n]); n++) {
            /* void */
        }

        if (n < 2 || n > 10) {
            return 0;
        }

        text += n;
        len -= n;
    }

    return (len == 1 && text[0] == 'Z')
           || (len == 6 && memcmp(text, "+00:00", 6) == 0);
}


/* the days from 0000-01-01, or -1 if the month has no such day */

static int
clockodo_time_days(int year, int month, int day)
{
    int  leap, leap_days, last;

    leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    last = clockodo_time_before[month] - clockodo_time_before[month - 1]
           + (leap && month == 2);

    if (day > last) {
        return -1;
    }

    /* of the years before this one; the year 0 is the first, and a leap one */

    leap_days = (year + 3) / 4 - (year + 99) / 100 + (year + 399) / 400;

    return year * 365 + leap_days + clockodo_time_before[month - 1]
           + (leap && month > 2) + day - 1;
}
