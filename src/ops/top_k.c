/* SPDX-License-Identifier: Apache-2.0 */
/* top_k.c - the in[1] largest (or smallest) elements along an axis, sorted, and where they were; ties by index */
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"

static pare_status infer(const pare_call *call)
{
    const pare_top_k_attrs *const p = call->attrs;
    const pare_tensor *const      x = call->in[0];
    pare_shape                    y = x->shape;
    int                           axis = 0;
    pare_ints                     k;

    if (!x->q)
        PARE_TRY(pare_call_plain(call, 0, PARE_D(f32) | PARE_DTYPES_INT));
    PARE_TRY(pare_call_axis(p->axis, y.rank, &axis));
    PARE_TRY(pare_call_ints(call, 1, "k", &k));
    if (k.n != 1 || k.v[0] < 0 || (y.dim[axis] >= 0 && k.v[0] > y.dim[axis]))
        return pare_fail(PARE_ERR_SHAPE, "k must be one number between 0 and %lld", (long long)y.dim[axis]);
    y.dim[axis] = k.v[0];
    pare_call_out(call, 1, PARE_s64, &y);
    return pare_call_select(call, 0, 0, 1, &y);
}

/* One line of the input along the axis, seen as an order of its indices. */
typedef struct line {
    const pare_tensor *x;
    int64_t            offset, step;
    bool               largest;
} line;

/* Does element a come before element b? A strict order: NaN first, as the extreme; then value, then index. */
static bool before(const line *l, int64_t a, int64_t b)
{
    const int64_t at = l->offset + a * l->step, bt = l->offset + b * l->step;

    if (l->x->dtype == PARE_f32) {
        const float fa = ((const float *)l->x->data)[at], fb = ((const float *)l->x->data)[bt];
        if (fa != fa || fb != fb)
            return fa != fa && (fb == fb || a < b);
        return fa == fb ? a < b : l->largest ? fa > fb : fa < fb;
    }
    const int64_t ia = pare_load_int(l->x->dtype, l->x->data, at), ib = pare_load_int(l->x->dtype, l->x->data, bt);
    return ia == ib ? a < b : l->largest ? ia > ib : ia < ib;
}

/* heap[0 .. n-1] but for its root keeps the last in order on top: moves the root down to its place. */
static void sift(const line *l, int64_t *heap, int64_t n)
{
    int64_t at = 0;

    for (int64_t child = 1; child < n; child = 2 * at + 1) {
        if (child + 1 < n && before(l, heap[child], heap[child + 1]))
            child++;
        if (!before(l, heap[at], heap[child]))
            return;
        const int64_t index = heap[at];
        heap[at] = heap[child];
        heap[child] = index;
        at = child;
    }
}

/* The first k of n indices in the order of the line, sorted, into best[k]: a heap of the best so far, then emptied. */
static void choose(const line *l, int64_t n, int64_t *best, int64_t k)
{
    int64_t held = 0;

    for (int64_t i = 0; i < n && k > 0; i++) {
        if (held < k) { /* grows at the bottom: up to where it belongs */
            int64_t at = held++;
            for (; at > 0 && before(l, best[(at - 1) / 2], i); at = (at - 1) / 2)
                best[at] = best[(at - 1) / 2];
            best[at] = i;
        } else if (before(l, i, best[0])) {
            best[0] = i;
            sift(l, best, k);
        }
    }
    for (int64_t left = k; left > 1; left--) {
        const int64_t last = best[0];
        best[0] = best[left - 1];
        best[left - 1] = last;
        sift(l, best, left - 1);
    }
}

static pare_status forward(const pare_call *call)
{
    const pare_top_k_attrs *const p = call->attrs;
    const pare_tensor *const x = call->in[0], *const y = call->out[0];
    const pare_tensor *const where = call->n_out > 1 ? call->out[1] : NULL;
    const pare_tensor *const shaped = y ? y : where;
    const int                axis = (int)(p->axis < 0 ? p->axis + x->shape.rank : p->axis);
    const int64_t            k = shaped->shape.dim[axis];
    const size_t             size = pare_dtype_size(x->dtype);
    pare_shape               lines = x->shape;
    pare_walk                w;

    int64_t *const best = pare_malloc((size_t)(k + 1) * sizeof(*best));
    if (!best)
        return pare_fail_memory((size_t)k * sizeof(*best), "the indices of the largest");
    lines.dim[axis] = 1;
    pare_walk_begin(&w, lines.rank, lines.dim);
    pare_walk_follow(&w, 0, x->stride);
    if (y)
        pare_walk_follow(&w, 1, y->stride);
    if (where)
        pare_walk_follow(&w, 2, where->stride);
    for (; w.left > 0; pare_walk_next(&w)) {
        const line l = { x, w.offset[0], x->stride[axis], p->largest };
        choose(&l, x->shape.dim[axis], best, k);
        for (int64_t i = 0; i < k; i++) {
            if (y)
                memcpy((char *)y->data + (w.offset[1] + i * y->stride[axis]) * (int64_t)size,
                       (const char *)x->data + (l.offset + best[i] * l.step) * (int64_t)size, size);
            if (where)
                ((int64_t *)where->data)[w.offset[2] + i * where->stride[axis]] = best[i];
        }
    }
    pare_free(best);
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_top_k_attrs, axis, -1),
    PARE_ATTR_ROW_INT(pare_top_k_attrs, largest, 1),
    PARE_ATTR_ROW_INT(pare_top_k_attrs, sorted, 1),
    PARE_ATTR_END,
};

static const char *const samples[] = {
    "f32[3,17] s64{5}",
    "f32[2,9,5,5] s64{9} axis=1 largest=0",
    "s8[50] s64{13}",
    "u8[3,4]~0.5,7 s64{1} axis=0",
    "f32[4] s64{0}",
    "s64{3,1,3,3} s64{2}",
    NULL,
};

const pare_op pare_op_top_k = {
    .name = "top_k",
    .onnx = "TopK",
    .min_in = 2,
    .max_in = 2,
    .min_out = 2, /* values, indices */
    .max_out = 2,
    .attrs = attrs,
    .attrs_size = sizeof(pare_top_k_attrs),
    .infer = infer,
    .forward = forward,
    .samples = samples,
};
