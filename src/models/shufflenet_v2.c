/* SPDX-License-Identifier: Apache-2.0 */
/* shufflenet_v2.c - ShuffleNetV2: half of the channels pass by, and both halves are shuffled */
#include <stdio.h>

#include "models/model.h"
#include "nn/module.h"

static void add_conv(pare_module *m, int in, int out, const char *more)
{
    pare_module_add(m, NULL, "conv2d", "in=%d out=%d bias=0 %s", in, out, more);
    pare_module_add(m, NULL, "batch_norm", "features=%d", out);
}

static void add_depthwise(pare_module *m, int channels, int stride)
{
    char more[64];

    snprintf(more, sizeof(more), "kernel=3 stride=%d padding=1 groups=%d", stride, channels);
    add_conv(m, channels, channels, more);
}

static void build_block(pare_module *m)
{
    const int          in = (int)pare_module_int(m, "in"), half = (int)pare_module_int(m, "out") / 2;
    const int          stride = (int)pare_module_int(m, "stride");
    pare_module *const first = pare_module_add(m, "branch1", "sequential", NULL);
    pare_module *const second = pare_module_add(m, "branch2", "sequential", NULL);

    if (stride > 1) {
        add_depthwise(first, in, stride);
        add_conv(first, in, half, "kernel=1");
        pare_module_add(first, NULL, "relu", NULL);
    }
    add_conv(second, stride > 1 ? in : half, half, "kernel=1");
    pare_module_add(second, NULL, "relu", NULL);
    add_depthwise(second, half, stride);
    add_conv(second, half, half, "kernel=1");
    pare_module_add(second, NULL, "relu", NULL);
}

/* Channel c of each of two groups, one after the other. */
static pare_var *shuffle(pare_record *r, pare_var *x)
{
    const pare_shape s = pare_var_shape(x);

    x = pare_reshape(r, x, 5, (const int64_t[]){ 0, 2, s.dim[1] / 2, s.dim[2], s.dim[3] });
    x = pare_transpose(r, x, 5, (const int[]){ 0, 2, 1, 3, 4 });
    return pare_reshape(r, x, 4, (const int64_t[]){ 0, s.dim[1], s.dim[2], s.dim[3] });
}

static void forward_block(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                          pare_var *out[])
{
    const int64_t half = pare_module_int(m, "out") / 2;
    pare_var     *both[2] = { in[0], in[0] };

    (void)n_in, (void)n_out;
    if (pare_module_int(m, "stride") == 1) {
        pare_var *const split[] = { in[0], pare_record_ints(r, 2, (const int64_t[]){ half, half }) };

        pare_op_call(r, "split", 2, split, 2, both, "axis=1");
    } else {
        both[0] = pare_forward_child(m, r, "branch1", in[0]);
    }
    both[1] = pare_forward_child(m, r, "branch2", both[1]);
    out[0] = shuffle(r, pare_concat(r, 2, both, 1));
}

static const pare_module_kind block = {
    .name = "shuffle_block",
    .about = "one half stays, the other is convolved, both are shuffled",
    .settings = "in= out= stride=1",
    .build = build_block,
    .forward = forward_block,
};

static void build(pare_module *m)
{
    static const int         repeats[] = { 4, 8, 4 };
    static const char *const names[] = { "stage2", "stage3", "stage4" };
    int                      channels[5], in;
    pare_module             *part = pare_module_add(m, "conv1", "sequential", NULL);

    pare_module_ints(m, "channels", 5, channels);
    add_conv(part, 3, in = channels[0], "kernel=3 stride=2 padding=1");
    pare_module_add(part, NULL, "relu", NULL);
    pare_module_add(m, "maxpool", "max_pool", "kernel=3 stride=2 padding=1");
    for (int s = 0; s < 3; s++) {
        part = pare_module_add(m, names[s], "sequential", NULL);
        for (int i = 0; i < repeats[s]; i++, in = channels[s + 1])
            pare_module_add_of(part, NULL, &block, "in=%d out=%d stride=%d", in, channels[s + 1], i ? 1 : 2);
    }
    part = pare_module_add(m, "conv5", "sequential", NULL);
    add_conv(part, in, channels[4], "kernel=1");
    pare_module_add(part, NULL, "relu", NULL);
    pare_module_add(m, "avgpool", "global_average_pool", NULL);
    pare_module_add(m, "flatten", "flatten", NULL);
    pare_module_add(m, "fc", "linear", "in=%d out=%d", channels[4], (int)pare_module_int(m, "classes"));
}

const pare_module_kind pare_family_shufflenet_v2 = {
    .name = "shufflenet_v2",
    .about = "ShuffleNetV2",
    .settings = "channels= classes=1000",
    .build = build,
    .forward = pare_sequential_forward,
};
