
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* the hash of a name of any length */


#include "proof.h"


#define LOOP_json_hash_sent_0                                                 \
    LOOP((p, bytes, hash), (BETWEEN(LOOP_ENTRY(p), p, last)), (last - p))

#define LOOP_json_hash_sent_1                                                 \
    LOOP((p, bytes, shift),                                                   \
         (BETWEEN(LOOP_ENTRY(p), p, last) && last - p <= 2                    \
          && shift + 8 * (last - p) <= 16), (last - p))


/* none of what is proved here takes memory */

#define calloc(n, size)  NULL
#define free(p)          (void) (p)

#include "clockodo_json_text.c"
#include "clockodo_json_members.c"


static uint32_t
json_hash_sent(uint32_t key, uint64_t hash, const clockodo_json_value_t *name)
REQUIRES(READABLE(name, sizeof(clockodo_json_value_t))
         && READABLE(name->data, name->len))
ASSIGNS();


void
prove_json_hash_sent(void)
{
    clockodo_json_value_t  name;

    name.data = any_text(any_up_to(PROOF_TEXT));
    name.len = any_up_to(__CPROVER_OBJECT_SIZE(name.data));

    (void) json_hash_sent(nondet_int(), nondet_int(), &name);
}
