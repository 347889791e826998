
/*
 * Copyright (C) ngx_http_clockodo_module contributors
 */


#include "ngx_http_clockodo_zone.h"


static int ngx_libc_cdecl ngx_http_clockodo_cmp_deliveries(const void *one,
    const void *two);


/*
 * A worker that is killed in the middle of it leaves a delivery so, which the
 * spare ones make up for.
 */

ngx_http_clockodo_delivery_t *
ngx_http_clockodo_lock_delivery(ngx_http_clockodo_ring_t *ring)
{
    ngx_uint_t                     i;
    ngx_atomic_uint_t              n, version;
    ngx_http_clockodo_delivery_t  *delivery;

    for (i = 0; i < NGX_HTTP_CLOCKODO_DELIVERY_SLOTS; i++) {

        n = ngx_atomic_fetch_add(&ring->n, 1);
        delivery = &ring->deliveries[n % NGX_HTTP_CLOCKODO_DELIVERY_SLOTS];

        version = delivery->version;

        if (version % 2 == 0
            && ngx_atomic_cmp_set(&delivery->version, version, version + 1))
        {
            delivery->number = n + 1;
            return delivery;
        }
    }

    /* not tested: a worker was killed amid a write for each of the slots */

    return NULL;
}


void
ngx_http_clockodo_unlock_delivery(ngx_http_clockodo_delivery_t *delivery)
{
    ngx_memory_barrier();

    delivery->version++;
}


ngx_uint_t
ngx_http_clockodo_get_deliveries(ngx_http_clockodo_ring_t *ring,
    ngx_http_clockodo_delivery_t *deliveries)
{
    ngx_uint_t                     i, n;
    ngx_atomic_uint_t              version;
    ngx_http_clockodo_delivery_t  *delivery;

    n = 0;

    for (i = 0; i < NGX_HTTP_CLOCKODO_DELIVERY_SLOTS; i++) {
        delivery = &ring->deliveries[i];

        version = delivery->version;

        ngx_memory_barrier();

        deliveries[n] = *delivery;

        ngx_memory_barrier();

        /* one that is being written was among the spare ones */

        if (deliveries[n].number && version % 2 == 0
            && version == delivery->version)
        {
            n++;
        }
    }

    ngx_qsort(deliveries, n, sizeof(ngx_http_clockodo_delivery_t),
              ngx_http_clockodo_cmp_deliveries);

    return ngx_min(n, NGX_HTTP_CLOCKODO_DELIVERIES);
}


static int ngx_libc_cdecl
ngx_http_clockodo_cmp_deliveries(const void *one, const void *two)
{
    const ngx_http_clockodo_delivery_t *first = one;
    const ngx_http_clockodo_delivery_t *second = two;

    return (first->number < second->number)
           - (first->number > second->number);
}
