/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qpool_sums.c - when the code of an average may be told from the exact sum of its codes
 *
 * The definition adds T rounded products sx * d, |d| <= 255, one after another. With u = 2^-24 and r = sx / sy it stays
 * near the real number v = D * sx / (T * sy) + zy, D the exact sum of the d: products err by u * 255 sx each, the k-th
 * partial sum by u * k * 255 sx, both divisions by u * 255 r, the last sum by u * (255 r + 255); in codes
 *
 *   E = u * (255 r * (T + T (T + 1) / 2) / T + 2 * 255 r + 255 r + 255) = u * (255 r * (T + 9) / 2 + 255).
 *
 * fmaf((float)S, factor, constant), S the sum of the codes themselves, errs by less: factor and constant are rounded
 * once from double, the result once, each of at most 2 * 255 r + 255. Wherever v keeps away from the middle between two
 * codes by more than both bounds, both round to the same code. The few sums where it does not are listed.
 */
#include <math.h>

#include "kernels/qpool/qpool.h"

/* Words hold the sums: 257 * 255 = 65535. */
enum { MAX_TAPS = 257 };

static double bound(double r, double taps)
{
    const double u = 0x1p-24, definition = 255 * r * (taps + 9) / 2 + 255, fast = 3 * (2 * 255 * r + 255);

    return 1.01 * u * (definition > fast ? definition : fast);
}

/* Whether v lies within e of the middle between two codes. */
static bool is_doubtful(double v, double e)
{
    return v > -1 && v < 256 && fabs(v - floor(v) - 0.5) <= e;
}

void pare_qpool_plan_sums(pare_qpool_desc *d)
{
    const int    taps = d->kernel_h * d->kernel_w;
    const double r = (double)d->sx / (double)d->sy, factor = r / taps, constant = d->zy - r * d->zx;
    const double e = bound(r, taps);

    d->sums = (pare_qpool_sums){ .factor = (float)factor, .constant = (float)constant };
    if (d->kind != PARE_QPOOL_AVERAGE || taps > MAX_TAPS || !(e < 0.25) || !(r > 0x1p-60) || !(d->sx > 0x1p-60f))
        return;
    for (int s = 0; s <= 255 * taps; s++)
        if (is_doubtful(s * factor + constant, e)) {
            if (d->sums.n_doubtful == PARE_QPOOL_DOUBTFUL)
                return;
            d->sums.doubtful[d->sums.n_doubtful++] = (uint16_t)s;
        }
    d->sums.on = true;
}
