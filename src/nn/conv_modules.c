/* SPDX-License-Identifier: Apache-2.0 */
/* conv_modules.c - convolutions and transposed convolutions of one to three spatial axes */
#include <math.h>

#include "base/status.h"
#include "nn/module.h"

/* [first, second, kernel...], and uniform within 1 / sqrt(second * kernel), as PyTorch begins. */
static void add_weights(pare_module *m, int64_t first, int64_t second, int64_t outputs)
{
    const int  n = m->kind->axes;
    int        kernel[3];
    pare_shape shape = { .rank = 2 + n, .dim = { first, second } };
    double     fan_in = (double)second;

    pare_module_ints(m, "kernel", n, kernel);
    for (int i = 0; i < n; i++) {
        shape.dim[2 + i] = kernel[i];
        fan_in *= kernel[i];
    }
    const pare_init init = { PARE_INIT_UNIFORM, fan_in > 0 ? (float)(1 / sqrt(fan_in)) : 0 };

    pare_module_param(m, "weight", &shape, init);
    if (pare_module_int(m, "bias"))
        pare_module_param(m, "bias", &(pare_shape){ .rank = 1, .dim = { outputs } }, init);
}

static bool groups_fit(pare_module *m)
{
    const int64_t in = pare_module_int(m, "in"), out = pare_module_int(m, "out"), groups = pare_module_int(m, "groups");

    if (groups >= 1 && in % groups == 0 && out % groups == 0)
        return true;
    pare_module_fail(m, pare_fail(PARE_ERR_ARG, "%s: %lld inputs and %lld outputs cannot be divided into %lld groups",
                                  m->kind->name, (long long)in, (long long)out, (long long)groups));
    return false;
}

static void build_conv(pare_module *m)
{
    if (groups_fit(m))
        add_weights(m, pare_module_int(m, "out"), pare_module_int(m, "in") / pare_module_int(m, "groups"),
                    pare_module_int(m, "out"));
}

static void build_transposed(pare_module *m)
{
    if (groups_fit(m))
        add_weights(m, pare_module_int(m, "in"), pare_module_int(m, "out") / pare_module_int(m, "groups"),
                    pare_module_int(m, "out"));
}

static void forward_conv(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                         pare_var *out[])
{
    pare_window_options o = { .groups = (int)pare_module_int(m, "groups") };
    pare_var *const weight = pare_module_var(m, r, "weight"), *const bias = pare_module_var(m, r, "bias");

    (void)n_in, (void)n_out;
    pare_module_ints(m, "stride", m->kind->axes, o.stride);
    pare_module_ints(m, "padding", m->kind->axes, o.padding);
    pare_module_ints(m, "dilation", m->kind->axes, o.dilation);
    out[0] = pare_conv(r, in[0], weight, bias, &o);
}

/* A list for as many axes as the kind has, as the text of an attribute; `times` it stands one behind the other. */
static const char *list(const pare_module *m, pare_record *r, const char *setting, int times)
{
    const char *text = "";
    int         v[3];

    pare_module_ints(m, setting, m->kind->axes, v);
    for (int i = 0; i < times * m->kind->axes && text; i++)
        text = pare_arena_printf(r->arena, "%s%s%d", text, i ? "," : "", v[i % m->kind->axes]);
    return text ? text : "";
}

static void forward_transposed(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                               pare_var *out[])
{
    pare_var *const weight = pare_module_var(m, r, "weight"), *const bias = pare_module_var(m, r, "bias");

    (void)n_in, (void)n_out;
    out[0] = pare_apply(r, "conv_transpose", bias ? 3 : 2, (pare_var *const[]){ in[0], weight, bias },
                        "strides=[%s] pads=[%s] dilations=[%s] output_padding=[%s] group=%d", list(m, r, "stride", 1),
                        list(m, r, "padding", 2), list(m, r, "dilation", 1), list(m, r, "output_padding", 1),
                        (int)pare_module_int(m, "groups"));
}

#define CONV_SETTINGS "in= out= kernel= stride=1 padding=0 dilation=1 groups=1 bias=1"

const pare_module_kind pare_module_kind_conv1d = {
    .name = "conv1d",
    .about = "convolution of [N,in,W]",
    .settings = CONV_SETTINGS,
    .axes = 1,
    .build = build_conv,
    .forward = forward_conv,
};

const pare_module_kind pare_module_kind_conv2d = {
    .name = "conv2d",
    .about = "convolution of [N,in,H,W]",
    .settings = CONV_SETTINGS,
    .axes = 2,
    .build = build_conv,
    .forward = forward_conv,
};

const pare_module_kind pare_module_kind_conv3d = {
    .name = "conv3d",
    .about = "convolution of [N,in,D,H,W]",
    .settings = CONV_SETTINGS,
    .axes = 3,
    .build = build_conv,
    .forward = forward_conv,
};

const pare_module_kind pare_module_kind_conv_transpose1d = {
    .name = "conv_transpose1d",
    .about = "transposed convolution of [N,in,W]",
    .settings = CONV_SETTINGS " output_padding=0",
    .axes = 1,
    .build = build_transposed,
    .forward = forward_transposed,
};

const pare_module_kind pare_module_kind_conv_transpose2d = {
    .name = "conv_transpose2d",
    .about = "transposed convolution of [N,in,H,W]",
    .settings = CONV_SETTINGS " output_padding=0",
    .axes = 2,
    .build = build_transposed,
    .forward = forward_transposed,
};

const pare_module_kind pare_module_kind_conv_transpose3d = {
    .name = "conv_transpose3d",
    .about = "transposed convolution of [N,in,D,H,W]",
    .settings = CONV_SETTINGS " output_padding=0",
    .axes = 3,
    .build = build_transposed,
    .forward = forward_transposed,
};
