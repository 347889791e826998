
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/* what is plain in a string, of any length */


#include "proof.h"


/*
 * What holds before a round of these loops holds before the next one, so one
 * round from any place shows all.
 */

#define ROUND_json_skip_plain_0  if (a_round(&eights, &p, end, 8))
#define ROUND_json_skip_plain_1  if (a_round(&ones, &p, end, 1))

static unsigned  eights;
static unsigned  ones;

static bool a_round(unsigned *rounds, const unsigned char **p,
    const unsigned char *end, size_t least);


#include "clockodo_json.c"

#include "json.h"


static bool
a_round(unsigned *rounds, const unsigned char **p, const unsigned char *end,
    size_t least)
{
    size_t                       k;
    static const unsigned char  *start;

    __CPROVER_assert(BETWEEN(*p, *p, end) && end - *p >= least,
                     "this holds before a round");

    if (*rounds) {
        __CPROVER_assert(*p - start == least, "a round reads that many");

        k = any_up_to(least - 1);

        __CPROVER_assert(json_plain[start[k]], "what it skips is plain");
    }

    assume((*rounds)++ == 0);

    *p += any_up_to(end - *p);
    start = *p;

    assume(end - *p >= least && (least > 1 || json_plain[**p]));

    return true;
}


void
prove_json_skip_plain(void)
{
    size_t                len;
    const unsigned char  *text, *last;

    len = any_up_to(PROOF_TEXT);
    text = any_text(len);

    assume(SKIP_REQUIRES(text, text + len));

    last = json_skip_plain(text, text + len);

    __CPROVER_assert(BETWEEN(text, last, text + len),
                     "json_skip_plain ensures");
}
