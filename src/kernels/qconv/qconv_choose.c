/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_choose.c - the order of the versions for a layer
 *
 * Versions of one instruction set stand in the order of the list. Where there are tiles, all that multiply them, and
 * the AVX-512 version, are ordered by an estimate of their cycles. A block of tiles takes the longest of three: 80 cycles
 * per k-step of four products; its requantization, two vector instructions per cycle, with its stores; and what comes
 * from L2, 35 cycles per KB. What stays in L1 is guessed from sizes (bench_amx_count -f counts it).
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
    double in, out;     /* channels of a group                                    */
    double x_bytes;     /* of one channel group and output pixel, fresh ones alone */
    double vectors;     /* instructions that requantize 64 outputs                */
    bool   x_conflicts; /* pixels lie so that they share few sets of L1           */
} shape;

static double vectors_of(const pare_qoutput *out)
{
    const double plain = out->zero || out->lo ? 17 : 15;

    return out->kind != PARE_QKIND_U8 ? 28 : plain + (out->table ? 7 : 0) + (out->add.on ? 33 : 0);
}

static shape shape_of(const pare_qconv_desc *d)
{
    const double groups = or1(d->groups), batch = or1(d->batch);

    return (shape){ .pixels = batch * d->out_h * d->out_w,
                    .taps = (double)or1(d->kernel_h) * or1(d->kernel_w),
                    .groups = groups,
                    .in = d->in_c / groups,
                    .out = d->out_c / groups,
                    .x_bytes = (double)or1(d->stride_h) * or1(d->stride_w) * d->in_c / groups,
                    .vectors = vectors_of(&d->out),
                    .x_conflicts = d->out_h * d->out_w == 1 ? d->x.image % 1024 == 0 : d->x.pixel % 512 == 0 };
}

/* KB that a block takes from L2. Pixels of several taps are read again while they are near. */
static double from_l2(const pare_qconv_kernel *k, const shape *s, double steps, double merged, double panels)
{
    enum { L1 = 48, SUMS = 8 };
    const double nt = k->panel_tiles, mt = 4 / nt, slab = k->loop == PARE_QCONV_OVER_SLABS ? PARE_QCONV_SLAB : steps;
    const double w = nt * steps, x = mt * steps, fresh = fmin(x, mt * 16 * s->x_bytes * merged / 1024);
    const double held = fmin(mt * slab, fresh * sqrt(s->taps)) * (s->x_conflicts ? 2 : 1);
    const bool   both_stay = nt * slab + held + SUMS <= L1;
    const bool   x_stays = held + w / sqrt(s->taps) + SUMS <= L1;
    const double again = s->taps > 1 && !x_stays ? x : fresh;

    if (k->loop == PARE_QCONV_OVER_COLUMNS)
        return (panels * w + held + SUMS <= L1 ? 0 : w) + (both_stay ? fresh / panels : again);
    return (both_stay ? 0 : w) + again + (ceil_div(steps, slab) - 1) * 4;
}

static double tile_cycles(const pare_qconv_kernel *k, const shape *s)
{
    enum { STEP = 80, AROUND = 120, L2_KB = 35, WAIT = 92, FAR_KB = 123, L2 = 1536 };
    const double nt = k->panel_tiles, mt = 4 / nt;
    const double merged = fmin(s->groups, fmax(1, fmin(floor(16 * nt / s->out), floor(64 / s->in))));
    const double steps =
        fmin(s->taps * ceil_div(s->in * merged, 64), ceil_div(s->taps * fmax(s->in * merged, 4), 64) + 2);
    const double panels = ceil_div(s->groups, merged) * ceil_div(s->out * merged, 16 * nt);
    const double rows = ceil_div(ceil_div(s->pixels, 16), mt), weights = panels * nt * steps;
    const double waits = k->loop == PARE_QCONV_OVER_SLABS ? ceil_div(steps, PARE_QCONV_SLAB) - 1 : 0;
    const double order = nt > 2 ? 0 : nt > 1 ? 2 : 4; /* instructions more, to put outputs in order */
    const double block = fmax(STEP * steps + 18 + waits * WAIT, 8 * (s->vectors + order) + AROUND);
    const double passes = k->loop == PARE_QCONV_OVER_COLUMNS && weights > L2 ? rows : 1;

    return fmax(rows * panels * fmax(block, L2_KB * from_l2(k, s, steps, merged, panels)), FAR_KB * weights * passes);
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
