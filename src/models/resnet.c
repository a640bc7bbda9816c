/* SPDX-License-Identifier: Apache-2.0 */
/* resnet.c - ResNet and ResNeXt: residual blocks of two 3x3 or of 1x1, 3x3, 1x1 convolutions */
#include <string.h>

#include "models/model.h"
#include "nn/module.h"

/* ----------------------------------------------------------------------------------------------------------- blocks */

static void add_bn(pare_module *m, const char *name, int64_t features)
{
    pare_module_add(m, name, "batch_norm", "features=%d", (int)features);
}

static void add_shortcut(pare_module *m, int in, int out, int stride)
{
    if (stride != 1 || in != out)
        pare_add_conv_norm(m, "downsample", NULL, 1e-5, "in=%d out=%d kernel=1 stride=%d", in, out, stride);
}

static pare_var *add_shortcut_of(const pare_module *m, pare_record *r, pare_var *y, pare_var *x)
{
    pare_var *const side = pare_module_find(m, "downsample") ? pare_forward_child(m, r, "downsample", x) : x;

    return pare_relu(r, pare_add(r, y, side));
}

static void build_basic(pare_module *m)
{
    const int in = (int)pare_module_int(m, "in"), planes = (int)pare_module_int(m, "planes");
    const int stride = (int)pare_module_int(m, "stride");

    pare_module_add(m, "conv1", "conv2d", "in=%d out=%d kernel=3 stride=%d padding=1 bias=0", in, planes, stride);
    add_bn(m, "bn1", planes);
    pare_module_add(m, "relu", "relu", NULL);
    pare_module_add(m, "conv2", "conv2d", "in=%d out=%d kernel=3 padding=1 bias=0", planes, planes);
    add_bn(m, "bn2", planes);
    add_shortcut(m, in, planes, stride);
}

static void forward_basic(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                          pare_var *out[])
{
    pare_var *x = pare_forward_child(m, r, "bn1", pare_forward_child(m, r, "conv1", in[0]));

    (void)n_in, (void)n_out;
    x = pare_forward_child(m, r, "relu", x);
    x = pare_forward_child(m, r, "bn2", pare_forward_child(m, r, "conv2", x));
    out[0] = add_shortcut_of(m, r, x, in[0]);
}

static const pare_module_kind basic = {
    .name = "basic_block",
    .about = "two 3x3 convolutions with a shortcut",
    .settings = "in= planes= stride=1 groups=1 group_width=64",
    .build = build_basic,
    .forward = forward_basic,
};

static void build_bottleneck(pare_module *m)
{
    const int in = (int)pare_module_int(m, "in"), planes = (int)pare_module_int(m, "planes");
    const int stride = (int)pare_module_int(m, "stride"), groups = (int)pare_module_int(m, "groups");
    const int width = planes * (int)pare_module_int(m, "group_width") / 64 * groups;

    pare_module_add(m, "conv1", "conv2d", "in=%d out=%d kernel=1 bias=0", in, width);
    add_bn(m, "bn1", width);
    pare_module_add(m, "conv2", "conv2d", "in=%d out=%d kernel=3 stride=%d padding=1 groups=%d bias=0", width, width,
                    stride, groups);
    add_bn(m, "bn2", width);
    pare_module_add(m, "conv3", "conv2d", "in=%d out=%d kernel=1 bias=0", width, 4 * planes);
    add_bn(m, "bn3", 4 * planes);
    pare_module_add(m, "relu", "relu", NULL);
    add_shortcut(m, in, 4 * planes, stride);
}

static void forward_bottleneck(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                               pare_var *out[])
{
    pare_var *x = pare_forward_child(m, r, "bn1", pare_forward_child(m, r, "conv1", in[0]));

    (void)n_in, (void)n_out;
    x = pare_forward_child(m, r, "relu", x);
    x = pare_forward_child(m, r, "bn2", pare_forward_child(m, r, "conv2", x));
    x = pare_forward_child(m, r, "relu", x);
    x = pare_forward_child(m, r, "bn3", pare_forward_child(m, r, "conv3", x));
    out[0] = add_shortcut_of(m, r, x, in[0]);
}

static const pare_module_kind bottleneck = {
    .name = "bottleneck_block",
    .about = "1x1, 3x3 and 1x1 convolutions with a shortcut",
    .settings = "in= planes= stride=1 groups=1 group_width=64",
    .build = build_bottleneck,
    .forward = forward_bottleneck,
};

/* ---------------------------------------------------------------------------------------------------------- network */

static void build(pare_module *m)
{
    static const char *const      names[] = { "layer1", "layer2", "layer3", "layer4" };
    const bool                    wide = strcmp(pare_module_word(m, "block"), "bottleneck") == 0;
    const pare_module_kind *const block = wide ? &bottleneck : &basic;
    int                           layers[4], in = 64;

    pare_module_ints(m, "layers", 4, layers);
    pare_module_add(m, "conv1", "conv2d", "in=%d out=64 kernel=7 stride=2 padding=3 bias=0",
                    (int)pare_module_int(m, "channels"));
    add_bn(m, "bn1", 64);
    pare_module_add(m, "relu", "relu", NULL);
    pare_module_add(m, "maxpool", "max_pool", "kernel=3 stride=2 padding=1");
    for (int stage = 0; stage < 4; stage++) {
        pare_module *const s = pare_module_add(m, names[stage], "sequential", NULL);
        const int          planes = 64 << stage;

        for (int i = 0; i < layers[stage]; i++) {
            pare_module_add_of(s, NULL, block, "in=%d planes=%d stride=%d groups=%d group_width=%d", in, planes,
                               i == 0 && stage > 0 ? 2 : 1, (int)pare_module_int(m, "groups"),
                               (int)pare_module_int(m, "group_width"));
            in = wide ? 4 * planes : planes;
        }
    }
    pare_module_add(m, "avgpool", "global_average_pool", NULL);
    pare_module_add(m, "flatten", "flatten", NULL);
    pare_module_add(m, "fc", "linear", "in=%d out=%d", in, (int)pare_module_int(m, "classes"));
    pare_init_weights(m, pare_init_fan_out, NULL);
}

const pare_module_kind pare_family_resnet = {
    .name = "resnet",
    .about = "ResNet and ResNeXt",
    .settings = "block=basic layers= groups=1 group_width=64 channels=3 classes=1000",
    .build = build,
    .forward = pare_sequential_forward,
};
