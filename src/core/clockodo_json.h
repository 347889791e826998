
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_JSON_H_INCLUDED_
#define _CLOCKODO_JSON_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>

#include "clockodo_json_members.h"


#pragma GCC visibility push(hidden)


/* arrays and objects inside each other, the outermost one included */
#define CLOCKODO_JSON_DEPTH      32

typedef enum {
    CLOCKODO_JSON_OK = 0,
    CLOCKODO_JSON_NO_MEMORY,
    CLOCKODO_JSON_BOM,
    CLOCKODO_JSON_END,                     /* ended too early */
    CLOCKODO_JSON_TRAILING,
    CLOCKODO_JSON_NOT_OBJECT,
    CLOCKODO_JSON_VALUE,                   /* no value starts like this */
    CLOCKODO_JSON_LITERAL,
    CLOCKODO_JSON_NUMBER,
    CLOCKODO_JSON_CONTROL,
    CLOCKODO_JSON_ESCAPE,
    CLOCKODO_JSON_NUL,
    CLOCKODO_JSON_SURROGATE,
    CLOCKODO_JSON_UTF8,
    CLOCKODO_JSON_NAME,
    CLOCKODO_JSON_COLON,
    CLOCKODO_JSON_COMMA,
    CLOCKODO_JSON_DEPTH_EXCEEDED,
    CLOCKODO_JSON_DUPLICATE,
    CLOCKODO_JSON_ERRORS
} clockodo_json_e;


typedef struct {
    size_t                offset;          /* of the first wrong byte, from 0 */
} clockodo_json_t;


/* for the error log, such as "control character in string" */
extern const char *const  clockodo_json_errors[CLOCKODO_JSON_ERRORS];


/*
 * Whether text[0..len) is one object as in RFC 8259, read strictly: UTF-8
 * without a byte order mark, nothing after it but white space, at most
 * CLOCKODO_JSON_DEPTH deep, without U+0000, lone surrogates and members of
 * the same (decoded) name in one object.
 *
 * key makes it unpredictable for a sender which names are costly to compare:
 * a random number that is secret and stays the same for as long as it likes.
 * Time is proportional to len.  Memory is taken with malloc() for more than
 * CLOCKODO_JSON_MEMBERS members, proportional to their number.
 *
 * Never reads outside the text.  If it is an object, *members has to be
 * freed, and points into the text.  On any error json->offset is set, and
 * there is nothing to free.
 */
clockodo_json_e clockodo_json_scan(const unsigned char *text, size_t len,
    uint32_t key, clockodo_json_t *json, clockodo_json_members_t *members);

#pragma GCC visibility pop


#endif /* _CLOCKODO_JSON_H_INCLUDED_ */
