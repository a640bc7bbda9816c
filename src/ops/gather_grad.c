/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gather_grad.c - the gradient of a table (embeddings): each entry adds up what its readers send, in their order
 *
 * Parts share the entries: each looks at all indices and adds those that are its own. Indices outside the table, which
 * gather refuses, count for nothing.
 */
#include "base/pool.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/parts.h"

typedef struct grad_attrs {
    int64_t   axis;
    pare_ints shape; /* of the table */
} grad_attrs;

static pare_status infer(const pare_call *call)
{
    const grad_attrs *const a = call->attrs;
    const pare_shape *const index = &call->in[1]->shape;
    pare_shape              y = { .rank = 0 };
    int                     axis;

    PARE_TRY(pare_call_plain(call, 0, PARE_D(f32)));
    PARE_TRY(pare_call_plain(call, 1, PARE_DTYPES_INDEX));
    if (a->shape.n > PARE_MAX_RANK)
        return pare_fail(PARE_ERR_SHAPE, "the shape has more than %d dimensions", PARE_MAX_RANK);
    const pare_shape x = pare_shape_of(a->shape.n, a->shape.v);

    PARE_TRY(pare_call_axis(a->axis, x.rank, &axis));
    for (int i = 0; i < axis; i++)
        PARE_TRY(pare_shape_push(&y, x.dim[i]));
    for (int i = 0; i < index->rank; i++)
        PARE_TRY(pare_shape_push(&y, index->dim[i]));
    for (int i = axis + 1; i < x.rank; i++)
        PARE_TRY(pare_shape_push(&y, x.dim[i]));
    if (!pare_shape_equal(&y, &call->in[0]->shape))
        return pare_fail(PARE_ERR_SHAPE, "the gradient does not have the shape of what was gathered");
    pare_call_out(call, 0, PARE_f32, &x);
    return PARE_OK;
}

/* t without the axes [first, first + n). */
static pare_tensor without(const pare_tensor *t, int first, int n)
{
    pare_tensor rest = *t;

    rest.buf = NULL;
    rest.shape.rank -= n;
    for (int i = first; i < rest.shape.rank; i++) {
        rest.shape.dim[i] = t->shape.dim[i + n];
        rest.stride[i] = t->stride[i + n];
    }
    return rest;
}

static void add(const pare_tensor *to, const pare_tensor *from)
{
    pare_rows r;

    pare_rows_begin(&r, 2, (const pare_tensor *const[]){ to, from }, 0, 1);
    while (pare_rows_next(&r))
        for (int64_t i = 0; i < r.n; i++) {
            float *const at = (float *)r.ptr[0] + i * r.step[0];

            *at = *at + ((const float *)r.ptr[1])[i * r.step[1]];
        }
}

static void do_part(const pare_call *call, int part, int parts)
{
    const pare_tensor *const dy = call->in[0], *const index = call->in[1], *const dx = call->out[0];
    const int64_t asked = ((const grad_attrs *)call->attrs)->axis;
    const int     axis = (int)(asked < 0 ? asked + dx->shape.rank : asked);
    const int64_t n = dx->shape.dim[axis];
    pare_tensor   to = without(dx, axis, 1), from = without(dy, axis, index->shape.rank);
    pare_walk     w;
    long          begin, end;

    pare_pool_split((long)n, 1, part, parts, &begin, &end);
    const pare_tensor mine = pare_region(dx, axis, begin, end - begin, 1);

    pare_fill(&mine, &(float){ 0 }, 0, 1);
    pare_walk_begin(&w, index->shape.rank, index->shape.dim);
    pare_walk_follow(&w, 0, index->stride);
    pare_walk_follow(&w, 1, dy->stride + axis);
    for (; w.left > 0; pare_walk_next(&w)) {
        int64_t i = pare_load_int(index->dtype, index->data, w.offset[0]);

        i = i < 0 ? i + n : i;
        if (i < begin || i >= end)
            continue;
        to.data = (float *)dx->data + i * dx->stride[axis];
        from.data = (float *)dy->data + w.offset[1];
        add(&to, &from);
    }
}

PARE_IN_PARTS(do_part)

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(grad_attrs, axis, 0),
    PARE_ATTR_ROW_INTS(grad_attrs, shape),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[3,4] s64{0,-1,0} shape=[5,4]", "f32[2,2,5,5] s64{2,2} axis=1 shape=[2,3,5,5]",
    "f32[] s64:-4 shape=[4]",           "f32[2,3,7] s32[2,3]{1,4,1,0,1,9} shape=[5,7]",
    "f32[3,0] s64{2,0,0} shape=[3,0]",  NULL,
};

const pare_op pare_op_gather_grad = {
    .name = "gather_grad",
    .min_in = 2, /* dy, indices */
    .max_in = 2,
    .min_out = 1,
    .max_out = 1,
    .attrs = attrs,
    .attrs_size = sizeof(grad_attrs),
    .infer = infer,
    .forward = forward,
    .prepare = prepare,
    .samples = samples,
};
