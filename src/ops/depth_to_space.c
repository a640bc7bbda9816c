/* SPDX-License-Identifier: Apache-2.0 */
/* depth_to_space.c - depth_to_space, space_to_depth: channels to blocks of pixels and back, one 6-D transpose */
#include <string.h>

#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/parts.h"

extern const pare_op pare_op_depth_to_space;

/*
 * Deep [N, C*b*b, H, W] and wide [N, C, H*b, W*b] tensors seen as [N, C, b, b, H, W]. Deep channels count
 * (b, b, C) in mode DCR and space_to_depth, (C, b, b) in mode CRD.
 */
static pare_tensor deep_view(const pare_tensor *t, int64_t b, bool crd)
{
    const int64_t *const s = t->stride, c = t->shape.dim[1] / (b * b);
    pare_tensor          view = *t;

    view.buf = NULL;
    view.shape = (pare_shape){ 6, { t->shape.dim[0], c, b, b, t->shape.dim[2], t->shape.dim[3] } };
    memcpy(view.stride,
           crd ? (int64_t[]){ s[0], s[1] * b * b, s[1] * b, s[1], s[2], s[3] }
               : (int64_t[]){ s[0], s[1], s[1] * b * c, s[1] * c, s[2], s[3] },
           6 * sizeof(*s));
    return view;
}

static pare_tensor wide_view(const pare_tensor *t, int64_t b)
{
    const int64_t *const s = t->stride, *const d = t->shape.dim;
    pare_tensor view = *t;

    view.buf = NULL;
    view.shape = (pare_shape){ 6, { d[0], d[1], b, b, d[2] / b, d[3] / b } };
    memcpy(view.stride, (int64_t[]){ s[0], s[1], s[2], s[3], s[2] * b, s[3] * b }, 6 * sizeof(*s));
    return view;
}

static bool is_crd(const pare_call *call)
{
    const pare_depth_to_space_attrs *const p = call->attrs;

    return call->op == &pare_op_depth_to_space && !strcmp(p->mode, "CRD");
}

static pare_status infer(const pare_call *call)
{
    const pare_depth_to_space_attrs *const p = call->attrs;
    const pare_shape *const                x = &call->in[0]->shape;
    const bool                             wide = call->op == &pare_op_depth_to_space; /* the result is */
    const int64_t                          b = p->blocksize;
    pare_shape                             y = *x;

    if (x->rank != 4 || b < 1 || b > INT32_MAX)
        return pare_fail(PARE_ERR_SHAPE, "needs rank 4 and a blocksize of at least 1, not %d and %lld", x->rank,
                         (long long)b);
    if (wide && strcmp(p->mode, "CRD") != 0 && strcmp(p->mode, "DCR") != 0)
        return pare_fail(PARE_ERR_ARG, "mode is '%s', it must be DCR or CRD", p->mode);
    for (int i = 1; i < 4; i++) {
        const int64_t factor = i == 1 ? b * b : b;
        if (x->dim[i] == PARE_DIM_ANY)
            continue;
        if (wide == (i == 1) && x->dim[i] % factor != 0)
            return pare_fail(PARE_ERR_SHAPE, "dimension %d is %lld, no multiple of %lld", i, (long long)x->dim[i],
                             (long long)factor);
        y.dim[i] = wide == (i == 1) ? x->dim[i] / factor : x->dim[i] * factor;
    }
    return pare_call_select(call, 0, 0, 1, &y);
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_depth_to_space_attrs *const p = call->attrs;
    const bool                             wide = call->op == &pare_op_depth_to_space;
    const pare_tensor *const x = call->in[0], *const y = call->out[0];
    const int64_t     b = p->blocksize;
    const pare_tensor to = wide ? wide_view(y, b) : deep_view(y, b, false);
    const pare_tensor from = wide ? deep_view(x, b, is_crd(call)) : wide_view(x, b);

    pare_move(&to, &from, part, parts);
}

PARE_IN_PARTS(do_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_depth_to_space_attrs, blocksize, 1),
    PARE_ATTR_ROW_STRING(pare_depth_to_space_attrs, mode, "DCR"),
    PARE_ATTR_END,
};

static const pare_attr space_attrs[] = {
    PARE_ATTR_ROW_INT(pare_depth_to_space_attrs, blocksize, 1),
    PARE_ATTR_END,
};

static const char *const depth_samples[] = {
    "f32[2,12,3,5] blocksize=2",
    "f32[1,18,2,3] blocksize=3 mode=\"CRD\"",
    "u8[1,4,2,2]~0.5,3 blocksize=2",
    NULL,
};

static const char *const space_samples[] = { "f32[2,3,4,6] blocksize=2", "u8[1,1,6,3]~0.5,3 blocksize=3", NULL };

const pare_op pare_op_depth_to_space = {
    .name = "depth_to_space",
    .onnx = "DepthToSpace",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS,
    .attrs = attrs,
    .attrs_size = sizeof(pare_depth_to_space_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = depth_samples,
};

const pare_op pare_op_space_to_depth = {
    .name = "space_to_depth",
    .onnx = "SpaceToDepth",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS,
    .attrs = space_attrs,
    .attrs_size = sizeof(pare_depth_to_space_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = space_samples,
};
