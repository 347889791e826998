
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * Constant time of signing, as ct.c has it of tokens, for tools/ct:
 *
 *     ct_sign taint WHICH   memcheck takes a key in base64 for undefined, and
 *                           what comes of it
 *     ct_sign count WHICH   callgrind dumps a count of instructions for each
 *                           of many keys
 *
 * WHICH is the module's own function or a control that has to be caught.
 */


#include "clockodo_sign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <valgrind/callgrind.h>
#include <valgrind/memcheck.h>


#define CT_PREFIX        "whsec_"
#define CT_KEYS          33

#define ct_count(a)      (sizeof(a) / sizeof((a)[0]))


typedef clockodo_sign_key_e (*ct_parse_pt)(const unsigned char *text,
    size_t len, clockodo_sign_key_t *key);


typedef struct {
    const char    *name;
    ct_parse_pt    parse;
} ct_which_t;


typedef struct {
    const char    *name;
    int          (*run)(ct_parse_pt parse);
} ct_mode_t;


static int ct_taint(ct_parse_pt parse);
static int ct_counts(ct_parse_pt parse);
int ct_measured(ct_parse_pt parse, const char *text, unsigned char *mac);
static clockodo_sign_key_e ct_branch(const unsigned char *text, size_t len,
    clockodo_sign_key_t *key);
static clockodo_sign_key_e ct_table(const unsigned char *text, size_t len,
    clockodo_sign_key_t *key);


/* bytes 0 to 63: the padding, which tells the length alone, is no secret */

static const char  ct_key[] = CT_PREFIX
    "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIj"
    "JCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw==";

#define CT_SECRET  (sizeof(ct_key) - sizeof(CT_PREFIX) - 2)


/* of t/unit/test_sign.c, "ID.1700000000." and an event */

static const char  ct_head[] =
    "633b8f56106c4032c21ce18598d8e9054f032c96514af2fc0e9530f5d5cd1991"
    ".1700000000.";

static const char  ct_body[] =
    "{\"subscription_id\":42,\"company_id\":1337,"
    "\"occurred_at\":\"1986-05-10T17:02:00Z\","
    "\"payload\":{\"team\":{\"id\":9001}},\"event_name\":\"team.updated\","
    "\"token\":\"**************\"}";

static const unsigned char  ct_mac[CLOCKODO_SHA256_LEN] = {
    0x2b, 0xa0, 0xf5, 0xf7, 0xba, 0x6b, 0x46, 0x25,
    0xd7, 0xbe, 0x50, 0x23, 0xdd, 0x79, 0xdc, 0x4a,
    0x17, 0x46, 0xb7, 0x35, 0xeb, 0xfd, 0xba, 0x1e,
    0xae, 0x99, 0x24, 0x8a, 0x7f, 0x00, 0xbc, 0x21
};


static const ct_mode_t  ct_modes[] = {
    { "taint", ct_taint },
    { "count", ct_counts }
};


static const ct_which_t  ct_whichs[] = {
    { "module", clockodo_sign_key_parse },
    { "branch", ct_branch },
    { "table", ct_table }
};


int
main(int argc, char **argv)
{
    size_t  i, j;

    if (!RUNNING_ON_VALGRIND) {
        fprintf(stderr, "%s: not under valgrind\n", argv[0]);
        return 2;
    }

    for (i = 0; argc == 3 && i < ct_count(ct_modes); i++) {
        for (j = 0; j < ct_count(ct_whichs); j++) {
            if (strcmp(argv[1], ct_modes[i].name) == 0
                && strcmp(argv[2], ct_whichs[j].name) == 0)
            {
                return ct_modes[i].run(ct_whichs[j].parse);
            }
        }
    }

    fprintf(stderr, "usage: %s taint|count WHICH\n", argv[0]);

    return 2;
}


static int
ct_taint(ct_parse_pt parse)
{
    char           text[sizeof(ct_key)];
    unsigned char  mac[CLOCKODO_SHA256_LEN], undefined[CLOCKODO_SHA256_LEN];

    memcpy(text, ct_key, sizeof(ct_key));

    (void) VALGRIND_MAKE_MEM_UNDEFINED(text + sizeof(CT_PREFIX) - 1,
                                       CT_SECRET);

    if (ct_measured(parse, text, mac) != 0) {
        fprintf(stderr, "the key is not taken\n");
        return 1;
    }

    (void) VALGRIND_GET_VBITS(mac, undefined, sizeof(mac));

    if (undefined[0] != 0xff) {
        fprintf(stderr, "the key has no part in the signature\n");
        return 1;
    }

    /* a signature is no secret */

    (void) VALGRIND_MAKE_MEM_DEFINED(mac, sizeof(mac));

    if (memcmp(mac, ct_mac, sizeof(mac)) != 0) {
        fprintf(stderr, "wrong signature\n");
        return 1;
    }

    return 0;
}


static int
ct_counts(ct_parse_pt parse)
{
    char           label[32], text[sizeof(ct_key)];
    size_t         i;
    unsigned char  mac[CLOCKODO_SHA256_LEN];

    /* what libraries do but once */

    (void) ct_measured(parse, ct_key, mac);
    CALLGRIND_DUMP_STATS_AT("warm");

    for (i = 0; i < CT_KEYS; i++) {

        /* ever more of it are the first and the last letter of the alphabet */

        memcpy(text, ct_key, sizeof(ct_key));
        memset(text + sizeof(CT_PREFIX) - 1, i % 2 ? 'A' : '/',
               i * (CT_SECRET - 1) / (CT_KEYS - 1));

        if (ct_measured(parse, text, mac) != 0) {
            return 1;
        }

        sprintf(label, "key %zu", i);
        CALLGRIND_DUMP_STATS_AT(label);
    }

    return 0;
}


/* callgrind counts in here */

__attribute__((noinline)) int
ct_measured(ct_parse_pt parse, const char *text, unsigned char *mac)
{
    clockodo_sign_key_e  rc;
    clockodo_sign_key_t  key;

    rc = parse((const unsigned char *) text, sizeof(ct_key) - 1, &key);

    /* whether it is a key is no secret */

    (void) VALGRIND_MAKE_MEM_DEFINED(&rc, sizeof(rc));

    if (rc != CLOCKODO_SIGN_KEY_OK) {
        return -1;
    }

    return clockodo_sign(&key, ct_head, sizeof(ct_head) - 1, ct_body,
                         sizeof(ct_body) - 1, mac);
}


/* looks at each letter first, and stops at one that is none */

static clockodo_sign_key_e
ct_branch(const unsigned char *text, size_t len, clockodo_sign_key_t *key)
{
    size_t  i;

    for (i = sizeof(CT_PREFIX) - 1; i < len; i++) {
        if ((text[i] < 'A' || text[i] > 'Z')
            && (text[i] < 'a' || text[i] > 'z')
            && (text[i] < '0' || text[i] > '9')
            && text[i] != '+' && text[i] != '/' && text[i] != '=')
        {
            return CLOCKODO_SIGN_KEY_BASE64;
        }
    }

    return clockodo_sign_key_parse(text, len, key);
}


/* as decoders of base64 do it: without a branch, yet an index tells as much */

static clockodo_sign_key_e
ct_table(const unsigned char *text, size_t len, clockodo_sign_key_t *key)
{
    size_t                         i;
    static volatile unsigned char  table[256];

    for (i = sizeof(CT_PREFIX) - 1; i < len; i++) {
        table[text[i]]++;
    }

    return clockodo_sign_key_parse(text, len, key);
}
