/* SPDX-License-Identifier: Apache-2.0 */
/* conv_bf16_c.c - portable version: pairs of k, 4 rows by 16 columns */
#include "kernels/conv_bf16/conv_bf16.h"
#include "tensor/tensor.h"

enum { NR = 16 };

void pare_bf16_tile_c(const pare_bf16_tile *t);
void pare_bf16_round_c(long n, const float *x, uint16_t *y);

void pare_bf16_round_c(long n, const float *x, uint16_t *y)
{
    for (long i = 0; i < n; i++)
        y[i] = pare_f32_to_bf16(x[i]);
}

static float chain(const uint16_t *x, const uint16_t *w, int pairs, float sum)
{
    for (int p = 0; p < pairs; p++, x += 2, w += 2 * NR) {
        sum += pare_bf16_to_f32(x[1]) * pare_bf16_to_f32(w[1]);
        sum += pare_bf16_to_f32(x[0]) * pare_bf16_to_f32(w[0]);
    }
    return sum;
}

void pare_bf16_tile_c(const pare_bf16_tile *t)
{
    for (int i = 0; i < t->m; i++)
        for (int j = 0; j < t->n; j++) {
            float v = chain(t->x + i * t->x_row, t->w + 2 * j, t->pairs, t->init ? t->init[j] : 0);

            v = v < t->lo ? t->lo : v;
            t->y[i][t->column + j] = v > t->hi ? t->hi : v;
        }
}
