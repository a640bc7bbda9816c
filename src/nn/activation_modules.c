/* SPDX-License-Identifier: Apache-2.0 */
/* activation_modules.c - activations that are a formula of several operations */
#include "base/status.h"
#include "nn/module.h"

static pare_var *relu6(const pare_module *m, pare_record *r, pare_var *x)
{
    (void)m;
    return pare_clip(r, x, 0, 6);
}

static pare_var *hardtanh(const pare_module *m, pare_record *r, pare_var *x)
{
    return pare_clip(r, x, pare_module_real(m, "min"), pare_module_real(m, "max"));
}

static pare_var *silu(const pare_module *m, pare_record *r, pare_var *x)
{
    (void)m;
    return pare_mul(r, x, pare_unary(r, "sigmoid", x));
}

static pare_var *log_sigmoid(const pare_module *m, pare_record *r, pare_var *x)
{
    (void)m;
    return pare_unary(r, "neg", pare_unary(r, "softplus", pare_unary(r, "neg", x)));
}

static pare_var *tanhshrink(const pare_module *m, pare_record *r, pare_var *x)
{
    (void)m;
    return pare_binary(r, "sub", x, pare_unary(r, "tanh", x));
}

static pare_var *softshrink(const pare_module *m, pare_record *r, pare_var *x)
{
    const float by = pare_module_real(m, "lambda");

    return pare_binary(r, "sub", x, pare_clip(r, x, -by, by));
}

/* x above lambda, and the same of -x below it. */
static pare_var *hardshrink(const pare_module *m, pare_record *r, pare_var *x)
{
    const double    by = (double)pare_module_real(m, "lambda");
    pare_var *const minus = pare_unary(r, "neg", x);
    pare_var *const above = pare_apply(r, "thresholded_relu", 1, &x, "alpha=%.9g", by);

    return pare_binary(r, "sub", above, pare_apply(r, "thresholded_relu", 1, &minus, "alpha=%.9g", by));
}

/* The first half of an axis times the sigmoid of the second. */
static pare_var *glu(const pare_module *m, pare_record *r, pare_var *x)
{
    const pare_shape shape = pare_var_shape(x);
    const int        given = (int)pare_module_int(m, "axis"), axis = given < 0 ? given + shape.rank : given;

    if (axis < 0 || axis >= shape.rank || shape.dim[axis] < 2 || shape.dim[axis] % 2) {
        pare_record_fail(r, pare_fail(PARE_ERR_SHAPE, "glu: axis %d has no two halves", given));
        return NULL;
    }
    const int64_t   half = shape.dim[axis] / 2;
    pare_var *const first = pare_slice(r, x, axis, 0, half, 1);

    return pare_mul(r, first, pare_unary(r, "sigmoid", pare_slice(r, x, axis, half, 2 * half, 1)));
}

/* One slope, or one per channel. */
static pare_var *prelu(const pare_module *m, pare_record *r, pare_var *x)
{
    const int       rank = pare_var_shape(x).rank;
    int64_t         dims[PARE_MAX_RANK] = { pare_module_int(m, "count"), 1, 1, 1, 1, 1, 1, 1 };
    pare_var *const slope = pare_module_var(m, r, "weight");

    return pare_binary(r, "prelu", x, rank > 2 && dims[0] > 1 ? pare_reshape(r, slope, rank - 1, dims) : slope);
}

static void build_prelu(pare_module *m)
{
    pare_module_param(m, "weight", &(pare_shape){ .rank = 1, .dim = { pare_module_int(m, "count") } },
                      (pare_init){ PARE_INIT_CONSTANT, 0.25f });
}

/* Every kind below is a formula of one input. */
static const struct {
    const pare_module_kind *kind;
    pare_var *(*of)(const pare_module *m, pare_record *r, pare_var *x);
} formulas[] = {
    { &pare_module_kind_relu6, relu6 },
    { &pare_module_kind_hardtanh, hardtanh },
    { &pare_module_kind_silu, silu },
    { &pare_module_kind_log_sigmoid, log_sigmoid },
    { &pare_module_kind_tanhshrink, tanhshrink },
    { &pare_module_kind_softshrink, softshrink },
    { &pare_module_kind_hardshrink, hardshrink },
    { &pare_module_kind_glu, glu },
    { &pare_module_kind_prelu, prelu },
};

static void forward(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out, pare_var *out[])
{
    int i = 0;

    (void)n_in, (void)n_out;
    while (formulas[i].kind != m->kind)
        i++;
    out[0] = formulas[i].of(m, r, in[0]);
}

const pare_module_kind pare_module_kind_relu6 = { .name = "relu6", .about = "min(max(x, 0), 6)", .forward = forward };
const pare_module_kind pare_module_kind_hardtanh = {
    .name = "hardtanh", .about = "x between two bounds", .settings = "min=-1 max=1", .forward = forward
};
const pare_module_kind pare_module_kind_silu = { .name = "silu",
                                                 .about = "x * sigmoid(x), also called swish",
                                                 .forward = forward };
const pare_module_kind pare_module_kind_log_sigmoid = { .name = "log_sigmoid",
                                                        .about = "log(sigmoid(x))",
                                                        .forward = forward };
const pare_module_kind pare_module_kind_tanhshrink = { .name = "tanhshrink",
                                                       .about = "x - tanh(x)",
                                                       .forward = forward };
const pare_module_kind pare_module_kind_softshrink = {
    .name = "softshrink", .about = "x, lambda nearer to 0", .settings = "lambda=0.5", .forward = forward
};
const pare_module_kind pare_module_kind_hardshrink = {
    .name = "hardshrink",
    .about = "x, or 0 where it is no larger than lambda",
    .settings = "lambda=0.5",
    .forward = forward,
};
const pare_module_kind pare_module_kind_glu = {
    .name = "glu",
    .about = "half of an axis times the sigmoid of the other half",
    .settings = "axis=-1",
    .forward = forward,
};
const pare_module_kind pare_module_kind_prelu = {
    .name = "prelu",
    .about = "x, below 0: weight * x",
    .settings = "count=1",
    .build = build_prelu,
    .forward = forward,
};
