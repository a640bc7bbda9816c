/* SPDX-License-Identifier: Apache-2.0 */
/* qmul.c - constants of a product, and choosing a version */
#include "kernels/qmul/qmul.h"

#include <math.h>
#include <stdbool.h>

static const pare_qmul_kernel kernels[] = {
#define PARE_QMUL(name, isa) { #name, isa, pare_qmul_##name, pare_qmul_gate_##name },
#include "kernels/qmul/qmul.def"
#undef PARE_QMUL
};

int pare_qmul_candidates(unsigned cpu, const pare_qmul_kernel *out[], int max)
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

pare_status pare_qmul_init(const pare_qmul_desc *d, pare_qmul_params *p)
{
    const int hi = d->hi ? d->hi : 255;

    if (!is_scale(d->sa) || !is_scale(d->sb) || !is_scale(d->sy))
        return pare_fail(PARE_ERR_ARG, "qmul: scales %g, %g and %g must be positive", (double)d->sa, (double)d->sb,
                         (double)d->sy);
    if (!is_code(d->za) || !is_code(d->zb) || !is_code(d->zy) || d->lo < 0 || d->lo > hi || hi > 255)
        return pare_fail(PARE_ERR_ARG, "qmul: zero points %d, %d, %d or bounds %d..%d are not u8", d->za, d->zb, d->zy,
                         d->lo, hi);

    *p = (pare_qmul_params){
        .m = (d->sa * d->sb) / d->sy,
        .za = d->za,
        .zb = d->zb,
        .zy = d->zy,
        .lo = d->lo,
        .hi = hi,
    };
    if (!(65025 * p->m + 255 < 2147483648.0f))
        return pare_fail(PARE_ERR_UNSUPPORTED, "qmul: the output scale %g is too small beside %g and %g", (double)d->sy,
                         (double)d->sa, (double)d->sb);
    return PARE_OK;
}
