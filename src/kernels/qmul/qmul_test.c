/* SPDX-License-Identifier: Apache-2.0 */
/* qmul_test.c - every version of qmul against its reference: all pairs of codes, all short lengths, in place */
#include "cpu/cpu.h"
#include "kernels/qadd/qbinary_cases.h"
#include "kernels/qmul/qmul.h"

static pare_qmul_params        params;
static const pare_qmul_kernel *kernels[MAX_KERNELS];

static pare_status init(const binary_desc *d)
{
    const pare_qmul_desc desc = { d->sa, d->sb, d->sy, d->za, d->zb, d->zy, d->lo, d->hi };

    return pare_qmul_init(&desc, &params);
}

static int versions(void)
{
    return pare_qmul_candidates(pare_cpu_features(), kernels, MAX_KERNELS);
}

static const char *name(int version)
{
    return kernels[version]->name;
}

static void row(int version, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y, long n)
{
    (version == REFERENCE ? pare_qmul_ref : kernels[version]->row)(&params, a, b, b_step, y, n);
}

int main(int argc, char **argv)
{
    static const binary_rule qmul = {
        .init = init,
        .versions = versions,
        .name = name,
        .row = row,
        .tie_sy = 64,
        .near = { 1, 1, 3.1e-5f },
        .too_small = 1e-6f,
    };
    return binary_main(argc, argv, &qmul);
}
