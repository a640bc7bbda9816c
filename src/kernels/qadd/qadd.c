/* SPDX-License-Identifier: Apache-2.0 */
/* qadd.c - constants of an add, and choosing a version */
#include "kernels/qadd/qadd.h"

#include <math.h>
#include <stdbool.h>

static const pare_qadd_kernel kernels[] = {
#define PARE_QADD(name, isa) { #name, isa, pare_qadd_##name },
#include "kernels/qadd/qadd.def"
#undef PARE_QADD
};

int pare_qadd_candidates(unsigned cpu, const pare_qadd_kernel *out[], int max)
{
    const int n_kernels = (int)(sizeof(kernels) / sizeof(kernels[0]));
    int       n = 0;

    for (int i = 0; i < n_kernels && n < max; i++)
        if (!(kernels[i].isa & ~cpu))
            out[n++] = &kernels[i];
    return n;
}

static bool is_scale(float scale)
{
    return scale > 0 && isfinite(scale);
}

static bool is_code(int zero)
{
    return zero >= 0 && zero <= 255;
}

pare_status pare_qadd_init(const pare_qadd_desc *d, pare_qadd_params *p)
{
    const int hi = d->hi ? d->hi : 255;

    if (!is_scale(d->sa) || !is_scale(d->sb) || !is_scale(d->sy))
        return pare_fail(PARE_ERR_ARG, "qadd: scales %g, %g and %g must be positive", (double)d->sa, (double)d->sb,
                         (double)d->sy);
    if (!is_code(d->za) || !is_code(d->zb) || !is_code(d->zy) || d->lo < 0 || d->lo > hi || hi > 255)
        return pare_fail(PARE_ERR_ARG, "qadd: zero points %d, %d, %d or bounds %d..%d are not u8", d->za, d->zb, d->zy,
                         d->lo, hi);

    const float ra = d->sa / d->sy, rb = d->sb / d->sy;
    *p = (pare_qadd_params){
        .ra = ra,
        .rb = rb,
        .k = (float)d->zy - fmaf(ra, (float)d->za, rb * (float)d->zb),
        .lo = d->lo,
        .hi = hi,
    };

    /* Each fmaf grows with its code, so the extremes are the corners. */
    const float least = p->k, most = fmaf(255, ra, fmaf(255, rb, p->k)), limit = 2147483648.0f;
    if (!(fabsf(least) < limit && fabsf(most) < limit))
        return pare_fail(PARE_ERR_UNSUPPORTED, "qadd: the output scale %g is too small beside %g and %g", (double)d->sy,
                         (double)d->sa, (double)d->sb);
    return PARE_OK;
}
