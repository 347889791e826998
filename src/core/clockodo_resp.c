
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "clockodo_resp.h"

#include <string.h>


/* of Redis's own codes the longest is CLUSTERDOWN */
#define CLOCKODO_RESP_CODE_LEN  32

/* two numbers of 64 bits and a dash */
#define CLOCKODO_RESP_ID_LEN    41


static size_t clockodo_resp_digits(size_t n);
static unsigned char *clockodo_resp_header(unsigned char *p, char type,
    size_t n);
static clockodo_resp_e clockodo_resp_match(const unsigned char *p, size_t len,
    const char *text, clockodo_resp_e found, clockodo_resp_reply_t *reply);
static clockodo_resp_e clockodo_resp_error(const unsigned char *p, size_t len,
    clockodo_resp_reply_t *reply);
static clockodo_resp_e clockodo_resp_id(const unsigned char *p, size_t len,
    clockodo_resp_reply_t *reply);
static int clockodo_resp_is_id(const unsigned char *p, size_t len);


size_t
clockodo_resp_size(const clockodo_str_t *args, size_t nargs)
{
    size_t  i, size;

    size = sizeof("*\r\n") - 1 + clockodo_resp_digits(nargs);

    for (i = 0; i < nargs; i++) {
        size += sizeof("$\r\n\r\n") - 1 + clockodo_resp_digits(args[i].len)
                + args[i].len;
    }

    return size;
}


unsigned char *
clockodo_resp_write(unsigned char *p, const clockodo_str_t *args,
    size_t nargs)
{
    size_t  i;

    p = clockodo_resp_header(p, '*', nargs);

    for (i = 0; i < nargs; i++) {
        p = clockodo_resp_header(p, '$', args[i].len);

        /* an empty one may be NULL */

        if (args[i].len) {
            memcpy(p, args[i].data, args[i].len);
            p += args[i].len;
        }

        *p++ = '\r';
        *p++ = '\n';
    }

    return p;
}


static size_t
clockodo_resp_digits(size_t n)
{
    size_t  digits;

    for (digits = 1; n >= 10; digits++) {
        n /= 10;
    }

    return digits;
}


static unsigned char *
clockodo_resp_header(unsigned char *p, char type, size_t n)
{
    unsigned char  *last;

    *p++ = type;

    last = p + clockodo_resp_digits(n);
    p = last;

    do {
        *--p = '0' + n % 10;
        n /= 10;
    } while (n);

    *last++ = '\r';
    *last++ = '\n';

    return last;
}


clockodo_resp_e
clockodo_resp_read(const unsigned char *p, size_t len,
    clockodo_resp_reply_t *reply)
{
    reply->len = 0;

    if (len == 0) {
        return CLOCKODO_RESP_AGAIN;
    }

    switch (p[0]) {

    case '+':
        return clockodo_resp_match(p, len, "+OK\r\n", CLOCKODO_RESP_OK,
                                   reply);

    case '-':
        return clockodo_resp_error(p, len, reply);

    case '$':
        if (len > 1 && p[1] == '-') {
            return clockodo_resp_match(p, len, "$-1\r\n", CLOCKODO_RESP_NULL,
                                       reply);
        }

        return clockodo_resp_id(p, len, reply);

    default:
        return CLOCKODO_RESP_INVALID;
    }
}


static clockodo_resp_e
clockodo_resp_match(const unsigned char *p, size_t len, const char *text,
    clockodo_resp_e found, clockodo_resp_reply_t *reply)
{
    size_t  n;

    n = strlen(text);

    if (memcmp(p, text, len < n ? len : n) != 0) {
        return CLOCKODO_RESP_INVALID;
    }

    if (len < n) {
        return CLOCKODO_RESP_AGAIN;
    }

    reply->len = n;

    return found;
}


/*
 * Only the first word is taken: what follows may be anything, also what a
 * command has said.
 */

static clockodo_resp_e
clockodo_resp_error(const unsigned char *p, size_t len,
    clockodo_resp_reply_t *reply)
{
    size_t  i;

    for (i = 1; i < len && p[i] >= 'A' && p[i] <= 'Z'; i++) {
        /* void */
    }

    reply->code.data = (const char *) p + 1;
    reply->code.len = i - 1;

    if (reply->code.len > CLOCKODO_RESP_CODE_LEN) {
        reply->code.len = 0;
        return CLOCKODO_RESP_ERROR;
    }

    if (i == len) {
        return CLOCKODO_RESP_AGAIN;
    }

    if (p[i] != ' ' && p[i] != '\r') {
        reply->code.len = 0;
    }

    return CLOCKODO_RESP_ERROR;
}


static clockodo_resp_e
clockodo_resp_id(const unsigned char *p, size_t len,
    clockodo_resp_reply_t *reply)
{
    size_t  i, n;

    n = 0;

    for (i = 1; i < len && i < 3 && p[i] >= '0' && p[i] <= '9'; i++) {
        n = n * 10 + p[i] - '0';
    }

    if (i == len) {
        return CLOCKODO_RESP_AGAIN;
    }

    if (n == 0 || n > CLOCKODO_RESP_ID_LEN || p[i] != '\r') {
        return CLOCKODO_RESP_INVALID;
    }

    if (++i == len) {
        return CLOCKODO_RESP_AGAIN;
    }

    if (p[i++] != '\n') {
        return CLOCKODO_RESP_INVALID;
    }

    if (len < i + n + 2) {
        return CLOCKODO_RESP_AGAIN;
    }

    if (!clockodo_resp_is_id(p + i, n)
        || p[i + n] != '\r'
        || p[i + n + 1] != '\n')
    {
        return CLOCKODO_RESP_INVALID;
    }

    reply->len = i + n + 2;

    return CLOCKODO_RESP_ID;
}


static int
clockodo_resp_is_id(const unsigned char *p, size_t len)
{
    size_t  i, dash;

    dash = 0;

    for (i = 0; i < len; i++) {

        if (p[i] == '-' && dash == 0) {
            dash = i;
            continue;
        }

        if (p[i] < '0' || p[i] > '9') {
            return 0;
        }
    }

    return dash > 0 && dash < len - 1;
}


clockodo_resp_tag_e
clockodo_resp_tag(const char *key, size_t len)
{
    const char  *start, *end;

    if (len == 0) {
        return CLOCKODO_RESP_NO_TAG;
    }

    start = memchr(key, '{', len);

    if (start) {
        start++;
        end = memchr(start, '}', key + len - start);

        if (end && end > start) {
            return CLOCKODO_RESP_TAG;
        }
    }

    return memchr(key, '}', len) ? CLOCKODO_RESP_NO_TAG_POSSIBLE
                                 : CLOCKODO_RESP_NO_TAG;
}
