
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * The strict scan of JSON: whatever it gets, it stays inside the text and its
 * answer is one of those that the header promises.
 */


#include "clockodo_json.h"
#include "fuzz.h"

#include <string.h>


static clockodo_json_e scan(const uint8_t *data, size_t size, uint32_t key,
    size_t *offset);
static void scan_more(const uint8_t *data, size_t size, clockodo_json_e error,
    const char *more);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t           offset, other;
    clockodo_json_e  error;

    error = scan(data, size, 1, &offset);

    fuzz_check(error < CLOCKODO_JSON_ERRORS);
    fuzz_check(error != CLOCKODO_JSON_NO_MEMORY);
    fuzz_check(offset <= size);
    fuzz_check((error == CLOCKODO_JSON_END) == (offset == size)
               || error == CLOCKODO_JSON_OK || error == CLOCKODO_JSON_BOM
               || size == 0);

    /* the key decides about time alone */

    fuzz_check(scan(data, size, 0x9e3779b9, &other) == error);
    fuzz_check(other == offset);

    scan_more(data, size, error, "\n");
    scan_more(data, size, error, "x");

    return 0;
}


/* what it points to is in the text; the offset is 0 without an error */

static clockodo_json_e
scan(const uint8_t *data, size_t size, uint32_t key, size_t *offset)
{
    size_t                   i;
    clockodo_json_e          error;
    clockodo_json_error_t    json;
    clockodo_json_member_t  *member;
    clockodo_json_members_t  members;

    error = clockodo_json_scan(data, size, key, &json, &members);

    *offset = error == CLOCKODO_JSON_OK ? 0 : json.offset;

    if (error != CLOCKODO_JSON_OK) {
        return error;
    }

    for (i = 0; i < members.n; i++) {
        member = &members.list[i];

        fuzz_check(member->name.data > data);
        fuzz_check(member->name.data + member->name.len < member->value.data);
        fuzz_check(member->value.data + member->value.len < data + size);
    }

    clockodo_json_members_free(&members);

    return CLOCKODO_JSON_OK;
}


/* white space after the object changes nothing, all else is an error */

static void
scan_more(const uint8_t *data, size_t size, clockodo_json_e error,
    const char *more)
{
    size_t           offset;
    uint8_t         *text;
    clockodo_json_e  expected;

    if (error == CLOCKODO_JSON_END) {
        return;
    }

    text = malloc(size + 1);
    fuzz_check(text != NULL);

    memcpy(text, data, size);
    text[size] = *more;

    expected = error;

    if (error == CLOCKODO_JSON_OK && *more != '\n') {
        expected = CLOCKODO_JSON_TRAILING;
    }

    fuzz_check(scan(text, size + 1, 1, &offset) == expected);

    free(text);
}
