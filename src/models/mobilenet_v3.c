/* SPDX-License-Identifier: Apache-2.0 */
/* mobilenet_v3.c - MobileNetV3: inverted residual blocks with squeeze and excitation, and hard swish */
#include <string.h>

#include "base/status.h"
#include "models/model.h"
#include "nn/module.h"

/* ------------------------------------------------------------------------------------------- squeeze and excitation */

static void build_squeeze(pare_module *m)
{
    const int channels = (int)pare_module_int(m, "channels"), inner = (int)pare_module_int(m, "inner");

    pare_module_add(m, "avgpool", "global_average_pool", NULL);
    pare_module_add(m, "fc1", "conv2d", "in=%d out=%d kernel=1", channels, inner);
    pare_module_add(m, "activation", "relu", NULL);
    pare_module_add(m, "fc2", "conv2d", "in=%d out=%d kernel=1", inner, channels);
    pare_module_add(m, "scale_activation", "hard_sigmoid", NULL);
}

static void forward_squeeze(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                            pare_var *out[])
{
    pare_var *scale;

    pare_sequential_forward(m, r, n_in, in, n_out, &scale);
    out[0] = pare_mul(r, scale, in[0]);
}

static const pare_module_kind squeeze = {
    .name = "squeeze_excitation",
    .about = "scales channels by what their means say",
    .settings = "channels= inner=",
    .build = build_squeeze,
    .forward = forward_squeeze,
};

/* ----------------------------------------------------------------------------------------------------------- blocks */

static void build_block(pare_module *m)
{
    const int          in = (int)pare_module_int(m, "in"), out = (int)pare_module_int(m, "out");
    const int          wide = (int)pare_module_int(m, "wide"), kernel = (int)pare_module_int(m, "kernel");
    const char *const  act = pare_module_word(m, "act");
    pare_module *const b = pare_module_add(m, "block", "sequential", NULL);

    if (wide != in)
        pare_add_conv_norm(b, NULL, act, 0.001, "in=%d out=%d kernel=1", in, wide);
    pare_add_conv_norm(b, NULL, act, 0.001, "in=%d out=%d kernel=%d stride=%d padding=%d groups=%d", wide, wide, kernel,
                       (int)pare_module_int(m, "stride"), kernel / 2, wide);
    if (pare_module_int(m, "squeeze"))
        pare_module_add_of(b, NULL, &squeeze, "channels=%d inner=%d", wide, pare_make_divisible(wide / 4));
    pare_add_conv_norm(b, NULL, NULL, 0.001, "in=%d out=%d kernel=1", wide, out);
}

static void forward_block(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                          pare_var *out[])
{
    const bool residual = pare_module_int(m, "stride") == 1 && pare_module_int(m, "in") == pare_module_int(m, "out");

    (void)n_in, (void)n_out;
    out[0] = pare_forward_child(m, r, "block", in[0]);
    if (residual)
        out[0] = pare_add(r, out[0], in[0]);
}

static const pare_module_kind block = {
    .name = "inverted_residual_v3",
    .about = "widen, convolve each channel, scale channels, narrow",
    .settings = "in= kernel= wide= out= squeeze= act= stride=1",
    .build = build_block,
    .forward = forward_block,
};

typedef struct row {
    int  in, kernel, wide, out;
    bool squeeze, swish;
    int  stride;
} row;

static const row large[] = {
    { 16, 3, 16, 16, false, false, 1 },  { 16, 3, 64, 24, false, false, 2 },  { 24, 3, 72, 24, false, false, 1 },
    { 24, 5, 72, 40, true, false, 2 },   { 40, 5, 120, 40, true, false, 1 },  { 40, 5, 120, 40, true, false, 1 },
    { 40, 3, 240, 80, false, true, 2 },  { 80, 3, 200, 80, false, true, 1 },  { 80, 3, 184, 80, false, true, 1 },
    { 80, 3, 184, 80, false, true, 1 },  { 80, 3, 480, 112, true, true, 1 },  { 112, 3, 672, 112, true, true, 1 },
    { 112, 5, 672, 160, true, true, 2 }, { 160, 5, 960, 160, true, true, 1 }, { 160, 5, 960, 160, true, true, 1 },
};

static const row small[] = {
    { 16, 3, 16, 16, true, false, 2 }, { 16, 3, 72, 24, false, false, 2 }, { 24, 3, 88, 24, false, false, 1 },
    { 24, 5, 96, 40, true, true, 2 },  { 40, 5, 240, 40, true, true, 1 },  { 40, 5, 240, 40, true, true, 1 },
    { 40, 5, 120, 48, true, true, 1 }, { 48, 5, 144, 48, true, true, 1 },  { 48, 5, 288, 96, true, true, 2 },
    { 96, 5, 576, 96, true, true, 1 }, { 96, 5, 576, 96, true, true, 1 },
};

static void build(pare_module *m)
{
    const bool         is_large = strcmp(pare_module_word(m, "size"), "large") == 0;
    const row *const   rows = is_large ? large : small;
    const size_t       n = is_large ? sizeof(large) / sizeof(*large) : sizeof(small) / sizeof(*small);
    const double       width = (double)pare_module_real(m, "width");
    pare_module *const features = pare_module_add(m, "features", "sequential", NULL);
    const int          end = pare_make_divisible(rows[n - 1].out * width);
    const int          last = pare_make_divisible((is_large ? 1280 : 1024) * width);

    if (!is_large && strcmp(pare_module_word(m, "size"), "small") != 0)
        pare_module_fail(m, pare_fail(PARE_ERR_ARG, "mobilenet_v3: size is large or small"));
    pare_add_conv_norm(features, NULL, "hard_swish", 0.001, "in=%d out=%d kernel=3 stride=2 padding=1",
                       (int)pare_module_int(m, "channels"), pare_make_divisible(rows[0].in * width));
    for (size_t i = 0; i < n; i++)
        pare_module_add_of(features, NULL, &block, "in=%d kernel=%d wide=%d out=%d squeeze=%d act=%s stride=%d",
                           pare_make_divisible(rows[i].in * width), rows[i].kernel,
                           pare_make_divisible(rows[i].wide * width), pare_make_divisible(rows[i].out * width),
                           rows[i].squeeze, rows[i].swish ? "hard_swish" : "relu", rows[i].stride);
    pare_add_conv_norm(features, NULL, "hard_swish", 0.001, "in=%d out=%d kernel=1", end, 6 * end);
    pare_module_add(m, "avgpool", "global_average_pool", NULL);
    pare_module_add(m, "flatten", "flatten", NULL);

    pare_module *const classifier = pare_module_add(m, "classifier", "sequential", NULL);
    pare_module_add(classifier, NULL, "linear", "in=%d out=%d", 6 * end, last);
    pare_module_add(classifier, NULL, "hard_swish", NULL);
    pare_module_add(classifier, NULL, "dropout", "p=0.2");
    pare_module_add(classifier, NULL, "linear", "in=%d out=%d", last, (int)pare_module_int(m, "classes"));
    pare_init_weights(m, pare_init_fan_out, pare_init_normal_001);
}

const pare_module_kind pare_family_mobilenet_v3 = {
    .name = "mobilenet_v3",
    .about = "MobileNetV3",
    .settings = "size=large width=1 channels=3 classes=1000",
    .build = build,
    .forward = pare_sequential_forward,
};
