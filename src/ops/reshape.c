/* SPDX-License-Identifier: Apache-2.0 */
/* reshape.c - another shape for the same elements in row-major order: 0 keeps a dimension, -1 takes the rest */
#include "base/status.h"
#include "ops/attr.h"
#include "ops/view.h"

static pare_status misfit(const pare_call *call, const pare_ints *want)
{
    const pare_shape target = pare_shape_of(want->n, want->v);
    char             from[PARE_SHAPE_TEXT], to[PARE_SHAPE_TEXT];

    return pare_fail(PARE_ERR_SHAPE, "input of shape %s does not fit %s", pare_shape_text(&call->in[0]->shape, from),
                     pare_shape_text(&target, to));
}

/*
 * The dimension that -1 stands for. Dimensions kept by 0 are the same on both sides and cancel, so that [N,3,4] to
 * [0,-1] is 12 although N is not known; any other dimension that is not fixed makes this one not fixed either.
 */
static pare_status rest(const pare_call *call, const pare_ints *want, bool zero_keeps, int64_t *out)
{
    const pare_shape *const x = &call->in[0]->shape;
    pare_shape              have = { .rank = 0 }, known = { .rank = 0 };

    for (int i = 0; i < x->rank; i++)
        if (!(zero_keeps && i < want->n && want->v[i] == 0))
            have.dim[have.rank++] = x->dim[i];
    for (int i = 0; i < want->n; i++)
        if (want->v[i] != -1 && !(zero_keeps && want->v[i] == 0))
            known.dim[known.rank++] = want->v[i];

    const int64_t total = pare_shape_count(&have), part = pare_shape_count(&known);
    if (total < 0) {
        *out = PARE_DIM_ANY;
        return PARE_OK;
    }
    if (part == 0 ? total != 0 : part < 0 || total % part != 0)
        return misfit(call, want);
    *out = part == 0 ? 0 : total / part;
    return PARE_OK;
}

static pare_status infer(const pare_call *call)
{
    const pare_reshape_attrs *const p = call->attrs;
    const pare_shape *const         x = &call->in[0]->shape;
    pare_shape                      y = { .rank = 0 };
    pare_ints                       want;
    int                             open = -1;

    PARE_TRY(pare_call_ints(call, 1, "shape", &want));
    for (int i = 0; i < want.n; i++) {
        if (want.v[i] < -1 || (want.v[i] == -1 && open >= 0))
            return pare_fail(PARE_ERR_SHAPE, "the new shape has a negative dimension or more than one -1");
        if (want.v[i] == 0 && !p->allowzero && i >= x->rank)
            return misfit(call, &want);
        if (want.v[i] == -1)
            open = i;
        PARE_TRY(pare_shape_push(&y, want.v[i] == 0 && !p->allowzero ? x->dim[i] : want.v[i]));
    }
    if (open >= 0)
        PARE_TRY(rest(call, &want, !p->allowzero, &y.dim[open]));

    const int64_t before = pare_shape_count(x), after = pare_shape_count(&y);
    if (before >= 0 && after >= 0 && before != after)
        return misfit(call, &want);
    return pare_view_out(call, &y);
}

PARE_IN_PARTS(pare_view_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_reshape_attrs, allowzero, 0),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[2,3,5,5] s64{0,-1}", "f32[2,3,4] s64{3,2,2,2}",   "f32[2,3] s64{6}",
    "f32[1] s64{}",           "u8[2,6]~0.5,128 s64{3,-1}", "f32[0,3] s64{3,0} allowzero=1",
    "s64[4] s64{2,2}",        "f16[6] s64{2,3}",           NULL,
};

const pare_op pare_op_reshape = {
    .name = "reshape",
    .onnx = "Reshape",
    .min_in = 2,
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .traits = PARE_SELECTS | PARE_VIEW,
    .attrs = attrs,
    .attrs_size = sizeof(pare_reshape_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
