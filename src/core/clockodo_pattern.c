
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include <string.h>

#include "clockodo_event_type.h"
#include "clockodo_pattern.h"


static int pattern_part(const char *text, size_t len, clockodo_str_t *part);
static int pattern_part_match(const clockodo_str_t *part,
    const clockodo_str_t *name);


int
clockodo_pattern_parse(const char *text, size_t len,
    clockodo_pattern_t *pattern)
{
    const char  *dot;

    if (len == 0) {
        return -1;
    }

    if (len == 1 && text[0] == '*') {
        memset(pattern, 0, sizeof(clockodo_pattern_t));
        return 0;
    }

    dot = memchr(text, '.', len);

    if (dot == NULL
        || pattern_part(text, dot - text, &pattern->entity) != 0
        || pattern_part(dot + 1, len - (dot + 1 - text), &pattern->action)
           != 0)
    {
        return -1;
    }

    return 0;
}


static int
pattern_part(const char *text, size_t len, clockodo_str_t *part)
{
    size_t  i;

    if (len == 0) {
        return -1;
    }

    part->data = text;
    part->len = len;

    if (len == 1 && text[0] == '*') {
        part->len = 0;
        return 0;
    }

    for (i = 0; i < len; i++) {
        if (!clockodo_event_char(text[i])) {
            return -1;
        }
    }

    return 0;
}


int
clockodo_pattern_match(const clockodo_pattern_t *pattern,
    const clockodo_str_t *entity, const clockodo_str_t *action)
{
    return pattern_part_match(&pattern->entity, entity)
           && pattern_part_match(&pattern->action, action);
}


static int
pattern_part_match(const clockodo_str_t *part, const clockodo_str_t *name)
{
    return part->len == 0
           || (part->len == name->len
               && memcmp(part->data, name->data, part->len) == 0);
}
