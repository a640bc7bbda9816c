/* SPDX-License-Identifier: Apache-2.0 */
/* qpool_ref.c - the definition of a window */
#include <math.h>

#include "kernels/qpool/qpool.h"

static uint8_t clamp(const pare_qpool_window *w, int q)
{
    return (uint8_t)(q < w->lo ? w->lo : q > w->hi ? w->hi : q);
}

static const uint8_t *tap(const pare_qpool_window *w, int o, int i, int j, int c)
{
    return w->x + o * w->x_step + i * w->row + j * w->pixel + c;
}

void pare_qpool_max_ref(const pare_qpool_window *w)
{
    for (int o = 0; o < w->outputs; o++)
        for (int c = 0; c < w->channels; c++) {
            int most = 0;

            for (int i = 0; i < w->rows; i++)
                for (int j = 0; j < w->columns; j++)
                    most = *tap(w, o, i, j, c) > most ? *tap(w, o, i, j, c) : most;
            w->y[o * w->y_step + c] = clamp(w, most);
        }
}

void pare_qpool_average_ref(const pare_qpool_window *w)
{
    for (int o = 0; o < w->outputs; o++)
        for (int c = 0; c < w->channels; c++) {
            float s = 0;

            for (int i = 0; i < w->rows; i++)
                for (int j = 0; j < w->columns; j++)
                    s = s + w->sx * (float)(*tap(w, o, i, j, c) - w->zx);
            w->y[o * w->y_step + c] = clamp(w, (int)rintf((s / (float)w->n) / w->sy + (float)w->zy));
        }
}

void pare_qpool_totals_ref(const pare_qpool_window *w)
{
    pare_qpool_average_ref(w);
}

void pare_qpool_mean_ref(const pare_qpool_window *w)
{
    const float factor = w->sx / (w->sy * (float)w->n);

    for (int o = 0; o < w->outputs; o++)
        for (int c = 0; c < w->channels; c++) {
            int32_t sum = 0;

            for (int i = 0; i < w->rows; i++)
                for (int j = 0; j < w->columns; j++)
                    sum += *tap(w, o, i, j, c) - w->zx;
            w->y[o * w->y_step + c] = clamp(w, (int)rintf((float)sum * factor) + w->zy);
        }
}

void pare_qpool_peak_ref(const uint8_t *x, ptrdiff_t row, int rows, uint8_t *y, long n)
{
    for (long i = 0; i < n; i++) {
        y[i] = x[i];
        for (int r = 1; r < rows; r++)
            y[i] = x[r * row + i] > y[i] ? x[r * row + i] : y[i];
    }
}
