/* SPDX-License-Identifier: Apache-2.0 */
/* norm_modules.c - normalizations */
#include "base/status.h"
#include "nn/module.h"

static const pare_init one = { PARE_INIT_CONSTANT, 1 }, zero = { PARE_INIT_CONSTANT, 0 };

static void build_batch_norm(pare_module *m)
{
    const pare_shape shape = { .rank = 1, .dim = { pare_module_int(m, "features") } };

    pare_module_param(m, "weight", &shape, one);
    pare_module_param(m, "bias", &shape, zero);
    pare_module_buffer(m, "running_mean", PARE_f32, &shape, 0);
    pare_module_buffer(m, "running_var", PARE_f32, &shape, 1);
    pare_module_buffer(m, "num_batches_tracked", PARE_s64, &(pare_shape){ .rank = 0 }, 0);
}

/* ONNX's momentum is the share of the old value. */
static void forward_batch_norm(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                               pare_var *out[])
{
    pare_var *const all[] = { in[0], pare_module_var(m, r, "weight"), pare_module_var(m, r, "bias"),
                              pare_module_var(m, r, "running_mean"), pare_module_var(m, r, "running_var") };

    (void)n_in, (void)n_out;
    out[0] = pare_apply(r, "batch_normalization", 5, all, "epsilon=%.9g momentum=%.9g",
                        (double)pare_module_real(m, "eps"), 1 - (double)pare_module_real(m, "momentum"));
}

const pare_module_kind pare_module_kind_batch_norm = {
    .name = "batch_norm",
    .about = "normalization of each channel by running statistics, or while training by those of the batch",
    .settings = "features= eps=1e-05 momentum=0.1",
    .build = build_batch_norm,
    .forward = forward_batch_norm,
};

/* How many axes the list of a setting has. */
static int length(const pare_module *m, const char *setting)
{
    int n = 1;

    for (const char *p = pare_module_word(m, setting); *p; p++)
        n += *p == ',';
    return n;
}

static void build_layer_norm(pare_module *m)
{
    const int  n = length(m, "shape");
    int        sizes[PARE_MAX_RANK] = { 0 };
    pare_shape shape = { .rank = n };

    if (n > PARE_MAX_RANK) {
        pare_module_fail(m, pare_fail(PARE_ERR_ARG, "layer_norm: a shape of more than %d axes", PARE_MAX_RANK));
        return;
    }
    pare_module_ints(m, "shape", n, sizes);
    for (int i = 0; i < n; i++)
        shape.dim[i] = sizes[i];
    pare_module_param(m, "weight", &shape, one);
    if (pare_module_int(m, "bias"))
        pare_module_param(m, "bias", &shape, zero);
}

static void forward_layer_norm(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                               pare_var *out[])
{
    pare_var *const all[] = { in[0], pare_module_var(m, r, "weight"), pare_module_var(m, r, "bias") };

    (void)n_in, (void)n_out;
    out[0] = pare_apply(r, "layer_normalization", all[2] ? 3 : 2, all, "axis=%d epsilon=%.9g", -length(m, "shape"),
                        (double)pare_module_real(m, "eps"));
}

const pare_module_kind pare_module_kind_layer_norm = {
    .name = "layer_norm",
    .about = "normalization over the last axes",
    .settings = "shape= eps=1e-05 bias=1",
    .build = build_layer_norm,
    .forward = forward_layer_norm,
};

static void build_group_norm(pare_module *m)
{
    const pare_shape shape = { .rank = 1, .dim = { pare_module_int(m, "channels") } };

    pare_module_param(m, "weight", &shape, one);
    pare_module_param(m, "bias", &shape, zero);
}

static void forward_group_norm(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                               pare_var *out[])
{
    pare_var *const all[] = { in[0], pare_module_var(m, r, "weight"), pare_module_var(m, r, "bias") };

    (void)n_in, (void)n_out;
    out[0] = pare_apply(r, "group_normalization", 3, all, "num_groups=%d epsilon=%.9g",
                        (int)pare_module_int(m, "groups"), (double)pare_module_real(m, "eps"));
}

const pare_module_kind pare_module_kind_group_norm = {
    .name = "group_norm",
    .about = "normalization of groups of channels, each image by itself",
    .settings = "groups= channels= eps=1e-05",
    .build = build_group_norm,
    .forward = forward_group_norm,
};
