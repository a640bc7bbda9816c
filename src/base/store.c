/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - packed constants in regions that are never moved: a full one is followed by another */
#include "base/store.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pages.h"
#include "base/status.h"

enum { ALIGN = 64, FIRST_REGION = 256 << 10, LARGEST_REGION = 32 << 20 };

typedef struct piece {
    size_t offset, size; /* in its region */
    int    region;
} piece;

struct pare_store {
    pare_buf **regions; /* an opened store has one */
    piece     *pieces;
    uint64_t  *sizes;    /* [n_sizes] of an opened store */
    size_t     expected; /* bytes of the next region, at least */
    int        n_regions, cap_regions, n_pieces, cap_pieces, n_sizes;
    bool       filled, strayed; /* strayed: something else was asked for than there is */
};

static size_t round_up(size_t size)
{
    return (size + ALIGN - 1) / ALIGN * ALIGN;
}

pare_status pare_store_create(size_t expected, pare_store **out)
{
    pare_store *const store = pare_calloc(1, sizeof(*store));

    if (!store)
        return pare_fail_memory(sizeof(*store), "a store of constants");
    store->expected = expected > FIRST_REGION ? expected : FIRST_REGION;
    *out = store;
    return PARE_OK;
}

pare_status pare_store_open(pare_buf *bytes, const uint64_t *sizes, int n, pare_store **out)
{
    pare_store *store = NULL;
    pare_status status;

    PARE_TRY(pare_store_create(0, &store));
    store->filled = true;
    store->sizes = pare_malloc(sizeof(*sizes) * ((size_t)n + 1));
    if (!store->sizes || !pare_grow(&store->regions, &store->cap_regions, 1, sizeof(*store->regions))) {
        status = pare_fail_memory(sizeof(*sizes) * (size_t)n, "a store of constants");
        pare_store_destroy(store);
        return status;
    }
    memcpy(store->sizes, sizes, sizeof(*sizes) * (size_t)n);
    store->n_sizes = n;
    store->regions[store->n_regions++] = pare_buf_ref(bytes);
    *out = store;
    return PARE_OK;
}

void pare_store_destroy(pare_store *store)
{
    if (!store)
        return;
    for (int i = 0; i < store->n_regions; i++)
        pare_buf_unref(store->regions[i]);
    pare_free(store->regions);
    pare_free(store->pieces);
    pare_free(store->sizes);
    pare_free(store);
}

bool pare_store_is_filled(const pare_store *store)
{
    return store && store->filled;
}

/* Behind the last piece, in its region. */
static piece next_piece(const pare_store *store, size_t size)
{
    const piece *const last = store->n_pieces ? &store->pieces[store->n_pieces - 1] : NULL;

    return (piece){ .offset = last ? last->offset + round_up(last->size) : 0,
                    .size = size,
                    .region = last ? last->region : 0 };
}

static bool fits_region(const pare_store *store, const piece *p)
{
    if (p->region >= store->n_regions)
        return false;
    const size_t room = pare_buf_size(store->regions[p->region]);

    return p->offset <= room && p->size <= room - p->offset;
}

/* Regions double, so that a small model takes little and a large one few. */
static bool add_region(pare_store *store, size_t size)
{
    const size_t bytes = round_up(size) > store->expected ? round_up(size) : store->expected;
    pare_buf    *region;

    if (!pare_grow(&store->regions, &store->cap_regions, store->n_regions + 1, sizeof(*store->regions)) ||
        pare_buf_reserve(bytes, &region) != PARE_OK)
        return false;
    store->regions[store->n_regions++] = region;
    store->expected = 2 * bytes < LARGEST_REGION ? 2 * bytes : LARGEST_REGION;
    return true;
}

/* The next piece, or NULL. */
static const piece *take(pare_store *store, size_t size)
{
    piece p = next_piece(store, size);

    if (store->filled &&
        (store->n_pieces >= store->n_sizes || store->sizes[store->n_pieces] != size || !fits_region(store, &p))) {
        store->strayed = true;
        return NULL;
    }
    if (!pare_grow(&store->pieces, &store->cap_pieces, store->n_pieces + 1, sizeof(*store->pieces)))
        return NULL;
    if (!fits_region(store, &p)) {
        if (!add_region(store, size))
            return NULL;
        p = (piece){ .size = size, .region = store->n_regions - 1 };
    }
    store->pieces[store->n_pieces++] = p;
    return &store->pieces[store->n_pieces - 1];
}

static uint8_t *bytes_of(const pare_store *store, const piece *p)
{
    return pare_buf_bytes(store->regions[p->region]) + p->offset;
}

void *pare_store_take(pare_store *store, size_t size)
{
    if (!store)
        return pare_malloc_aligned(size);
    const piece *const p = take(store, size);

    return !p ? NULL : store->filled ? bytes_of(store, p) : memset(bytes_of(store, p), 0, size);
}

void pare_store_drop(pare_store *store, void *bytes)
{
    if (!store)
        pare_free_aligned(bytes);
}

pare_status pare_store_take_buf(pare_store *store, size_t size, pare_buf **out)
{
    if (!store)
        return pare_buf_alloc(size, out);
    const piece *const p = take(store, size);

    if (!p)
        return pare_fail_memory(size, "packed constants");
    PARE_TRY(pare_buf_slice(store->regions[p->region], p->offset, size, out));
    if (!store->filled)
        memset(pare_buf_bytes(*out), 0, size);
    return PARE_OK;
}

int pare_store_n(const pare_store *store)
{
    return store ? store->n_pieces : 0;
}

const void *pare_store_piece(const pare_store *store, int index, size_t *size)
{
    assert(index >= 0 && index < store->n_pieces);
    *size = store->pieces[index].size;
    return bytes_of(store, &store->pieces[index]);
}

bool pare_store_fits(const pare_store *store)
{
    return !store->strayed && store->n_pieces == store->n_sizes;
}
