
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * RFC 3339 against a regular expression and the C library's calendar: the
 * same texts are times, and they are the same seconds.
 */


#define _GNU_SOURCE

#include "clockodo_time.h"
#include "fuzz.h"

#include <regex.h>
#include <string.h>
#include <time.h>


#define TIME_FORM                                                             \
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"                  \
    "([.][0-9]{1,9})?(Z|[+]00:00)$"


static int time_read(const char *text, int64_t *seconds);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int       rc, expected;
    char     *text;
    int64_t   seconds, other;

    text = strndup((const char *) data, size);
    fuzz_check(text != NULL);

    /* a text with a NUL in it is none */

    expected = memchr(data, '\0', size) == NULL ? time_read(text, &other) : -1;

    seconds = 1;
    rc = clockodo_time_parse(data, size, &seconds);

    fuzz_check(rc == expected);
    fuzz_check(seconds == (rc == 0 ? other : 1));
    fuzz_check(rc != 0 || size <= CLOCKODO_TIME_LEN);

    free(text);

    return 0;
}


/* a date that the calendar does not have comes back as another one */

static int
time_read(const char *text, int64_t *seconds)
{
    time_t           t;
    struct tm        tm, back;
    static int       compiled;
    static regex_t   form;

    if (!compiled) {
        fuzz_check(regcomp(&form, TIME_FORM, REG_EXTENDED|REG_NOSUB) == 0);
        compiled = 1;
    }

    if (regexec(&form, text, 0, NULL, 0) != 0) {
        return -1;
    }

    memset(&tm, 0, sizeof(struct tm));

    fuzz_check(sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon,
                      &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec)
               == 6);

    tm.tm_year -= 1900;
    tm.tm_mon--;

    back = tm;
    t = timegm(&back);

    if (back.tm_year != tm.tm_year || back.tm_mon != tm.tm_mon
        || back.tm_mday != tm.tm_mday || back.tm_hour != tm.tm_hour
        || back.tm_min != tm.tm_min || back.tm_sec != tm.tm_sec)
    {
        return -1;
    }

    *seconds = t;

    return 0;
}
