/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm_f32_c.c - 4x8 tile in portable C: thirty-two chains side by side, so that the compiler can keep them in
 * registers and, where fmaf is an instruction (arm64), vectorise the columns. Elsewhere fmaf is a call: slow but exact.
 */
#include "kernels/gemm_f32/gemm_f32.h"

#include <math.h>

enum { MR = 4, NR = 8 };

void pare_gemm_f32_tile_c(const pare_gemm_f32_tile *t);
void pare_gemm_f32_row_c(const pare_gemm_f32_tile *t);

/* Rows past m repeat row 0 (nothing outside the operands is read); their sums are not stored. */
static void multiply(const pare_gemm_f32_tile *t, float acc[MR][NR])
{
    const float *w = t->w;

    for (int tap = 0; tap < t->n_taps; tap++) {
        const float *x[MR];

        for (int i = 0; i < MR; i++)
            x[i] = t->x + (i < t->m ? i : 0) * t->x_row + t->taps[tap];
        for (int p = 0; p < t->k; p++, w += NR)
            for (int i = 0; i < MR; i++)
                for (int j = 0; j < NR; j++)
                    acc[i][j] = fmaf(x[i][p], w[j], acc[i][j]);
    }
}

void pare_gemm_f32_tile_c(const pare_gemm_f32_tile *t)
{
    float acc[MR][NR] = { { 0 } };

    for (int i = 0; t->init && i < t->m; i++)
        for (int j = 0; j < t->n; j++)
            acc[i][j] = t->init[i * t->init_row + j];
    multiply(t, acc);
    for (int i = 0; i < t->m; i++)
        for (int j = 0; j < t->n; j++) {
            float v = acc[i][j];

            if (t->add)
                v = v + t->add[i * t->add_row + j];
            v = v < t->lo ? t->lo : v;
            v = v > t->hi ? t->hi : v;
            t->y[i * t->y_row + j] = v;
        }
}

void pare_gemm_f32_row_c(const pare_gemm_f32_tile *t)
{
    pare_gemm_f32_tile panel = *t;

    for (int j = 0; j < t->n; j += NR) {
        panel.n = t->n - j < NR ? t->n - j : NR;
        panel.w = t->w + (size_t)j * t->n_taps * t->k;
        panel.init = t->init ? t->init + j : NULL;
        panel.add = t->add ? t->add + j : NULL;
        panel.y = t->y + j;
        pare_gemm_f32_tile_c(&panel);
    }
}
