/* SPDX-License-Identifier: Apache-2.0 */
/* store_test.c - pieces of a store: where they lie, what is in them, and that an opened store hands out the same */
#include "runner.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pages.h"
#include "base/store.h"

static const size_t sizes[] = { 100, 64, 1, 300 << 10, 0, 3 << 20, 7, 700 << 10 };

enum { N = sizeof(sizes) / sizeof(sizes[0]) };

static bool is_full_of(const uint8_t *at, size_t n, int byte)
{
    for (size_t i = 0; i < n; i++)
        if (at[i] != byte)
            return false;
    return true;
}

/* Takes all pieces and writes each one's number + 1 into it. */
static void fill(runner *r, pare_store *store)
{
    for (int i = 0; i < N; i++) {
        uint8_t *const at = pare_store_take(store, sizes[i]);

        CHECK(r, at && (uintptr_t)at % 64 == 0 && is_full_of(at, sizes[i], 0), "piece %d", i);
        memset(at, i + 1, sizes[i]);
    }
}

static void keeps_pieces_apart(runner *r)
{
    const long  before = pare_alloc_live();
    pare_store *store;

    CHECK(r, pare_store_create(0, &store) == PARE_OK && !pare_store_is_filled(store), "%s", pare_error());
    fill(r, store);
    CHECK(r, pare_store_n(store) == N, "%d pieces", pare_store_n(store));
    for (int i = 0; i < N; i++) {
        size_t            size;
        const void *const at = pare_store_piece(store, i, &size);

        CHECK(r, size == sizes[i] && is_full_of(at, size, i + 1), "piece %d was written by another", i);
    }
    pare_store_destroy(store);
    CHECK(r, pare_alloc_live() == before, "%ld allocations are left", pare_alloc_live() - before);
}

static void opens_what_was_filled(runner *r)
{
    uint64_t    wanted[N];
    size_t      at = 0, size;
    pare_store *store, *opened;
    pare_buf   *bytes, *piece;

    CHECK(r, pare_store_create(1 << 20, &store) == PARE_OK, "%s", pare_error());
    fill(r, store);
    CHECK(r, pare_buf_reserve(8 << 20, &bytes) == PARE_OK, "%s", pare_error());
    for (int i = 0; i < N; i++) {
        memcpy(pare_buf_bytes(bytes) + at, pare_store_piece(store, i, &size), sizes[i]);
        wanted[i] = size;
        at += (size + 63) / 64 * 64;
    }
    CHECK(r, pare_store_open(bytes, wanted, N, &opened) == PARE_OK && pare_store_is_filled(opened), "%s", pare_error());
    for (int i = 0; i < N; i++) {
        CHECK(r, !pare_store_fits(opened), "fits before all is taken");
        CHECK(r, pare_store_take_buf(opened, sizes[i], &piece) == PARE_OK, "%s", pare_error());
        CHECK(r, is_full_of(pare_buf_bytes(piece), sizes[i], i + 1), "piece %d", i);
        pare_buf_unref(piece);
    }
    CHECK(r, pare_store_fits(opened), "all was taken");
    CHECK(r, !pare_store_take(opened, 1) && !pare_store_fits(opened), "one more");
    pare_store_destroy(opened);

    CHECK(r, pare_store_open(bytes, wanted, N, &opened) == PARE_OK, "%s", pare_error());
    CHECK(r, !pare_store_take(opened, sizes[0] + 1) && !pare_store_fits(opened), "another size");
    pare_store_destroy(opened);

    wanted[N - 1] = 8 << 20; /* sizes that say more than the bytes hold */
    CHECK(r, pare_store_open(bytes, wanted, N, &opened) == PARE_OK, "%s", pare_error());
    for (int i = 0; i + 1 < N; i++)
        CHECK(r, pare_store_take(opened, sizes[i]), "piece %d", i);
    CHECK(r, !pare_store_take(opened, 8 << 20) && !pare_store_fits(opened), "beyond the end");
    pare_store_destroy(opened);
    pare_store_destroy(store);
    pare_buf_unref(bytes);
}

static void survives_without_memory(runner *r)
{
    const long before = pare_alloc_live();

    for (int n = 1; n < 12; n++) {
        pare_store *store;

        pare_alloc_fail_after(n);
        if (pare_store_create(0, &store) == PARE_OK) {
            for (int i = 0; i < N; i++)
                pare_store_take(store, sizes[i]);
            pare_store_destroy(store);
        }
        pare_alloc_fail_after(0);
        CHECK(r, pare_alloc_live() == before, "allocation %d: %ld are left", n, pare_alloc_live() - before);
    }
}

/* Nobody's store: heap memory. */
static void works_without_a_store(runner *r)
{
    const long     before = pare_alloc_live();
    uint8_t *const at = pare_store_take(NULL, 1000);

    CHECK(r, at && is_full_of(at, 1000, 0) && !pare_store_is_filled(NULL) && pare_store_n(NULL) == 0, "heap");
    pare_store_drop(NULL, at);
    pare_store_drop(NULL, NULL);
    CHECK(r, pare_alloc_live() == before, "leak");
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "keeps_pieces_apart", keeps_pieces_apart },
        { "opens_what_was_filled", opens_what_was_filled },
        { "survives_without_memory", survives_without_memory },
        { "works_without_a_store", works_without_a_store },
    };

    return runner_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
