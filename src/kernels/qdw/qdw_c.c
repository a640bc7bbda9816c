/* SPDX-License-Identifier: Apache-2.0 */
/* qdw_c.c - portable C: four channels at a time */
#include <string.h>

#include "kernels/qdw/qdw_plan.h"

enum { BLOCK = 4 };

static void products(const pare_qdw_line *line, const uint8_t *x, int32_t acc[BLOCK])
{
    const pare_qdw_plan *p = line->plan;
    const int8_t        *w = p->w + (size_t)line->block * p->line_bytes;

    memcpy(acc, p->bias + line->block * BLOCK, BLOCK * sizeof(acc[0]));
    for (int ky = 0; ky < p->kernel_h; ky++)
        for (int kx = 0; kx < p->kernel_w; kx++, w += BLOCK)
            for (int c = 0; c < BLOCK; c++)
                acc[c] += x[ky * p->tap_y + kx * p->tap_x + c] * w[c];
}

void pare_qdw_4_c(const pare_qdw_line *line)
{
    const pare_qdw_plan  *p = line->plan;
    const pare_qepilogue *e = &p->epilogue;

    for (int ox = 0; ox < p->out_w; ox++) {
        uint8_t *y = line->y + ox * p->y.pixel;
        int32_t  acc[BLOCK];

        products(line, line->x + ox * p->x_step, acc);
        for (int i = 0; i < BLOCK; i++) {
            const int c = line->block * BLOCK + i;
            if (c >= p->channels)
                break;
            if (e->kind != PARE_QKIND_U8) {
                ((float *)y)[c] = pare_qepilogue_f32(e, c, acc[i], line->row_scale);
                continue;
            }
            const int q = pare_qepilogue_code(e, c, acc[i]);
            y[c] = (uint8_t)(e->add ? pare_qepilogue_add(e, q, line->residual[ox * p->residual.pixel + c]) : q);
        }
    }
}
