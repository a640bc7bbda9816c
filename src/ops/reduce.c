/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reduce.c - reductions over the axes in[1] names (reduce.def)
 *
 * The elements that make one result are brought together in the row-major order of the reduced axes; what is done to
 * that row, and in which order of additions, is the row kernel's business (NUMERICS.md 9).
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/math.h"
#include "base/pool.h"
#include "base/status.h"
#include "kernels/rows_f32/rows_f32.h"
#include "ops/attr.h"
#include "ops/call.h"
#include "ops/move.h"
#include "ops/number.h"

enum {
    FLOATS = PARE_D(f32),
    NUMBERS = PARE_D(f32) | PARE_D(s32) | PARE_D(s64) | PARE_D(u32),
    ORDERED = PARE_D(f32) | PARE_DTYPES_INT | PARE_D(bool),
    LANES = 16,
};

static float add_lanes(float lane[LANES])
{
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] += lane[l + half];
    return lane[0];
}

static float sum_sizes(long n, const float *x)
{
    float lane[LANES] = { 0 };

    for (long i = 0; i < n; i++)
        lane[i % LANES] += pare_absf(x[i]);
    return add_lanes(lane);
}

/* As a sum: lanes first, then lane by lane. */
static float product(long n, const float *x)
{
    float lane[LANES];

    for (int l = 0; l < LANES; l++)
        lane[l] = 1.0f;
    for (long i = 0; i < n; i++)
        lane[i % LANES] *= x[i];
    for (int half = LANES / 2; half > 0; half /= 2)
        for (int l = 0; l < half; l++)
            lane[l] *= lane[l + half];
    return lane[0];
}

/* NaN when an element is. */
static float smallest(long n, const float *x)
{
    float least = INFINITY;

    for (long i = 0; i < n; i++)
        least = x[i] < least || x[i] != x[i] ? x[i] : least;
    return least;
}

/* m + log(sum of e^(x - m)) with m the largest, so that nothing overflows; an infinite m is the result. */
static float log_sum_exp(long n, const float *x, float m)
{
    float lane[LANES] = { 0 };

    if (!(pare_absf(m) < INFINITY))
        return m;
    for (long i = 0; i < n; i++)
        lane[i % LANES] += pare_expf(x[i] - m);
    return m + pare_logf(add_lanes(lane));
}

typedef pare_rows_f32_kernel row_kernel;

#define PARE_REDUCE(name, onnx_, f32_, start, join, finish, dtypes_, traits_) \
    static float name##_f32(long n, const float *x, const row_kernel *k)      \
    {                                                                         \
        return (void)k, pare_quietf(f32_);                                    \
    }                                                                         \
    static int64_t name##_join(int64_t s, int64_t x)                          \
    {                                                                         \
        (void)x;                                                              \
        return join;                                                          \
    }                                                                         \
    static int64_t name##_finish(int64_t s, int64_t n)                        \
    {                                                                         \
        (void)n;                                                              \
        return finish;                                                        \
    }
#include "ops/reduce.def"
#undef PARE_REDUCE

static const struct function {
    const char *name;
    unsigned    dtypes;
    float (*f32)(long n, const float *x, const row_kernel *k);
    int64_t start;
    int64_t (*join)(int64_t s, int64_t x);
    int64_t (*finish)(int64_t s, int64_t n);
} functions[] = {
#define PARE_REDUCE(name_, onnx_, f32_, start_, join_, finish_, dtypes_, traits_) \
    { #name_, dtypes_, name_##_f32, start_, name_##_join, name_##_finish },
#include "ops/reduce.def"
#undef PARE_REDUCE
};

static const struct function *function_of(const pare_op *op)
{
    const struct function *f = functions;

    while (strcmp(f->name, op->name) != 0)
        f++;
    return f;
}

/* Which axes go. Without axes all do, or none when noop_with_empty_axes. */
static pare_status reduced_axes(const pare_call *call, bool reduced[PARE_MAX_RANK])
{
    const pare_reduce_attrs *const p = call->attrs;
    const int                      rank = call->in[0]->shape.rank;
    pare_ints                      axes;

    PARE_TRY(pare_call_ints(call, 1, "axes", &axes));
    PARE_TRY(pare_call_mark_axes(&axes, rank, reduced));
    for (int i = 0; i < rank && axes.n == 0; i++)
        reduced[i] = !p->noop_with_empty_axes;
    return PARE_OK;
}

static pare_status infer(const pare_call *call)
{
    const pare_reduce_attrs *const p = call->attrs;
    const pare_tensor *const       x = call->in[0];
    const bool                     selects = call->op->traits & PARE_SELECTS;
    pare_shape                     y = { .rank = 0 };
    bool                           reduced[PARE_MAX_RANK];

    if (!selects || !x->q)
        PARE_TRY(pare_call_plain(call, 0, function_of(call->op)->dtypes));
    PARE_TRY(reduced_axes(call, reduced));
    for (int i = 0; i < x->shape.rank; i++)
        if (!reduced[i] || p->keepdims)
            y.dim[y.rank++] = reduced[i] ? 1 : x->shape.dim[i];
    return pare_call_select(call, 0, 0, 1, &y);
}

/* The axes of the input, those that stay and those that go, each in their order. */
typedef struct split_axes {
    pare_shape kept, gone;
    int64_t    kept_stride[PARE_MAX_RANK], gone_stride[PARE_MAX_RANK];
    int64_t    y_stride[PARE_MAX_RANK]; /* of the result, along the kept axes */
    int64_t    count;                   /* elements that make one result      */
    bool       row;                     /* those lie side by side in memory   */
} split_axes;

static pare_status split(const pare_call *call, split_axes *s)
{
    const pare_tensor *const x = call->in[0], *const y = call->out[0];
    const bool keepdims = ((const pare_reduce_attrs *)call->attrs)->keepdims;
    bool       reduced[PARE_MAX_RANK];
    int        at = 0;

    *s = (split_axes){ .count = 1 };
    PARE_TRY(reduced_axes(call, reduced));
    for (int i = 0; i < x->shape.rank; i++) {
        pare_shape *const part = reduced[i] ? &s->gone : &s->kept;
        (reduced[i] ? s->gone_stride : s->kept_stride)[part->rank] = x->stride[i];
        part->dim[part->rank++] = x->shape.dim[i];
        if (!reduced[i])
            s->y_stride[s->kept.rank - 1] = y->stride[keepdims ? i : at++];
    }
    s->count = pare_shape_count(&s->gone);

    pare_tensor gone = { .dtype = x->dtype, .shape = s->gone };
    memcpy(gone.stride, s->gone_stride, sizeof(gone.stride));
    s->row = pare_tensor_is_dense(&gone);
    return PARE_OK;
}

/* Results of this part. `row` has room for s->count floats. */
static void reduce_floats(const pare_call *call, const split_axes *s, const row_kernel *k, float *row, int part,
                          int parts)
{
    const struct function *const f = function_of(call->op);
    pare_walk                    out;
    long                         first, last;

    pare_walk_begin(&out, s->kept.rank, s->kept.dim);
    pare_walk_follow(&out, 0, s->kept_stride);
    pare_walk_follow(&out, 1, s->y_stride);
    pare_pool_split((long)out.left, 1, part, parts, &first, &last);
    pare_walk_seek(&out, first);
    for (long i = first; i < last; i++, pare_walk_next(&out)) {
        const float *const x = (const float *)call->in[0]->data + out.offset[0];
        float *const       y = (float *)call->out[0]->data + out.offset[1];
        if (s->row) {
            *y = f->f32((long)s->count, x, k);
            continue;
        }
        pare_walk in;
        pare_walk_begin(&in, s->gone.rank, s->gone.dim);
        pare_walk_follow(&in, 0, s->gone_stride);
        for (float *to = row; in.left > 0; pare_walk_next(&in))
            *to++ = x[in.offset[0]];
        *y = f->f32((long)s->count, row, k);
    }
}

static void reduce_ints(const pare_call *call, const split_axes *s)
{
    const struct function *const f = function_of(call->op);
    const pare_dtype             dtype = call->in[0]->dtype;
    pare_walk                    out, in;

    pare_walk_begin(&out, s->kept.rank, s->kept.dim);
    pare_walk_follow(&out, 0, s->kept_stride);
    pare_walk_follow(&out, 1, s->y_stride);
    for (; out.left > 0; pare_walk_next(&out)) {
        int64_t sum = f->start;
        pare_walk_begin(&in, s->gone.rank, s->gone.dim);
        pare_walk_follow(&in, 0, s->gone_stride);
        for (; in.left > 0; pare_walk_next(&in))
            sum = f->join(sum, pare_load_int(dtype, call->in[0]->data, out.offset[0] + in.offset[0]));
        pare_store_int(dtype, call->out[0]->data, out.offset[1], s->count ? f->finish(sum, s->count) : sum);
    }
}

static pare_status forward(const pare_call *call)
{
    split_axes s;

    PARE_TRY(split(call, &s));
    if (call->in[0]->dtype != PARE_f32) {
        reduce_ints(call, &s);
        return PARE_OK;
    }
    float *const row = pare_malloc((size_t)(s.count + 1) * sizeof(*row));
    if (!row)
        return pare_fail_memory((size_t)s.count * sizeof(*row), "a row to reduce");
    reduce_floats(call, &s, &pare_rows_f32_ref, row, 0, 1);
    pare_free(row);
    return PARE_OK;
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    split_axes s;

    if (split(call, &s) == PARE_OK) /* as when it was prepared: the axes are constant */
        reduce_floats(call, &s, pare_rows_f32_best(step->cpu), scratch, part, parts);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    split_axes s;

    if (call->in[0]->dtype != PARE_f32 || (pare_call_has(call, 1) && !call->in[1]->data))
        return PARE_OK;
    PARE_TRY(split(call, &s));
    step->kernel = pare_rows_f32_best(step->cpu)->name;
    step->run = run;
    step->scratch = s.row ? 0 : (size_t)s.count * sizeof(float);
    return PARE_OK;
}

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_INT(pare_reduce_attrs, keepdims, 1),
    PARE_ATTR_ROW_INT(pare_reduce_attrs, noop_with_empty_axes, 0),
    PARE_ATTR_END,
};

static const char *const FLOATS_samples[] = {
    "f32[2,3,5,7] s64{2,3}",
    "f32[2,37]",
    "f32[4,3,17] s64{1} keepdims=0",
    "f32[2,3] noop_with_empty_axes=1",
    "f32[2,3,5,5] s64{-1,0} keepdims=0",
    "f32[0,3] s64{0}",
    "f32[]",
    "f32[1,1]",
    NULL,
};
static const char *const NUMBERS_samples[] = {
    "f32[2,3,5,7] s64{2,3}",
    "f32[2,37]",
    "f32[4,3,17] s64{1} keepdims=0",
    "f32[2,3] noop_with_empty_axes=1",
    "f32[2,3,5,5] s64{-1,0} keepdims=0",
    "s64[4,3] s64{1}",
    "s32[4,3]",
    "f32[0,3] s64{0}",
    "f32[]",
    NULL,
};
static const char *const ORDERED_samples[] = {
    "f32[2,3,5,7] s64{2,3}", "f32[2,37]", "f32[4,3,17] s64{1} keepdims=0", "u8[4,3]~0.5,7 s64{1}", "s8[4,3]",
    "bool[4,3] s64{0}",      NULL,
};

#define PARE_REDUCE(name_, onnx_, f32_, start_, join_, finish_, dtypes_, traits_) \
    const pare_op pare_op_##name_ = { .name = #name_,                             \
                                      .onnx = onnx_,                              \
                                      .min_in = 1,                                \
                                      .max_in = 2,                                \
                                      .min_out = 1,                               \
                                      .max_out = 1,                               \
                                      .traits = traits_,                          \
                                      .attrs = attrs,                             \
                                      .attrs_size = sizeof(pare_reduce_attrs),    \
                                      .infer = infer,                             \
                                      .forward = forward,                         \
                                      .prepare = prepare,                         \
                                      .samples = dtypes_##_samples };
#include "ops/reduce.def"
