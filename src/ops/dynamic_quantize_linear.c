/* SPDX-License-Identifier: Apache-2.0 */
/* dynamic_quantize_linear.c - u8 codes with the scale of the tensor at hand (ONNX DynamicQuantizeLinear) */
#include <math.h>

#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "tensor/qparams.h"

static pare_status infer(const pare_call *call)
{
    const pare_shape scalar = { .rank = 0 };

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    pare_call_out(call, 0, PARE_u8, &call->in[0]->shape);
    pare_call_out(call, 1, PARE_f32, &scalar);
    pare_call_out(call, 2, PARE_u8, &scalar);
    return PARE_OK;
}

/* The range of the numbers with 0 in it; NaN is passed over. */
static void range_of(const pare_tensor *x, float *min, float *max)
{
    pare_rows r;

    *min = *max = 0;
    pare_rows_begin(&r, 1, (const pare_tensor *const[]){ x }, 0, 1);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++) {
            const float v = ((const float *)r.ptr[0])[i * r.step[0]];

            *min = v < *min ? v : *min;
            *max = v > *max ? v : *max;
        }
}

/* scale = (max - min) / 255, or 1 when all are zero; zero = rint(clamp(0 - min / scale, 0, 255)). */
static pare_status forward(const pare_call *call)
{
    const pare_tensor *x = call->in[0];
    float              min, max;

    range_of(x, &min, &max);
    const float   scale = max == min ? 1 : (max - min) / 255;
    const float   at = 0 - min / scale;
    const int32_t zero = (int32_t)rintf(!(at > 0) ? 0 : at > 255 ? 255 : at);

    if (!isfinite(scale) || scale == 0)
        return pare_fail(PARE_ERR_NUMERIC, "no scale fits numbers from %g to %g", (double)min, (double)max);
    if (call->out[0]) {
        const pare_qparams q = { .scale = &scale, .zero = &zero, .n = 1 };
        pare_tensor        y = *call->out[0];

        y.q = &q;
        pare_tensor_quantize(x, &y, pare_qrange_of(PARE_u8, false));
    }
    if (call->n_out > 1 && call->out[1])
        *(float *)call->out[1]->data = scale;
    if (call->n_out > 2 && call->out[2])
        *(uint8_t *)call->out[2]->data = (uint8_t)zero;
    return PARE_OK;
}

static const char *const samples[] = { "f32[2,3,4,5]", "f32[7]", "f32{0,0}", "f32{1,2,6}", "f32[0]", NULL };

const pare_op pare_op_dynamic_quantize_linear = {
    .name = "dynamic_quantize_linear",
    .onnx = "DynamicQuantizeLinear",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1, /* y u8, scale f32 [], zero point u8 [] */
    .max_out = 3,
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
