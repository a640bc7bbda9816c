/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inception_v3.c - Inception V3: five kinds of blocks as tables of branches, one auxiliary classifier while training
 *
 * A row is a convolution: its name, what it reads (x, the pool of x, or an earlier row), channels, kernel. Rows that no
 * other row reads are the block's results, concatenated in their order.
 */
#include <string.h>

#include "models/model.h"
#include "nn/module.h"

enum { MAX_ROWS = 10, OF_X = -1, OF_POOL = -2 };

typedef struct row {
    const char *name;
    int         from, out; /* out 0: the setting c; -1: the setting `out` */
    const char *window;
} row;

static const char k1[] = "kernel=1", k3[] = "kernel=3 padding=1", k3s2[] = "kernel=3 stride=2",
                  k5[] = "kernel=5 padding=2";
static const char k17[] = "kernel=[1,7] padding=[0,3]", k71[] = "kernel=[7,1] padding=[3,0]";
static const char k13[] = "kernel=[1,3] padding=[0,1]", k31[] = "kernel=[3,1] padding=[1,0]";

static const row a[] = {
    { "branch1x1", OF_X, 64, k1 },      { "branch5x5_1", OF_X, 48, k1 },
    { "branch5x5_2", 1, 64, k5 },       { "branch3x3dbl_1", OF_X, 64, k1 },
    { "branch3x3dbl_2", 3, 96, k3 },    { "branch3x3dbl_3", 4, 96, k3 },
    { "branch_pool", OF_POOL, -1, k1 }, { 0 },
};
static const row b[] = {
    { "branch3x3", OF_X, 384, k3s2 },
    { "branch3x3dbl_1", OF_X, 64, k1 },
    { "branch3x3dbl_2", 1, 96, k3 },
    { "branch3x3dbl_3", 2, 96, k3s2 },
    { 0 },
};
static const row c[] = {
    { "branch1x1", OF_X, 192, k1 },
    { "branch7x7_1", OF_X, 0, k1 },
    { "branch7x7_2", 1, 0, k17 },
    { "branch7x7_3", 2, 192, k71 },
    { "branch7x7dbl_1", OF_X, 0, k1 },
    { "branch7x7dbl_2", 4, 0, k71 },
    { "branch7x7dbl_3", 5, 0, k17 },
    { "branch7x7dbl_4", 6, 0, k71 },
    { "branch7x7dbl_5", 7, 192, k17 },
    { "branch_pool", OF_POOL, 192, k1 },
    { 0 },
};
static const row d[] = {
    { "branch3x3_1", OF_X, 192, k1 },
    { "branch3x3_2", 0, 320, k3s2 },
    { "branch7x7x3_1", OF_X, 192, k1 },
    { "branch7x7x3_2", 2, 192, k17 },
    { "branch7x7x3_3", 3, 192, k71 },
    { "branch7x7x3_4", 4, 192, k3s2 },
    { 0 },
};
static const row e[] = {
    { "branch1x1", OF_X, 320, k1 },      { "branch3x3_1", OF_X, 384, k1 },
    { "branch3x3_2a", 1, 384, k13 },     { "branch3x3_2b", 1, 384, k31 },
    { "branch3x3dbl_1", OF_X, 448, k1 }, { "branch3x3dbl_2", 4, 384, k3 },
    { "branch3x3dbl_3a", 5, 384, k13 },  { "branch3x3dbl_3b", 5, 384, k31 },
    { "branch_pool", OF_POOL, 192, k1 }, { 0 },
};

/* b and d halve the picture: their max pool is a result by itself. */
static const struct {
    const char *name;
    const row  *rows;
    bool        halves;
} blocks[] = { { "a", a, false }, { "b", b, true }, { "c", c, false }, { "d", d, true }, { "e", e, false } };

static int block_of(const pare_module *m)
{
    return pare_module_word(m, "block")[0] - 'a';
}

static int channels_of(const pare_module *m, const row *r)
{
    return r->out > 0 ? r->out : (int)pare_module_int(m, r->out < 0 ? "out" : "c");
}

static void build_block(pare_module *m)
{
    const row *const rows = blocks[block_of(m)].rows;

    for (int i = 0; rows[i].name; i++)
        pare_add_basic_conv(m, rows[i].name, "in=%d out=%d %s",
                            rows[i].from < 0 ? (int)pare_module_int(m, "in") : channels_of(m, &rows[rows[i].from]),
                            channels_of(m, &rows[i]), rows[i].window);
}

static bool is_read(const row *rows, int i)
{
    for (int j = 0; rows[j].name; j++)
        if (rows[j].from == i)
            return true;
    return false;
}

static void forward_block(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                          pare_var *out[])
{
    static const pare_window_options halving = { .kernel = { 3, 3 }, .stride = { 2, 2 } };
    static const pare_window_options mean = { .kernel = { 3, 3 }, .stride = { 1, 1 }, .padding = { 1, 1 } };
    const row *const                 rows = blocks[block_of(m)].rows;
    pare_var                        *y[MAX_ROWS], *results[MAX_ROWS + 1];
    int                              n = 0;

    (void)n_in, (void)n_out;
    for (int i = 0; rows[i].name; i++) {
        pare_var *const x = rows[i].from == OF_POOL ? pare_average_pool(r, in[0], &mean)
                            : rows[i].from == OF_X  ? in[0]
                                                    : y[rows[i].from];

        y[i] = pare_forward_child(m, r, rows[i].name, x);
        if (!is_read(rows, i))
            results[n++] = y[i];
    }
    if (blocks[block_of(m)].halves)
        results[n++] = pare_max_pool(r, in[0], &halving);
    out[0] = pare_concat(r, n, results, 1);
}

static const pare_module_kind block = {
    .name = "inception_block",
    .about = "branches of convolutions side by side",
    .settings = "block= in= out=0 c=0",
    .build = build_block,
    .forward = forward_block,
};

/* ---------------------------------------------------------------------------------------------------------- network */

static void build_aux(pare_module *m)
{
    pare_module_add(m, "pool", "average_pool", "kernel=5 stride=3");
    pare_add_basic_conv(m, "conv0", "in=768 out=128 kernel=1");
    pare_add_basic_conv(m, "conv1", "in=128 out=768 kernel=5");
    pare_module_add(m, "avgpool", "global_average_pool", NULL);
    pare_module_add(m, "flatten", "flatten", NULL);
    pare_module_add(m, "fc", "linear", "in=768 out=%d", (int)pare_module_int(m, "classes"));
}

static const pare_module_kind aux = {
    .name = "inception_v3_aux",
    .about = "a classifier in the middle, for training",
    .settings = "classes=",
    .build = build_aux,
    .forward = pare_sequential_forward,
};

static const struct {
    const char *name, *settings;
} trunk[] = {
    { "Mixed_5b", "block=a in=192 out=32" }, { "Mixed_5c", "block=a in=256 out=64" },
    { "Mixed_5d", "block=a in=288 out=64" }, { "Mixed_6a", "block=b in=288" },
    { "Mixed_6b", "block=c in=768 c=128" },  { "Mixed_6c", "block=c in=768 c=160" },
    { "Mixed_6d", "block=c in=768 c=160" },  { "Mixed_6e", "block=c in=768 c=192" },
    { "Mixed_7a", "block=d in=768" },        { "Mixed_7b", "block=e in=1280" },
    { "Mixed_7c", "block=e in=2048" },
};

static pare_init normal_01(const pare_module *m, const pare_shape *weight)
{
    (void)m, (void)weight;
    return (pare_init){ PARE_INIT_NORMAL, 0.1f };
}

static void build(pare_module *m)
{
    pare_add_basic_conv(m, "Conv2d_1a_3x3", "in=%d out=32 kernel=3 stride=2", (int)pare_module_int(m, "channels"));
    pare_add_basic_conv(m, "Conv2d_2a_3x3", "in=32 out=32 kernel=3");
    pare_add_basic_conv(m, "Conv2d_2b_3x3", "in=32 out=64 kernel=3 padding=1");
    pare_module_add(m, "maxpool1", "max_pool", "kernel=3 stride=2");
    pare_add_basic_conv(m, "Conv2d_3b_1x1", "in=64 out=80 kernel=1");
    pare_add_basic_conv(m, "Conv2d_4a_3x3", "in=80 out=192 kernel=3");
    pare_module_add(m, "maxpool2", "max_pool", "kernel=3 stride=2");
    for (size_t i = 0; i < sizeof(trunk) / sizeof(trunk[0]); i++) {
        pare_module_add_of(m, trunk[i].name, &block, "%s", trunk[i].settings);
        if (strcmp(trunk[i].name, "Mixed_6e") == 0 && pare_module_int(m, "aux"))
            pare_module_add_of(m, "AuxLogits", &aux, "classes=%d", (int)pare_module_int(m, "classes"));
    }
    pare_module_add(m, "avgpool", "global_average_pool", NULL);
    pare_module_add(m, "dropout", "dropout", "p=0.5");
    pare_module_add(m, "flatten", "flatten", NULL);
    pare_module_add(m, "fc", "linear", "in=2048 out=%d", (int)pare_module_int(m, "classes"));
    pare_init_weights(m, normal_01, normal_01);
}

/* out: logits, and while training those of the auxiliary classifier. */
static void forward(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out, pare_var *out[])
{
    pare_var *x = in[0];

    (void)n_in;
    for (int i = 0; pare_module_child(m, i); i++) {
        const pare_module *const part = pare_module_child(m, i);

        if (pare_module_kind_of(part) != &aux)
            x = pare_forward(part, r, x);
        else if (n_out > 1)
            out[1] = pare_forward(part, r, x);
    }
    out[0] = x;
}

const pare_module_kind pare_family_inception_v3 = {
    .name = "inception_v3",
    .about = "Inception V3",
    .settings = "aux=1 channels=3 classes=1000",
    .max_out = 2,
    .build = build,
    .forward = forward,
};
