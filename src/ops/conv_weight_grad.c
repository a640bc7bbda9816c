/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_weight_grad.c - the gradient of a convolution's weights: x [N,C,...], dy [N,OC,...] -> [OC,C/group,kernel]
 *
 * Attributes are those of the convolution. Each weight is the sum over images, added in order from 0, of one chain of
 * fmaf over an image's output pixels in h, w order; padding is a zero that is multiplied.
 */
#include <math.h>

#include "base/alloc.h"
#include "base/status.h"
#include "kernels/conv_wgrad_f32/conv_wgrad_f32.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/window.h"

enum { X, DY };

typedef struct wgrad_attrs {
    pare_window_attrs window;
    int64_t           group;
} wgrad_attrs;

static const pare_attr attrs[] = {
    PARE_WINDOW_ROWS(wgrad_attrs),
    PARE_ATTR_ROW_INT(wgrad_attrs, group, 1),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const wgrad_attrs *a = call->attrs;
    const pare_shape  *x = &call->in[X]->shape, *dy = &call->in[DY]->shape;
    pare_shape         w = *x;
    pare_window        window;

    PARE_TRY(pare_call_plain(call, X, PARE_D(f32)));
    PARE_TRY(pare_call_plain(call, DY, PARE_D(f32)));
    PARE_TRY(pare_window_resolve(&a->window, x, NULL, &window));
    if (dy->rank != x->rank || dy->dim[0] != x->dim[0] || a->group < 1 || x->dim[1] % a->group != 0 ||
        dy->dim[1] % a->group != 0)
        return pare_fail(PARE_ERR_SHAPE, "x and dy are not input and output of a convolution of %lld groups",
                         (long long)a->group);
    for (int i = 0; i < window.n; i++) {
        if (window.out[i] != dy->dim[i + 2] && window.out[i] >= 0 && dy->dim[i + 2] >= 0)
            return pare_fail(PARE_ERR_SHAPE, "dy has %lld elements along axis %d, the windows make %lld",
                             (long long)dy->dim[i + 2], i + 2, (long long)window.out[i]);
        w.dim[i + 2] = window.kernel[i];
    }
    w.dim[0] = dy->dim[1];
    w.dim[1] = x->dim[1] / a->group;
    pare_call_out(call, 0, PARE_f32, &w);
    return PARE_OK;
}

/* The weight at tap `tap` between a channel of x and one of dy. */
static float one(const pare_call *call, const pare_window *window, const float *x, const float *dy, const int64_t *tap)
{
    const pare_tensor *tx = call->in[X], *td = call->in[DY];
    float              total = 0;

    for (int64_t n = 0; n < tx->shape.dim[0]; n++, x += tx->stride[0], dy += td->stride[0]) {
        float sum = 0;

        for (int64_t p = 0; p < window->positions; p++) {
            int64_t at[PARE_MAX_SPATIAL], pixel = 0;

            pare_window_position(window, p, at);
            for (int i = 0; i < window->n; i++)
                pixel += at[i] * td->stride[i + 2];
            const int64_t from = pare_window_offset(window, at, tap, &tx->stride[2]);

            sum = fmaf(from < 0 ? 0 : x[from], dy[pixel], sum);
        }
        total = total + sum;
    }
    return total;
}

static pare_status forward(const pare_call *call)
{
    const wgrad_attrs *a = call->attrs;
    const pare_tensor *x = call->in[X], *dy = call->in[DY], *w = call->out[0];
    const int64_t      oc = w->shape.dim[0], inputs = w->shape.dim[1];
    pare_window        window;

    PARE_TRY(pare_window_resolve(&a->window, &x->shape, NULL, &window));
    for (int64_t o = 0; o < oc; o++)
        for (int64_t i = 0; i < inputs; i++)
            for (int64_t j = 0; j < window.taps; j++) {
                int64_t tap[PARE_MAX_SPATIAL], to = o * w->stride[0] + i * w->stride[1];

                pare_window_tap(&window, j, tap);
                for (int axis = 0; axis < window.n; axis++)
                    to += tap[axis] * w->stride[axis + 2];
                ((float *)w->data)[to] =
                    one(call, &window, (const float *)x->data + (o / (oc / a->group) * inputs + i) * x->stride[1],
                        (const float *)dy->data + o * dy->stride[1], tap);
            }
    return PARE_OK;
}

typedef struct state {
    pare_conv_f32_desc                d;
    const pare_conv_wgrad_f32_kernel *kernel;
} state;

/* Tiles of weights, each over all images: every part reads all of x and dy. */
static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const state *s = step->state;

    pare_conv_wgrad_f32_run(s->kernel, &s->d, call->in[X]->data, call->in[DY]->data, call->out[0]->data, part, parts,
                            scratch);
}

/* Whether the tensors lie channels-last, x with the halo that the windows reach into. */
static bool describe(const pare_call *call, pare_conv_f32_desc *d)
{
    const wgrad_attrs *a = call->attrs;
    const pare_tensor *x = call->in[X], *dy = call->in[DY];
    pare_window        window;
    pare_window_2d     g;

    if (pare_window_resolve(&a->window, &x->shape, NULL, &window) != PARE_OK || !pare_window_as_2d(&window, &g) ||
        !pare_window_fits_memory(&g, x) || !(dy->stride[1] == 1 || dy->shape.dim[1] == 1) ||
        !pare_tensor_is_dense(call->out[0]) || pare_shape_count(&call->out[0]->shape) == 0)
        return false;
    *d = (pare_conv_f32_desc){
        .n = (int)x->shape.dim[0],
        .oh = g.oh,
        .ow = g.ow,
        .c = (int)x->shape.dim[1],
        .oc = (int)dy->shape.dim[1],
        .group = (int)a->group,
        .kh = g.kh,
        .kw = g.kw,
        .stride_h = g.stride_h,
        .stride_w = g.stride_w,
        .dilation_h = g.dilation_h,
        .dilation_w = g.dilation_w,
        .pad_top = g.top,
        .pad_left = g.left,
    };
    pare_window_strides(x, &d->x.image, &d->x.row, &d->x.pixel);
    pare_window_strides(dy, &d->y.image, &d->y.row, &d->y.pixel);
    return true;
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_conv_wgrad_f32_kernel *kernels[PARE_MAX_CHOICES];
    pare_conv_f32_desc                d;

    if (!describe(call, &d))
        return PARE_OK; /* the reference runs */
    state *const s = pare_malloc(sizeof(*s));

    if (!s)
        return pare_fail_memory(sizeof(*s), "the plan of a weight gradient");
    step->state = s;
    step->release = pare_free;
    s->d = d;
    const int n_kernels = pare_conv_wgrad_f32_candidates(step->cpu, kernels, PARE_MAX_CHOICES);

    s->kernel = kernels[pare_step_choose(step, n_kernels)];
    step->kernel = s->kernel->name;
    step->scratch = pare_conv_wgrad_f32_scratch(s->kernel, &s->d);
    step->run = run;
    return PARE_OK;
}

static const char *const samples[] = {
    "f32[2,3,5,6] f32[2,4,3,3] kernel_shape=[3,3] strides=[2,2] pads=[1,1,1,1]",
    "f32[3,4,6,5] f32[3,4,5,6] kernel_shape=[3,3] group=4 pads=[1,0,0,3]",
    "f32[1,4,9] f32[1,6,5] kernel_shape=[3] group=2 dilations=[2]",
    "f32[2,2,3,4,5] f32[2,3,2,3,4] kernel_shape=[2,2,2]",
    "f32[2,20,4,4] f32[2,35,4,4] kernel_shape=[1,1]",
    "f32[0,2,4,4] f32[0,3,4,4] kernel_shape=[1,1]",
    NULL,
};

const pare_op pare_op_conv_weight_grad = {
    .name = "conv_weight_grad",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(wgrad_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
