/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picture_cache.c - decoded pictures that stay in memory, as long as they fit a limit.
 *
 * The first pictures that are asked for stay; once the limit is reached the others are decoded each time. What comes out
 * is the same either way, so that nothing depends on the order in which threads ask.
 */
#include "data/picture_cache.h"

#include <stdatomic.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

typedef struct kept {
    int     width, height;
    uint8_t rgb[];
} kept;

struct pare_picture_cache {
    const pare_dataset *ds;
    bool                fit;
    size_t              limit;
    atomic_size_t       bytes;
    int64_t             count;
    _Atomic(kept *)    *pictures; /* [count] NULL: not kept */
};

pare_status pare_picture_cache_create(const pare_dataset *ds, bool fit, size_t limit, pare_picture_cache **out)
{
    pare_picture_cache *const c = pare_calloc(1, sizeof(*c));

    *out = NULL;
    if (!c)
        return pare_fail_memory(sizeof(*c), "a picture cache");
    c->ds = ds;
    c->fit = fit;
    c->limit = limit;
    c->count = pare_dataset_count(ds);
    c->pictures = pare_calloc((size_t)c->count, sizeof(*c->pictures));
    if (!c->pictures) {
        pare_free(c);
        return pare_fail_memory((size_t)pare_dataset_count(ds) * sizeof(kept *), "a picture cache");
    }
    *out = c;
    return PARE_OK;
}

void pare_picture_cache_destroy(pare_picture_cache *c)
{
    if (!c)
        return;
    for (int64_t i = 0; i < c->count; i++)
        pare_free(atomic_load(&c->pictures[i]));
    pare_free(c->pictures);
    pare_free(c);
}

static size_t size_of(const pare_image *picture)
{
    return (size_t)picture->width * (size_t)picture->height * 3;
}

/* Keeps a copy if there is room; that there is none, or no memory, is no failure. */
static void keep(pare_picture_cache *c, int64_t index, const pare_image *picture)
{
    const size_t size = size_of(picture);
    kept        *none = NULL, *copy = NULL;

    if (atomic_fetch_add(&c->bytes, size) + size <= c->limit)
        copy = pare_malloc(sizeof(*copy) + size);
    if (copy) {
        copy->width = picture->width;
        copy->height = picture->height;
        memcpy(copy->rgb, picture->rgb, size);
        if (atomic_compare_exchange_strong(&c->pictures[index], &none, copy))
            return;
    }
    pare_free(copy);
    atomic_fetch_sub(&c->bytes, size);
}

pare_status pare_picture_cache_get(pare_picture_cache *c, int64_t index, pare_image *out)
{
    const kept *const have = atomic_load(&c->pictures[index]);

    *out = (pare_image){ 0 };
    if (have) {
        PARE_TRY(pare_image_alloc(have->width, have->height, out));
        memcpy(out->rgb, have->rgb, size_of(out));
        return PARE_OK;
    }
    PARE_TRY(pare_dataset_picture(c->ds, index, c->fit, out));
    keep(c, index, out);
    return PARE_OK;
}

size_t pare_picture_cache_bytes(const pare_picture_cache *c)
{
    return atomic_load(&c->bytes);
}
