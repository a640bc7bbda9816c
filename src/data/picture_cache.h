/* SPDX-License-Identifier: Apache-2.0 */
/* picture_cache.h - decoded pictures that stay in memory, as long as they fit a limit */
#ifndef PARE_DATA_PICTURE_CACHE_H
#define PARE_DATA_PICTURE_CACHE_H

#include "data/dataset.h"

typedef struct pare_picture_cache pare_picture_cache;

/* Of a set of pictures, which must outlive it; `fit`: at the size of the network's input. `limit` in bytes. */
pare_status pare_picture_cache_create(const pare_dataset *ds, bool fit, size_t limit, pare_picture_cache **out);
void        pare_picture_cache_destroy(pare_picture_cache *cache); /* NULL is fine */

/* A copy of picture `index`, the caller's. Several threads may ask. */
pare_status pare_picture_cache_get(pare_picture_cache *cache, int64_t index, pare_image *out);

/* Bytes of pictures that are kept now. */
size_t pare_picture_cache_bytes(const pare_picture_cache *cache);

#endif
