/* SPDX-License-Identifier: Apache-2.0 */
/* bert.c - BERT: encoder of transformer layers, and a classifier on its first token; names are transformers' */
#include <math.h>

#include "base/alloc.h"
#include "base/status.h"
#include "models/model.h"
#include "nn/module.h"

static void add_linear(pare_module *m, const char *name, int64_t in, int64_t out)
{
    pare_module_add(m, name, "linear", "in=%d out=%d", (int)in, (int)out);
}

static void add_norm(pare_module *m, int64_t width)
{
    pare_module_add(m, "LayerNorm", "layer_norm", "shape=%d eps=1e-12", (int)width);
}

/* ------------------------------------------------------------------------------------------------------- embeddings */

static void build_embeddings(pare_module *m)
{
    const int width = (int)pare_module_int(m, "width");

    pare_module_add(m, "word_embeddings", "embedding", "rows=%d width=%d", (int)pare_module_int(m, "vocabulary"),
                    width);
    pare_module_add(m, "position_embeddings", "embedding", "rows=%d width=%d", (int)pare_module_int(m, "positions"),
                    width);
    pare_module_add(m, "token_type_embeddings", "embedding", "rows=2 width=%d", width);
    add_norm(m, width);
    pare_module_add(m, "dropout", "dropout", "p=0.1");
}

/* The first n rows of an embedding, [n,width]. */
static pare_var *first_rows(const pare_module *m, pare_record *r, const char *name, int64_t n)
{
    int64_t *const ids = pare_malloc((size_t)n * sizeof(*ids));

    if (!ids) {
        pare_record_fail(r, pare_fail_memory((size_t)n * sizeof(*ids), "positions"));
        return NULL;
    }
    for (int64_t i = 0; i < n; i++)
        ids[i] = i;
    pare_var *const v = pare_record_ints(r, (int)n, ids);

    pare_free(ids);
    return pare_forward_child(m, r, name, v);
}

/* in: ids [B,T], types [B,T] or NULL (all 0). */
static void forward_embeddings(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                               pare_var *out[])
{
    const pare_shape s = pare_var_shape(in[0]);
    pare_var        *x, *types;

    (void)n_out;
    if (s.rank != 2 || s.dim[1] < 1 || s.dim[1] > pare_module_int(m, "positions")) {
        pare_record_fail(r, pare_fail(PARE_ERR_SHAPE, "bert takes token ids [batch, 1 to %d], the second size fixed",
                                      (int)pare_module_int(m, "positions")));
        return;
    }
    x = pare_forward_child(m, r, "word_embeddings", in[0]);
    if (n_in > 1 && in[1])
        types = pare_forward_child(m, r, "token_type_embeddings", in[1]);
    else
        types = first_rows(m, r, "token_type_embeddings", 1);
    x = pare_add(r, x, types);
    x = pare_add(r, x, first_rows(m, r, "position_embeddings", s.dim[1]));
    x = pare_forward_child(m, r, "LayerNorm", x);
    out[0] = pare_forward_child(m, r, "dropout", x);
}

static const pare_module_kind embeddings = {
    .name = "bert_embeddings",
    .about = "of words, positions and types, normalized",
    .settings = "vocabulary= width= positions=",
    .max_in = 2,
    .build = build_embeddings,
    .forward = forward_embeddings,
};

/* ----------------------------------------------------------------------------------------------------------- layers */

static void build_layer(pare_module *m)
{
    const int64_t      width = pare_module_int(m, "width"), inner = pare_module_int(m, "inner");
    pare_module *const attention = pare_module_add(m, "attention", "sequential", NULL);
    pare_module       *part = pare_module_add(attention, "self", "sequential", NULL);

    add_linear(part, "query", width, width);
    add_linear(part, "key", width, width);
    add_linear(part, "value", width, width);
    part = pare_module_add(attention, "output", "sequential", NULL);
    add_linear(part, "dense", width, width);
    add_norm(part, width);
    add_linear(pare_module_add(m, "intermediate", "sequential", NULL), "dense", width, inner);
    part = pare_module_add(m, "output", "sequential", NULL);
    add_linear(part, "dense", inner, width);
    add_norm(part, width);
}

/* [B,T,width] through a linear layer as [B,heads,T,d], or for keys [B,heads,d,T]. */
static pare_var *heads_of(const pare_module *m, pare_record *r, const char *name, pare_var *x, bool keys)
{
    static const int perm[2][4] = { { 0, 2, 1, 3 }, { 0, 2, 3, 1 } };
    const int64_t    heads = pare_module_int(m, "heads"), d = pare_module_int(m, "width") / heads;

    x = pare_forward_child(m, r, name, x);
    x = pare_reshape(r, x, 4, (const int64_t[]){ 0, 0, heads, d });
    return pare_transpose(r, x, 4, perm[keys]);
}

static pare_var *attend(const pare_module *m, pare_record *r, pare_var *x, pare_var *mask)
{
    const double    d = (double)pare_module_int(m, "width") / (double)pare_module_int(m, "heads");
    pare_var *const q = heads_of(m, r, "attention.self.query", x, false);
    pare_var *const k = heads_of(m, r, "attention.self.key", x, true);
    pare_var *const v = heads_of(m, r, "attention.self.value", x, false);
    pare_var       *y = pare_matmul(r, q, k);

    y = pare_binary(r, "div", y, pare_record_float(r, (float)sqrt(d)));
    if (mask)
        y = pare_add(r, y, mask);
    y = pare_dropout(r, pare_softmax(r, y, -1), 0.1f);
    y = pare_transpose(r, pare_matmul(r, y, v), 4, (const int[]){ 0, 2, 1, 3 });
    y = pare_reshape(r, y, 3, (const int64_t[]){ 0, 0, pare_module_int(m, "width") });
    y = pare_dropout(r, pare_forward_child(m, r, "attention.output.dense", y), 0.1f);
    return pare_forward_child(m, r, "attention.output.LayerNorm", pare_add(r, y, x));
}

/* in: x [B,T,width], mask to add to scores or NULL. */
static void forward_layer(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                          pare_var *out[])
{
    pare_var *const x = attend(m, r, in[0], n_in > 1 ? in[1] : NULL);
    pare_var       *y = pare_forward_child(m, r, "intermediate.dense", x);

    (void)n_out;
    y = pare_forward_child(m, r, "output.dense", pare_unary(r, "gelu", y));
    y = pare_add(r, pare_dropout(r, y, 0.1f), x);
    out[0] = pare_forward_child(m, r, "output.LayerNorm", y);
}

static const pare_module_kind layer = {
    .name = "bert_layer",
    .about = "attention and two linear layers, each with a shortcut and a normalization",
    .settings = "width= heads= inner=",
    .max_in = 2,
    .build = build_layer,
    .forward = forward_layer,
};

/* ---------------------------------------------------------------------------------------------------------- network */

static void build_encoder(pare_module *m, int64_t width)
{
    pare_module *layers;

    pare_module_add_of(m, "embeddings", &embeddings, "vocabulary=%d width=%d positions=%d",
                       (int)pare_module_int(m, "vocabulary"), (int)width, (int)pare_module_int(m, "positions"));
    layers = pare_module_add(pare_module_add(m, "encoder", "sequential", NULL), "layer", "sequential", NULL);
    for (int i = 0; i < pare_module_int(m, "layers"); i++)
        pare_module_add_of(layers, NULL, &layer, "width=%d heads=%d inner=%d", (int)width,
                           (int)pare_module_int(m, "heads"), (int)pare_module_int(m, "inner"));
    add_linear(pare_module_add(m, "pooler", "sequential", NULL), "dense", width, width);
}

/* (1 - mask) * lowest, [B,1,1,T]: what is masked out gets no share. */
static pare_var *mask_of(pare_record *r, pare_var *mask)
{
    mask = pare_apply(r, "cast", 1, &mask, "to=f32");
    mask = pare_binary(r, "unsqueeze", mask, pare_record_ints(r, 2, (const int64_t[]){ 1, 2 }));
    mask = pare_binary(r, "sub", mask, pare_record_float(r, 1));
    return pare_mul(r, mask, pare_record_float(r, 3.4028234663852886e38f));
}

/* in: ids [B,T], mask [B,T] of 1 and 0 or NULL, types [B,T] or NULL. out: hidden states [B,T,width], pooled
 * [B,width]. */
static void forward_encoder(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                            pare_var *out[])
{
    pare_var *const    words[] = { in[0], n_in > 2 ? in[2] : NULL };
    pare_module *const layers = pare_module_find(m, "encoder.layer");
    pare_var          *x[2] = { NULL, n_in > 1 && in[1] ? mask_of(r, in[1]) : NULL };

    pare_forward_all(pare_module_find(m, "embeddings"), r, 2, words, 1, x);
    for (int i = 0; pare_module_child(layers, i); i++)
        pare_forward_all(pare_module_child(layers, i), r, 2, (pare_var *const[]){ x[0], x[1] }, 1, x);
    out[0] = x[0];
    if (n_out < 2)
        return;
    pare_var *const first =
        pare_gather(r, x[0], pare_record_const(r, &(pare_tensor){ .dtype = PARE_s64, .data = &(int64_t){ 0 } }), 1);
    out[1] = pare_unary(r, "tanh", pare_forward_child(m, r, "pooler.dense", first));
}

static void build_only_encoder(pare_module *m)
{
    build_encoder(m, pare_module_int(m, "width"));
}

#define SIZES "vocabulary=30522 positions=512 layers=12 width=768 heads=12 inner=3072"

static const pare_module_kind encoder = {
    .name = "bert_encoder",
    .about = "embeddings, layers and a pooler",
    .settings = SIZES,
    .max_in = 3,
    .max_out = 2,
    .build = build_only_encoder,
    .forward = forward_encoder,
};

static pare_init normal_002(const pare_module *m, const pare_shape *weight)
{
    (void)m, (void)weight;
    return (pare_init){ PARE_INIT_NORMAL, 0.02f };
}

/* With classes the encoder is the part "bert". */
static void build(pare_module *m)
{
    const int width = (int)pare_module_int(m, "width"), classes = (int)pare_module_int(m, "classes");

    if (width < 1 || pare_module_int(m, "heads") < 1 || width % pare_module_int(m, "heads"))
        pare_module_fail(m, pare_fail(PARE_ERR_ARG, "bert: width %d is no multiple of %d heads", width,
                                      (int)pare_module_int(m, "heads")));
    else if (classes > 0) {
        pare_module_add_of(m, "bert", &encoder, "vocabulary=%d positions=%d layers=%d width=%d heads=%d inner=%d",
                           (int)pare_module_int(m, "vocabulary"), (int)pare_module_int(m, "positions"),
                           (int)pare_module_int(m, "layers"), width, (int)pare_module_int(m, "heads"),
                           (int)pare_module_int(m, "inner"));
        pare_module_add(m, "dropout", "dropout", "p=0.1");
        add_linear(m, "classifier", width, classes);
    } else {
        build_encoder(m, width);
    }
    pare_init_weights(m, NULL, normal_002);
}

static void forward(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out, pare_var *out[])
{
    pare_var *x[2];

    if (pare_module_int(m, "classes") == 0) {
        forward_encoder(m, r, n_in, in, n_out, out);
        return;
    }
    pare_forward_all(pare_module_find(m, "bert"), r, n_in, in, 2, x);
    out[0] = pare_forward_child(m, r, "classifier", pare_forward_child(m, r, "dropout", x[1]));
}

const pare_module_kind pare_family_bert = {
    .name = "bert",
    .about = "BERT; in: token ids, mask, types",
    .settings = SIZES " classes=0",
    .max_in = 3,
    .max_out = 2,
    .build = build,
    .forward = forward,
};
