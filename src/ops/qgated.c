/* SPDX-License-Identifier: Apache-2.0 */
/* qgated.c - products of pictures with one code per channel: the gates of squeeze-and-excitation blocks */
#include "ops/qgated.h"

#include "base/alloc.h"
#include "base/status.h"
#include "kernels/qmul/qmul.h"
#include "ops/move.h"
#include "ops/qtensor.h"
#include "ops/span.h"

typedef struct state {
    pare_qmul_params params;
    pare_qmul_gate  *gate;
    int              gated; /* the input that has the pixels; the other has one of them per image */
} state;

/* Pixels of neighbouring channels times one pixel of them: which input has the pixels; -1: it is no such product. */
static int find_gated(const pare_call *call)
{
    const pare_tensor *y = call->out[0];

    if (y->shape.rank < 3 || y->stride[1] != 1)
        return -1;
    for (int i = 0; i < 2; i++) {
        const pare_tensor *a = call->in[i], *b = call->in[1 - i];
        bool one = b->shape.rank == y->shape.rank && pare_shape_equal(&a->shape, &y->shape) && a->stride[1] == 1 &&
                   b->stride[1] == 1 && b->shape.dim[1] == y->shape.dim[1] && b->shape.dim[0] == y->shape.dim[0];

        for (int k = 2; k < y->shape.rank; k++)
            one &= b->shape.dim[k] == 1;
        if (one)
            return i;
    }
    return -1;
}

/* Channel 0 of image n, or of all. */
static pare_tensor first_channel(const pare_tensor *t, int64_t n, int64_t count)
{
    const pare_tensor images = pare_region(t, 0, n, count, 1);

    return pare_region(&images, 1, 0, 1, 1);
}

static void run_gated(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const state       *s = step->state;
    const pare_tensor *a = call->in[s->gated], *b = call->in[1 - s->gated], *y = call->out[0];

    (void)scratch;
    for (int64_t n = 0; n < y->shape.dim[0]; n++) {
        const pare_tensor to = first_channel(y, n, 1), from = first_channel(a, n, 1);
        pare_rows         r;

        pare_rows_begin(&r, 2, (const pare_tensor *const[]){ &to, &from }, part, parts);
        while (pare_rows_next(&r))
            s->gate(&s->params, &(pare_qmul_gated){ .a = (const uint8_t *)r.ptr[1],
                                                    .b = (const uint8_t *)b->data + n * b->stride[0],
                                                    .y = (uint8_t *)r.ptr[0],
                                                    .a_pixel = (ptrdiff_t)r.step[1],
                                                    .y_pixel = (ptrdiff_t)r.step[0],
                                                    .pixels = (long)r.n,
                                                    .channels = (long)y->shape.dim[1] });
    }
}

/* Parts of one image are runs of pixels; those of several lie all over. */
static pare_span span_gated(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const state *s = step->state;

    if (operand == 1 - s->gated || call->out[0]->shape.dim[0] != 1)
        return pare_span_all();
    const pare_tensor to = first_channel(call->out[0], 0, 1), from = first_channel(call->in[s->gated], 0, 1);
    pare_span span = pare_span_rows(2, (const pare_tensor *const[]){ &to, &from }, operand == s->gated, part, parts);

    if (span.begin < span.end && span.end < PTRDIFF_MAX)
        span.end += (ptrdiff_t)call->out[0]->shape.dim[1] - 1;
    return span;
}

bool pare_qgated_fits(const pare_call *call)
{
    return find_gated(call) >= 0;
}

pare_status pare_qgated_prepare(const pare_call *call, int lo, int hi, pare_step *step)
{
    state *const            s = pare_calloc(1, sizeof(*s));
    const pare_qmul_kernel *kernel;

    if (!s)
        return pare_fail_memory(sizeof(*s), "a product");
    s->gated = find_gated(call);
    pare_qmul_candidates(step->cpu, &kernel, 1);
    s->gate = kernel->gate;
    step->kernel = kernel->name;
    step->state = s;
    step->release = pare_free;
    step->run = run_gated;
    step->span = span_gated;

    const pare_tensor *a = call->in[s->gated], *b = call->in[1 - s->gated], *y = call->out[0];

    return pare_qmul_init(&(pare_qmul_desc){ .sa = pare_q_scale(a),
                                             .sb = pare_q_scale(b),
                                             .sy = pare_q_scale(y),
                                             .za = pare_q_zero(a),
                                             .zb = pare_q_zero(b),
                                             .zy = pare_q_zero(y),
                                             .lo = lo,
                                             .hi = hi },
                          &s->params);
}
