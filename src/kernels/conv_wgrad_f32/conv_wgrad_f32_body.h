/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_wgrad_f32_body.h - the tile of conv_wgrad_f32, written once on sixteen lanes
 *
 * Sums of an image stay in registers while its pixels pass: each column of x, broadcast, is multiplied with the dy of
 * every output whose window has it at one of the tile's taps, which are the last few. So an input channel is loaded
 * once for three taps. The first and last columns of a line have fewer outputs, and are code of their own: a product
 * with a zero in place of an output that does not exist would not leave every sum as it was.
 * No include guard: the including file says NAME, FEATURES, FUSED, ITEMS_1, ITEMS_2, ITEMS_3, ITEMS_WIDE and ROWS.
 */
#include "kernels/conv_wgrad_f32/conv_wgrad_f32.h"

enum { LANES = PARE_CONV_WGRAD_F32_LANES, TAPS = PARE_CONV_WGRAD_F32_TAPS, MOST_ITEMS = 14, MOST_VECS = 2 };

#define UNROLL _Pragma("GCC unroll 16")

/* One of the shapes that the code is expanded for. */
typedef struct shape {
    int  taps, vecs, items; /* taps > 1: one vector */
    bool depthwise;
} shape;

/* Column x meets the outputs of taps first .. last - 1; out[k] is that of tap k. */
INLINE void column(const shape s, const float *x, ptrdiff_t item, long n, const lanes out[TAPS], int first, int last,
                   lanes sum[TAPS][MOST_ITEMS])
{
    UNROLL for (int i = 0; i < s.items; i++)
    {
        const lanes in = s.depthwise ? lanes_load(x + i * item, n) : lanes_set(x[i]);

        UNROLL for (int k = 0; k < TAPS; k++) if (k >= first && k < last) sum[k][i] = lanes_fma(in, out[k], sum[k][i]);
    }
}

/* A line with several taps: outputs move on from tap to tap, newest first. */
INLINE void fused_line(const shape s, const pare_conv_wgrad_f32_tile *t, const float *x, const float *dy,
                       lanes sum[TAPS][MOST_ITEMS])
{
    const ptrdiff_t step = t->x_step, item = t->x_item, pixel = t->dy_pixel;
    lanes           out[TAPS];

    out[0] = lanes_load(dy, t->n);
    column(s, x, item, t->n, out, 0, 1, sum);
    if (s.taps == 3) {
        out[1] = out[0];
        out[0] = lanes_load(dy += pixel, t->n);
        column(s, x += step, item, t->n, out, 0, 2, sum);
    }
    for (int left = t->ow - s.taps + 1; left > 0; left--) {
        if (s.taps == 3)
            out[2] = out[1];
        out[1] = out[0];
        out[0] = lanes_load(dy += pixel, t->n);
        column(s, x += step, item, t->n, out, 0, s.taps, sum);
    }
    if (s.taps == 3) {
        out[2] = out[1];
        out[1] = out[0];
        column(s, x += step, item, t->n, out, 1, 3, sum);
        out[2] = out[1];
        column(s, x + step, item, t->n, out, 2, 3, sum);
    } else {
        out[1] = out[0];
        column(s, x + step, item, t->n, out, 1, 2, sum);
    }
}

/* A line with one tap: every column has its output, of one or two vectors. */
INLINE void plain_line(const shape s, const pare_conv_wgrad_f32_tile *t, const float *x, const float *dy,
                       lanes sum[MOST_VECS][MOST_ITEMS])
{
    const ptrdiff_t step = t->x_step, item = t->x_item, pixel = t->dy_pixel;

    for (int left = t->ow; left > 0; left--, x += step, dy += pixel) {
        lanes out[MOST_VECS];

        UNROLL for (int v = 0; v < s.vecs; v++) out[v] = lanes_load(dy + v * LANES, t->n - v * LANES);
        UNROLL for (int i = 0; i < s.items; i++)
        {
            const lanes in = s.depthwise ? lanes_load(x + i * item, t->n) : lanes_set(x[i]);

            UNROLL for (int v = 0; v < s.vecs; v++) sum[v][i] = lanes_fma(in, out[v], sum[v][i]);
        }
    }
}

INLINE void tile(const shape s, const pare_conv_wgrad_f32_tile *tile_)
{
    const pare_conv_wgrad_f32_tile t = *tile_; /* a copy, so that stores to sums cannot change it */
    const int                      rows = s.taps > 1 ? s.taps : s.vecs;

    for (int image = 0; image < t.images; image++) {
        lanes sum[TAPS][MOST_ITEMS];

        UNROLL for (int r = 0; r < rows; r++) UNROLL for (int i = 0; i < s.items; i++) sum[r][i] = lanes_set(0);
        for (int line = 0; line < t.oh; line++) {
            const float *const x = t.x + image * t.x_image + line * t.x_row;
            const float *const dy = t.dy + image * t.dy_image + line * t.dy_row;

            if (s.taps > 1)
                fused_line(s, &t, x, dy, sum);
            else
                plain_line(s, &t, x, dy, sum);
        }
        UNROLL for (int r = 0; r < rows; r++) UNROLL for (int i = 0; i < s.items; i++)
        {
            float *const to = t.sums + (s.taps > 1 ? r * s.items + i : i * s.vecs + r) * LANES;

            lanes_store(to, lanes_add(lanes_load(to, LANES), sum[r][i]), LANES);
        }
    }
}

typedef void tile_fn(const pare_conv_wgrad_f32_tile *t);

#define TILE(taps, vecs, depthwise, items)                                                          \
    ISA static void tile_##taps##_##vecs##_##depthwise##_##items(const pare_conv_wgrad_f32_tile *t) \
    {                                                                                               \
        tile((shape){ taps, vecs, items, depthwise }, t);                                           \
    }
#define NAME_OF(taps, vecs, depthwise, items) tile_##taps##_##vecs##_##depthwise##_##items,

/* X for every number of items up to the last. */
#define EACH_4(X, ...) X(__VA_ARGS__, 1) X(__VA_ARGS__, 2) X(__VA_ARGS__, 3) X(__VA_ARGS__, 4)
#define EACH_5(X, ...) EACH_4(X, __VA_ARGS__) X(__VA_ARGS__, 5)
#define EACH_6(X, ...) EACH_5(X, __VA_ARGS__) X(__VA_ARGS__, 6)
#define EACH_8(X, ...) EACH_6(X, __VA_ARGS__) X(__VA_ARGS__, 7) X(__VA_ARGS__, 8)
#define EACH_12(X, ...) \
    EACH_8(X, __VA_ARGS__) X(__VA_ARGS__, 9) X(__VA_ARGS__, 10) X(__VA_ARGS__, 11) X(__VA_ARGS__, 12)
#define JOIN(a, b)  a##b
#define EACH(count) JOIN(EACH_, count)

/* One list of functions per number of taps, vectors, and kind. */
#define LIST(name, count, ...) \
    EACH(count)(TILE, __VA_ARGS__) static tile_fn *const name[] = { EACH(count)(NAME_OF, __VA_ARGS__) };
LIST(one_tap, ITEMS_1, 1, 1, 0)
LIST(one_tap_deep, ROWS, 1, 1, 1)
#if ITEMS_WIDE
LIST(wide, ITEMS_WIDE, 1, 2, 0)
#endif
#if FUSED > 1
LIST(two_taps, ITEMS_2, 2, 1, 0)
LIST(three_taps, ITEMS_3, 3, 1, 0)
LIST(two_taps_deep, ROWS, 2, 1, 1)
LIST(three_taps_deep, ROWS, 3, 1, 1)
#endif

static void run_tile(const pare_conv_wgrad_f32_tile *t)
{
    const int i = t->items - 1;

#if FUSED > 1
    if (t->taps == 3) {
        (t->depthwise ? three_taps_deep : three_taps)[i](t);
        return;
    }
    if (t->taps == 2) {
        (t->depthwise ? two_taps_deep : two_taps)[i](t);
        return;
    }
#endif
#if ITEMS_WIDE
    if (t->n > LANES) {
        wide[i](t);
        return;
    }
#endif
    (t->depthwise ? one_tap_deep : one_tap)[i](t);
}

#if FUSED > 1
const pare_conv_wgrad_f32_kernel KERNEL = { NAME,       FEATURES, FUSED,   { 0, ITEMS_1, ITEMS_2, ITEMS_3 },
                                            ITEMS_WIDE, ROWS,     run_tile };
#else
const pare_conv_wgrad_f32_kernel KERNEL = { NAME, FEATURES, 1, { 0, ITEMS_1, 0, 0 }, ITEMS_WIDE, ROWS, run_tile };
#endif
