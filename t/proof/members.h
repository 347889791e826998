
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _PROOF_MEMBERS_H_INCLUDED_
#define _PROOF_MEMBERS_H_INCLUDED_


/* the list of members: what the scan relies upon, and members.c proves */


#include "proof.h"

#include "clockodo_json_internal.h"


#define MEMBERS_BYTES(size)                                                   \
    ((size) * (sizeof(clockodo_json_member_t) + 2 * sizeof(uint32_t)))

/* in the struct itself, or in memory of its own with slots behind it */

#define MEMBERS_GROWN(m)                                                      \
    ((m)->slots == (uint32_t *) &(m)->list[(m)->size]                         \
     && OFFSET((m)->list) == 0                                                \
     && !__CPROVER_same_object((m)->list, m)                                  \
     && WRITABLE((m)->list, MEMBERS_BYTES((m)->size)))

#define MEMBERS(m)                                                            \
    (WRITABLE(m, sizeof(clockodo_json_members_t))                             \
     && (m)->size >= CLOCKODO_JSON_MEMBERS && (m)->size <= MEMBERS_MOST       \
     && (m)->n <= (m)->size                                                   \
     && ((m)->list == (m)->first                                              \
         ? (m)->slots == NULL && (m)->size == CLOCKODO_JSON_MEMBERS           \
         : MEMBERS_GROWN(m)))

/* one for each three bytes of the longest text, times 4 */
#define MEMBERS_MOST  ((size_t) 131072)


int
clockodo_json_members_grow(clockodo_json_members_t *members)
REQUIRES(MEMBERS(members) && members->size <= MEMBERS_MOST / 4)
ASSIGNS(members->list, members->size, members->slots)
FREES(members->list != members->first: members->list)
ENSURES(RESULT == 0 || RESULT == -1)
ENSURES(RESULT == -1 ? members->size == OLD(members->size)
                       && members->slots == OLD(members->slots)
                     : members->size == 4 * OLD(members->size))
ENSURES(RESULT == 0 || __CPROVER_pointer_equals(members->list, OLD(members->list)))
ENSURES(RESULT == -1
        || __CPROVER_is_fresh(members->list, MEMBERS_BYTES(members->size)))
ENSURES(RESULT == -1
        || members->slots == (uint32_t *) &members->list[members->size]);


#endif /* _PROOF_MEMBERS_H_INCLUDED_ */
