
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_JSON_H_INCLUDED_
#define _CLOCKODO_JSON_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <string.h>


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
    clockodo_json_e       code;
    size_t                offset;          /* of the first wrong byte, from 0 */
} clockodo_json_error_t;


/* this many need no memory, unless a name has escapes */
#define CLOCKODO_JSON_MEMBERS  32

/* the number of the outermost object */
#define CLOCKODO_JSON_ROOT     1


typedef enum {
    CLOCKODO_JSON_LITERAL_TYPE = 0,        /* true, false, null */
    CLOCKODO_JSON_NUMBER_TYPE,
    CLOCKODO_JSON_STRING_TYPE,
    CLOCKODO_JSON_ARRAY_TYPE,
    CLOCKODO_JSON_OBJECT_TYPE
} clockodo_json_type_e;


/*
 * The text of a name or a value, as it was sent: strings without quotes,
 * nothing of arrays and objects
 */

typedef struct {
    const unsigned char      *data;
    size_t                    len;
    clockodo_json_type_e      type;
    uint32_t                  object;      /* its number, if it is one */
    unsigned                  escaped;     /* a string with escapes */
} clockodo_json_value_t;


typedef struct {
    clockodo_json_value_t     name;
    clockodo_json_value_t     value;
    uint32_t                  object;      /* that it is a member of */
    uint32_t                  hash;        /* set if there are slots */
} clockodo_json_member_t;


/* those of all objects of a text, in the order in which they start */

typedef struct {
    size_t                    n;
    size_t                    size;        /* there is room for */
    uint32_t                  key;
    uint32_t                 *slots;       /* NULL: not hashed yet */
    clockodo_json_member_t   *list;
    clockodo_json_member_t    first[CLOCKODO_JSON_MEMBERS];
} clockodo_json_members_t;


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
 * Never reads outside the text, which may be NULL if len is 0.  If it is an
 * object, *members has to be freed, and points into the text.  On any error
 * there is nothing to free.  Sets *error, and returns its code.
 */
clockodo_json_e clockodo_json_scan(const unsigned char *text, size_t len,
    uint32_t key, clockodo_json_error_t *error,
    clockodo_json_members_t *members)
    __attribute__((warn_unused_result));

void clockodo_json_members_free(clockodo_json_members_t *members);

/*
 * Whether the decoded name is what is expected, of [a-z0-9_], after Unicode's
 * simple case folding, as encoding/json of Go compares names.
 */
int clockodo_json_name_folds_to(const clockodo_json_value_t *name,
    const char *expected, size_t len);

/* that of a name with escapes */
int clockodo_json_name_decodes_to(const clockodo_json_value_t *name,
    const char *expected, size_t len);


/* whether this is the decoded name */

static inline int
clockodo_json_name_is(const clockodo_json_value_t *name, const char *expected,
    size_t len)
{
    if (name->escaped) {
        return clockodo_json_name_decodes_to(name, expected, len);
    }

    return name->len == len && memcmp(name->data, expected, len) == 0;
}


/*
 * A member of an object by its (decoded) name, of which there are no two, or
 * NULL.  The search starts at a member, mostly near that which is looked for,
 * and goes round.
 */

static inline const clockodo_json_member_t *
clockodo_json_find(const clockodo_json_members_t *members, uint32_t object,
    const char *name, size_t len, const clockodo_json_member_t *member)
{
    size_t                         n;
    const clockodo_json_member_t  *last;

    last = &members->list[members->n];

    for (n = members->n; n; n--, member++) {

        if (member == last) {
            member = members->list;
        }

        if (member->object == object
            && clockodo_json_name_is(&member->name, name, len))
        {
            return member;
        }
    }

    return NULL;
}


#pragma GCC visibility pop


#endif /* _CLOCKODO_JSON_H_INCLUDED_ */
