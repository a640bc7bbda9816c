/* SPDX-License-Identifier: Apache-2.0 */
/* googlenet.c - GoogLeNet with batch normalization: four branches side by side, two auxiliary classifiers while
 * training */
#include "models/model.h"
#include "nn/module.h"

/* Parts one after the other, results of the branches concatenated. */
static void build_inception(pare_module *m)
{
    const int    in = (int)pare_module_int(m, "in");
    int          c[6];
    pare_module *branch;

    pare_module_ints(m, "out", 6, c);
    pare_add_basic_conv(m, "branch1", "in=%d out=%d kernel=1", in, c[0]);
    branch = pare_module_add(m, "branch2", "sequential", NULL);
    pare_add_basic_conv(branch, NULL, "in=%d out=%d kernel=1", in, c[1]);
    pare_add_basic_conv(branch, NULL, "in=%d out=%d kernel=3 padding=1", c[1], c[2]);
    branch = pare_module_add(m, "branch3", "sequential", NULL);
    pare_add_basic_conv(branch, NULL, "in=%d out=%d kernel=1", in, c[3]);
    pare_add_basic_conv(branch, NULL, "in=%d out=%d kernel=3 padding=1", c[3], c[4]);
    branch = pare_module_add(m, "branch4", "sequential", NULL);
    pare_module_add(branch, NULL, "max_pool", "kernel=3 stride=1 padding=1 ceil=1");
    pare_add_basic_conv(branch, NULL, "in=%d out=%d kernel=1", in, c[5]);
}

static void forward_inception(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                              pare_var *out[])
{
    pare_var *branch[4];

    (void)n_in, (void)n_out;
    for (int i = 0; i < 4; i++)
        branch[i] = pare_forward(pare_module_child(m, i), r, in[0]);
    out[0] = pare_concat(r, 4, branch, 1);
}

static const pare_module_kind inception = {
    .name = "inception",
    .about = "1x1, 3x3, larger, and a pool side by side",
    .settings = "in= out=",
    .build = build_inception,
    .forward = forward_inception,
};

static void build_aux(pare_module *m)
{
    pare_module_add(m, "pool", "adaptive_average_pool", "size=4");
    pare_add_basic_conv(m, "conv", "in=%d out=128 kernel=1", (int)pare_module_int(m, "in"));
    pare_module_add(m, "flatten", "flatten", NULL);
    pare_module_add(m, "fc1", "linear", "in=2048 out=1024");
    pare_module_add(m, "relu", "relu", NULL);
    pare_module_add(m, "dropout", "dropout", "p=0.7");
    pare_module_add(m, "fc2", "linear", "in=1024 out=%d", (int)pare_module_int(m, "classes"));
}

static const pare_module_kind aux = {
    .name = "inception_aux",
    .about = "a classifier in the middle, for training",
    .settings = "in= classes=",
    .build = build_aux,
    .forward = pare_sequential_forward,
};

/* Trunk, in order; `pool`: a max pool in front. */
static const struct {
    const char *name, *pool, *out;
    int         in;
} rows[] = {
    { "inception3a", NULL, "64,96,128,16,32,32", 192 },
    { "inception3b", NULL, "128,128,192,32,96,64", 256 },
    { "inception4a", "kernel=3 stride=2 ceil=1", "192,96,208,16,48,64", 480 },
    { "inception4b", NULL, "160,112,224,24,64,64", 512 },
    { "inception4c", NULL, "128,128,256,24,64,64", 512 },
    { "inception4d", NULL, "112,144,288,32,64,64", 512 },
    { "inception4e", NULL, "256,160,320,32,128,128", 528 },
    { "inception5a", "kernel=2 stride=2 ceil=1", "256,160,320,32,128,128", 832 },
    { "inception5b", NULL, "384,192,384,48,128,128", 832 },
};

static void build(pare_module *m)
{
    static const char *const pools[] = { "maxpool3", "maxpool4" };
    const int                classes = (int)pare_module_int(m, "classes");
    int                      pool = 0;

    pare_add_basic_conv(m, "conv1", "in=%d out=64 kernel=7 stride=2 padding=3", (int)pare_module_int(m, "channels"));
    pare_module_add(m, "maxpool1", "max_pool", "kernel=3 stride=2 ceil=1");
    pare_add_basic_conv(m, "conv2", "in=64 out=64 kernel=1");
    pare_add_basic_conv(m, "conv3", "in=64 out=192 kernel=3 padding=1");
    pare_module_add(m, "maxpool2", "max_pool", "kernel=3 stride=2 ceil=1");
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].pool)
            pare_module_add(m, pools[pool++], "max_pool", "%s", rows[i].pool);
        pare_module_add_of(m, rows[i].name, &inception, "in=%d out=[%s]", rows[i].in, rows[i].out);
    }
    if (pare_module_int(m, "aux")) {
        pare_module_add_of(m, "aux1", &aux, "in=512 classes=%d", classes);
        pare_module_add_of(m, "aux2", &aux, "in=528 classes=%d", classes);
    }
    pare_module_add(m, "avgpool", "global_average_pool", NULL);
    pare_module_add(m, "flatten", "flatten", NULL);
    pare_module_add(m, "dropout", "dropout", "p=0.2");
    pare_module_add(m, "fc", "linear", "in=1024 out=%d", classes);
    pare_init_weights(m, pare_init_normal_001, pare_init_normal_001);
}

/* out: logits, and while training those of aux2 and aux1. */
static void forward(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out, pare_var *out[])
{
    pare_var *x = in[0];

    (void)n_in;
    for (int i = 0; pare_module_child(m, i); i++) {
        const pare_module *const part = pare_module_child(m, i);

        if (pare_module_kind_of(part) == &aux)
            continue;
        x = pare_forward(part, r, x);
        if (part == pare_module_find(m, "inception4a") && n_out > 2 && pare_module_find(m, "aux1"))
            out[2] = pare_forward_child(m, r, "aux1", x);
        if (part == pare_module_find(m, "inception4d") && n_out > 1 && pare_module_find(m, "aux2"))
            out[1] = pare_forward_child(m, r, "aux2", x);
    }
    out[0] = x;
}

const pare_module_kind pare_family_googlenet = {
    .name = "googlenet",
    .about = "GoogLeNet",
    .settings = "aux=1 channels=3 classes=1000",
    .max_out = 3,
    .build = build,
    .forward = forward,
};
