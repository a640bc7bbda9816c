/* SPDX-License-Identifier: Apache-2.0 */
/* squeezenet.c - SqueezeNet 1.0: fire modules, a 1x1 squeeze and two expansions side by side */
#include "models/model.h"
#include "nn/module.h"

static void build_fire(pare_module *m)
{
    const int squeeze = (int)pare_module_int(m, "squeeze"), expand = (int)pare_module_int(m, "expand");

    pare_module_add(m, "squeeze", "conv2d", "in=%d out=%d kernel=1", (int)pare_module_int(m, "in"), squeeze);
    pare_module_add(m, "squeeze_activation", "relu", NULL);
    pare_module_add(m, "expand1x1", "conv2d", "in=%d out=%d kernel=1", squeeze, expand);
    pare_module_add(m, "expand1x1_activation", "relu", NULL);
    pare_module_add(m, "expand3x3", "conv2d", "in=%d out=%d kernel=3 padding=1", squeeze, expand);
    pare_module_add(m, "expand3x3_activation", "relu", NULL);
}

static void forward_fire(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                         pare_var *out[])
{
    pare_var *const x = pare_forward_child(m, r, "squeeze_activation", pare_forward_child(m, r, "squeeze", in[0]));
    pare_var *const both[] = {
        pare_forward_child(m, r, "expand1x1_activation", pare_forward_child(m, r, "expand1x1", x)),
        pare_forward_child(m, r, "expand3x3_activation", pare_forward_child(m, r, "expand3x3", x)),
    };

    (void)n_in, (void)n_out;
    out[0] = pare_concat(r, 2, both, 1);
}

static const pare_module_kind fire = {
    .name = "fire",
    .about = "squeeze, then 1x1 and 3x3 side by side",
    .settings = "in= squeeze= expand=",
    .build = build_fire,
    .forward = forward_fire,
};

static void build(pare_module *m)
{
    static const char pool[] = "kernel=3 stride=2 ceil=1";
    /* In, squeeze, expand; a row of zeros is a pool. */
    static const int   rows[][3] = { { 0 },
                                     { 96, 16, 64 },
                                     { 128, 16, 64 },
                                     { 128, 32, 128 },
                                     { 0 },
                                     { 256, 32, 128 },
                                     { 256, 48, 192 },
                                     { 384, 48, 192 },
                                     { 384, 64, 256 },
                                     { 0 },
                                     { 512, 64, 256 } };
    pare_module *const features = pare_module_add(m, "features", "sequential", NULL);
    pare_module       *classifier;

    pare_module_add(features, NULL, "conv2d", "in=%d out=96 kernel=7 stride=2", (int)pare_module_int(m, "channels"));
    pare_module_add(features, NULL, "relu", NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (rows[i][0])
            pare_module_add_of(features, NULL, &fire, "in=%d squeeze=%d expand=%d", rows[i][0], rows[i][1], rows[i][2]);
        else
            pare_module_add(features, NULL, "max_pool", pool);
    classifier = pare_module_add(m, "classifier", "sequential", NULL);
    pare_module_add(classifier, NULL, "dropout", "p=0.5");
    pare_module_add(classifier, NULL, "conv2d", "in=512 out=%d kernel=1", (int)pare_module_int(m, "classes"));
    pare_module_add(classifier, NULL, "relu", NULL);
    pare_module_add(classifier, NULL, "global_average_pool", NULL);
    pare_module_add(m, "flatten", "flatten", NULL);
    pare_init_weights(features, pare_init_fan_in, NULL);
    pare_init_weights(classifier, pare_init_normal_001, NULL);
}

const pare_module_kind pare_family_squeezenet = {
    .name = "squeezenet",
    .about = "SqueezeNet 1.0",
    .settings = "channels=3 classes=1000",
    .build = build,
    .forward = pare_sequential_forward,
};
