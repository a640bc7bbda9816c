/* SPDX-License-Identifier: Apache-2.0 */
/* qpool_ref.c - the definition of one window */
#include <math.h>

#include "kernels/qpool/qpool.h"

static uint8_t clamp(const pare_qpool_window *w, int q)
{
    return (uint8_t)(q < w->lo ? w->lo : q > w->hi ? w->hi : q);
}

void pare_qpool_max_ref(const pare_qpool_window *w)
{
    for (int c = 0; c < w->channels; c++) {
        int most = 0;
        for (int i = 0; i < w->rows; i++)
            for (int j = 0; j < w->columns; j++) {
                const int q = w->x[i * w->row + j * w->pixel + c];
                most = q > most ? q : most;
            }
        w->y[c] = clamp(w, most);
    }
}

void pare_qpool_average_ref(const pare_qpool_window *w)
{
    for (int c = 0; c < w->channels; c++) {
        float s = 0;
        for (int i = 0; i < w->rows; i++)
            for (int j = 0; j < w->columns; j++)
                s = s + w->sx * (float)(w->x[i * w->row + j * w->pixel + c] - w->zx);
        w->y[c] = clamp(w, (int)rintf((s / (float)w->n) / w->sy + (float)w->zy));
    }
}

void pare_qpool_mean_ref(const pare_qpool_window *w)
{
    const float factor = w->sx / (w->sy * (float)w->n);

    for (int c = 0; c < w->channels; c++) {
        int32_t sum = 0;
        for (int i = 0; i < w->rows; i++)
            for (int j = 0; j < w->columns; j++)
                sum += w->x[i * w->row + j * w->pixel + c] - w->zx;
        w->y[c] = clamp(w, (int)rintf((float)sum * factor) + w->zy);
    }
}
