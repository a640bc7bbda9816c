/* SPDX-License-Identifier: Apache-2.0 */
/* recurrent_gates.c - ONNX's activation functions by name, with their parameters */
#include <ctype.h>
#include <string.h>

#include "base/math_gates.h"
#include "base/status.h"
#include "kernels/unary_f32/unary_f32.h"
#include "ops/recurrent.h"

static const struct named {
    const char *name; /* in lower case: ONNX files do not agree about case */
    int         function;
    int         params;   /* how many of alpha, beta it consumes */
    float       param[2]; /* ... and what they are otherwise     */
} names[] = {
    { "sigmoid", PARE_UNARY_F32_gate_sigmoid, 0, { 0, 0 } },
    { "tanh", PARE_UNARY_F32_gate_tanh, 0, { 0, 0 } },
    { "relu", PARE_UNARY_F32_relu, 0, { 0, 0 } },
    { "softsign", PARE_UNARY_F32_softsign, 0, { 0, 0 } },
    { "softplus", PARE_UNARY_F32_softplus, 0, { 0, 0 } },
    { "leakyrelu", PARE_UNARY_F32_leaky_relu, 1, { 0.01f, 0 } },
    { "thresholdedrelu", PARE_UNARY_F32_thresholded_relu, 1, { 1, 0 } },
    { "elu", PARE_UNARY_F32_elu, 1, { 1, 0 } },
    { "hardsigmoid", PARE_UNARY_F32_hard_sigmoid, 2, { 0.2f, 0.5f } },
    { "affine", PARE_GATE_AFFINE, 2, { 1, 0 } },
    { "scaledtanh", PARE_GATE_SCALED_TANH, 2, { 1, 1 } },
};

static bool same_word(const char *name, const char *word, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (!name[i] || name[i] != tolower((unsigned char)word[i]))
            return false;
    return name[length] == '\0';
}

static const struct named *find(const char *word, size_t length)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (same_word(names[i].name, word, length))
            return &names[i];
    return NULL;
}

pare_status pare_gates_parse(const pare_recurrent_attrs *a, const pare_recurrent_cell *cell, int directions,
                             pare_gate out[2][PARE_RNN_MAX_ACTIVATIONS])
{
    const bool  given = a->activations && *a->activations;
    const char *at = given ? a->activations : cell->defaults;
    const int   total = directions * cell->activations;
    int         alpha = 0, beta = 0;

    for (int i = 0; i < total; i++) {
        if (!given && i % cell->activations == 0)
            at = cell->defaults;
        const size_t              length = strcspn(at, ",");
        const struct named *const n = find(at, length);

        if (length == 0)
            return pare_fail(PARE_ERR_SHAPE, "%d activations are given, %d needed", i, total);
        if (!n)
            return pare_fail(PARE_ERR_UNSUPPORTED, "there is no activation '%.*s'", (int)length, at);
        pare_gate g = { n->function, { n->param[0], n->param[1] } };

        if (n->params > 0 && alpha < a->activation_alpha.n)
            g.param[0] = a->activation_alpha.v[alpha++];
        if (n->params > 1 && beta < a->activation_beta.n)
            g.param[1] = a->activation_beta.v[beta++];
        if (out)
            out[i / cell->activations][i % cell->activations] = g;
        at += length + (at[length] == ',');
    }
    return given && *at ? pare_fail(PARE_ERR_SHAPE, "there are more than %d activations", total) : PARE_OK;
}

void pare_gate_apply(const pare_recurrent *r, const pare_gate *g, float *v)
{
    const long  n = (long)r->hidden;
    const float clip = r->a->clip;

    for (long i = 0; i < n && clip > 0; i++)
        v[i] = pare_clampf(v[i], -clip, clip);
    if (g->function >= 0) {
        pare_unary_f32_row((pare_unary_f32)g->function, r->cpu)(n, v, v, g->param);
        return;
    }
    for (long i = 0; i < n; i++)
        v[i] = pare_quietf(g->function == PARE_GATE_AFFINE ? g->param[0] * v[i] + g->param[1]
                                                           : g->param[0] * pare_gate_tanhf(g->param[1] * v[i]));
}
