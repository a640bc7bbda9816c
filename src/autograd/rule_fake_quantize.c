/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_fake_quantize.c - the straight-through gradient of fake_quantize, and those of a learned scale and zero; and of
 * the factor that folding a batch normalization multiplies weights by
 *
 * The gradient of a learned scale is multiplied by 1 / sqrt(elements * hi), as LSQ (Esser et al. 2020) asks, so that it
 * is as large, beside the scale, as those of weights are beside the weights.
 */
#include <stdio.h>

#include "autograd/rules.h"
#include "base/math.h"

/* The sums [d0, d1] of fake_quantize_grad to the entries of `to`, times factor. */
static pare_status give_sums(pare_tape *t, const pare_node *n, pare_value *sums, pare_value *to, float factor)
{
    const int64_t axis = pare_node_i(n, "axis");
    pare_value   *axes, *of, *times, *grad;

    if (!pare_tape_wants(t, to))
        return PARE_OK;
    PARE_TRY(pare_tape_ints(t, axis < 0 ? 2 : 1, axis < 0 ? (const int64_t[]){ 0, 1 } : (const int64_t[]){ 1 - axis },
                            &axes));
    PARE_TRY(pare_tape_like(t, NULL, "reduce_sum", "keepdims=0", 2, (pare_value *const[]){ sums, axes }, &of));
    PARE_TRY(pare_tape_float(t, factor, &times));
    PARE_TRY(pare_tape_binary(t, "mul", of, times, &grad));
    PARE_TRY(pare_tape_reshape(t, grad, &to->t.shape, &grad));
    return pare_tape_give(t, to, grad);
}

/* f = gamma * f(1): the variance is a running one, which is not trained. */
pare_status pare_grad_batch_norm_factor(pare_tape *t, pare_node *n)
{
    pare_value *one, *f, *grad;

    PARE_TRY(pare_tape_full(t, &n->in[0]->t.shape, 1.0f, &one));
    PARE_TRY(pare_tape_like(t, n, "batch_norm_factor", NULL, 2, (pare_value *const[]){ one, n->in[1] }, &f));
    PARE_TRY(pare_tape_binary(t, "mul", pare_tape_grad(t, n->out[0]), f, &grad));
    return pare_tape_give(t, n->in[0], grad);
}

pare_status pare_grad_bound_scale(pare_tape *t, pare_node *n)
{
    pare_value *grad;

    PARE_TRY(pare_tape_like(t, NULL, "bound_scale_grad", NULL, 3,
                            (pare_value *const[]){ pare_tape_grad(t, n->out[0]), n->in[0], n->in[1] }, &grad));
    return pare_tape_give(t, n->in[0], grad);
}

pare_status pare_grad_fake_quantize(pare_tape *t, pare_node *n)
{
    pare_value *const dy = pare_tape_grad(t, n->out[0]), *zero = n->n_in > 2 ? n->in[2] : NULL;
    pare_value       *out[3];
    char              attrs[128];
    const int64_t     entries = pare_shape_count(&n->in[1]->t.shape);
    const double      share = (double)pare_shape_count(&n->in[0]->t.shape) / (double)(entries > 0 ? entries : 1);

    if (!dy)
        return PARE_OK;
    snprintf(attrs, sizeof(attrs), "lo=%lld hi=%lld axis=%lld learn=\"%s\"", (long long)pare_node_i(n, "lo"),
             (long long)pare_node_i(n, "hi"), (long long)pare_node_i(n, "axis"), pare_node_s(n, "learn"));
    const bool learns = pare_tape_wants(t, n->in[1]) || pare_tape_wants(t, zero);

    PARE_TRY(pare_tape_node(t, "fake_quantize_grad", attrs, zero ? 4 : 3,
                            (pare_value *const[]){ dy, n->in[0], n->in[1], zero }, learns ? 3 : 1, out, NULL));
    PARE_TRY(pare_tape_give(t, n->in[0], out[0]));
    if (!learns)
        return PARE_OK;
    const float factor = (float)(1.0 / __builtin_sqrt(share * (double)pare_node_i(n, "hi")));

    PARE_TRY(give_sums(t, n, out[1], n->in[1], factor));
    return zero ? give_sums(t, n, out[2], zero, factor) : PARE_OK;
}
