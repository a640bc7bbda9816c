/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptq.c - post-training quantization, from a float graph to its Q/DQ form
 *
 *     simplify    fold batch normalization and constants, fuse ReLU and Clip into the layers before them
 *     decide      which nodes run on integers, which values are quantized between them        (decide.c)
 *     calibrate   run data, watch those values, choose their ranges                           (calibrate.c)
 *     convert     put quantize/dequantize pairs, integer weights and biases into the graph    (convert.c)
 *     spell       for target "onnxruntime": dynamic layers as DynamicQuantizeLinear and MatMulInteger
 *
 * What comes out is a model for any engine that knows ONNX; pare_compile lowers it to integer ops.
 */
#include <pare/quantize.h>

#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/status.h"
#include "flow/quantization.h"
#include "flow/pipelines.h"

struct pare_quantize_result {
    pare_arena        *arena;
    const char        *mode, *reason;
    pare_layer_report *layers;
    int                n;
};

static pare_layer_report report_of(pare_arena *arena, const pare_decision *d)
{
    const bool weights =
        d->mode != PARE_QMODE_FLOAT && (d->rule->role == PARE_QROLE_WEIGHTED || d->rule->role == PARE_QROLE_RECURRENT);

    return (pare_layer_report){ .name = pare_arena_strdup(arena, d->node->name),
                                .op = d->node->op->name,
                                .mode = d->mode,
                                .reason = pare_arena_strdup(arena, d->reason),
                                .weight_bits = weights ? d->config.weight_bits : 0,
                                .per_channel = weights && d->config.granularity != PARE_PER_TENSOR };
}

static pare_status make_result(const pare_quantization *q, pare_quantize_result **out)
{
    pare_arena *const           arena = pare_arena_create();
    pare_quantize_result *const r = arena ? pare_arena_alloc(arena, sizeof(*r)) : NULL;

    if (!r || !(r->layers = pare_arena_alloc(arena, sizeof(*r->layers) * ((size_t)q->n_decisions + 1)))) {
        pare_arena_destroy(arena);
        return pare_fail_memory(sizeof(*r->layers) * (size_t)q->n_decisions, "the report");
    }
    r->arena = arena;
    r->mode = q->mode;
    r->reason = q->reason;
    for (int i = 0; i < q->n_decisions; i++)
        if (q->decisions[i].layer)
            r->layers[r->n++] = report_of(arena, &q->decisions[i]);
    *out = r;
    return PARE_OK;
}

static bool is_quantized(const pare_graph *g)
{
    for (const pare_node *n = g->first; n; n = n->next)
        if (strcmp(n->op->name, "quantize_linear") == 0 || strcmp(n->op->name, "dequantize_linear") == 0)
            return true;
    return false;
}

pare_status pare_quantization_begin(const pare_graph *model, const pare_quantize_options *o, pare_quantization *q)
{
    *q = (pare_quantization){ 0 };
    if (is_quantized(model))
        return pare_fail(PARE_ERR_ARG, "%s: the model is quantized already; give the float model",
                         model->file ? model->file : model->name);
    PARE_TRY(pare_graph_clone(model, &q->g));
    PARE_TRY(pare_graph_infer(q->g, false));
    PARE_TRY(pare_passes_run(q->g, pare_simplify_passes, NULL));
    PARE_TRY(pare_graph_infer(q->g, false));
    return pare_quantization_decide(q->g, o, q);
}

void pare_quantization_end(pare_quantization *q)
{
    pare_graph *const g = q->g;

    pare_quantization_clear(q);
    pare_graph_destroy(g);
}

pare_status pare_quantization_finish(pare_quantization *q, const pare_quantize_options *o, pare_graph **out,
                                     pare_quantize_result **result)
{
    pare_quantize_result *r = NULL;
    pare_status           status;

    PARE_GOTO(make_result(q, &r));
    PARE_GOTO(pare_quantization_convert(q));
    PARE_GOTO(pare_graph_infer(q->g, false));
    if (o->target && strcmp(o->target, "onnxruntime") == 0) {
        PARE_GOTO(pare_passes_run(q->g, pare_onnxruntime_passes, NULL));
        PARE_GOTO(pare_graph_infer(q->g, false));
    }
    PARE_GOTO(pare_graph_verify(q->g));
    *out = q->g;
    q->g = NULL;
    if (result) {
        *result = r;
        r = NULL;
    }
out:
    pare_quantize_result_destroy(r);
    return status;
}

pare_status pare_quantize(const pare_graph *graph, const pare_quantize_options *options, pare_graph **out,
                          pare_quantize_result **result)
{
    const pare_quantize_options defaults = { 0 }, *o = options ? options : &defaults;
    pare_quantization           q;
    pare_status                 status;

    PARE_GOTO(pare_quantization_begin(graph, o, &q));
    if (pare_quantization_needs_data(&q))
        PARE_GOTO(pare_quantization_calibrate(&q, o));
    status = pare_quantization_finish(&q, o, out, result);
out:
    pare_quantization_end(&q);
    return status;
}

const char *pare_quantize_result_mode(const pare_quantize_result *r)
{
    return r->mode;
}

const char *pare_quantize_result_reason(const pare_quantize_result *r)
{
    return r->reason;
}

int pare_quantize_result_layers(const pare_quantize_result *r)
{
    return r->n;
}

const pare_layer_report *pare_quantize_result_layer(const pare_quantize_result *r, int index)
{
    return &r->layers[index];
}

void pare_quantize_result_destroy(pare_quantize_result *r)
{
    if (r)
        pare_arena_destroy(r->arena);
}
