
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* a member of a list by its name */


#include "libc.h"
#include "core.h"


#define LIST_MAX  3


int
stub_clockodo_json_name_decodes_to(const clockodo_json_value_t *name,
    const char *expected, size_t len)
{
    __CPROVER_assert(NAME(name) && READABLE(expected, len),
                     "a name requires");

    return nondet_bool();
}


static clockodo_json_members_t  members;
static clockodo_json_member_t   list[LIST_MAX];


/* names and what is looked for are of any length */

void
prove_clockodo_json_find(void)
{
    size_t                         i, len;
    uint32_t                       object;
    const clockodo_json_member_t  *found;

    for (i = 0; i < LIST_MAX; i++) {
        clockodo_json_member_t  any;

        list[i] = any;

        len = any_up_to(PROOF_TEXT);

        list[i].name.type = CLOCKODO_JSON_STRING_TYPE;
        list[i].name.data = any_text(len + 2) + 1;
        list[i].name.len = len;

        assume(NAME(&list[i].name));
    }

    members.n = any_up_to(LIST_MAX);
    members.list = list;

    len = any_up_to(PROOF_TEXT);
    object = nondet_int();

    found = clockodo_json_find(&members, object,
                               (char *) any_text(len), len,
                               &list[any_up_to(members.n)]);

    __CPROVER_assert(FIND_ENSURES(&members, object, found),
                     "clockodo_json_find ensures");
}
