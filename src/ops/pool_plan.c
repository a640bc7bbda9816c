/* SPDX-License-Identifier: Apache-2.0 */
/* pool_plan.c - from pooling calls to the pooling kernels */
#include "base/alloc.h"
#include "base/status.h"
#include "ops/pool.h"
#include "ops/qtensor.h"
#include "ops/span.h"

void pare_pool_whole(const pare_shape *x, pare_window *w)
{
    *w = (pare_window){ .n = x->rank - 2, .taps = 1, .positions = 1 };
    for (int i = 0; i < w->n; i++) {
        w->in[i] = w->kernel[i] = x->dim[i + 2];
        w->stride[i] = w->dilation[i] = w->out[i] = 1;
        w->taps *= w->kernel[i];
    }
}

/* Every window of an axis holds a pixel of the image. */
static bool windows_have_pixels(const pare_window *w, int i)
{
    for (int64_t at = 0; at < w->out[i]; at++) {
        const int64_t first = at * w->stride[i] - w->before[i];
        bool          found = false;

        for (int64_t j = 0; j < w->kernel[i] && !found; j++)
            found = first + j * w->dilation[i] >= 0 && first + j * w->dilation[i] < w->in[i];
        if (!found)
            return false;
    }
    return true;
}

static bool pixels_are_padded(const pare_tensor *t)
{
    return t->stride[1] == 1 && t->stride[t->shape.rank - 1] * (int64_t)pare_dtype_size(t->dtype) % 32 == 0;
}

bool pare_pool_describe(const pare_call *call, const pare_window *w, bool count_pad, pare_pool_f32_desc *d)
{
    const pare_tensor *x = call->in[0], *y = call->out[0];
    pare_window_2d     g;

    if (!pare_window_as_2d(w, &g) || !pixels_are_padded(x) || (y->stride[1] != 1 && y->shape.dim[1] != 1))
        return false;
    for (int i = 0; i < w->n; i++)
        if (!windows_have_pixels(w, i))
            return false;
    *d = (pare_pool_f32_desc){
        .n = (int)x->shape.dim[0],
        .h = g.ih,
        .w = g.iw,
        .oh = g.oh,
        .ow = g.ow,
        .c = (int)x->shape.dim[1],
        .kh = g.kh,
        .kw = g.kw,
        .stride_h = g.stride_h,
        .stride_w = g.stride_w,
        .dilation_h = g.dilation_h,
        .dilation_w = g.dilation_w,
        .pad_top = g.top,
        .pad_left = g.left,
        .pad_bottom = w->n > 1 ? (int)w->after[0] : 0,
        .pad_right = (int)w->after[w->n - 1],
        .count_pad = count_pad,
    };
    pare_window_strides(x, &d->x_image, &d->x_row, &d->x_pixel);
    pare_window_strides(y, &d->y_image, &d->y_row, &d->y_pixel);
    return true;
}

pare_status pare_pool_use(const pare_pool_f32_desc *d, pare_step *step,
                          void (*run)(const pare_step *, const pare_call *, int, int, void *))
{
    pare_pool_state *const s = pare_calloc(1, sizeof(*s));

    if (!s)
        return pare_fail_memory(sizeof(*s), "a pool");
    s->d = *d;
    pare_pool_f32_candidates(step->cpu, &s->kernel, 1);
    step->state = s;
    step->release = pare_free;
    step->kernel = s->kernel->name;
    step->run = run;
    return PARE_OK;
}

typedef struct u8_state {
    const pare_qpool_kernel *kernel;
    pare_qpool_desc          d;
} u8_state;

static void run_u8(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const u8_state       *s = step->state;
    const pare_qpool_args args = { call->in[0]->data, call->out[0]->data, (int)call->in[0]->shape.dim[0] };

    (void)scratch;
    pare_qpool_run(s->kernel, &s->d, &args, part, parts);
}

static pare_span span_u8(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const pare_qpool_desc *d = &((const u8_state *)step->state)->d;
    const pare_window_2d   w = {
          .kh = d->kernel_h,
          .kw = d->kernel_w,
          .stride_h = d->stride_h,
          .stride_w = d->stride_w,
          .dilation_h = d->dilation_h,
          .dilation_w = d->dilation_w,
          .top = d->pad_top,
          .left = d->pad_left,
          .oh = d->out_h,
          .ow = d->out_w,
    };
    long first, last;

    if (!pare_qpool_share(d, (int)call->in[0]->shape.dim[0], part, parts, &first, &last))
        return pare_span_all();
    return operand == 0            ? pare_span_windows(call->in[0], &w, first, last)
           : operand == call->n_in ? pare_span_pixels(call->out[0], first, last)
                                   : pare_span_all();
}

/* The padding lies around the picture. */
static bool has_halo(const pare_pool_f32_desc *f, const pare_tensor *x)
{
    return x->halo[0][0] >= f->pad_top && x->halo[0][1] >= f->pad_bottom && x->halo[1][0] >= f->pad_left &&
           x->halo[1][1] >= f->pad_right;
}

pare_status pare_pool_use_u8(const pare_call *call, const pare_pool_f32_desc *f, pare_qpool_kind kind, pare_step *step)
{
    const pare_tensor *x = call->in[0], *y = call->out[0];
    pare_qpool_desc    d = {
           .kind = kind,
           .channels = f->c,
           .in_h = f->h,
           .in_w = f->w,
           .out_h = f->oh,
           .out_w = f->ow,
           .kernel_h = f->kh,
           .kernel_w = f->kw,
           .stride_h = f->stride_h,
           .stride_w = f->stride_w,
           .dilation_h = f->dilation_h,
           .dilation_w = f->dilation_w,
           .pad_top = f->pad_top,
           .pad_left = f->pad_left,
           .pad_bottom = f->pad_bottom,
           .pad_right = f->pad_right,
           .count_padding = f->count_pad,
           .halo = kind == PARE_QPOOL_AVERAGE && f->count_pad && has_halo(f, x),
           .x = { f->x_pixel, f->x_row, f->x_image },
           .y = { f->y_pixel, f->y_row, f->y_image },
    };

    if (kind != PARE_QPOOL_MAX) {
        d.sx = pare_q_scale(x);
        d.sy = pare_q_scale(y);
        d.zx = pare_q_zero(x);
        d.zy = pare_q_zero(y);
    }
    if (pare_qpool_check(&d) != PARE_OK)
        return PARE_OK; /* a shape or range for the plain loops */
    pare_qpool_plan_sums(&d);
    u8_state *const s = pare_calloc(1, sizeof(*s));

    if (!s)
        return pare_fail_memory(sizeof(*s), "a pool");
    s->d = d;
    pare_qpool_candidates(step->cpu, &s->kernel, 1);
    step->state = s;
    step->release = pare_free;
    step->kernel = pare_qpool_kernel_name(s->kernel);
    step->run = run_u8;
    step->span = span_u8;
    return PARE_OK;
}
