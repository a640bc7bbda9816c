/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cifar_resnet.c - the small ResNets for 32x32 pictures of He et al. 2015: three stages of 16, 32 and 64 channels
 *
 * shortcut=pad: where a stage begins every second pixel with zero channels around it (no parameters); shortcut=conv: a
 * 1x1 convolution. Names are those of the usual PyTorch implementation (akamaster's).
 */
#include <stdint.h>
#include <string.h>

#include "base/status.h"
#include "models/model.h"
#include "nn/module.h"

static void build_block(pare_module *m)
{
    const int  in = (int)pare_module_int(m, "in"), out = (int)pare_module_int(m, "out");
    const int  stride = (int)pare_module_int(m, "stride");
    const bool conv = strcmp(pare_module_word(m, "shortcut"), "conv") == 0;

    pare_module_add(m, "conv1", "conv2d", "in=%d out=%d kernel=3 stride=%d padding=1 bias=0", in, out, stride);
    pare_module_add(m, "bn1", "batch_norm", "features=%d", out);
    pare_module_add(m, "conv2", "conv2d", "in=%d out=%d kernel=3 padding=1 bias=0", out, out);
    pare_module_add(m, "bn2", "batch_norm", "features=%d", out);
    if (in != out && conv)
        pare_add_conv_norm(m, "shortcut", NULL, 1e-5, "in=%d out=%d kernel=1 stride=%d", in, out, stride);
}

/* x[:, :, ::2, ::2] with a quarter of the channels as zeros on each side. */
static pare_var *pad(pare_record *r, pare_var *x, int out)
{
    const int64_t   start[] = { 0, 0 }, end[] = { INT32_MAX, INT32_MAX }, axes[] = { 2, 3 }, step[] = { 2, 2 };
    pare_var *const slice[] = { x, pare_record_ints(r, 2, start), pare_record_ints(r, 2, end),
                                pare_record_ints(r, 2, axes), pare_record_ints(r, 2, step) };
    const int64_t   pads[] = { 0, out / 4, 0, 0, 0, out / 4, 0, 0 };

    x = pare_apply(r, "slice", 5, slice, NULL);
    return pare_binary(r, "pad", x, pare_record_ints(r, 8, pads));
}

static void forward_block(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                          pare_var *out[])
{
    const int channels = (int)pare_module_int(m, "out");
    pare_var *y = pare_forward_child(m, r, "bn1", pare_forward_child(m, r, "conv1", in[0])), *side = in[0];

    (void)n_in, (void)n_out;
    y = pare_forward_child(m, r, "bn2", pare_forward_child(m, r, "conv2", pare_relu(r, y)));
    if (pare_module_find(m, "shortcut"))
        side = pare_forward_child(m, r, "shortcut", side);
    else if (pare_module_int(m, "in") != channels)
        side = pad(r, side, channels);
    out[0] = pare_relu(r, pare_add(r, y, side));
}

static const pare_module_kind block = {
    .name = "cifar_block",
    .about = "two 3x3 convolutions with a shortcut",
    .settings = "in= out= stride=1 shortcut=pad",
    .build = build_block,
    .forward = forward_block,
};

static pare_init fan_in_normal(const pare_module *m, const pare_shape *weight)
{
    pare_init init = pare_init_fan_in(m, weight);

    return (pare_init){ PARE_INIT_NORMAL, init.value * 0.57735027f }; /* the deviation of uniform: bound / sqrt(3) */
}

static void build(pare_module *m)
{
    static const char *const names[] = { "layer1", "layer2", "layer3" };
    const char *const        shortcut = pare_module_word(m, "shortcut");
    int                      in = 16;

    if (strcmp(shortcut, "pad") != 0 && strcmp(shortcut, "conv") != 0)
        pare_module_fail(m, pare_fail(PARE_ERR_ARG, "cifar_resnet: shortcut is pad or conv, not '%s'", shortcut));
    pare_module_add(m, "conv1", "conv2d", "in=%d out=16 kernel=3 padding=1 bias=0",
                    (int)pare_module_int(m, "channels"));
    pare_module_add(m, "bn1", "batch_norm", "features=16");
    pare_module_add(m, "relu", "relu", NULL);
    for (int stage = 0; stage < 3; stage++) {
        pare_module *const s = pare_module_add(m, names[stage], "sequential", NULL);

        for (int i = 0; i < pare_module_int(m, "blocks"); i++, in = 16 << stage)
            pare_module_add_of(s, NULL, &block, "in=%d out=%d stride=%d shortcut=%s", in, 16 << stage,
                               i == 0 && stage > 0 ? 2 : 1, shortcut);
    }
    pare_module_add(m, "avgpool", "global_average_pool", NULL);
    pare_module_add(m, "flatten", "flatten", NULL);
    pare_module_add(m, "linear", "linear", "in=64 out=%d", (int)pare_module_int(m, "classes"));
    pare_init_weights(m, fan_in_normal, fan_in_normal);
}

const pare_module_kind pare_family_cifar_resnet = {
    .name = "cifar_resnet",
    .about = "small ResNets for 32x32 pictures",
    .settings = "blocks=3 shortcut=pad channels=3 classes=10",
    .build = build,
    .forward = pare_sequential_forward,
};
