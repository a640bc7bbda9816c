/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_transpose_plan.c - transposed convolution of channels-last tensors as one matrix product per tap
 *
 * The pixels of an input row times the weights of one tap are added to every stride-th pixel of an output row. Products
 * start from what lies there, so each output is the one chain of the reference: bias, then taps, then channels.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "kernels/gemm_f32/gemm_f32.h"
#include "ops/call.h"
#include "ops/conv_transpose.h"

typedef struct state {
    const pare_gemm_f32_kernel *kernel;
    pare_window_2d              g;
    int                         groups, in_c, out_c; /* channels of one group                        */
    size_t                      panel;               /* floats of the packed weights of one tap      */
    pare_store                 *store;               /* where these lie; NULL: heap memory           */
    float                      *packed;              /* bias and weights; NULL: no constants, packed while running */
} state;

/*
 * Packed: bias [groups * out_c rounded up to 16], zeros where there is none; weights [groups][kh * kw][panel].
 */
static size_t bias_size(const state *s)
{
    return (size_t)(s->groups * s->out_c + 15) / 16 * 16;
}

static size_t packed_bytes(const state *s)
{
    return sizeof(float) * (bias_size(s) + s->panel * (size_t)(s->groups * s->g.kh * s->g.kw));
}

static void release(void *memory)
{
    state *const s = memory;

    pare_store_drop(s->store, s->packed);
    pare_free(s);
}

/* One output row gets tap (ky, kx) of one group. `x`, `y`: first pixels of the input and the output row. */
static void add_tap(const state *s, const float *packed, int group, int ky, int kx, const float *x, ptrdiff_t x_pixel,
                    float *y, ptrdiff_t y_pixel)
{
    const pare_window_2d *g = &s->g;
    const int             shift = kx * g->dilation_w - g->left; /* input 0 lands on this output */
    int                   first = shift < 0 ? (-shift + g->stride_w - 1) / g->stride_w : 0;
    int                   last = g->ow - 1 - shift < 0 ? -1 : (g->ow - 1 - shift) / g->stride_w;

    last = last < g->iw - 1 ? last : g->iw - 1;
    if (first > last)
        return;
    float *const to = y + (shift + first * g->stride_w) * y_pixel + group * s->out_c;

    pare_gemm_f32_run(s->kernel,
                      &(pare_gemm_f32_args){ .m = last - first + 1,
                                             .n = s->out_c,
                                             .k = s->in_c,
                                             .a = x + first * x_pixel + group * s->in_c,
                                             .a_row = x_pixel,
                                             .init = to,
                                             .init_row = g->stride_w * y_pixel,
                                             .y = to,
                                             .y_row = g->stride_w * y_pixel,
                                             .lo = -INFINITY,
                                             .hi = INFINITY },
                      packed + bias_size(s) + (size_t)((group * g->kh + ky) * g->kw + kx) * s->panel, 0, 1);
}

static void clamp_row(const pare_conv_transpose_attrs *a, float *y, ptrdiff_t pixel, int n, int channels)
{
    for (int i = 0; i < n; i++)
        for (int c = 0; c < channels; c++) {
            const float v = y[i * pixel + c] < a->clamp_lo ? a->clamp_lo : y[i * pixel + c];

            y[i * pixel + c] = v > a->clamp_hi ? a->clamp_hi : v;
        }
}

/* w [C][OC / groups][kh][kw]; bias [OC] or NULL */
static void pack(const state *s, const float *w, const float *bias, float *packed)
{
    const int    taps = s->g.kh * s->g.kw;
    float *const panels = packed + bias_size(s);

    for (int c = 0; c < s->groups * s->out_c; c++)
        packed[c] = bias ? bias[c] : 0;
    for (int group = 0; group < s->groups; group++)
        for (int tap = 0; tap < taps; tap++)
            pare_gemm_f32_pack(s->kernel,
                               &(pare_gemm_f32_b){ .data = w + (ptrdiff_t)group * s->in_c * s->out_c * taps + tap,
                                                   .k_stride = (ptrdiff_t)s->out_c * taps,
                                                   .n_stride = taps,
                                                   .k = s->in_c,
                                                   .n = s->out_c },
                               panels + (size_t)(group * taps + tap) * s->panel, 0, 1);
}

static const float *floats(const pare_call *call, int input)
{
    return pare_call_has(call, input) ? call->in[input]->data : NULL;
}

/* Output rows of all images. */
static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_conv_transpose_attrs *a = call->attrs;
    const state                     *s = step->state;
    const pare_window_2d            *g = &s->g;
    const int                        channels = s->groups * s->out_c;
    const bool                       clamps = a->clamp_lo > -INFINITY || a->clamp_hi < INFINITY;
    const float                     *packed = s->packed;
    ptrdiff_t                        x_image, x_row, x_pixel, y_image, y_row, y_pixel;
    long                             begin, end;

    if (!packed) {
        pack(s, floats(call, 1), floats(call, 2), scratch);
        packed = scratch;
    }
    pare_window_strides(call->in[0], &x_image, &x_row, &x_pixel);
    pare_window_strides(call->out[0], &y_image, &y_row, &y_pixel);
    pare_pool_split((long)(call->in[0]->shape.dim[0] * g->oh), 1, part, parts, &begin, &end);
    for (long i = begin; i < end; i++) {
        const int    oy = (int)(i % g->oh);
        const float *x = (const float *)call->in[0]->data + i / g->oh * x_image;
        float *const y = (float *)call->out[0]->data + i / g->oh * y_image + oy * y_row;

        for (int ox = 0; ox < g->ow; ox++)
            memcpy(y + ox * y_pixel, packed, sizeof(float) * (size_t)channels);
        for (int ky = 0; ky < g->kh; ky++) {
            const int from = oy + g->top - ky * g->dilation_h, iy = from / g->stride_h;

            if (from < 0 || from % g->stride_h != 0 || iy >= g->ih)
                continue;
            for (int kx = 0; kx < g->kw; kx++)
                for (int group = 0; group < s->groups; group++)
                    add_tap(s, packed, group, ky, kx, x + iy * x_row, x_pixel, y, y_pixel);
        }
        if (clamps)
            clamp_row(a, y, y_pixel, g->ow, channels);
    }
}

static bool channels_last(const pare_tensor *t)
{
    return t->stride[1] == 1 || t->shape.dim[1] == 1;
}

pare_status pare_conv_transpose_plan(const pare_call *call, pare_step *step)
{
    const pare_conv_transpose_attrs *a = call->attrs;
    const pare_tensor               *x = call->in[0], *w = call->in[1];
    const pare_tensor               *b = pare_call_has(call, 2) ? call->in[2] : NULL;
    pare_window                      window;
    pare_window_2d                   g;

    PARE_TRY(pare_conv_transpose_resolve(call, &window));
    if (!pare_tensor_is_dense(w) || (b && !pare_tensor_is_dense(b)) || !channels_last(x) ||
        !channels_last(call->out[0]) || !pare_window_as_2d(&window, &g) || pare_shape_count(&w->shape) == 0)
        return PARE_OK;
    const pare_gemm_f32_kernel *kernel[PARE_MAX_CHOICES];
    const int                   n_kernels = pare_gemm_f32_candidates(step->cpu, kernel, PARE_MAX_CHOICES);
    state *const                s = pare_calloc(1, sizeof(*s));

    if (!s)
        return pare_fail_memory(sizeof(*s), "a transposed convolution");
    step->state = s;
    step->release = release;
    s->g = g;
    s->groups = (int)a->group;
    s->in_c = (int)(w->shape.dim[0] / a->group);
    s->out_c = (int)w->shape.dim[1];
    s->store = step->store;
    s->kernel = kernel[pare_step_choose(step, n_kernels)];
    s->panel = pare_gemm_f32_packed_size(s->kernel, s->out_c, s->in_c);
    if (w->data && (!b || b->data)) {
        s->packed = pare_store_take(s->store, packed_bytes(s));
        if (!s->packed)
            return pare_fail_memory(packed_bytes(s), "packed weights");
        if (!pare_store_is_filled(s->store))
            pack(s, w->data, floats(call, 2), s->packed);
        step->packed = 1 << 1 | 1 << 2;
    } else {
        step->scratch = packed_bytes(s);
    }
    step->kernel = s->kernel->name;
    step->run = run;
    return PARE_OK;
}
