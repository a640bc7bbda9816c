/* SPDX-License-Identifier: Apache-2.0 */
/* lut.c - y = table[x]: any function of one 8-bit number after lowering (NUMERICS.md 6) */
#include "base/status.h"
#include "kernels/lut8/lut8.h"
#include "ops/attr.h"
#include "ops/qtensor.h"
#include "ops/span.h"

static pare_status infer(const pare_call *call)
{
    for (int i = 0; i < 2; i++)
        if (call->in[i]->dtype != PARE_u8)
            return pare_op_bad_dtype(call, i);
    if (pare_shape_count(&call->in[1]->shape) != 256 || call->in[1]->shape.rank != 1)
        return pare_fail(PARE_ERR_SHAPE, "the table must be a list of 256 codes");
    call->out[0]->dtype = PARE_u8; /* its q, if any, is what the pass has set */
    call->out[0]->shape = call->in[0]->shape;
    return PARE_OK;
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_tensor *table = call->in[1];
    pare_rows          r;

    pare_rows_begin(&r, 2, (const pare_tensor *const[]){ call->out[0], call->in[0] }, part, parts);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++)
            ((uint8_t *)r.ptr[0])[i * r.step[0]] =
                ((const uint8_t *)table->data)[((const uint8_t *)r.ptr[1])[i * r.step[1]] * table->stride[0]];
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

/* The state of the step is the kernel. */
static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_lut8_kernel *kernel = step->state;
    const uint8_t          *table = call->in[1]->data;
    pare_rows               r;

    (void)scratch;
    pare_rows_begin(&r, 2, (const pare_tensor *const[]){ call->out[0], call->in[0] }, part, parts);
    while (pare_rows_next(&r)) {
        const uint8_t *x = (const uint8_t *)r.ptr[1];
        uint8_t       *y = (uint8_t *)r.ptr[0];

        if (r.step[0] == 1 && r.step[1] == 1)
            kernel->row(table, x, y, (long)r.n);
        else
            for (int64_t i = 0; i < r.n; i++)
                y[i * r.step[0]] = table[x[i * r.step[1]]];
    }
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const pare_lut8_kernel *kernel;

    step->kernel = "c";
    step->run = run_plain;
    step->span = pare_span_map;
    if (!pare_tensor_is_dense(call->in[1]))
        return PARE_OK;
    pare_lut8_candidates(step->cpu, &kernel, 1);
    step->state = (void *)(uintptr_t)kernel; /* static: nothing to release */
    step->kernel = kernel->name;
    step->run = run;
    return PARE_OK;
}

const pare_op pare_op_lut = {
    .name = "lut",
    .min_in = 2, /* x u8, table u8[256] */
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_INTEGER | PARE_ELEMENTWISE,
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
};
