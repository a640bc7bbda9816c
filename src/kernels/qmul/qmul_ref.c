/* SPDX-License-Identifier: Apache-2.0 */
/* qmul_ref.c - the definition of qmul */
#include <math.h>

#include "kernels/qmul/qmul.h"

void pare_qmul_ref(const pare_qmul_params *p, const uint8_t *a, const uint8_t *b, int b_step, uint8_t *y, long n)
{
    const int scalar = n > 0 ? *b : 0; /* y may be b */

    for (long i = 0; i < n; i++) {
        const int code = b_step ? b[i] : scalar;
        const int q = (int)rintf((float)((a[i] - p->za) * (code - p->zb)) * p->m + (float)p->zy);
        y[i] = (uint8_t)(q < p->lo ? p->lo : q > p->hi ? p->hi : q);
    }
}

void pare_qmul_gate_ref(const pare_qmul_params *p, const pare_qmul_gated *g)
{
    for (long i = 0; i < g->pixels; i++)
        pare_qmul_ref(p, g->a + i * g->a_pixel, g->b, 1, g->y + i * g->y_pixel, g->channels);
}
