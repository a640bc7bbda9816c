/* SPDX-License-Identifier: Apache-2.0 */
/* slice.c - start : end : step along some axes, as in Python; inputs data, starts, ends, axes, steps */
#include "base/status.h"
#include "kernels/zip8/zip8.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/span.h"
#include "ops/samples.h"

typedef struct cut {
    int     axis;
    int64_t start, count, step;
} cut;

static int64_t clamp(int64_t x, int64_t lo, int64_t hi)
{
    return x < lo ? lo : x > hi ? hi : x;
}

/* What [start : end : step] keeps of n elements. */
static cut cut_of(int axis, int64_t n, int64_t start, int64_t end, int64_t step)
{
    const int64_t lowest = step < 0 ? -1 : 0, highest = step < 0 ? n - 1 : n;

    start = clamp(start < 0 ? start + n : start, step < 0 ? 0 : lowest, highest);
    end = clamp(end < 0 ? end + n : end, lowest, highest);
    if (step < 0 && n == 0)
        return (cut){ .axis = axis, .step = 1 };
    const int64_t span = step < 0 ? start - end : end - start;
    const int64_t pace = step < 0 ? -step : step;
    return (cut){ .axis = axis, .start = start, .count = span > 0 ? (span - 1) / pace + 1 : 0, .step = step };
}

/* All cuts of the call; a dimension that is not fixed stays so. */
static pare_status cuts_of(const pare_call *call, cut cuts[PARE_MAX_RANK], int *n)
{
    const pare_shape *const x = &call->in[0]->shape;
    bool                    taken[PARE_MAX_RANK];
    pare_ints               starts, ends, axes, steps;

    PARE_TRY(pare_call_ints(call, 1, "starts", &starts));
    PARE_TRY(pare_call_ints(call, 2, "ends", &ends));
    PARE_TRY(pare_call_ints(call, 3, "axes", &axes));
    PARE_TRY(pare_call_ints(call, 4, "steps", &steps));
    if (axes.n == 0)
        for (axes.n = 0; axes.n < starts.n; axes.n++)
            axes.v[axes.n] = axes.n;
    if (ends.n != starts.n || axes.n != starts.n || (steps.n && steps.n != starts.n))
        return pare_fail(PARE_ERR_SHAPE, "starts, ends, axes and steps differ in length");
    PARE_TRY(pare_call_mark_axes(&axes, x->rank, taken));

    *n = starts.n;
    for (int i = 0; i < starts.n; i++) {
        const int     axis = (int)(axes.v[i] < 0 ? axes.v[i] + x->rank : axes.v[i]);
        const int64_t step = steps.n ? steps.v[i] : 1;
        if (step == 0 || step == INT64_MIN)
            return pare_fail(PARE_ERR_SHAPE, "step %d is %s", i, step ? "too large" : "0");
        if (x->dim[axis] == PARE_DIM_ANY)
            cuts[i] = (cut){ .axis = axis, .count = PARE_DIM_ANY, .step = 1 };
        else
            cuts[i] = cut_of(axis, x->dim[axis], starts.v[i], ends.v[i], step);
    }
    return PARE_OK;
}

static pare_status infer(const pare_call *call)
{
    pare_shape y = call->in[0]->shape;
    cut        cuts[PARE_MAX_RANK];
    int        n;

    PARE_TRY(cuts_of(call, cuts, &n));
    for (int i = 0; i < n; i++)
        y.dim[cuts[i].axis] = cuts[i].count;
    return pare_call_select(call, 0, 0, 1, &y);
}

static void do_part(const pare_call *call, int part, int parts)
{
    pare_tensor view = *call->in[0];
    cut         cuts[PARE_MAX_RANK];
    int         n = 0;

    if (cuts_of(call, cuts, &n) != PARE_OK) /* infer has read the same values */
        return;
    for (int i = 0; i < n; i++)
        view = pare_region(&view, cuts[i].axis, cuts[i].start, cuts[i].count, cuts[i].step);
    if (call->out[0]->data != view.data)
        pare_move(call->out[0], &view, part, parts);
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

/* Every second channel of pixels of bytes. The state of the step is the kernel. */
static void run_unzip(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_zip8_kernel *kernel = step->state;
    cut                     cuts[PARE_MAX_RANK];
    int                     n = 0;
    pare_rows               r;

    (void)scratch;
    if (cuts_of(call, cuts, &n) != PARE_OK || cuts[0].count == 0)
        return;
    const pare_tensor y = pare_region(call->out[0], 1, 0, 1, 1);
    const pare_tensor x = pare_region(call->in[0], 1, cuts[0].start / 2 * 2, 1, 1);

    pare_rows_begin(&r, 2, (const pare_tensor *const[]){ &y, &x }, part, parts);
    while (pare_rows_next(&r))
        kernel->unzip(&(pare_unzip8_args){ .x = (const uint8_t *)r.ptr[1],
                                           .y = (uint8_t *)r.ptr[0],
                                           .x_pixel = (ptrdiff_t)r.step[1],
                                           .y_pixel = (ptrdiff_t)r.step[0],
                                           .pixels = (long)r.n,
                                           .channels = (long)cuts[0].count,
                                           .second = cuts[0].start % 2 != 0 });
}

static pare_span span_unzip(const pare_step *step, const pare_call *call, int operand, int part, int parts)
{
    const pare_tensor *const t[] = { call->out[0], call->in[0] };

    (void)step;
    return operand > 0 && operand < call->n_in ? pare_span_all()
                                               : pare_span_pixel_rows(2, t, operand == 0, part, parts);
}

static bool are_bytes(const pare_tensor *t)
{
    return pare_dtype_size(t->dtype) == 1 && t->shape.rank >= 3 && t->stride[1] == 1;
}

/* Pairs must be there as a whole: the kernel reads both of them. */
static bool can_unzip(const pare_call *call)
{
    cut cuts[PARE_MAX_RANK];
    int n = 0;

    return are_bytes(call->in[0]) && are_bytes(call->out[0]) && cuts_of(call, cuts, &n) == PARE_OK && n == 1 &&
           cuts[0].axis == 1 && cuts[0].step == 2 &&
           cuts[0].start / 2 * 2 + 2 * cuts[0].count <= call->in[0]->shape.dim[1];
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_zip8_kernel *kernel;

    step->kernel = "c";
    step->run = run_plain;
    if (!can_unzip(call))
        return PARE_OK;
    pare_zip8_candidates(step->cpu, &kernel, 1);
    step->state = (void *)(uintptr_t)kernel; /* static: nothing to release */
    step->kernel = kernel->name;
    step->run = run_unzip;
    step->span = span_unzip;
    return PARE_OK;
}

static bool by_sample(const pare_call *call, unsigned carries)
{
    cut cuts[PARE_MAX_RANK];
    int n = 0;

    if (!pare_samples_are(call, carries, 1, 0) || cuts_of(call, cuts, &n) != PARE_OK)
        return false;
    for (int i = 0; i < n; i++)
        if (cuts[i].axis == 0)
            return false;
    return true;
}

static const char *const samples[] = {
    "f32[2,6,5,5] s64{1,0} s64{4,-1} s64{1,-2}",
    "f32[7,5] s64{-1} s64{-100} s64{0} s64{-2}",
    "f32[7] s64{2} s64{2}",
    "u8[8,3]~0.5,9 s64{1} s64{9223372036854775807} s64{0} s64{3}",
    "f32[6,2] s32{1} s32{5} ? s32{2}",
    "u8[2,48,3,5]~0.5,9 s64{0} s64{48} s64{1} s64{2}",
    "u8[1,21,3,5]~0.5,9 s64{3} s64{20} s64{1} s64{2}",
    "u8[1,7,3]~0.5,9 s64{2} s64{7} s64{1} s64{2}",
    NULL,
};

const pare_op pare_op_slice = {
    .name = "slice",
    .onnx = "Slice",
    .min_in = 3,
    .max_in = 5,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS,
    .infer = infer,
    .forward = forward,
    .by_sample = by_sample,
    .prepare = prepare,
    .samples = samples,
};
