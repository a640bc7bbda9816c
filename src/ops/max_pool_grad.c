/* SPDX-License-Identifier: Apache-2.0 */
/* max_pool_grad.c - the gradient of a max pool inside a block: the first of the largest elements gets all */
#include <math.h>
#include <string.h>

#include "base/math.h"
#include "ops/pool_grad.h"

void pare_pool_add_max(const pare_pool_block *b, const pare_window *w, const int64_t *at, const float *dy)
{
    const pare_tensor *const x = b->call->in[1], *const dx = b->call->out[0];
    float   best[PARE_POOL_BLOCK];
    int64_t to[PARE_POOL_BLOCK], tap[PARE_MAX_SPATIAL], pixel[PARE_MAX_SPATIAL];

    for (int64_t c = 0; c < b->channels; c++) {
        best[c] = -INFINITY;
        to[c] = -1;
    }
    for (int64_t j = 0; j < w->taps; j++) {
        pare_window_tap(w, j, tap);
        const int64_t from = pare_window_offset(w, at, tap, &x->stride[2]);

        if (from < 0)
            continue;
        for (int i = 0; i < w->n; i++)
            pixel[i] = at[i] * w->stride[i] - w->before[i] + tap[i] * w->dilation[i];
        const int64_t offset = pare_pool_offset(dx, w->n, pixel);
        for (int64_t c = 0; c < b->channels; c++) {
            const float e = b->x[from + c * x->stride[1]];
            const bool  more = e > best[c] || (to[c] < 0 && e == best[c]);

            best[c] = more ? e : best[c];
            to[c] = more ? offset : to[c];
        }
    }
    for (int64_t c = 0; c < b->channels; c++)
        if (to[c] >= 0)
            b->dx[to[c] + c * dx->stride[1]] += dy[c];
}

enum { LANES = 16, MOST_TAPS = 64 };

/* What add_max does for n <= LANES channels that lie side by side; taps name the window's pixels in their order. */
static inline __attribute__((always_inline)) void add_max_lanes(int n, int taps, const float *x, const int64_t *from,
                                                                float *dx, const int64_t *to, const float *dy)
{
    float    best[LANES], in[LANES] = { 0 }, sum[LANES] = { 0 }, grad[LANES] = { 0 };
    uint32_t left[LANES]; /* all bits set: the largest element is still to come */

    memcpy(grad, dy, sizeof(float) * (size_t)n);
    for (int c = 0; c < LANES; c++) {
        best[c] = -INFINITY;
        left[c] = 0xffffffffu;
    }
    for (int j = 0; j < taps; j++) {
        memcpy(in, x + from[j], sizeof(float) * (size_t)n);
        for (int c = 0; c < LANES; c++)
            best[c] = pare_pickf(in[c] > best[c], in[c], best[c]);
    }
    for (int j = 0; j < taps; j++) {
        memcpy(in, x + from[j], sizeof(float) * (size_t)n);
        memcpy(sum, dx + to[j], sizeof(float) * (size_t)n);
        for (int c = 0; c < LANES; c++) {
            const uint32_t is = left[c] & (0u - (uint32_t)(in[c] == best[c]));

            sum[c] = sum[c] + pare_f32_of_bits(pare_bits_of_f32(grad[c]) & is);
            left[c] &= ~is;
        }
        memcpy(dx + to[j], sum, sizeof(float) * (size_t)n);
    }
}

/* The pixels of the window at output (h, w): offsets in x and in dx. Returns how many are in the image. */
static int taps_at(const pare_window_2d *v, int h, int w, const ptrdiff_t step[2][2], int64_t *from, int64_t *to)
{
    int n = 0;

    for (int i = 0; i < v->kh; i++)
        for (int j = 0; j < v->kw; j++) {
            const int y = h * v->stride_h - v->top + i * v->dilation_h,
                      x = w * v->stride_w - v->left + j * v->dilation_w;

            if (y < 0 || y >= v->ih || x < 0 || x >= v->iw)
                continue;
            from[n] = y * step[0][0] + x * step[0][1];
            to[n++] = y * step[1][0] + x * step[1][1];
        }
    return n;
}

bool pare_pool_max_block(const pare_pool_block *b, const pare_window *w)
{
    const pare_tensor *const t[3] = { b->call->in[1], b->call->out[0], b->call->in[0] };
    ptrdiff_t                step[3][2], image;
    int64_t                  from[MOST_TAPS], to[MOST_TAPS];
    pare_window_2d           v;

    if (w->taps > MOST_TAPS || !pare_window_as_2d(w, &v))
        return false;
    for (int k = 0; k < 3; k++) {
        pare_window_strides(t[k], &image, &step[k][0], &step[k][1]);
        if (t[k]->stride[1] != 1 && b->channels > 1)
            return false;
    }
    pare_pool_clear(b, w);
    for (int y = 0; y < v.oh; y++)
        for (int x = 0; x < v.ow; x++) {
            const int          n = taps_at(&v, y, x, (const ptrdiff_t(*)[2])step, from, to);
            const float *const dy = b->dy + y * step[2][0] + x * step[2][1];
            int                c = 0;

            for (; c + LANES <= b->channels; c += LANES)
                add_max_lanes(LANES, n, b->x + c, from, b->dx + c, to, dy + c);
            if (c < b->channels)
                add_max_lanes((int)b->channels - c, n, b->x + c, from, b->dx + c, to, dy + c);
        }
    return true;
}
