
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


static void scan_more(const uint8_t *data, size_t size, clockodo_json_e error,
    const char *more);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    clockodo_json_e  error;
    clockodo_json_t  json, other;

    error = clockodo_json_scan(data, size, 1, &json);

    fuzz_check(error < CLOCKODO_JSON_ERRORS);
    fuzz_check(error != CLOCKODO_JSON_NO_MEMORY);
    fuzz_check(json.offset <= size);
    fuzz_check((error == CLOCKODO_JSON_END) == (json.offset == size)
               || error == CLOCKODO_JSON_OK || error == CLOCKODO_JSON_BOM
               || size == 0);

    /* the key decides about time alone */

    fuzz_check(clockodo_json_scan(data, size, 0x9e3779b9, &other) == error);
    fuzz_check(other.offset == json.offset);
    fuzz_check(other.long_number == json.long_number);

    scan_more(data, size, error, "\n");
    scan_more(data, size, error, "x");

    return 0;
}


/* white space after the object changes nothing, all else is an error */

static void
scan_more(const uint8_t *data, size_t size, clockodo_json_e error,
    const char *more)
{
    uint8_t          *text;
    clockodo_json_e   expected;
    clockodo_json_t   json;

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

    fuzz_check(clockodo_json_scan(text, size + 1, 1, &json) == expected);

    free(text);
}
