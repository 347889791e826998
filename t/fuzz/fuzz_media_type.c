
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * The value of Content-Type: case does not matter, and parameters that are
 * appended count or not, whatever stands before them.
 */


#include "clockodo_media_type.h"
#include "fuzz.h"

#include <ctype.h>
#include <string.h>


static int media_type_with(const uint8_t *data, size_t size,
    const char *parameter);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int       json;
    size_t    i;
    uint8_t  *upper;

    json = clockodo_media_type_is_json(data, size);

    fuzz_check(json == 0 || json == 1);

    upper = malloc(size + 1);
    fuzz_check(upper != NULL);

    for (i = 0; i < size; i++) {
        upper[i] = toupper(data[i]);
    }

    fuzz_check(clockodo_media_type_is_json(upper, size) == json);

    free(upper);

    fuzz_check(media_type_with(data, size, ";a=b") == json);
    fuzz_check(media_type_with(data, size, " ; charset=utf-8") == json);
    fuzz_check(media_type_with(data, size, ";charset=\"\\utf-8\"") == json
               || memchr(data, '"', size) != NULL);
    fuzz_check(media_type_with(data, size, ";charset=utf-7") == 0);
    fuzz_check(media_type_with(data, size, ";charset*0=utf-8") == json);
    fuzz_check(media_type_with(data, size, ";charset*0=utf-7") == 0);
    fuzz_check(media_type_with(data, size, ";charset*=utf-8''utf-8") == json);
    fuzz_check(media_type_with(data, size, ";charset*=utf-8''utf-7") == 0);

    return 0;
}


static int
media_type_with(const uint8_t *data, size_t size, const char *parameter)
{
    int       json;
    size_t    len;
    uint8_t  *text;

    len = strlen(parameter);

    text = malloc(size + len);
    fuzz_check(text != NULL);

    memcpy(text, data, size);
    memcpy(text + size, parameter, len);

    json = clockodo_media_type_is_json(text, size + len);

    free(text);

    return json;
}
