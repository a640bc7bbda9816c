/* SPDX-License-Identifier: Apache-2.0 */
/* qadd_test.c - every version of qadd against its reference: all pairs of codes, all short lengths, in place */
#include "cpu/cpu.h"
#include "kernels/qadd/qbinary_cases.h"
#include "kernels/qadd/qadd.h"

static pare_qadd_params        params;
static const pare_qadd_kernel *kernels[MAX_KERNELS];

static pare_status init(const binary_desc *d)
{
    const pare_qadd_desc desc = { d->sa, d->sb, d->sy, d->za, d->zb, d->zy, d->lo, d->hi };

    return pare_qadd_init(&desc, &params);
}

static int versions(void)
{
    return pare_qadd_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
}

static const char *name(int version)
{
    return kernels[version]->name;
}

static void row(int version, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y, long n)
{
    (version == REFERENCE ? pare_qadd_ref : kernels[version]->row)(&params, a, b, b_step, y, n);
}

int main(int argc, char **argv)
{
    static const binary_rule qadd = {
        .init = init,
        .versions = versions,
        .name = name,
        .row = row,
        .tie_sy = 2,
        .near = { 1, 1e-3f, 2.5e-7f },
        .too_small = 1e-9f,
    };
    return binary_main(argc, argv, &qadd);
}
