/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_avx2.h - what the 256-bit versions of qconv share: groups of panels, and 6 pixels x 16 columns of sums in memory
 *
 * The functions that add products leave their sums in memory: with requantization behind their loops compilers would
 * not keep all twelve in registers.
 */
#ifndef PARE_KERNELS_QCONV_AVX2_H
#define PARE_KERNELS_QCONV_AVX2_H

#include "kernels/qconv/qconv_plan.h"
#include "kernels/qconv/qepilogue_avx2.h"

enum {
    PARE_QCONV256_ROWS = 6,
    PARE_QCONV256_GROUP = 16,              /* panels of a group, at most                                        */
    PARE_QCONV256_GROUP_BYTES = 256 << 10, /* of their weights, at most: they stay in the second-level cache    */
};

PARE_AVX2_INLINE pare_q256x2 pare_qconv256_load(const int32_t *at)
{
    return (pare_q256x2){ _mm256_loadu_si256((const __m256i *)at), _mm256_loadu_si256((const __m256i *)(at + 8)) };
}

PARE_AVX2_INLINE void pare_qconv256_store(int32_t *at, pare_q256x2 v)
{
    _mm256_storeu_si256((__m256i *)at, v.v0);
    _mm256_storeu_si256((__m256i *)(at + 8), v.v1);
}

/* Requantizes and stores the pixels of a tile, two at a time. */
PARE_AVX2_INLINE void pare_qconv256_finish_plain(const pare_qconv_plan *p, const pare_qconv_panel *panel,
                                                 const pare_qconv_tile *t, const int32_t *sums)
{
    const pare_q256_constants c = pare_q256_load_constants(&p->epilogue, panel->packed);

    for (int i = 0; i < t->n; i += 2) {
        const int     j = i + 1 < t->n ? i + 1 : i;
        const __m256i q =
            pare_q256_codes_2(&c, pare_qconv256_load(sums + 16 * i), pare_qconv256_load(sums + 16 * j), false);
        pare_q256_save(t->y[j] + panel->channel, panel->columns, _mm256_extracti128_si256(q, 1));
        pare_q256_save(t->y[i] + panel->channel, panel->columns, _mm256_castsi256_si128(q));
    }
}

/* The same with table or add, or to floats. */
PARE_AVX2_INLINE void pare_qconv256_finish_other(const pare_qconv_plan *p, const pare_qconv_panel *panel,
                                                 const pare_qconv_tile *t, const int32_t *sums)
{
    const pare_qepilogue *e = &p->epilogue;

    for (int i = 0; i < t->n; i++) {
        const pare_q256x2 acc = pare_qconv256_load(sums + 16 * i);
        if (e->kind == PARE_QKIND_U8)
            pare_q256_store_u8(e, panel->packed, acc, false, panel->columns, t->y[i] + panel->channel,
                               t->residual[i] + panel->channel);
        else
            pare_q256_store_f32(e, panel->packed, acc, panel->columns, (float *)t->y[i] + panel->channel,
                                t->row_scale[i]);
    }
}

/* Whether the former is enough. */
static inline bool pare_qconv256_is_plain(const pare_qconv_plan *p)
{
    return p->epilogue.kind == PARE_QKIND_U8 && !p->epilogue.add && !p->epilogue.table;
}

/* Panels from i on whose weights are read together. */
static inline int pare_qconv256_group(const pare_qconv_range *r, int i)
{
    const pare_qconv_panel *panels = r->plan->panels;
    const size_t            most = PARE_QCONV256_GROUP_BYTES / r->plan->tile_bytes;
    int                     n = 1;

    while (i + n < r->panel1 && n < PARE_QCONV256_GROUP && (size_t)n < most &&
           panels[i + n].x_offset == panels[i].x_offset)
        n++;
    return n;
}

#endif
