
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include <string.h>

#include "clockodo_placeholder.h"


typedef struct {
    const char  *start;
    const char  *end;
    const char  *what;
    int          line;                     /* of a file alone */
} placeholder_form_t;


static int placeholder_has_form(const unsigned char *token, size_t len,
    const placeholder_form_t *form);
static int placeholder_is_word(const unsigned char *token, size_t len);
static int placeholder_is_assignment(const unsigned char *token, size_t len);
static int placeholder_name_char(unsigned char c);


static const placeholder_form_t  placeholder_forms[] = {
    { "${", "}", "a placeholder", 0 },
    { "{{", "}}", "a placeholder", 0 },
    { "<", ">", "a placeholder", 0 },
    { "\"", "\"", "a quoted string", 1 },
    { "'", "'", "a quoted string", 1 },
    { "{", "", "JSON", 1 },
    { "[", "", "JSON", 1 },
    { "\"", "", "JSON", 1 },
    { "", ";", "a directive, with a \";\" at its end", 1 }
};


/* what documentation has, in lower case and without "-", "_" and blanks */

static const char  *placeholder_words[] = {
    "changeme", "exampletoken", "inserttoken", "inserttokenhere", "mytoken",
    "placeholder", "replaceme", "sometoken", "tokenhere", "yourtoken",
    "yourtokenhere", "yoursecrettoken"
};


const char *
clockodo_placeholder(const unsigned char *token, size_t len, int line)
{
    size_t                     i;
    const placeholder_form_t  *form;

    for (i = 0; i < sizeof(placeholder_forms) / sizeof(placeholder_forms[0]);
         i++)
    {
        form = &placeholder_forms[i];

        if ((line || !form->line) && placeholder_has_form(token, len, form)) {
            return form->what;
        }
    }

    if (placeholder_is_word(token, len)) {
        return "a placeholder";
    }

    if (line && placeholder_is_assignment(token, len)) {
        return "\"NAME=value\"";
    }

    return NULL;
}


static int
placeholder_has_form(const unsigned char *token, size_t len,
    const placeholder_form_t *form)
{
    size_t  start, end;

    start = strlen(form->start);
    end = strlen(form->end);

    return len > start + end
           && memcmp(token, form->start, start) == 0
           && memcmp(token + len - end, form->end, end) == 0;
}


static int
placeholder_is_word(const unsigned char *token, size_t len)
{
    size_t       i, k;
    const char  *word;

    for (i = 0; i < sizeof(placeholder_words) / sizeof(placeholder_words[0]);
         i++)
    {
        word = placeholder_words[i];

        for (k = 0; k < len; k++) {

            if (token[k] == '-' || token[k] == '_' || token[k] == ' ') {
                continue;
            }

            /* of ASCII letters, this makes lower-case ones */

            if (*word == '\0' || (token[k] | 0x20) != *word) {
                break;
            }

            word++;
        }

        if (k == len && *word == '\0') {
            return 1;
        }
    }

    return 0;
}


/* not the "=" that base64 ends with */

static int
placeholder_is_assignment(const unsigned char *token, size_t len)
{
    size_t  i;

    for (i = 0; i < len && placeholder_name_char(token[i]); i++) { /* void */ }

    if (i == 0 || i == len || token[i] != '=') {
        return 0;
    }

    while (i < len && token[i] == '=') {
        i++;
    }

    return i < len;
}


static int
placeholder_name_char(unsigned char c)
{
    return (c >= 'A' && c <= 'Z')
           || (c >= 'a' && c <= 'z')
           || (c >= '0' && c <= '9')
           || c == '_';
}
