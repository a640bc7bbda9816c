/* SPDX-License-Identifier: Apache-2.0 */
/* zip8_ref.c - the definition of zip8 */
#include "kernels/zip8/zip8.h"

void pare_zip8_ref(const pare_zip8_args *g)
{
    for (long i = 0; i < g->pixels; i++)
        for (long c = 0; c < g->channels; c++) {
            g->y[i * g->y_pixel + 2 * c] = g->a[i * g->a_pixel + c];
            g->y[i * g->y_pixel + 2 * c + 1] = g->b[i * g->b_pixel + c];
        }
}

void pare_unzip8_ref(const pare_unzip8_args *g)
{
    for (long i = 0; i < g->pixels; i++)
        for (long c = 0; c < g->channels; c++)
            g->y[i * g->y_pixel + c] = g->x[i * g->x_pixel + 2 * c + g->second];
}
