/* SPDX-License-Identifier: Apache-2.0 */
/* loader.h - batches for training: shuffled, varied, prepared ahead on threads of their own */
#ifndef PARE_LOADER_H
#define PARE_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pare/data.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Batch b of epoch e holds the same numbers at every run, for a data set, a seed and the options below: never does it
 * depend on threads, on the cache, or on which batches were asked for before.
 */
typedef struct pare_loader pare_loader;

/* Zero means default. */
typedef struct pare_loader_options {
    int         batch;       /* samples in a batch (0: 128)                                                 */
    int         group;       /* samples that are mixed with each other; must divide the batch (0: all of it) */
    int         share;       /* this reader gets part `share` of `shares` of every batch: for several       */
    int         shares;      /*   processes; must divide the batch, and the groups (0: 1)                   */
    uint64_t    seed;        /* of order and variations                                                     */
    bool        shuffle;     /* a new order every epoch; false: that of the data set                        */
    bool        whole;       /* the last batch may be short; false: left out when it is                     */
    const char *augment;     /* "crop=4,flip,mixup=0.2", see pare_augment_name (NULL: pictures as they are) */
    int         classes;     /* > 0: labels as shares of so many classes too; mixup needs it (0: no)        */
    int         threads;     /* that prepare (0: 1)                                                         */
    size_t      cache_bytes; /* of decoded pictures that stay in memory (0: 512 MB)                         */
} pare_loader_options;

/* This reader's share of a batch. The memory is the loader's. */
typedef struct pare_batch {
    const void    *x;       /* [count] samples of the data set's dtype and item shape                          */
    const int64_t *labels;  /* [count], -1: none                                                               */
    const float   *targets; /* [count][classes]: shares that sum to 1, or NULL                                 */
    int            count;   /* the memory always has room for batch / shares samples; those past count are 0   */
    int64_t        index;   /* of the batch in its epoch                                                       */
} pare_batch;

/* The data set must outlive the loader. */
PARE_API pare_status pare_loader_create(const pare_dataset *data, const pare_loader_options *options,
                                        pare_loader **out);
PARE_API void        pare_loader_destroy(pare_loader *loader); /* NULL is fine */

PARE_API int64_t pare_loader_batches(const pare_loader *loader); /* in an epoch */

/* Begins epoch `epoch` at batch `first`; the threads start to prepare at once. */
PARE_API void pare_loader_start(pare_loader *loader, int64_t epoch, int64_t first);

/* The next batch, valid until the next call; *out NULL: the epoch is over, or none was started. */
PARE_API pare_status pare_loader_next(pare_loader *loader, const pare_batch **out);

/* The ways to vary pictures, in order; NULL past the last. */
PARE_API const char *pare_augment_name(int index);
PARE_API const char *pare_augment_about(int index);

#ifdef __cplusplus
}
#endif
#endif
