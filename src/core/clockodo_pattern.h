
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_PATTERN_H_INCLUDED_
#define _CLOCKODO_PATTERN_H_INCLUDED_


#include "clockodo_str.h"


#pragma GCC visibility push(hidden)


/* "entity.action"; a part that is "*" has length 0 */

typedef struct {
    clockodo_str_t             entity;
    clockodo_str_t             action;
} clockodo_pattern_t;


/*
 * Reads "*", "entity.*", "*.action", "*.*" or "entity.action" of
 * [a-z0-9_].  Returns 0 and sets *pattern, which then points into the text,
 * or -1.  text may be NULL if len is 0.
 */
int clockodo_pattern_parse(const char *text, size_t len,
    clockodo_pattern_t *pattern)
    __attribute__((warn_unused_result));

/* returns 1 or 0 */
int clockodo_pattern_match(const clockodo_pattern_t *pattern,
    const clockodo_str_t *entity, const clockodo_str_t *action);


#pragma GCC visibility pop


#endif /* _CLOCKODO_PATTERN_H_INCLUDED_ */
