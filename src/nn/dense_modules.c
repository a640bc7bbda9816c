/* SPDX-License-Identifier: Apache-2.0 */
/* dense_modules.c - linear layers, and tables of embeddings */
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "nn/module.h"

static void build_linear(pare_module *m)
{
    const int64_t   in = pare_module_int(m, "in"), out = pare_module_int(m, "out");
    const pare_init init = { PARE_INIT_UNIFORM, in > 0 ? (float)(1 / sqrt((double)in)) : 0 };

    pare_module_param(m, "weight", &(pare_shape){ .rank = 2, .dim = { out, in } }, init);
    if (pare_module_int(m, "bias"))
        pare_module_param(m, "bias", &(pare_shape){ .rank = 1, .dim = { out } }, init);
}

static void forward_linear(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                           pare_var *out[])
{
    pare_var *const weight = pare_module_var(m, r, "weight"), *const bias = pare_module_var(m, r, "bias");

    (void)n_in, (void)n_out;
    out[0] = pare_linear(r, in[0], weight, bias);
}

const pare_module_kind pare_module_kind_linear = {
    .name = "linear",
    .about = "x * weight^T + bias over the last axis",
    .settings = "in= out= bias=1",
    .build = build_linear,
    .forward = forward_linear,
};

static void build_table(pare_module *m)
{
    pare_module_param(m, "weight",
                      &(pare_shape){ .rank = 2, .dim = { pare_module_int(m, "rows"), pare_module_int(m, "width") } },
                      (pare_init){ PARE_INIT_NORMAL, 1 });
}

static void forward_embedding(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                              pare_var *out[])
{
    (void)n_in, (void)n_out;
    out[0] = pare_gather(r, pare_module_var(m, r, "weight"), in[0], 0);
}

const pare_module_kind pare_module_kind_embedding = {
    .name = "embedding",
    .about = "a row of a table for every number",
    .settings = "rows= width=",
    .build = build_table,
    .forward = forward_embedding,
};

static void build_bag(pare_module *m)
{
    const char *const mode = pare_module_word(m, "mode");

    if (strcmp(mode, "mean") != 0 && strcmp(mode, "sum") != 0 && strcmp(mode, "max") != 0)
        pare_module_fail(m, pare_fail(PARE_ERR_ARG, "embedding_bag: mode is mean, sum or max, not '%s'", mode));
    build_table(m);
}

/* ids [N, bag] */
static void forward_bag(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                        pare_var *out[])
{
    pare_var *const rows = pare_gather(r, pare_module_var(m, r, "weight"), in[0], 0);
    const char     *mode = pare_module_word(m, "mode");
    pare_var *const axes = pare_record_ints(r, 1, (const int64_t[]){ 1 });
    pare_var *const pair[] = { rows, axes };
    char            op[32] = "reduce_";

    (void)n_in, (void)n_out;
    out[0] = pare_apply(r, strncat(op, mode, 8), 2, pair, "keepdims=0");
}

const pare_module_kind pare_module_kind_embedding_bag = {
    .name = "embedding_bag",
    .about = "mean, sum or max of the rows of a table for each bag [N,bag] of numbers",
    .settings = "rows= width= mode=mean",
    .build = build_bag,
    .forward = forward_bag,
};
