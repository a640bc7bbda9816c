/* SPDX-License-Identifier: Apache-2.0 */
/* hash_test.c - fingerprints see every bit, the length and the order of bytes */
#include "runner.h"

#include <string.h>

#include "base/hash.h"

enum { LONGEST = 200 };

static void sees_every_bit(runner *r)
{
    uint8_t bytes[LONGEST];

    for (int i = 0; i < LONGEST; i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (int n = 1; n <= LONGEST; n++) {
        const uint64_t whole = pare_hash(5, bytes, (size_t)n);

        CHECK(r, whole == pare_hash(5, bytes, (size_t)n), "the same bytes");
        CHECK(r, whole != pare_hash(6, bytes, (size_t)n), "%d bytes: the seed is lost", n);
        CHECK(r, whole != pare_hash(5, bytes, (size_t)n - 1), "%d bytes: the last one is lost", n);
        for (int bit = 0; bit < 8 * n; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            CHECK(r, whole != pare_hash(5, bytes, (size_t)n), "%d bytes: bit %d is lost", n, bit);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}

static void sees_length_and_order(runner *r)
{
    const uint8_t zeros[LONGEST] = { 0 };
    uint64_t      seen[LONGEST];

    for (int n = 0; n < LONGEST; n++) {
        seen[n] = pare_hash(0, zeros, (size_t)n);
        for (int i = 0; i < n; i++)
            CHECK(r, seen[i] != seen[n], "%d and %d zeros look equal", i, n);
    }
    CHECK(r, pare_hash(pare_hash(0, "a", 1), "b", 1) != pare_hash(pare_hash(0, "b", 1), "a", 1), "order");
    CHECK(r, pare_hash_build() == pare_hash_build() && pare_hash_build() != 0, "the build");
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "sees_every_bit", sees_every_bit },
        { "sees_length_and_order", sees_length_and_order },
    };

    return runner_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
