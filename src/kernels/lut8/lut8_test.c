/* SPDX-License-Identifier: Apache-2.0 */
/* lut8_test.c - every version of lut8 against its reference: every length to 400, before a forbidden page, in place */
#include "kernels/lut8/lut8.h"

#include <string.h>

#include "base/rng.h"
#include "cpu/cpu.h"
#include "runner.h"

enum { MAX_KERNELS = 8 };

static void every_length(runner *r)
{
    const pare_lut8_kernel *kernels[MAX_KERNELS];
    const int               n = pare_lut8_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
    pare_rng                rng = pare_rng_seed(r->seed);

    for (size_t length = 0; length <= 400; length++)
        for (int k = 0; k < n; k++) {
            uint8_t *const x = runner_guarded(length, 1), *const other = runner_guarded(length, 1);
            uint8_t *const y = pare_rng_below(&rng, 2) ? x : other;
            uint8_t        table[256], want[400];

            for (int i = 0; i < 256; i++)
                table[i] = (uint8_t)pare_rng_u64(&rng);
            for (size_t i = 0; i < length; i++)
                x[i] = (uint8_t)(i < 256 && length % 2 ? i : pare_rng_u64(&rng));
            pare_lut8_ref(table, x, want, (long)length);
            kernels[k]->row(table, x, y, (long)length);
            CHECK(r, !memcmp(y, want, length), "%s: n=%zu", kernels[k]->name, length);
            runner_guarded_free(x, length, 1);
            runner_guarded_free(other, length, 1);
        }
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = { { "every_length", every_length } };

    return runner_main(argc, argv, cases, 1);
}
