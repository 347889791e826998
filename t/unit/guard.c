
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#define _GNU_SOURCE

#include "guard.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>


static size_t guard_size(size_t len);
static void guard_check(int ok, const char *what);


const unsigned char *
guard_text(const void *text, size_t len)
{
    size_t          size, page;
    unsigned char  *p;

    size = guard_size(len);
    page = sysconf(_SC_PAGESIZE);

    p = mmap(NULL, size + page, PROT_READ|PROT_WRITE,
             MAP_PRIVATE|MAP_ANONYMOUS, -1, 0);
    guard_check(p != MAP_FAILED, "mmap()");

    if (len > 0) {
        memcpy(p + size - len, text, len);
        guard_check(mprotect(p, size, PROT_READ) == 0, "mprotect()");
    }

    guard_check(mprotect(p + size, page, PROT_NONE) == 0, "mprotect()");

    return p + size - len;
}


void
guard_free(const unsigned char *text, size_t len)
{
    size_t  size, page;

    size = guard_size(len);
    page = sysconf(_SC_PAGESIZE);

    guard_check(munmap((void *) (text + len - size), size + page) == 0,
                "munmap()");
}


/* len in whole pages */

static size_t
guard_size(size_t len)
{
    size_t  page;

    page = sysconf(_SC_PAGESIZE);

    return (len + page - 1) / page * page;
}


static void
guard_check(int ok, const char *what)
{
    if (!ok) {
        perror(what);
        abort();
    }
}
