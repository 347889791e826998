
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include <string.h>

#include "clockodo_json.h"
#include "clockodo_json_text.h"


/* all that is here reads what has passed the scan */


static int json_is(const unsigned char *name, const char *expected,
    size_t len);
static const unsigned char *json_skip(const unsigned char *p,
    const unsigned char *end);
static const unsigned char *json_skip_string(const unsigned char *p,
    const unsigned char *end);
static const unsigned char *json_skip_scalar(const unsigned char *p,
    const unsigned char *end);


void
clockodo_json_members(const unsigned char *text, size_t len,
    clockodo_json_member_t *members, size_t n)
{
    size_t                  i;
    const unsigned char    *p, *end, *name;
    clockodo_json_value_t   value;

    for (i = 0; i < n; i++) {
        memset(&members[i].value, 0, sizeof(clockodo_json_value_t));
    }

    end = text + len;

    p = clockodo_json_space(clockodo_json_space(text, end) + 1, end);

    while (p < end && *p == '"') {

        name = p + 1;

        p = clockodo_json_space(json_skip_string(name, end), end);
        p = clockodo_json_space(p + 1, end);

        value.data = p;

        p = json_skip(p, end);

        value.len = p - value.data;

        if (*value.data == '"') {
            value.data++;
            value.len -= 2;
        }

        for (i = 0; i < n; i++) {
            if (json_is(name, members[i].name, members[i].len)) {
                members[i].value = value;
                break;
            }
        }

        p = clockodo_json_space(p, end);

        if (p < end && *p == ',') {
            p = clockodo_json_space(p + 1, end);
        }
    }
}


static int
json_is(const unsigned char *name, const char *expected, size_t len)
{
    size_t                  i;
    clockodo_json_string_t  string;

    string.p = name;
    string.nrest = 0;

    for (i = 0; i < len; i++) {
        if (clockodo_json_string_next(&string) != (unsigned char) expected[i]) {
            return 0;
        }
    }

    return clockodo_json_string_next(&string) == -1;
}


static const unsigned char *
json_skip(const unsigned char *p, const unsigned char *end)
{
    size_t  depth;

    depth = 0;

    do {
        switch (*p) {

        case '"':
            p = json_skip_string(p + 1, end);
            break;

        case '{':
        case '[':
            depth++;
            p++;
            break;

        case '}':
        case ']':
            depth--;
            p++;
            break;

        case ',':
        case ':':
        case ' ':
        case '\t':
        case '\n':
        case '\r':
            p++;
            break;

        default:
            p = json_skip_scalar(p, end);
        }

    } while (depth && p < end);

    return p;
}


static const unsigned char *
json_skip_string(const unsigned char *p, const unsigned char *end)
{
    while (p < end && *p != '"') {
        p += (*p == '\\') ? 2 : 1;
    }

    return p + 1;
}


static const unsigned char *
json_skip_scalar(const unsigned char *p, const unsigned char *end)
{
    while (p < end
           && ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z')
               || *p == 'E' || *p == '-' || *p == '+' || *p == '.'))
    {
        p++;
    }

    return p;
}


void
clockodo_json_cut_numbers(unsigned char *text, size_t len)
{
    unsigned char        *p;
    const unsigned char  *end, *next;

    end = text + len;

    for (p = text; p < end; p = (unsigned char *) next) {

        if (*p == '"') {
            next = json_skip_string(p + 1, end);
            continue;
        }

        if (*p != '-' && (*p < '0' || *p > '9')) {
            next = p + 1;
            continue;
        }

        next = json_skip_scalar(p, end);

        if (next - p > CLOCKODO_JSON_NUMBER_LEN) {
            memset(p, ' ', next - p);
            *p = '0';
        }
    }
}
