/* SPDX-License-Identifier: Apache-2.0 */
/* gemm_f32_ref.c - the definition of gemm_f32 */
#include "kernels/gemm_f32/gemm_f32.h"

#include <math.h>

void pare_gemm_f32_ref(const pare_gemm_f32_args *g, const pare_gemm_f32_b *b)
{
    for (int i = 0; i < g->m; i++)
        for (int j = 0; j < g->n; j++) {
            float v = g->init ? g->init[i * g->init_row + j] : 0;

            for (int p = 0; p < g->k; p++)
                v = fmaf(g->a[i * g->a_row + p], b->data[p * b->k_stride + j * b->n_stride], v);
            if (g->add)
                v = v + g->add[i * g->add_row + j];
            v = v < g->lo ? g->lo : v;
            v = v > g->hi ? g->hi : v;
            g->y[i * g->y_row + j] = v;
        }
}
