/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake_quantize_grad.c - gradients of fake_quantize: of x, and of scale and zero per index of the first two axes
 *
 * Those of scale and zero are chains of additions over the other axes, in order, for each index of the first two; what
 * they are summed to further is the reader's: so every part works on whole indices of the first axis, and the sums do
 * not depend on the layout.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "ops/call.h"
#include "ops/fake_quantize.h"

/* dy, x, scale, zero -> dx, dscale [d0, d1], dzero [d0, d1]; d1 is 1 where there is no second axis. */
static pare_status infer(const pare_call *call)
{
    PARE_TRY(pare_fake_quantize_check(call, 1));
    const pare_shape *x = &call->in[1]->shape;

    if (x->rank < 1)
        return pare_fail(PARE_ERR_SHAPE, "a scalar is not quantized");
    if (!pare_shape_equal(&call->in[0]->shape, x))
        return pare_fail(PARE_ERR_SHAPE, "the gradient and the value have different shapes");
    const pare_shape sums = pare_shape_of(2, (const int64_t[]){ x->dim[0], x->rank > 1 ? x->dim[1] : 1 });

    pare_call_out(call, 0, PARE_f32, x);
    for (int i = 1; i < call->n_out; i++)
        pare_call_out(call, i, PARE_f32, &sums);
    return PARE_OK;
}

/* What one element gives. */
typedef struct slopes {
    float dx, dscale, dzero;
} slopes;

static inline slopes slopes_at(const pare_fake *f, float x, float dy)
{
    const float t = x / f->scale, code = pare_fake_code(f, t);
    const int   inside = pare_fake_inside(f, t);

    return (slopes){ .dx = pare_pickf(inside, dy, 0),
                     .dscale = dy * pare_pickf(inside, f->inside * (code - t), code),
                     .dzero = dy * pare_pickf(inside, 0, -f->scale) };
}

/* The tensors of one index of the first axis. */
typedef struct item {
    const float *dy, *x;
    float       *dx, *dscale, *dzero; /* sums: [d1] by `sum_step`; NULL: not wanted */
    int64_t      scale_step, zero_step;
} item;

enum { BLOCK = 16 };

/* Channels [c, c + n), n <= BLOCK, of one pixel, where channels are neighbours in memory. */
static void pixel_block(const pare_fake *f, int per_channel, const item *at, const int64_t offset[3], int64_t c,
                        int64_t n)
{
    float        dy[BLOCK] = { 0 }, x[BLOCK] = { 0 }, dx[BLOCK], dscale[BLOCK], dzero[BLOCK];
    const size_t bytes = sizeof(float) * (size_t)n;

    memcpy(dy, at->dy + offset[0] + c, bytes);
    memcpy(x, at->x + offset[1] + c, bytes);
    for (int l = 0; l < BLOCK; l++) {
        const slopes s = slopes_at(per_channel ? &f[c + (l < n ? l : 0)] : f, x[l], dy[l]);

        dx[l] = s.dx;
        dscale[l] = s.dscale;
        dzero[l] = s.dzero;
    }
    if (at->dx)
        memcpy(at->dx + offset[2] + c, dx, bytes);
    for (int64_t l = 0; at->dscale && l < n; l++)
        at->dscale[(c + l) * at->scale_step] += dscale[l];
    for (int64_t l = 0; at->dzero && l < n; l++)
        at->dzero[(c + l) * at->zero_step] += dzero[l];
}

/* Element offsets of pixel `p`, row-major over the axes from the third on, in dy, x and dx. */
static void find_pixel(const pare_tensor *const t[3], int64_t p, int64_t offset[3])
{
    memset(offset, 0, 3 * sizeof(*offset));
    for (int axis = t[1]->shape.rank - 1; axis >= 2; axis--) {
        const int64_t i = p % t[1]->shape.dim[axis];

        p /= t[1]->shape.dim[axis];
        for (int k = 0; k < 3; k++)
            offset[k] += t[k] ? i * t[k]->stride[axis] : 0;
    }
}

static int64_t pixels_of(const pare_shape *x)
{
    int64_t n = 1;

    for (int axis = 2; axis < x->rank; axis++)
        n *= x->dim[axis];
    return n;
}

static int64_t channel_stride(const pare_tensor *t)
{
    return t && t->shape.rank > 1 && t->shape.dim[1] > 1 ? t->stride[1] : 1;
}

/* f[channels] or f[1] are the entries of this item. */
static void do_item(const pare_tensor *const t[3], const item *at, const pare_fake *f, int per_channel)
{
    const pare_shape *x = &t[1]->shape;
    const int64_t     channels = x->rank > 1 ? x->dim[1] : 1, pixels = pixels_of(x);
    const bool        last = channel_stride(t[0]) == 1 && channel_stride(t[1]) == 1 && channel_stride(t[2]) == 1;
    int64_t           offset[3];

    for (int64_t c = 0; c < channels; c++) {
        if (at->dscale)
            at->dscale[c * at->scale_step] = 0;
        if (at->dzero)
            at->dzero[c * at->zero_step] = 0;
    }
    for (int64_t p = 0; last && p < pixels; p++) {
        find_pixel(t, p, offset);
        for (int64_t c = 0; c < channels; c += BLOCK)
            pixel_block(f, per_channel, at, offset, c, channels - c < BLOCK ? channels - c : BLOCK);
    }
    for (int64_t p = 0; !last && p < pixels; p++) {
        find_pixel(t, p, offset);
        for (int64_t c = 0; c < channels; c++) {
            const slopes s = slopes_at(&f[per_channel ? c : 0], at->x[offset[1] + c * channel_stride(t[1])],
                                       at->dy[offset[0] + c * channel_stride(t[0])]);

            if (at->dx)
                at->dx[offset[2] + c * channel_stride(t[2])] = s.dx;
            if (at->dscale)
                at->dscale[c * at->scale_step] += s.dscale;
            if (at->dzero)
                at->dzero[c * at->zero_step] += s.dzero;
        }
    }
}

static pare_tensor *wanted(const pare_call *call, int output)
{
    return output < call->n_out ? call->out[output] : NULL;
}

static float *row_of(const pare_tensor *t, int64_t i)
{
    return t ? (float *)t->data + i * t->stride[0] : NULL;
}

/* `scratch`: the entries of scale and zero along axis 1. */
static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_fake_quantize_attrs *a = call->attrs;
    const pare_tensor *const        t[3] = { call->in[0], call->in[1], wanted(call, 0) };
    const pare_tensor              *dscale = wanted(call, 1), *dzero = wanted(call, 2);
    pare_fake *const                entries = scratch;
    long                            begin, end;

    (void)step;
    for (int64_t e = 0; a->axis == 1 && e < pare_fake_entries(call, 1); e++)
        entries[e] = pare_fake_entry(call, 1, e);
    pare_pool_split((long)t[1]->shape.dim[0], 1, part, parts, &begin, &end);
    for (long i = begin; i < end; i++) {
        const pare_fake one = pare_fake_entry(call, 1, a->axis == 0 ? i : 0);
        const item      at = { .dy = row_of(t[0], i),
                               .x = row_of(t[1], i),
                               .dx = row_of(t[2], i),
                               .dscale = row_of(dscale, i),
                               .dzero = row_of(dzero, i),
                               .scale_step = dscale ? dscale->stride[1] : 0,
                               .zero_step = dzero ? dzero->stride[1] : 0 };

        do_item(t, &at, a->axis == 1 ? entries : &one, a->axis == 1);
    }
}

static size_t scratch_bytes(const pare_call *call)
{
    const pare_fake_quantize_attrs *a = call->attrs;

    return a->axis == 1 ? sizeof(pare_fake) * (size_t)pare_fake_entries(call, 1) : 0;
}

static pare_status forward(const pare_call *call)
{
    const size_t bytes = scratch_bytes(call) + 1;
    void *const  scratch = pare_malloc(bytes);

    if (!scratch)
        return pare_fail_memory(bytes, "scales");
    run(NULL, call, 0, 1, scratch);
    pare_free(scratch);
    return PARE_OK;
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    step->kernel = "c";
    step->run = run;
    step->scratch = scratch_bytes(call);
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[2,3,5,5] f32[2,3,5,5] f32:0.25 f32:3 hi=7 -> 3",
    "f32[2,20,3] f32[2,20,3] f32:0.5 f32:1 lo=-1 hi=1 learn=\"pact\" -> 3",
    "f32[4,3,2,2] f32[4,3,2,2] f32{0.1,0.02,0.5,1} ? axis=0 lo=-7 hi=7 -> 2",
    "f32[2,3,7] f32[2,3,7] f32{0.1,0.02,0.5} f32{0,3,15} axis=1 hi=15 -> 3",
    "f32[9] f32[9] f32:0.5 ? -> 1",
    NULL,
};

const pare_op pare_op_fake_quantize_grad = {
    .name = "fake_quantize_grad",
    .min_in = 3, /* dy, x, scale, zero */
    .max_in = 4,
    .min_out = 1, /* dx, dscale [d0, d1], dzero [d0, d1] */
    .max_out = 3,
    .traits = PARE_ELEMENTWISE,
    .attrs = pare_fake_quantize_attr_table,
    .attrs_size = sizeof(pare_fake_quantize_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
