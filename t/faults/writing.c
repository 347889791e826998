
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


/*
 * Says of how many deliveries a worker has begun to write them, and has not
 * come to the end:
 *
 *     writing PID
 *
 * of an nginx in whose shared memory that is.  If nobody writes any more, these
 * are the workers that were killed amid it.
 */


#include "ngx_http_clockodo_zone.h"


static ngx_slab_pool_t *find_zone(FILE *maps, int mem);


int
main(int argc, char **argv)
{
    int                         mem;
    char                        name[64];
    FILE                       *maps;
    ngx_uint_t                  i, n;
    ngx_slab_pool_t            *zone, pool;
    ngx_http_clockodo_shctx_t   sh;

    if (argc != 2) {
        fprintf(stderr, "usage: %s PID\n", argv[0]);
        return 2;
    }

    snprintf(name, sizeof(name), "/proc/%s/maps", argv[1]);
    maps = fopen(name, "r");

    snprintf(name, sizeof(name), "/proc/%s/mem", argv[1]);
    mem = open(name, O_RDONLY);

    zone = (maps && mem != -1) ? find_zone(maps, mem) : NULL;

    if (zone == NULL
        || pread(mem, &pool, sizeof(pool), (off_t) (uintptr_t) zone)
           != sizeof(pool)
        || pread(mem, &sh, sizeof(sh), (off_t) (uintptr_t) pool.data)
           != sizeof(sh))
    {
        fprintf(stderr, "%s: no \"clockodo_zone\" in process %s\n",
                argv[0], argv[1]);
        return 1;
    }

    for (n = 0, i = 0; i < NGX_HTTP_CLOCKODO_DELIVERY_SLOTS; i++) {
        n += sh.authentic.deliveries[i].version % 2;
        n += sh.others.deliveries[i].version % 2;
    }

    printf("%lu\n", (unsigned long) n);

    return 0;
}


/* the one shared memory with a pool in it */

static ngx_slab_pool_t *
find_zone(FILE *maps, int mem)
{
    char              line[512], shared;
    unsigned long     start;
    ngx_slab_pool_t   pool;

    while (fgets(line, sizeof(line), maps)) {
        if (sscanf(line, "%lx-%*x %*c%*c%*c%c", &start, &shared) == 2
            && shared == 's'
            && pread(mem, &pool, sizeof(pool), (off_t) start) == sizeof(pool)
            && pool.addr == (void *) start
            && pool.data)
        {
            return (ngx_slab_pool_t *) start;
        }
    }

    return NULL;
}
