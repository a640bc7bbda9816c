/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_choose.c - the order of the versions for a layer
 *
 * Versions of one instruction set stand in the order of the list. Where there are tiles, all that multiply them, and
 * the AVX-512 version, are ordered by an estimate of their cycles, from the cost of a block with its operands in L1 (80
 * per k-step of four products, and no less than requantization takes) and of operands that come from L2 (15 per tile).
 */
#include <math.h>

#include "kernels/qconv/qconv_plan.h"

static int or1(int value)
{
    return value ? value : 1;
}

static double ceil_div(double n, double by)
{
    return ceil(n / by);
}

/* What the estimate needs of a layer. */
typedef struct shape {
    double pixels, taps, groups;
    double in, out; /* channels of a group */
    double x_bytes;
} shape;

static shape shape_of(const pare_qconv_desc *d)
{
    const double groups = or1(d->groups), batch = or1(d->batch);

    return (shape){ .pixels = batch * d->out_h * d->out_w,
                    .taps = (double)or1(d->kernel_h) * or1(d->kernel_w),
                    .groups = groups,
                    .in = d->in_c / groups,
                    .out = d->out_c / groups,
                    .x_bytes = batch * d->out_h * or1(d->stride_h) * d->out_w * or1(d->stride_w) * d->in_c };
}

/* The part of `bytes` that L1 does not keep while other operands pass through it. */
static double from_l2(double bytes)
{
    const double l1 = 48 << 10, kept = l1 / 2;

    return bytes <= kept ? 0 : bytes >= l1 ? 1 : (bytes - kept) / (l1 - kept);
}

static double tile_cycles(const pare_qconv_kernel *k, const shape *s)
{
    enum { STEP = 80, L2_TILE = 15, BLOCK = 255, NARROW_BLOCK = 300 };
    const double nt = k->panel_tiles, mt = 4 / nt, tile = 1024;
    const double merged = fmin(s->groups, fmax(1, fmin(floor(16 * nt / s->out), floor(64 / s->in))));
    const double steps =
        fmin(s->taps * ceil_div(s->in * merged, 64), ceil_div(s->taps * fmax(s->in * merged, 4), 64) + 2);
    const double panels = ceil_div(s->groups, merged) * ceil_div(s->out * merged, 16 * nt);
    const double rows = ceil_div(ceil_div(s->pixels, 16), mt);
    const double w_again = (k->loop == PARE_QCONV_OVER_COLUMNS) ? from_l2(panels * nt * steps * tile) : from_l2(nt * steps * tile);
    const double w_missing = rows > 1 || (k->loop == PARE_QCONV_OVER_COLUMNS) ? w_again : 1;
    const double x_missing = from_l2((k->loop == PARE_QCONV_OVER_COLUMNS) ? mt * steps * tile / s->taps : s->x_bytes / s->groups * merged);
    /* Five loads per k-step, four of them strided, pay where few pixels let each weight be read once. */
    const double five = k->panel_tiles == 1 && s->out > 16 && rows > 1 ? L2_TILE : 0;
    const double step = STEP + five + L2_TILE * (nt * w_missing + mt * x_missing / s->taps);

    return rows * panels * fmax(steps * step, k->panel_tiles == 1 ? NARROW_BLOCK : BLOCK);
}

/* Per 64 bytes of weights and pixel about half a cycle, but they must be loaded. */
static double vector_cycles(const shape *s)
{
    const double lines = ceil_div(s->out, 16) * s->groups * s->taps * ceil_div(s->in, 4);

    return lines * fmax(1, 0.6 * s->pixels) + s->pixels * s->out * s->groups / 64 * 9;
}

static double cycles(const pare_qconv_kernel *k, const shape *s)
{
    return k->k_round == 64 ? tile_cycles(k, s) : vector_cycles(s);
}

void pare_qconv_order(const pare_qconv_desc *d, const pare_qconv_kernel *kernels[], int n)
{
    const shape s = shape_of(d);
    int         with = 0;

    /* Tiles are listed first, and the one version behind them is that of AVX-512. */
    while (with < n && kernels[with]->k_round == 64)
        with++;
    for (int i = 1; with && i <= with && i < n; i++) {
        const pare_qconv_kernel *k = kernels[i];
        int                      at = i;

        for (; at > 0 && cycles(k, &s) < cycles(kernels[at - 1], &s); at--)
            kernels[at] = kernels[at - 1];
        kernels[at] = k;
    }
}
