
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_TIME_H_INCLUDED_
#define _CLOCKODO_TIME_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#pragma GCC visibility push(hidden)


/* "1986-05-10T17:02:00.123456789+00:00" */
#define CLOCKODO_TIME_LEN  35


/*
 * Reads an RFC 3339 (section 5.6) date-time in UTC: upper-case "T", "Z" or
 * "+00:00", 1 to 9 digits of fraction or none, seconds 00 to 59, a date
 * that the Gregorian calendar has.  Nothing before or after it.
 *
 * On success returns 0 and sets *seconds, counted from 1970-01-01T00:00:00Z
 * and negative before it; the fraction is checked and dropped.  Otherwise
 * returns -1 and leaves *seconds alone.
 */
int clockodo_time_parse(const unsigned char *text, size_t len,
    int64_t *seconds)
    __attribute__((warn_unused_result));


#pragma GCC visibility pop


#endif /* _CLOCKODO_TIME_H_INCLUDED_ */
