/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_avxvnni.c - 6 pixels x 16 columns
 *
 * As qconv_avx512vnni.c on half as wide vectors: per four k two loads of packed weights, a broadcast of each pixel's
 * four codes and twelve vpdpbusd, whose sums fill the registers.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/avxvnni.h"
#include "kernels/qconv/qconv_avx2.h"

#define ISA    PARE_AVXVNNI_ISA
#define INLINE ISA __attribute__((always_inline)) static inline

enum { ROWS = PARE_QCONV256_ROWS };

/* Sums: rN are the columns of pixel N. */
typedef struct block {
    pare_q256x2 r0, r1, r2, r3, r4, r5;
} block;

/* Four k of one pixel. */
INLINE void row_four_k(const uint8_t *x, __m256i b0, __m256i b1, pare_q256x2 *acc)
{
    const __m256i a = _mm256_set1_epi32(pare_qconv_four(x));

    acc->v0 = pare_dpbusd_256(acc->v0, a, b0);
    acc->v1 = pare_dpbusd_256(acc->v1, a, b1);
}

/* Adds the products of one k-step to the sums of `rows` pixels. */
INLINE void step_products(const pare_qconv_tile *t, int rows, ptrdiff_t offset, int fours, const int8_t *w, block *acc)
{
    do {
        const __m256i b0 = _mm256_loadu_si256((const __m256i *)w), b1 = _mm256_loadu_si256((const __m256i *)(w + 32));

        row_four_k(t->x[0] + offset, b0, b1, &acc->r0);
        if (rows > 1)
            row_four_k(t->x[1] + offset, b0, b1, &acc->r1);
        if (rows > 2) {
            row_four_k(t->x[2] + offset, b0, b1, &acc->r2);
            row_four_k(t->x[3] + offset, b0, b1, &acc->r3);
        }
        if (rows > 4) {
            row_four_k(t->x[4] + offset, b0, b1, &acc->r4);
            row_four_k(t->x[5] + offset, b0, b1, &acc->r5);
        }
        offset += 4;
        w += PARE_QCONV_ROW;
    } while (--fours);
}

INLINE void products(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t, int rows,
                     int32_t *sums)
{
    const pare_q256x2 bias = pare_qconv256_load(p->bias + panel->packed);
    const int8_t     *w = panel->w;
    block             acc = { bias, bias, bias, bias, bias, bias };

    for (int s = 0; s < p->n_steps; s++) {
        step_products(t, rows, p->steps[s].offset + panel->x_offset, p->steps[s].fours, w, &acc);
        w += p->steps[s].fours * PARE_QCONV_ROW;
    }
    pare_qconv256_store(sums, acc.r0);
    if (rows > 1)
        pare_qconv256_store(sums + 16, acc.r1);
    if (rows > 2) {
        pare_qconv256_store(sums + 32, acc.r2);
        pare_qconv256_store(sums + 48, acc.r3);
    }
    if (rows > 4) {
        pare_qconv256_store(sums + 64, acc.r4);
        pare_qconv256_store(sums + 80, acc.r5);
    }
}

#define TILE(rows)                                                                                                 \
    ISA __attribute__((noinline)) static void tile_##rows(const pare_qconv_plan *p, const pare_qconv_panel *panel, \
                                                          const pare_qconv_tile *t, int32_t *sums)                 \
    {                                                                                                              \
        products(p, panel, t, rows, sums);                                                                         \
    }
TILE(1)
TILE(2)
TILE(4)
TILE(6)

/* One tile of pixels and one panel. */
ISA static void run_tile(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t, bool plain)
{
    static void (*const tiles[ROWS + 1])(const pare_qconv_plan *, const pare_qconv_panel *, const pare_qconv_tile *,
                                         int32_t *) = { NULL, tile_1, tile_2, tile_4, tile_4, tile_6, tile_6 };
    int32_t sums[ROWS * PARE_QCONV_COLUMNS];

    tiles[t->n](p, panel, t, sums);
    if (plain)
        pare_qconv256_finish_plain(p, panel, t, sums);
    else
        pare_qconv256_finish_other(p, panel, t, sums);
}

void pare_qconv_6x16_avxvnni(const pare_qconv_range *r)
{
    const bool plain = pare_qconv256_is_plain(r->plan);

    for (int i = r->panel0, n; i < r->panel1; i += n) {
        pare_qconv_walk walk;

        n = pare_qconv256_group(r, i);
        pare_qconv_walk_start(r, &walk);
        for (long m = r->first; m < r->last; m += ROWS) {
            pare_qconv_tile t;

            pare_qconv_tile_take(r, &walk, r->last - m < ROWS ? (int)(r->last - m) : ROWS, ROWS, &t);
            for (int j = i; j < i + n; j++)
                run_tile(r->plan, &r->plan->panels[j], &t, plain);
        }
    }
}
#else
typedef int not_x86;
#endif
