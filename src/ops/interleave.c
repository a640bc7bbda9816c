/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interleave.c - the channels of several tensors in turn: ShuffleNet's channel shuffle after fuse_shuffle
 *
 * Channel c * n + j of the whole is channel c of in[j], of n inputs of one shape. Output i is channels starts[i] to
 * starts[i] + lengths[i] - 1 of the whole; without `starts` there is one output, the whole.
 */
#include "base/status.h"
#include "kernels/zip8/zip8.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/span.h"
#include "ops/samples.h"

typedef struct interleave_attrs {
    pare_ints starts, lengths;
} interleave_attrs;

static pare_status infer(const pare_call *call)
{
    const interleave_attrs *const a = call->attrs;
    const int64_t                 axis = 1;
    pare_shape                    y = call->in[0]->shape;

    if (y.rank <= axis)
        return pare_fail(PARE_ERR_SHAPE, "input 0 has no channels");
    for (int k = 1; k < call->n_in; k++)
        if (!call->in[k] || !pare_shape_equal(&call->in[k]->shape, &y))
            return pare_fail(PARE_ERR_SHAPE, "input %d has not the shape of input 0", k);
    if (a->starts.n != a->lengths.n || (a->starts.n ? a->starts.n : 1) != call->n_out)
        return pare_fail(PARE_ERR_SHAPE, "%d starts and %d lengths for %d outputs", a->starts.n, a->lengths.n,
                         call->n_out);
    const int64_t channels = y.dim[axis] == PARE_DIM_ANY ? INT64_MAX : y.dim[axis] * call->n_in;

    y.dim[axis] = channels == INT64_MAX ? PARE_DIM_ANY : channels;
    for (int i = 0; i < call->n_out; i++) {
        if (a->starts.n) {
            y.dim[axis] = a->lengths.v[i];
            if (a->starts.v[i] < 0 || y.dim[axis] < 0 || a->starts.v[i] > channels - y.dim[axis])
                return pare_fail(PARE_ERR_SHAPE, "output %d lies outside of %lld channels", i, (long long)channels);
        }
        PARE_TRY(pare_call_select(call, i, 0, call->n_in, &y));
    }
    return PARE_OK;
}

static int64_t start_of(const pare_call *call, int i)
{
    const interleave_attrs *const a = call->attrs;

    return a->starts.n ? a->starts.v[i] : 0;
}

/* Every n_in-th channel of an output comes from one input. */
static void do_part(const pare_call *call, int part, int parts)
{
    for (int i = 0; i < call->n_out; i++) {
        const int64_t start = start_of(call, i), channels = call->out[i] ? call->out[i]->shape.dim[1] : 0;

        for (int64_t c = 0; c < call->n_in && c < channels; c++) {
            const int64_t     from = (start + c) / call->n_in, count = (channels - c - 1) / call->n_in + 1;
            const pare_tensor to = pare_region(call->out[i], 1, c, count, call->n_in);
            const pare_tensor piece = pare_region(call->in[(start + c) % call->n_in], 1, from, count, 1);

            pare_move(&to, &piece, part, parts);
        }
    }
}

static pare_status forward(const pare_call *call)
{
    do_part(call, 0, 1);
    return PARE_OK;
}

static void run_plain(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)step, (void)scratch;
    do_part(call, part, parts);
}

/* Pairs of channels of output i. The state of the step is the kernel. */
static void zip_output(const pare_zip8_kernel *kernel, const pare_call *call, int i, int part, int parts)
{
    const int64_t     from = start_of(call, i) / 2, pairs = call->out[i]->shape.dim[1] / 2;
    const pare_tensor y = pare_region(call->out[i], 1, 0, 1, 1);
    const pare_tensor a = pare_region(call->in[0], 1, from, 1, 1), b = pare_region(call->in[1], 1, from, 1, 1);
    pare_rows         r;

    pare_rows_begin(&r, 3, (const pare_tensor *const[]){ &y, &a, &b }, part, parts);
    while (pare_rows_next(&r))
        kernel->zip(&(pare_zip8_args){ .a = (const uint8_t *)r.ptr[1],
                                       .b = (const uint8_t *)r.ptr[2],
                                       .y = (uint8_t *)r.ptr[0],
                                       .a_pixel = (ptrdiff_t)r.step[1],
                                       .b_pixel = (ptrdiff_t)r.step[2],
                                       .y_pixel = (ptrdiff_t)r.step[0],
                                       .pixels = (long)r.n,
                                       .channels = (long)pairs });
}

static void run_zip(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    (void)scratch;
    for (int i = 0; i < call->n_out; i++)
        if (call->out[i] && call->out[i]->shape.dim[1] > 0)
            zip_output(step->state, call, i, part, parts);
}

static pare_span span_zip(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    pare_span span = pare_span_none();

    (void)step;
    for (int i = 0; i < call->n_out; i++) {
        const pare_tensor *const t[] = { call->out[i], call->in[0], call->in[1] };

        if (t[0] && t[0]->shape.dim[1] > 0 && (operand < 2 || operand == 2 + i))
            span = pare_span_join(span, pare_span_pixel_rows(3, t, operand < 2 ? 1 + operand : 0, part, parts));
    }
    return span;
}

static bool are_bytes(const pare_tensor *t)
{
    return pare_dtype_size(t->dtype) == 1 && (t->stride[1] == 1 || t->shape.dim[1] == 1);
}

/* Two inputs of bytes whose channels are neighbours, and outputs that begin and end with a pair. */
static bool can_zip(const pare_call *call)
{
    if (call->n_in != 2 || !are_bytes(call->in[0]) || !are_bytes(call->in[1]))
        return false;
    for (int i = 0; i < call->n_out; i++)
        if (call->out[i] && (!are_bytes(call->out[i]) || start_of(call, i) % 2 || call->out[i]->shape.dim[1] % 2))
            return false;
    return true;
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_zip8_kernel *kernel;

    step->kernel = "c";
    step->run = run_plain;
    if (!can_zip(call))
        return PARE_OK;
    pare_zip8_candidates(step->cpu, &kernel, 1);
    step->state = (void *)(uintptr_t)kernel; /* static: nothing to release */
    step->kernel = kernel->name;
    step->run = run_zip;
    step->span = span_zip;
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INTS(interleave_attrs, starts),
    PARE_ATTR_ROW_INTS(interleave_attrs, lengths),
    PARE_ATTR_END,
};

static bool by_sample(const pare_call *call, unsigned carries)
{
    return call->n_in < 32 && pare_samples_are(call, carries, 0, UINT32_MAX);
}

static const char *const samples[] = {
    "f32[2,3,5,4] f32[2,3,5,4]",
    "u8[1,29,5,5]~0.5,7 u8[1,29,5,5]~0.5,7 starts=[0,30] lengths=[30,28] -> 2",
    "u8[2,5,3]~0.5,7 u8[2,5,3]~0.5,7 starts=[1,0,4] lengths=[3,10,0] -> 3",
    "u8[1,40,2,3]~0.5,7 u8[1,40,2,3]~0.5,7 u8[1,40,2,3]~0.5,7 starts=[2,2] lengths=[50,118] -> 2",
    "s64[2,1] s64[2,1]",
    "s8[1,70,4,4]",
    NULL,
};

const pare_op pare_op_interleave = {
    .name = "interleave",
    .min_in = 1,
    .max_in = -1, /* of one shape */
    .min_out = 1,
    .max_out = PARE_MAX_OUTPUTS,
    .traits = PARE_SELECTS,
    .attrs = attrs,
    .attrs_size = sizeof(interleave_attrs),
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = prepare,
    .samples = samples,
};
