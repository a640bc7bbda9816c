/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip_weights.c - the weights of the convolution that carries gradients back: [OC,IC/group,k...] -> [IC,OC/group,k...]
 *
 * Outputs and inputs of each group change places and the taps run backwards.
 */
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/channel_images.h"
#include "ops/parts.h"

typedef struct flip_attrs {
    int64_t group;
} flip_attrs;

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(flip_attrs, group, 1),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const int64_t     group = ((const flip_attrs *)call->attrs)->group;
    const pare_shape *w = &call->in[0]->shape;
    pare_shape        y = *w;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    if (w->rank < 3 || group < 1 || w->dim[0] % group != 0)
        return pare_fail(PARE_ERR_SHAPE, "the input is not weights [OC,IC/group,kernel] of %lld groups",
                         (long long)group);
    y.dim[0] = w->dim[1] * group;
    y.dim[1] = w->dim[0] / group;
    pare_call_out(call, 0, PARE_f32, &y);
    return PARE_OK;
}

/* Element offset of tap i, in row-major order, from the end on when `flipped`. */
static int64_t tap_offset(const pare_tensor *t, int64_t i, bool flipped)
{
    int64_t offset = 0;

    for (int axis = t->shape.rank - 1; axis >= 2; axis--) {
        const int64_t n = t->shape.dim[axis], at = i % n;

        offset += (flipped ? n - 1 - at : at) * t->stride[axis];
        i /= n;
    }
    return offset;
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_tensor *w = call->in[0], *y = call->out[0];
    const int64_t      inputs = w->shape.dim[1], outputs = y->shape.dim[1], taps = pare_n_pixels(&w->shape);
    long               begin, end;

    pare_pool_split((long)y->shape.dim[0], 1, part, parts, &begin, &end);
    for (int64_t tap = 0; tap < taps; tap++) {
        const float *const from = (const float *)w->data + tap_offset(w, tap, true);
        float *const       to = (float *)y->data + tap_offset(y, tap, false);

        for (int64_t i = begin; i < end; i++)
            for (int64_t o = 0; o < outputs; o++)
                to[i * y->stride[0] + o * y->stride[1]] =
                    from[(i / inputs * outputs + o) * w->stride[0] + i % inputs * w->stride[1]];
    }
}

PARE_IN_PARTS(do_part)

static const char *const samples[] = {
    "f32[4,3,2,3]", "f32[6,2,5] group=3", "f32[2,3,2,1,2]", "f32[3,1,3,3] group=3", NULL,
};

const pare_op pare_op_flip_weights = {
    .name = "flip_weights",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(flip_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
