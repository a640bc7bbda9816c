/* SPDX-License-Identifier: Apache-2.0 */
/* qadd_ref.c - the definition of qadd */
#include <math.h>

#include "kernels/qadd/qadd.h"

void pare_qadd_ref(const pare_qadd_params *p, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y, long n)
{
    const int scalar = n > 0 ? *b : 0; /* y may be b */

    for (long i = 0; i < n; i++) {
        const int code = b_step ? b[i] : scalar;
        const int q = (int)rintf(fmaf((float)a[i], p->ra, fmaf((float)code, p->rb, p->k)));
        y[i] = (uint8_t)(q < p->lo ? p->lo : q > p->hi ? p->hi : q);
    }
}
