
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * With JSON_REJECT_DUPLICATES and without its other options, jansson lacks but
 * the depth and the object at the top of what strict.h says; and it overlooks
 * a NUL after a number.
 */


#define _GNU_SOURCE


#include "fuzz.h"
#include "strict.h"

#include <string.h>


static int strict_depth(const json_t *value);


json_t *
strict_jansson(const char *text, size_t len)
{
    char          *copy;
    json_t        *root;
    json_error_t   error;

    if (memchr(text, '\0', len) != NULL) {
        return NULL;
    }

    copy = strndup(text, len);
    fuzz_check(copy != NULL);

    for ( ;; ) {
        root = json_loadb(copy, len, JSON_REJECT_DUPLICATES, &error);

        if (root != NULL || json_error_code(&error)
                            != json_error_numeric_overflow)
        {
            break;
        }

        strict_cut_number(copy, error.position);
    }

    free(copy);

    if (root != NULL
        && (!json_is_object(root) || strict_depth(root) > STRICT_DEPTH))
    {
        json_decref(root);
        root = NULL;
    }

    return root;
}


static int
strict_depth(const json_t *value)
{
    int          depth, max;
    size_t       i;
    json_t      *item;
    const char  *name;

    max = 0;

    if (json_is_object(value)) {
        json_object_foreach((json_t *) value, name, item) {
            depth = strict_depth(item);
            max = depth > max ? depth : max;
        }

    } else if (json_is_array(value)) {
        json_array_foreach(value, i, item) {
            depth = strict_depth(item);
            max = depth > max ? depth : max;
        }

    } else {
        return 0;
    }

    return max + 1;
}


void
strict_cut_number(char *text, size_t end)
{
    char    *stop;
    size_t   start;

    for (start = end; start > 0; start--) {
        if (memchr("0123456789+-.eE", text[start - 1], 15) == NULL) {
            break;
        }
    }

    /*
     * Several without a comma, or a literal that ends in "e" before one, are
     * an error, to be found after this one.
     */

    for ( ;; ) {
        (void) strtod(text + start, &stop);

        if (stop == text + end) {
            break;
        }

        fuzz_check(stop < text + end);
        start = (stop > text + start) ? (size_t) (stop - text) : start + 1;
    }

    /* not right after what stands before it */

    fuzz_check(end - start > 2);

    memset(text + start, ' ', end - start);
    text[start + 1] = '0';
}
