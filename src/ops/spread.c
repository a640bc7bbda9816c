/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spread.c - zeros between the pixels: [N,C,spatial ...] -> strides[i] * (dim - 1) + 1 along spatial axis i
 *
 * A convolution with strides is one without, of which pixels are left out. So its gradient can go back as a convolution
 * of the output's gradient with zeros where these were: for kernels of few channels, where more products cost little.
 */
#include <string.h>

#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/channel_images.h"
#include "ops/parts.h"

typedef struct spread_attrs {
    pare_ints strides;
} spread_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INTS(spread_attrs, strides),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const pare_ints *strides = &((const spread_attrs *)call->attrs)->strides;
    pare_shape       y = call->in[0]->shape;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    if (y.rank < 3 || strides->n != y.rank - 2)
        return pare_fail(PARE_ERR_SHAPE, "strides are not one number for each spatial axis");
    for (int i = 2; i < y.rank; i++) {
        if (strides->v[i - 2] < 1 || strides->v[i - 2] > 1 << 20)
            return pare_fail(PARE_ERR_SHAPE, "strides must be at least 1");
        y.dim[i] = y.dim[i] > 0 ? (y.dim[i] - 1) * strides->v[i - 2] + 1 : y.dim[i];
    }
    pare_call_out(call, 0, PARE_f32, &y);
    return PARE_OK;
}

/* One pixel of all channels; a NULL `from` is zeros. */
static void put_pixel(const pare_tensor *y, float *to, const float *from, int64_t from_stride)
{
    const int64_t channels = y->shape.dim[1], stride = y->stride[1];

    if (stride == 1 && !from)
        memset(to, 0, sizeof(float) * (size_t)channels);
    else if (stride == 1 && from_stride == 1)
        memcpy(to, from, sizeof(float) * (size_t)channels);
    else
        for (int64_t c = 0; c < channels; c++)
            to[c * stride] = from ? from[c * from_stride] : 0;
}

/* Pixels of the output. */
static void do_part(const pare_call *call, int part, int parts)
{
    const pare_ints   *strides = &((const spread_attrs *)call->attrs)->strides;
    const pare_tensor *x = call->in[0], *y = call->out[0];
    const int64_t      pixels = pare_n_pixels(&y->shape);
    long               begin, end;

    pare_pool_split((long)(y->shape.dim[0] * pixels), 1, part, parts, &begin, &end);
    for (int64_t i = begin; i < end; i++) {
        int64_t at = i % pixels, to = i / pixels * y->stride[0], from = i / pixels * x->stride[0];
        bool    there = true;

        for (int axis = y->shape.rank - 1; axis >= 2; axis--) {
            const int64_t p = at % y->shape.dim[axis];

            at /= y->shape.dim[axis];
            to += p * y->stride[axis];
            from += p / strides->v[axis - 2] * x->stride[axis];
            there = there && p % strides->v[axis - 2] == 0;
        }
        put_pixel(y, (float *)y->data + to, there ? (const float *)x->data + from : NULL, x->stride[1]);
    }
}

PARE_IN_PARTS(do_part)

static const char *const samples[] = {
    "f32[2,3,4,5] strides=[2,3]",
    "f32[1,20,3] strides=[4]",
    "f32[2,1,2,1,2] strides=[1,2,2]",
    "f32[0,3,2,2] strides=[2,2]",
    NULL,
};

const pare_op pare_op_spread = {
    .name = "spread",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_WANTS_CHANNELS_LAST,
    .attrs = attrs,
    .attrs_size = sizeof(spread_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
