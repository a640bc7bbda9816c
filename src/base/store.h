/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - one region for all packed constants of a plan, in the order of their use */
#ifndef PARE_BASE_STORE_H
#define PARE_BASE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pare/buf.h>

/*
 * Whoever packs weights asks for their room here, piece by piece; pieces are 64-byte aligned, zeroed, and lie one behind
 * the other, large regions on huge pages where the system gives them. All functions but create and open accept NULL: a
 * piece is then heap memory of its own.
 *
 * A store that was opened over the bytes of an earlier one (a plan file) hands out the same pieces again, read-only and
 * already packed: check pare_store_is_filled and leave them as they are. Not for several threads at once.
 */
typedef struct pare_store pare_store;

/* `expected` bytes are only a hint: how large the first region is. */
pare_status pare_store_create(size_t expected, pare_store **out);

/* Piece i has sizes[i] bytes and lies behind piece i - 1, rounded up to 64. `sizes` is copied, `bytes` referenced. */
pare_status pare_store_open(pare_buf *bytes, const uint64_t *sizes, int n, pare_store **out);
void        pare_store_destroy(pare_store *store); /* and all its pieces */

bool pare_store_is_filled(const pare_store *store);

/* A piece of `size` bytes; NULL when memory is short, or when an opened store has no such piece at this place. */
void *pare_store_take(pare_store *store, size_t size);
void  pare_store_drop(pare_store *store, void *piece); /* heap memory; pieces of a store go with it */

/* The same as a buf, which keeps the memory alive. */
pare_status pare_store_take_buf(pare_store *store, size_t size, pare_buf **out);

/* The pieces so far. */
int         pare_store_n(const pare_store *store);
const void *pare_store_piece(const pare_store *store, int index, size_t *size);

/* Of an opened store: all pieces were taken, and no other ones were asked for. */
bool pare_store_fits(const pare_store *store);

#endif
