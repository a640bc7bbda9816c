/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv_avx2.c - 4 pixels x 16 columns, exact
 *
 * vpmaddubsw would saturate at int16, so bytes are widened in registers: of each dword with four k, the even two and
 * the odd two become pairs of words (and, shifts), for weights and activations alike; vpmaddwd multiplies and adds
 * each pair in int32. The packed weights are those of every version.
 */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/qconv/qconv_plan.h"
#include "kernels/qconv/qepilogue_avx2.h"

#define ISA __attribute__((target("avx2,fma")))

enum { ROWS = 4 };

typedef struct block {
    pare_q256x2 r0, r1, r2, r3;
} block;

/* Even (k0, k2) and odd (k1, k3) weights of 16 columns as words. */
typedef struct weights {
    pare_q256x2 even, odd;
} weights;

PARE_AVX2_INLINE void row_four_k(const uint8_t *x, const weights *b, pare_q256x2 *acc)
{
    const __m256i a = _mm256_set1_epi32(pare_qconv_four(x));
    const __m256i even = _mm256_and_si256(a, _mm256_set1_epi16(0xff)), odd = _mm256_srli_epi16(a, 8);

    acc->v0 = _mm256_add_epi32(acc->v0, _mm256_madd_epi16(even, b->even.v0));
    acc->v1 = _mm256_add_epi32(acc->v1, _mm256_madd_epi16(even, b->even.v1));
    acc->v0 = _mm256_add_epi32(acc->v0, _mm256_madd_epi16(odd, b->odd.v0));
    acc->v1 = _mm256_add_epi32(acc->v1, _mm256_madd_epi16(odd, b->odd.v1));
}

PARE_AVX2_INLINE weights load_weights(const int8_t *w)
{
    const __m256i v0 = _mm256_loadu_si256((const __m256i *)w), v1 = _mm256_loadu_si256((const __m256i *)(w + 32));

    return (weights){
        { _mm256_srai_epi16(_mm256_slli_epi16(v0, 8), 8), _mm256_srai_epi16(_mm256_slli_epi16(v1, 8), 8) },
        { _mm256_srai_epi16(v0, 8), _mm256_srai_epi16(v1, 8) },
    };
}

PARE_AVX2_INLINE void products(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t,
                               int rows, block *acc)
{
    const int8_t *w = panel->w;

    for (int s = 0; s < p->n_steps; s++) {
        ptrdiff_t offset = p->steps[s].offset + panel->x_offset;

        for (int k = 0; k < p->steps[s].fours; k++, offset += 4, w += PARE_QCONV_ROW) {
            const weights b = load_weights(w);
            row_four_k(t->x[0] + offset, &b, &acc->r0);
            if (rows > 1) {
                row_four_k(t->x[1] + offset, &b, &acc->r1);
                row_four_k(t->x[2] + offset, &b, &acc->r2);
                row_four_k(t->x[3] + offset, &b, &acc->r3);
            }
        }
    }
}

/* Requantizes and stores pixel i, unless it only repeats the last one. */
PARE_AVX2_INLINE void finish(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t, int i,
                             pare_q256x2 acc)
{
    const pare_qepilogue *e = &p->epilogue;

    if (i >= t->n)
        return;
    if (e->kind == PARE_QKIND_U8) {
        pare_q256_store_u8(e, panel->packed, acc, false, panel->columns, t->y[i] + panel->channel,
                           t->residual[i] + panel->channel);
        return;
    }
    float *const y = (float *)t->y[i] + panel->channel;
    pare_q256_store_f32(e, panel->packed, acc, panel->columns, y, t->row_scale[i]);
}

PARE_AVX2_INLINE void compute(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t,
                              int rows)
{
    const __m256i    *at = (const __m256i *)(p->bias + panel->packed);
    const pare_q256x2 bias = { _mm256_loadu_si256(at), _mm256_loadu_si256(at + 1) };
    block             acc = { bias, bias, bias, bias };

    products(p, panel, t, rows, &acc);
    finish(p, panel, t, 0, acc.r0);
    if (rows > 1) {
        finish(p, panel, t, 1, acc.r1);
        finish(p, panel, t, 2, acc.r2);
        finish(p, panel, t, 3, acc.r3);
    }
}

ISA static void tile_1(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t)
{
    compute(p, panel, t, 1);
}

ISA static void tile_4(const pare_qconv_plan *p, const pare_qconv_panel *panel, const pare_qconv_tile *t)
{
    compute(p, panel, t, ROWS);
}

void pare_qconv_4x16_avx2(const pare_qconv_range *r)
{
    for (int i = r->panel0; i < r->panel1; i++) {
        pare_qconv_walk walk;

        pare_qconv_walk_start(r, &walk);
        for (long m = r->first; m < r->last;) {
            const int       n = r->last - m < ROWS ? (int)(r->last - m) : ROWS;
            pare_qconv_tile t;

            pare_qconv_tile_take(r, &walk, n, n == 1 ? 1 : ROWS, &t);
            (n == 1 ? tile_1 : tile_4)(r->plan, &r->plan->panels[i], &t);
            m += n;
        }
    }
}
#else
typedef int not_x86;
#endif
