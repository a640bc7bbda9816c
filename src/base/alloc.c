/* SPDX-License-Identifier: Apache-2.0 */
/* alloc.c - the one door to the heap, so that tests can make any allocation fail */
#include "base/alloc.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/pages.h"

static atomic_long live;
static atomic_long until_failure; /* 0: the hook is off; 1: every allocation fails */

static bool must_fail(void)
{
    long n = atomic_load_explicit(&until_failure, memory_order_relaxed);

    while (n > 1)
        if (atomic_compare_exchange_weak(&until_failure, &n, n - 1))
            return false;
    return n == 1;
}

static void *counted(void *ptr)
{
    if (ptr)
        atomic_fetch_add_explicit(&live, 1, memory_order_relaxed);
    return ptr;
}

/* Zero bytes are asked for as one, so that NULL always means failure. */
static size_t at_least_one(size_t size)
{
    return size ? size : 1;
}

void *pare_malloc(size_t size)
{
    return must_fail() ? NULL : counted(malloc(at_least_one(size)));
}

void *pare_calloc(size_t count, size_t size)
{
    if (size && count > SIZE_MAX / size)
        return NULL;
    return must_fail() ? NULL : counted(calloc(1, at_least_one(count * size)));
}

void *pare_realloc(void *ptr, size_t size)
{
    if (must_fail())
        return NULL;
    return ptr ? realloc(ptr, at_least_one(size)) : counted(malloc(at_least_one(size)));
}

void pare_free(void *ptr)
{
    if (ptr)
        atomic_fetch_sub_explicit(&live, 1, memory_order_relaxed);
    free(ptr);
}

char *pare_strdup(const char *s)
{
    const size_t size = strlen(s) + 1;
    char *const  copy = pare_malloc(size);

    return copy ? memcpy(copy, s, size) : NULL;
}

void *pare_malloc_aligned(size_t size)
{
    void *ptr = NULL;

    if (must_fail() || posix_memalign(&ptr, 64, at_least_one(size)))
        return NULL;
    return counted(memset(ptr, 0, size));
}

void *pare_malloc_pages(size_t size)
{
    const size_t huge = (size_t)2 << 20;
    void        *ptr = NULL;

    if (must_fail() || posix_memalign(&ptr, size < huge ? 64 : huge, at_least_one(size)))
        return NULL;
#ifdef MADV_HUGEPAGE
    /* Whole huge pages only: what lies behind the last one belongs to others. A refusal changes nothing. */
    if (size >= huge)
        madvise(ptr, size / huge * huge, MADV_HUGEPAGE);
#endif
    return counted(ptr);
}

void pare_free_aligned(void *ptr)
{
    pare_free(ptr);
}

bool pare_grow(void *items, int *cap, int need, size_t item)
{
    void *old;

    if (need <= *cap)
        return true;

    long long wanted = *cap ? *cap : 8;
    while (wanted < need)
        wanted *= 2;
    if (wanted > INT_MAX)
        wanted = INT_MAX;
    if (item && (size_t)wanted > SIZE_MAX / item)
        return false;

    /* `items` points to a pointer of any type; copying its bytes is the portable way to read one. */
    memcpy(&old, items, sizeof(old));
    char *const grown = pare_realloc(old, (size_t)wanted * item);
    if (!grown)
        return false;
    memset(grown + (size_t)*cap * item, 0, (size_t)(wanted - *cap) * item);
    memcpy(items, &grown, sizeof(grown));
    *cap = (int)wanted;
    return true;
}

void pare_alloc_fail_after(long n)
{
    atomic_store(&until_failure, n);
}

long pare_alloc_live(void)
{
    return atomic_load(&live);
}
