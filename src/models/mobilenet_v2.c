/* SPDX-License-Identifier: Apache-2.0 */
/* mobilenet_v2.c - MobileNetV2: inverted residual blocks, linear at their narrow ends */
#include <stdio.h>

#include "models/model.h"
#include "nn/module.h"

static void build_block(pare_module *m)
{
    const int          in = (int)pare_module_int(m, "in"), out = (int)pare_module_int(m, "out");
    const int          hidden = in * (int)pare_module_int(m, "expand");
    pare_module *const conv = pare_module_add(m, "conv", "sequential", NULL);

    if (hidden != in)
        pare_add_conv_norm(conv, NULL, "relu6", 1e-5, "in=%d out=%d kernel=1", in, hidden);
    pare_add_conv_norm(conv, NULL, "relu6", 1e-5, "in=%d out=%d kernel=3 stride=%d padding=1 groups=%d", hidden, hidden,
                       (int)pare_module_int(m, "stride"), hidden);
    pare_module_add(conv, NULL, "conv2d", "in=%d out=%d kernel=1 bias=0", hidden, out);
    pare_module_add(conv, NULL, "batch_norm", "features=%d", out);
}

static void forward_block(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                          pare_var *out[])
{
    const bool residual = pare_module_int(m, "stride") == 1 && pare_module_int(m, "in") == pare_module_int(m, "out");

    (void)n_in, (void)n_out;
    out[0] = pare_forward_child(m, r, "conv", in[0]);
    if (residual)
        out[0] = pare_add(r, in[0], out[0]);
}

static const pare_module_kind block = {
    .name = "inverted_residual",
    .about = "widen, convolve each channel, narrow; with a shortcut where sizes stay",
    .settings = "in= out= stride=1 expand=6",
    .build = build_block,
    .forward = forward_block,
};

/* Expansion, channels, blocks, stride of the first. */
static const int stages[][4] = { { 1, 16, 1, 1 }, { 6, 24, 2, 2 },  { 6, 32, 3, 2 }, { 6, 64, 4, 2 },
                                 { 6, 96, 3, 1 }, { 6, 160, 3, 2 }, { 6, 320, 1, 1 } };

static void build(pare_module *m)
{
    const double       width = (double)pare_module_real(m, "width");
    pare_module *const features = pare_module_add(m, "features", "sequential", NULL);
    const int          last = pare_make_divisible(1280 * (width > 1 ? width : 1));
    int                in = pare_make_divisible(32 * width);

    pare_add_conv_norm(features, NULL, "relu6", 1e-5, "in=%d out=%d kernel=3 stride=2 padding=1",
                       (int)pare_module_int(m, "channels"), in);
    for (size_t s = 0; s < sizeof(stages) / sizeof(stages[0]); s++)
        for (int i = 0; i < stages[s][2]; i++) {
            const int out = pare_make_divisible(stages[s][1] * width);

            pare_module_add_of(features, NULL, &block, "in=%d out=%d stride=%d expand=%d", in, out,
                               i == 0 ? stages[s][3] : 1, stages[s][0]);
            in = out;
        }
    pare_add_conv_norm(features, NULL, "relu6", 1e-5, "in=%d out=%d kernel=1", in, last);
    pare_module_add(m, "avgpool", "global_average_pool", NULL);
    pare_module_add(m, "flatten", "flatten", NULL);

    pare_module *const classifier = pare_module_add(m, "classifier", "sequential", NULL);
    pare_module_add(classifier, NULL, "dropout", "p=0.2");
    pare_module_add(classifier, NULL, "linear", "in=%d out=%d", last, (int)pare_module_int(m, "classes"));
    pare_init_weights(m, pare_init_fan_out, pare_init_normal_001);
}

const pare_module_kind pare_family_mobilenet_v2 = {
    .name = "mobilenet_v2",
    .about = "MobileNetV2",
    .settings = "width=1 channels=3 classes=1000",
    .build = build,
    .forward = pare_sequential_forward,
};
