/* SPDX-License-Identifier: Apache-2.0 */
/* pool_f32_c.c - pooling in portable C: eight channels side by side, which compilers turn into vectors */
#include "kernels/pool_f32/pool_f32.h"

#include <math.h>

enum { LANES = 8, SUMS = 16 };

void pare_pool_f32_max_c(const pare_pool_f32_window *t);
void pare_pool_f32_average_c(const pare_pool_f32_window *t);
void pare_pool_f32_global_c(const pare_pool_f32_window *t);

/* All loops run over whole blocks of channels: reading a few too many is in the contract, writing is not. */
static void store(const pare_pool_f32_window *t, int c, const float v[LANES])
{
    for (int j = 0; j < LANES && c + j < t->c; j++)
        t->y[c + j] = v[j];
}

void pare_pool_f32_max_c(const pare_pool_f32_window *t)
{
    for (int c = 0; c < t->c; c += LANES) {
        float v[LANES];

        for (int j = 0; j < LANES; j++)
            v[j] = -INFINITY;
        for (int row = 0; row < t->rows; row++)
            for (int pixel = 0; pixel < t->pixels; pixel++) {
                const float *x = t->x + row * t->x_row + pixel * t->x_pixel + c;

                for (int j = 0; j < LANES; j++)
                    v[j] = x[j] > v[j] ? x[j] : v[j];
            }
        store(t, c, v);
    }
}

void pare_pool_f32_average_c(const pare_pool_f32_window *t)
{
    for (int c = 0; c < t->c; c += LANES) {
        float v[LANES] = { 0 };

        for (int row = 0; row < t->rows; row++)
            for (int pixel = 0; pixel < t->pixels; pixel++)
                for (int j = 0; j < LANES; j++)
                    v[j] = v[j] + t->x[row * t->x_row + pixel * t->x_pixel + c + j];
        for (int j = 0; j < LANES; j++)
            v[j] = v[j] / t->divisor;
        store(t, c, v);
    }
}

void pare_pool_f32_global_c(const pare_pool_f32_window *t)
{
    for (int c = 0; c < t->c; c += LANES) {
        float sum[SUMS][LANES] = { { 0 } };
        int   i = 0;

        for (int row = 0; row < t->rows; row++)
            for (int pixel = 0; pixel < t->pixels; pixel++, i = (i + 1) % SUMS)
                for (int j = 0; j < LANES; j++)
                    sum[i][j] = sum[i][j] + t->x[row * t->x_row + pixel * t->x_pixel + c + j];
        for (int half = SUMS / 2; half > 0; half /= 2)
            for (i = 0; i < half; i++)
                for (int j = 0; j < LANES; j++)
                    sum[i][j] = sum[i][j] + sum[i + half][j];
        for (int j = 0; j < LANES; j++)
            sum[0][j] = sum[0][j] / t->divisor;
        store(t, c, sum[0]);
    }
}
