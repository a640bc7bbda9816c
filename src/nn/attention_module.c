/* SPDX-License-Identifier: Apache-2.0 */
/* attention_module.c - attention of several heads, with PyTorch's parameters */
#include <math.h>

#include "base/status.h"
#include "nn/module.h"

static void build(pare_module *m)
{
    const int64_t   width = pare_module_int(m, "width"), heads = pare_module_int(m, "heads");
    const pare_init zero = { PARE_INIT_CONSTANT, 0 };

    if (width < 1 || heads < 1 || width % heads) {
        pare_module_fail(m, pare_fail(PARE_ERR_ARG, "multihead_attention: width %lld is no multiple of %lld heads",
                                      (long long)width, (long long)heads));
        return;
    }
    /* Xavier: fan in and fan out of the matrix as it is, width and 3 * width. */
    pare_module_param(m, "in_proj_weight", &(pare_shape){ .rank = 2, .dim = { 3 * width, width } },
                      (pare_init){ PARE_INIT_UNIFORM, (float)sqrt(6 / (4 * (double)width)) });
    if (pare_module_int(m, "bias"))
        pare_module_param(m, "in_proj_bias", &(pare_shape){ .rank = 1, .dim = { 3 * width } }, zero);
    pare_module *const out = pare_module_add(m, "out_proj", "linear", "in=%d out=%d bias=%d", (int)width, (int)width,
                                             (int)pare_module_int(m, "bias"));

    pare_module_set_init(out, "bias", zero);
}

/* Part 0, 1 or 2 (query, key, value) of the projection of x [.., .., width]. */
static pare_var *project(const pare_module *m, pare_record *r, int part, pare_var *x)
{
    const int64_t   width = pare_module_int(m, "width");
    pare_var *const weight = pare_module_var(m, r, "in_proj_weight"), *const bias =
                                                                          pare_module_var(m, r, "in_proj_bias");

    pare_var *const w = pare_slice(r, weight, 0, part * width, (part + 1) * width, 1);

    return pare_linear(r, x, w, bias ? pare_slice(r, bias, 0, part * width, (part + 1) * width, 1) : NULL);
}

/* [B,T,width] as [B,heads,T,d], or for keys [B,heads,d,T]. */
static pare_var *heads_of(const pare_module *m, pare_record *r, pare_var *x, bool keys)
{
    static const int perm[2][4] = { { 0, 2, 1, 3 }, { 0, 2, 3, 1 } };
    const int64_t    heads = pare_module_int(m, "heads");

    x = pare_reshape(r, x, 4, (const int64_t[]){ 0, 0, heads, pare_module_int(m, "width") / heads });
    return pare_transpose(r, x, 4, perm[keys]);
}

/* in: query, key, value, mask (added to the scores; each may be left out, key and value are the query then). */
static void forward(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out, pare_var *out[])
{
    static const int swap[] = { 1, 0, 2 };
    const bool       batch_first = pare_module_int(m, "batch_first") != 0;
    const double     d = (double)pare_module_int(m, "width") / (double)pare_module_int(m, "heads");
    pare_var        *part[3], *y;

    (void)n_out;
    for (int i = 0; i < 3; i++) {
        pare_var *const x = i < n_in && in[i] ? in[i] : i == 2 && n_in > 1 && in[1] ? in[1] : in[0];

        part[i] = heads_of(m, r, project(m, r, i, batch_first ? x : pare_transpose(r, x, 3, swap)), i == 1);
    }
    y = pare_matmul(r, part[0], part[1]);
    y = pare_binary(r, "div", y, pare_record_float(r, (float)sqrt(d)));
    if (n_in > 3 && in[3])
        y = pare_add(r, y, in[3]);
    y = pare_matmul(r, pare_softmax(r, y, -1), part[2]);
    y = pare_reshape(r, pare_transpose(r, y, 4, (const int[]){ 0, 2, 1, 3 }), 3,
                     (const int64_t[]){ 0, 0, pare_module_int(m, "width") });
    y = pare_forward_child(m, r, "out_proj", y);
    out[0] = batch_first ? y : pare_transpose(r, y, 3, swap);
}

const pare_module_kind pare_module_kind_multihead_attention = {
    .name = "multihead_attention",
    .about = "attention of several heads over [T,B,width]; in: query, key, value, mask to add",
    .settings = "width= heads= bias=1 batch_first=0",
    .max_in = 4,
    .build = build,
    .forward = forward,
};
