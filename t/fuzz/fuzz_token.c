
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * Lines of a token file against a regular expression.
 */


#define _GNU_SOURCE

#include "clockodo_number.h"
#include "clockodo_token.h"
#include "fuzz.h"

#include <regex.h>
#include <string.h>


/* the second group is all that follows, the third one the ids */

#define TOKEN_FORM                                                            \
    "^[ \t]*([^ \t]+)([ \t]+subscription=([1-9][0-9]*(,[1-9][0-9]*)*))?[ \t]*$"


static int token_line(const char *line, regmatch_t *group);
static int token_ids(const char *ids, size_t len);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                  *line;
    int                    blank, ok;
    regmatch_t             group[4];
    clockodo_token_line_t  tl;
    clockodo_token_line_e  rc;

    rc = clockodo_token_line_parse(data, size, &tl);

    fuzz_check((rc == CLOCKODO_TOKEN_LINE_NUL)
               == (memchr(data, '\0', size) != NULL));

    if (rc == CLOCKODO_TOKEN_LINE_NUL) {
        return 0;
    }

    line = strndup((const char *) data, size);
    fuzz_check(line != NULL);

    if (size && line[size - 1] == '\r') {
        line[size - 1] = '\0';
    }

    blank = (line[0] == '#' || line[strspn(line, " \t")] == '\0');

    fuzz_check((rc == CLOCKODO_TOKEN_LINE_BLANK) == blank);

    ok = !blank && token_line(line, group);

    fuzz_check((rc == CLOCKODO_TOKEN_LINE_OK) == ok);

    if (ok) {
        fuzz_check(tl.token == data + group[1].rm_so);
        fuzz_check(tl.token_len == (size_t) (group[1].rm_eo - group[1].rm_so));
        fuzz_check((tl.subscriptions_len == 0) == (group[3].rm_so == -1));
        fuzz_check(tl.subscriptions_len
                   == (size_t) (group[3].rm_eo - group[3].rm_so));
        fuzz_check(tl.subscriptions_len == 0
                   || tl.subscriptions == data + group[3].rm_so);
    }

    free(line);

    return 0;
}


static int
token_line(const char *line, regmatch_t *group)
{
    static int      compiled;
    static regex_t  form;

    if (!compiled) {
        fuzz_check(regcomp(&form, TOKEN_FORM, REG_EXTENDED) == 0);
        compiled = 1;
    }

    return regexec(&form, line, 4, group, 0) == 0
           && (group[3].rm_so == -1
               || token_ids(line + group[3].rm_so,
                            group[3].rm_eo - group[3].rm_so));
}


/* whether none is too large, and all are read */

static int
token_ids(const char *ids, size_t len)
{
    char      *end;
    size_t     i, n;
    uint64_t  *read;

    read = calloc(len, sizeof(uint64_t));
    fuzz_check(read != NULL);

    n = clockodo_subscriptions_parse((const uint8_t *) ids, len, read);

    for (i = 0; /* void */ ; i++) {
        if (strtoull(ids, &end, 10) > CLOCKODO_ID_MAX) {
            fuzz_check(n == 0);
            break;
        }

        fuzz_check(n == 0 || read[i] == strtoull(ids, NULL, 10));

        if (*end != ',') {
            fuzz_check(n == i + 1);
            break;
        }

        ids = end + 1;
    }

    free(read);

    return n > 0;
}
