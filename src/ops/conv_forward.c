/* SPDX-License-Identifier: Apache-2.0 */
/* conv_forward.c - float convolution by its definition, any strides */
#include <math.h>

#include "base/status.h"
#include "ops/conv.h"

static float clamp(float v, const pare_conv_attrs *a)
{
    v = v < a->clamp_lo ? a->clamp_lo : v;
    return v > a->clamp_hi ? a->clamp_hi : v;
}

/* One output: a chain of fmaf from the bias over taps, then channels; padding is a zero that is multiplied. */
static float one(const pare_call *call, const pare_window *window, const float *x, const float *w, float sum,
                 const int64_t *at)
{
    const pare_tensor *tx = call->in[0], *tw = call->in[1];

    for (int64_t j = 0; j < window->taps; j++) {
        int64_t tap[PARE_MAX_SPATIAL], weight = 0;

        pare_window_tap(window, j, tap);
        for (int i = 0; i < window->n; i++)
            weight += tap[i] * tw->stride[i + 2];
        const int64_t pixel = pare_window_offset(window, at, tap, &tx->stride[2]);

        for (int64_t c = 0; c < tw->shape.dim[1]; c++)
            sum = fmaf(pixel < 0 ? 0 : x[pixel + c * tx->stride[1]], w[weight + c * tw->stride[1]], sum);
    }
    return sum;
}

pare_status pare_conv_forward(const pare_call *call)
{
    const pare_conv_attrs *a = call->attrs;
    const pare_tensor     *x = call->in[0], *w = call->in[1], *b = call->n_in > 2 ? call->in[2] : NULL;
    const pare_tensor     *r = pare_conv_addend(call);
    pare_tensor           *y = call->out[0];
    pare_window            window;

    PARE_TRY(pare_window_resolve(&a->window, &x->shape, &w->shape.dim[2], &window));
    const int64_t oc = w->shape.dim[0], per_group = oc / a->group;

    for (int64_t n = 0; n < x->shape.dim[0]; n++)
        for (int64_t c = 0; c < oc; c++)
            for (int64_t p = 0; p < window.positions; p++) {
                const int64_t group = c / per_group;
                int64_t       at[PARE_MAX_SPATIAL], to = n * y->stride[0] + c * y->stride[1];
                int64_t       from = r ? n * r->stride[0] + c * r->stride[1] : 0;

                pare_window_position(&window, p, at);
                for (int i = 0; i < window.n; i++) {
                    to += at[i] * y->stride[i + 2];
                    from += r ? at[i] * r->stride[i + 2] : 0;
                }
                const float sum = one(
                    call, &window, (const float *)x->data + n * x->stride[0] + group * w->shape.dim[1] * x->stride[1],
                    (const float *)w->data + c * w->stride[0], b ? ((const float *)b->data)[c * b->stride[0]] : 0, at);

                ((float *)y->data)[to] = clamp(r ? sum + ((const float *)r->data)[from] : sum, a);
            }
    return PARE_OK;
}
