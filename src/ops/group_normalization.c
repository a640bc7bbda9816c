/* SPDX-License-Identifier: Apache-2.0 */
/* group_normalization.c - mean 0 and variance 1 per image and group of channels (ONNX Group-, InstanceNormalization) */
#include "base/status.h"
#include "kernels/rows_f32/rows_f32.h"
#include "ops/attr.h"
#include "ops/boxes.h"
#include "ops/call.h"

extern const pare_op pare_op_instance_normalization;

typedef struct norm_attrs {
    int64_t num_groups, stash_type; /* num_groups 0: every channel is its own, instance normalization */
    float   epsilon;
} norm_attrs;

static const pare_attr instance_attrs[] = {
    PARE_ATTR_ROW_FLOAT(norm_attrs, epsilon, 1e-5f),
    PARE_ATTR_END,
};

static const pare_attr group_attrs[] = {
    PARE_ATTR_ROW_INT(norm_attrs, num_groups, 0),
    PARE_ATTR_ROW_FLOAT(norm_attrs, epsilon, 1e-5f),
    PARE_ATTR_ROW_INT(norm_attrs, stash_type, 1),
    PARE_ATTR_END,
};

static pare_status infer(const pare_call *call)
{
    const norm_attrs *a = call->attrs;
    const pare_shape *x = &call->in[0]->shape;

    for (int i = 0; i < 3; i++) {
        PARE_TRY(pare_call_plain(call, i, PARE_D(f32)));
        if (i > 0 && (x->rank < 2 || call->in[i]->shape.rank != 1 || call->in[i]->shape.dim[0] != x->dim[1]))
            return pare_fail(PARE_ERR_SHAPE, "input %d must have one number per channel", i);
    }
    if (x->rank >= PARE_MAX_RANK)
        return pare_fail(PARE_ERR_UNSUPPORTED, "the input has %d dimensions", x->rank);
    if (call->op != &pare_op_instance_normalization && (a->num_groups < 1 || x->dim[1] % a->num_groups != 0))
        return pare_fail(PARE_ERR_SHAPE, "%lld channels cannot be divided into %lld groups", (long long)x->dim[1],
                         (long long)a->num_groups);
    pare_call_out(call, 0, PARE_f32, x);
    return PARE_OK;
}

typedef struct norm {
    const pare_rows_f32_kernel *kernel;
    const pare_tensor          *scale, *bias; /* [C] */
    int64_t                     groups;
    float                       eps;
} norm;

/* ((x - mean) / sqrt(var + eps)) over the group, then * scale[c] and + bias[c]: each rounded. */
static void normalize(const void *arg, int64_t box, long n, const float *x, float *y)
{
    const norm   *m = arg;
    const int64_t channels = m->scale->shape.dim[0] / m->groups, first = box % m->groups * channels;
    const long    pixels = n / (long)channels;

    m->kernel->layer_norm(n, x, NULL, NULL, m->eps, y);
    for (int64_t c = 0; c < channels; c++, y += pixels) {
        const float scale = ((const float *)m->scale->data)[(first + c) * m->scale->stride[0]];
        const float bias = ((const float *)m->bias->data)[(first + c) * m->bias->stride[0]];

        m->kernel->binary[PARE_BINARY_F32_mul](pixels, y, &scale, y, PARE_ROW_SCALAR_B);
        m->kernel->binary[PARE_BINARY_F32_add](pixels, y, &bias, y, PARE_ROW_SCALAR_B);
    }
}

/* [N, C, ...] as [N, groups, C / groups, ...]. */
static pare_tensor grouped(const pare_tensor *t, int64_t groups)
{
    pare_tensor v = *t;

    v.shape.rank++;
    for (int i = v.shape.rank - 1; i > 1; i--) {
        v.shape.dim[i] = t->shape.dim[i - 1];
        v.stride[i] = t->stride[i - 1];
    }
    v.shape.dim[2] = t->shape.dim[1] / groups;
    v.shape.dim[1] = groups;
    v.stride[1] = v.shape.dim[2] * t->stride[1];
    return v;
}

static norm norm_of(const pare_call *call, const pare_rows_f32_kernel *kernel)
{
    const norm_attrs *a = call->attrs;

    const int64_t groups = call->op == &pare_op_instance_normalization ? call->in[0]->shape.dim[1] : a->num_groups;

    return (norm){ kernel, call->in[1], call->in[2], groups, a->epsilon };
}

static pare_boxes boxes_of(const pare_call *call, const norm *m)
{
    return (pare_boxes){ .y = grouped(call->out[0], m->groups),
                         .x = grouped(call->in[0], m->groups),
                         .lead = 2,
                         .fn = normalize,
                         .arg = m };
}

static pare_status forward(const pare_call *call)
{
    const norm m = norm_of(call, &pare_rows_f32_ref);

    if (pare_shape_count(&call->in[0]->shape) == 0)
        return PARE_OK;
    const pare_boxes b = boxes_of(call, &m);

    return pare_boxes_forward(&b);
}

static void run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const norm       m = norm_of(call, pare_rows_f32_best(step->cpu));
    const pare_boxes b = boxes_of(call, &m);

    pare_boxes_run(&b, scratch, part, parts);
}

static pare_status prepare(const pare_call *call, pare_step *step)
{
    const norm m = norm_of(call, NULL);

    if (pare_shape_count(&call->in[0]->shape) == 0)
        return PARE_OK;
    const pare_boxes b = boxes_of(call, &m);

    step->kernel = pare_rows_f32_best(step->cpu)->name;
    step->run = run;
    step->scratch = pare_boxes_scattered(&b) ? sizeof(float) * (size_t)pare_boxes_size(&b) : 0;
    return PARE_OK;
}

static const char *const instance_samples[] = { "f32[2,3,4,5] f32[3] f32[3]", "f32[1,20,33] f32[20] f32[20]", NULL };
static const char *const group_samples[] = {
    "f32[2,6,4,5] f32[6] f32[6] num_groups=3",
    "f32[3,8] f32[8] f32[8] num_groups=1 epsilon=0.01",
    NULL,
};

#define ROW(name_, onnx_, attrs_, samples_)                             \
    const pare_op pare_op_##name_ = { .name = #name_,                   \
                                      .onnx = onnx_,                    \
                                      .min_in = 3,                      \
                                      .max_in = 3,                      \
                                      .min_out = 1,                     \
                                      .max_out = 1,                     \
                                      .attrs = attrs_,                  \
                                      .attrs_size = sizeof(norm_attrs), \
                                      .infer = infer,                   \
                                      .forward = forward,               \
                                      .prepare = prepare,               \
                                      .samples = samples_ };
ROW(instance_normalization, "InstanceNormalization", instance_attrs, instance_samples)
ROW(group_normalization, "GroupNormalization", group_attrs, group_samples)
