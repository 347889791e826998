
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#ifndef _FUZZ_H_INCLUDED_
#define _FUZZ_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>


/* what must hold for every input; if it does not, the input is a finding */

#define fuzz_check(ok)                                                        \
    do {                                                                      \
        if (!(ok)) {                                                          \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #ok);  \
            abort();                                                          \
        }                                                                     \
    } while (0)


/* libFuzzer calls it; data[0..size) is a block of memory of just that size */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


#endif /* _FUZZ_H_INCLUDED_ */
