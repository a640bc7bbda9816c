/* SPDX-License-Identifier: Apache-2.0 */
/* batch.h - one batch made of samples: read, varied, mixed */
#ifndef PARE_DATA_BATCH_H
#define PARE_DATA_BATCH_H

#include <pare/loader.h>

#include "data/augment.h"
#include "data/picture_cache.h"

/* What batches of a loader are made with; read-only but for the cache. */
typedef struct pare_batch_maker {
    const pare_dataset *ds;
    pare_loader_options o; /* defaults filled in */
    pare_augment        augment;
    pare_picture_cache *cache; /* NULL: not pictures */
    int                 room;  /* samples of this share: batch / shares */
    int64_t             item;  /* elements of a sample */
    size_t              bytes; /* of a sample */
} pare_batch_maker;

/* The memory of one batch. */
typedef struct pare_batch_memory {
    void    *x;
    int64_t *labels;
    float   *targets;
    float   *spare; /* for mixing */
} pare_batch_memory;

/* Checks options against the data and fills in defaults. Cleared even after a failure. */
pare_status pare_batch_maker_init(const pare_dataset *ds, const pare_loader_options *options, pare_batch_maker *out);
void        pare_batch_maker_clear(pare_batch_maker *m);

pare_status pare_batch_memory_alloc(const pare_batch_maker *m, pare_batch_memory *out);
void        pare_batch_memory_free(pare_batch_memory *memory); /* a zeroed struct is fine */

/* Batch `index` of an epoch whose samples come in the order `order` [count of the data set]. */
pare_status pare_batch_make(const pare_batch_maker *m, int64_t epoch, int64_t index, const int32_t *order,
                            pare_batch_memory *memory, pare_batch *out);

/* A generator of its own for every purpose `what` and pair of numbers. */
pare_rng pare_batch_rng(uint64_t seed, uint64_t what, uint64_t a, uint64_t b);
enum { PARE_RNG_ORDER, PARE_RNG_SAMPLE, PARE_RNG_MIX };

#endif
