
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* times; a fraction may have any number of digits before it is refused */


#include "libc.h"
#include "core.h"
#include "any.h"


#define LOOP_clockodo_time_is_utc_0                                           \
    LOOP((n), (n >= 1 && n <= len), (len - n))


#include "clockodo_time.c"


static int
clockodo_time_fields(const unsigned char *text,
    int value[CLOCKODO_TIME_FIELDS])
REQUIRES(READABLE(text, CLOCKODO_TIME_FIELDS_LEN)
         && WRITABLE(value, CLOCKODO_TIME_FIELDS * sizeof(int)))
ASSIGNS(__CPROVER_object_upto(value, CLOCKODO_TIME_FIELDS * sizeof(int)))
ENSURES(RESULT == 0 || RESULT == -1)
ENSURES(RESULT == -1
        || (value[CLOCKODO_TIME_CENTURY] >= 0
            && value[CLOCKODO_TIME_CENTURY] <= 99
            && value[CLOCKODO_TIME_YEAR] >= 0
            && value[CLOCKODO_TIME_YEAR] <= 99
            && value[CLOCKODO_TIME_MONTH] >= 1
            && value[CLOCKODO_TIME_MONTH] <= 12
            && value[CLOCKODO_TIME_DAY] >= 1
            && value[CLOCKODO_TIME_DAY] <= 31
            && value[CLOCKODO_TIME_HOUR] >= 0
            && value[CLOCKODO_TIME_HOUR] <= 23
            && value[CLOCKODO_TIME_MINUTE] >= 0
            && value[CLOCKODO_TIME_MINUTE] <= 59
            && value[CLOCKODO_TIME_SECOND] >= 0
            && value[CLOCKODO_TIME_SECOND] <= 59));


static int
clockodo_time_is_utc(const unsigned char *text, size_t len)
REQUIRES(READABLE(text, len))
ASSIGNS()
ENSURES(RESULT == 0 || len <= CLOCKODO_TIME_LEN - CLOCKODO_TIME_FIELDS_LEN);


static int
clockodo_time_days(int year, int month, int day)
REQUIRES(year >= 0 && year <= 9999)
REQUIRES(month >= 1 && month <= 12 && day >= 1 && day <= 31)
ASSIGNS()
ENSURES(RESULT >= -1 && RESULT < 3652425);


void
prove_clockodo_time_parse(void)
{
    size_t   len;
    int64_t  seconds;

    len = any_up_to(PROOF_TEXT);

    (void) clockodo_time_parse(any_text_or_null(len), len, &seconds);
}


void
prove_clockodo_time_fields(void)
{
    int  value[CLOCKODO_TIME_FIELDS];

    (void) clockodo_time_fields(any_text(CLOCKODO_TIME_FIELDS_LEN), value);
}


void
prove_clockodo_time_is_utc(void)
{
    size_t  len;

    len = any_up_to(PROOF_TEXT);

    (void) clockodo_time_is_utc(any_text(len), len);
}


void
prove_clockodo_time_days(void)
{
    int  year, month, day;

    (void) clockodo_time_days(year, month, day);
}
