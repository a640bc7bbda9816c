/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_c.c - portable C: one pixel times one column tile of 16, on the packed weights */
#include "kernels/qconv/qconv_plan.h"

static void products(const pare_qconv_plan *p, const pare_qconv_panel *panel, const uint8_t *x,
                     int32_t acc[PARE_QCONV_COLUMNS])
{
    const int8_t *w = panel->w;

    memcpy(acc, p->bias + panel->packed, PARE_QCONV_COLUMNS * sizeof(acc[0]));
    for (int s = 0; s < p->n_steps; s++) {
        const uint8_t *a = x + p->steps[s].offset + panel->x_offset;
        for (int k = 0; k < p->steps[s].fours; k++, a += 4, w += PARE_QCONV_ROW)
            for (int c = 0; c < PARE_QCONV_COLUMNS; c++)
                acc[c] += a[0] * w[4 * c] + a[1] * w[4 * c + 1] + a[2] * w[4 * c + 2] + a[3] * w[4 * c + 3];
    }
}

static void store(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_walk *at,
                  const int32_t acc[PARE_QCONV_COLUMNS])
{
    const pare_qepilogue *e = &p->epilogue;

    for (int c = 0; c < panel->columns; c++) {
        const int column = panel->packed + c, channel = panel->channel + c;
        if (e->kind != PARE_QKIND_U8) {
            ((float *)at->y)[channel] = pare_qepilogue_f32(e, column, acc[c], at->row_scale);
        } else {
            const int q = pare_qepilogue_code(e, column, acc[c]);
            at->y[channel] = (uint8_t)(e->add ? pare_qepilogue_add(e, q, at->residual[channel]) : q);
        }
    }
}

void pare_qconv_1x16_c(const pare_qconv_range *r)
{
    for (int i = r->panel0; i < r->panel1; i++) {
        pare_qconv_walk at;

        pare_qconv_walk_start(r, &at);
        for (long m = r->first; m < r->last; m++, pare_qconv_walk_on(r, &at, 1)) {
            int32_t acc[PARE_QCONV_COLUMNS];
            products(r->plan, &r->plan->panels[i], at.x, acc);
            store(r->plan, &r->plan->panels[i], &at, acc);
        }
    }
}
