
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_EVENT_TYPE_H_INCLUDED_
#define _CLOCKODO_EVENT_TYPE_H_INCLUDED_


#include <stddef.h>


#pragma GCC visibility push(hidden)


#define CLOCKODO_EVENT_NAME_LEN   64


/* a documented event */

typedef struct {
    const char           *name;
    size_t                len;
    unsigned              budget:1;        /* its payload is flat */
} clockodo_event_type_t;


/* the 47 documented events, sorted by name */

#define CLOCKODO_EVENT_TYPES  47

extern const clockodo_event_type_t
    clockodo_event_types[CLOCKODO_EVENT_TYPES];


/* returns NULL if name[0..len) is not documented */
const clockodo_event_type_t *clockodo_event_type(const char *name,
    size_t len);

/* whether c is one of [a-z0-9_], what entities and actions are made of */
int clockodo_event_char(char c);

/*
 * Returns the length of the entity if name[0..len) is "entity.action" of
 * [a-z0-9_], CLOCKODO_EVENT_NAME_LEN bytes at most; otherwise 0.
 */
size_t clockodo_event_entity(const char *name, size_t len);


#pragma GCC visibility pop


#endif /* _CLOCKODO_EVENT_TYPE_H_INCLUDED_ */
