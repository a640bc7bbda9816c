/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdw_neon.c - 16 channels of up to four neighbouring outputs, exact, on every 64-bit ARM
 *
 * Codes and weights are widened to words, and smlal adds products of four channels in int32. The weights of a filter
 * row stay in registers while its input columns pass by; each column is loaded once and goes to all outputs it is a tap
 * of, which takes filters whose width and stride are known: the common ones. The others load it for each tap.
 */
#include "cpu/cpu.h"

#if PARE_ARM64
#include "kernels/qconv/qepilogue_neon.h"
#include "kernels/qdw/qdw_plan.h"

enum { BLOCK = 16, PIXELS = 4, MAX_KW = 5 };

/* 16 channels as words. */
typedef struct words {
    int16x8_t lo, hi;
} words;

PARE_NEON_INLINE words load_codes(const uint8_t *x)
{
    const uint8x16_t v = vld1q_u8(x);

    return (words){ vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(v))), vreinterpretq_s16_u16(vmovl_high_u8(v)) };
}

PARE_NEON_INLINE words load_weights(const int8_t *w)
{
    const int8x16_t v = vld1q_s8(w);

    return (words){ vmovl_s8(vget_low_s8(v)), vmovl_high_s8(v) };
}

PARE_NEON_INLINE void apply(pare_q128x4 *sum, words x, words w)
{
    sum->v0 = vmlal_s16(sum->v0, vget_low_s16(x.lo), vget_low_s16(w.lo));
    sum->v1 = vmlal_high_s16(sum->v1, x.lo, w.lo);
    sum->v2 = vmlal_s16(sum->v2, vget_low_s16(x.hi), vget_low_s16(w.hi));
    sum->v3 = vmlal_high_s16(sum->v3, x.hi, w.hi);
}

/* One row of the filter. kw and stride (in taps) are 0 where not known beforehand. */
PARE_NEON_INLINE void filter_row(const pare_qdw_plan *p, const uint8_t *x, const int8_t *w, const int n, const int kw,
                                 const int stride, pare_q128x4 *acc)
{
    if (kw) {
        words taps[MAX_KW];

        PARE_NEON_UNROLL for (int k = 0; k < kw; k++) taps[k] = load_weights(w + k * BLOCK);
        PARE_NEON_UNROLL for (int column = 0; column < (n - 1) * stride + kw; column++, x += p->tap_x)
        {
            PARE_NEON_IN_ORDER();
            const words in = load_codes(x);

            PARE_NEON_UNROLL for (int i = 0; i < n; i++) if (column >= i * stride && column < i * stride + kw)
                apply(&acc[i], in, taps[column - i * stride]);
        }
        return;
    }
    for (int k = 0; k < p->kernel_w; k++, w += BLOCK, x += p->tap_x) {
        const words tap = load_weights(w);

        PARE_NEON_UNROLL for (int i = 0; i < n; i++) apply(&acc[i], load_codes(x + i * p->x_step), tap);
    }
}

/* Table and add: out of line, so that the plain epilogue keeps its registers. */
__attribute__((noinline)) static void store_then(const pare_qdw_line *line, int ox, int n, uint8x16_t *q)
{
    const pare_qdw_plan  *p = line->plan;
    const pare_qepilogue *e = &p->epilogue;
    const int             first = line->block * BLOCK, channels = p->channels - first;

    if (e->table)
        pare_q128_lookup(e->table, q, n);
    for (int i = 0; i < n; i++) {
        if (e->add)
            q[i] =
                pare_q128_add(e, q[i], pare_q128_load(line->residual + (ox + i) * p->residual.pixel + first, channels));
        pare_q128_save(line->y + (ox + i) * p->y.pixel + first, channels, q[i]);
    }
}

PARE_NEON_INLINE void store(const pare_qdw_line *line, int ox, const int n, const pare_q128x4 *acc)
{
    const pare_qdw_plan  *p = line->plan;
    const pare_qepilogue *e = &p->epilogue;
    const int             first = line->block * BLOCK, channels = p->channels - first;
    const ptrdiff_t       step = p->y.pixel;
    uint8_t              *y = line->y + ox * step;

    if (e->kind != PARE_QKIND_U8) {
        PARE_NEON_UNROLL for (int i = 0; i < n; i++)
            pare_q128_store_f32(e, first, acc[i], channels, (float *)(y + i * step) + first, line->row_scale);
        return;
    }
    const pare_q128_constants c = pare_q128_constants_of(e, first);
    uint8x16_t                q[PIXELS];
    PARE_NEON_UNROLL for (int i = 0; i < n; i++) q[i] = pare_q128_codes(&c, acc[i]);
    if (e->table || e->add) {
        store_then(line, ox, n, q);
        return;
    }
    PARE_NEON_UNROLL for (int i = 0; i < n; i++) pare_q128_save(y + i * step + first, channels, q[i]);
}

PARE_NEON_INLINE void outputs(const pare_qdw_line *line, int ox, const int n, const int kw, const int stride)
{
    const pare_qdw_plan *p = line->plan;
    const int8_t        *w = p->w + (size_t)line->block * p->line_bytes;
    const int32_t       *b = p->bias + line->block * BLOCK;
    const uint8_t       *x = line->x + ox * p->x_step;
    pare_q128x4          acc[PIXELS];

    PARE_NEON_UNROLL for (int i = 0; i < n; i++) acc[i] =
        (pare_q128x4){ vld1q_s32(b), vld1q_s32(b + 4), vld1q_s32(b + 8), vld1q_s32(b + 12) };
    for (int ky = 0; ky < p->kernel_h; ky++, x += p->tap_y, w += p->kernel_w * BLOCK)
        filter_row(p, x, w, n, kw, stride, acc);
    store(line, ox, n, acc);
}

typedef void outputs_fn(const pare_qdw_line *line, int ox);

#define OUTPUTS(n, kw, stride)                                                   \
    static void outputs_##n##_##kw##_##stride(const pare_qdw_line *line, int ox) \
    {                                                                            \
        outputs(line, ox, n, kw, stride);                                        \
    }
#define EACH(X, kw, stride) X(1, kw, stride) X(2, kw, stride) X(4, kw, stride)
EACH(OUTPUTS, 0, 0)
EACH(OUTPUTS, 3, 1)
EACH(OUTPUTS, 3, 2)
EACH(OUTPUTS, 5, 1)
EACH(OUTPUTS, 5, 2)

#define NAME(n, kw, stride) outputs_##n##_##kw##_##stride,
static const struct {
    int         kw, stride;
    outputs_fn *run[3]; /* of 1, 2 and 4 outputs */
} shapes[] = {
    { 3, 1, { EACH(NAME, 3, 1) } }, { 3, 2, { EACH(NAME, 3, 2) } }, { 5, 1, { EACH(NAME, 5, 1) } },
    { 5, 2, { EACH(NAME, 5, 2) } }, { 0, 0, { EACH(NAME, 0, 0) } }, /* the others; last */
};

void pare_qdw_16_neon(const pare_qdw_line *line)
{
    const pare_qdw_plan *p = line->plan;
    int                  shape = 0;

    while (shapes[shape].kw && (shapes[shape].kw != p->kernel_w || shapes[shape].stride * p->tap_x != p->x_step))
        shape++;
    for (int ox = 0; ox < p->out_w;) {
        const int left = p->out_w - ox, height = left >= 4 ? 2 : left >= 2 ? 1 : 0;

        shapes[shape].run[height](line, ox);
        ox += 1 << height;
    }
}
#else
typedef int not_arm64;
#endif
