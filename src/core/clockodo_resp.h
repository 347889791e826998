
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _CLOCKODO_RESP_H_INCLUDED_
#define _CLOCKODO_RESP_H_INCLUDED_


#include "clockodo_str.h"


#pragma GCC visibility push(hidden)


/*
 * What little of the protocol of Redis is needed to add an entry to a stream,
 * see https://redis.io/docs/latest/develop/reference/protocol-spec/
 */


/* no reply that is read to its end is longer */
#define CLOCKODO_RESP_REPLY_LEN  64


typedef enum {
    CLOCKODO_RESP_AGAIN = 0,               /* more of it has to come */
    CLOCKODO_RESP_OK,
    CLOCKODO_RESP_ID,                      /* of an entry, "1-0" */
    CLOCKODO_RESP_NULL,
    CLOCKODO_RESP_ERROR,
    CLOCKODO_RESP_INVALID                  /* none of these */
} clockodo_resp_e;


typedef struct {
    size_t                len;             /* of OK, ID and NULL, else 0 */

    /* of an error: its first word, [A-Z]+, in the reply; empty: has none */
    clockodo_str_t        code;
} clockodo_resp_reply_t;


typedef enum {
    CLOCKODO_RESP_TAG = 0,
    CLOCKODO_RESP_NO_TAG,
    CLOCKODO_RESP_NO_TAG_POSSIBLE
} clockodo_resp_tag_e;


/* returns how long a command of these arguments is on the wire */
size_t clockodo_resp_size(const clockodo_str_t *args, size_t nargs);

/* writes it to p; returns its end */
unsigned char *clockodo_resp_write(unsigned char *p,
    const clockodo_str_t *args, size_t nargs);

/*
 * Reads a reply from its start, as far as it has come.  An error is known by
 * its first word, what follows may still be to come.
 */
clockodo_resp_e clockodo_resp_read(const unsigned char *p, size_t len,
    clockodo_resp_reply_t *reply);

/*
 * Tells which keys share the hash slot of a key, see
 * https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/
 * If it has a tag, "KEY..." does; otherwise "{KEY}..." does, unless KEY has a
 * brace that would end this tag.  key may be NULL if len is 0.
 */
clockodo_resp_tag_e clockodo_resp_tag(const char *key, size_t len);


#pragma GCC visibility pop


#endif /* _CLOCKODO_RESP_H_INCLUDED_ */
