/* SPDX-License-Identifier: Apache-2.0 */
/* check_settings.c - settings that cannot be meant, and constants that cannot be quantized, before any data is read */
#include <math.h>
#include <string.h>

#include "base/status.h"
#include "flow/quantization.h"
#include "quant/observer.h"

static pare_status check_config(const pare_node *n, const pare_qconfig *c)
{
    if (!pare_observer_find(c->observer))
        return pare_fail(PARE_ERR_ARG, "node '%s': there is no observer '%s'; `pare list observers` names them",
                         n->name, c->observer);
    if (c->weight_bits < 2 || c->weight_bits > 8)
        return pare_fail(PARE_ERR_ARG, "node '%s': weight_bits is %d; 2 to 8 are possible", n->name, c->weight_bits);
    if (c->activation_bits < 2 || c->activation_bits > 8)
        return pare_fail(PARE_ERR_ARG, "node '%s': activation_bits is %d; 2 to 8 are possible", n->name,
                         c->activation_bits);
    if (c->granularity != PARE_PER_CHANNEL && c->granularity != PARE_PER_TENSOR)
        return pare_fail(PARE_ERR_ARG, "node '%s': granularity is %d; 1 (per channel) and 2 (per tensor) are possible",
                         n->name, (int)c->granularity);
    if ((int)c->mode < PARE_QMODE_DEFAULT || c->mode > PARE_QMODE_FLOAT)
        return pare_fail(PARE_ERR_ARG, "node '%s': there is no mode %d", n->name, (int)c->mode);
    return PARE_OK;
}

/* NaN and infinity in weights would show only as NaN somewhere behind them; ranges of constants must be finite too. */
static pare_status check_constants(const pare_graph *g, const pare_decision *d)
{
    const bool all = d->rule && (d->rule->role == PARE_QROLE_WEIGHTED || d->rule->role == PARE_QROLE_RECURRENT ||
                                 d->rule->role == PARE_QROLE_BINARY);

    for (int i = 0; all && d->mode != PARE_QMODE_FLOAT && i < d->node->n_in; i++) {
        const pare_value *const v = d->node->in[i];

        if (!(v && pare_value_is_const(v) && v->t.dtype == PARE_f32))
            continue;
        for (int64_t k = 0; k < pare_shape_count(&v->t.shape); k++) {
            const double x = pare_tensor_real(&v->t, k);

            if (!isfinite(x))
                return pare_fail(PARE_ERR_NUMERIC, "%s: node '%s': constant '%s' holds %s", g->file ? g->file : g->name,
                                 d->node->name, v->name, isnan(x) ? "NaN" : "an infinity");
        }
    }
    return PARE_OK;
}

static pare_status check_options(const pare_quantize_options *o)
{
    if (o->target && strcmp(o->target, "onnx") != 0 && strcmp(o->target, "onnxruntime") != 0)
        return pare_fail(PARE_ERR_ARG, "there is no target '%s'; onnx and onnxruntime are possible", o->target);
    if (o->samples < 0)
        return pare_fail(PARE_ERR_ARG, "%d calibration samples make no sense", o->samples);
    return PARE_OK;
}

pare_status pare_quantization_check(const pare_quantization *q, const pare_quantize_options *o)
{
    PARE_TRY(check_options(o));
    for (int i = 0; i < q->n_decisions; i++) {
        PARE_TRY(check_config(q->decisions[i].node, &q->decisions[i].config));
        PARE_TRY(check_constants(q->g, &q->decisions[i]));
    }
    return PARE_OK;
}
