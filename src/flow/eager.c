/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eager.c - quantizing modules by hand, as thin as it can be over tracing and post-training quantization
 *
 *     prepare     trace the module, decide with the settings of its parts, observers on the values that need ranges
 *     calibrate   batches run through it, by calls or from a data set
 *     convert     ranges, then the Q/DQ form, which is what the module runs from now on
 */
#include <pare/eager.h>

#include <string.h>

#include "base/alloc.h"
#include "base/progress.h"
#include "base/status.h"
#include "flow/module_rules.h"
#include "flow/observe.h"
#include "flow/planned.h"
#include "nn/module.h"

enum { DEFAULT_SAMPLES = 200 };

/* What a module that is no longer float runs: a graph of its own, or the one that is observed. */
typedef struct eager {
    pare_planned          planned;
    pare_graph           *graph; /* NULL while observed */
    pare_arena           *arena; /* of rules, while observed */
    pare_quantize_options options;
    pare_quantization     q;
    pare_watches          watches;
    int64_t               batches; /* that were observed */
} eager;

static void release(void *state)
{
    eager *const e = state;

    if (!e)
        return;
    pare_planned_clear(&e->planned);
    pare_watches_clear(&e->watches);
    pare_quantization_end(&e->q);
    pare_graph_destroy(e->graph);
    pare_arena_destroy(e->arena);
    pare_free(e);
}

static pare_status run(void *state, pare_pool *pool, int n_in, const pare_tensor *const in[], int n_out,
                       pare_tensor out[])
{
    eager *const            e = state;
    const pare_graph *const g = e->graph ? e->graph : e->q.g;
    pare_context           *ctx;

    PARE_TRY(pare_planned_context(&e->planned, g, n_in, in, &ctx));
    if (n_out > pare_graph_n_outputs(g))
        return pare_fail(PARE_ERR_ARG, "it has %d outputs, not %d", pare_graph_n_outputs(g), n_out);
    PARE_TRY(pare_context_run(ctx, pool, in, e->watches.taps, e->watches.n));
    e->batches++;
    for (int i = 0; i < n_out; i++) {
        const pare_tensor *const t = pare_context_output(ctx, i);

        out[i] = pare_tensor_of(t->dtype, t->shape);
        PARE_TRY(pare_tensor_alloc(&out[i]));
        pare_tensor_copy(&out[i], t);
    }
    return PARE_OK;
}

/* ------------------------------------------------------------------------------------------------------------ forms */

static pare_status wrong_form(const pare_module *m, const char *call, const char *remedy)
{
    char path[PARE_PATH];

    pare_module_path(m, NULL, path);
    return pare_fail(PARE_ERR_ARG, "%s: '%s' (%s) is %s; %s", call, path, m->kind->name,
                     pare_form_name(pare_module_form(m)), remedy);
}

static pare_status create(eager **out)
{
    eager *const e = pare_calloc(1, sizeof(*e));

    *out = e;
    if (!e || !(e->arena = pare_arena_create())) {
        pare_free(e);
        return pare_fail_memory(sizeof(*e), "a module's form");
    }
    return PARE_OK;
}

/* The module runs the graph, which it owns from now on, also after a failure. */
static pare_status take_graph(pare_module *m, pare_graph *graph, pare_form form)
{
    eager            *e;
    const pare_status status = create(&e);

    if (status != PARE_OK) {
        pare_graph_destroy(graph);
        return status;
    }
    e->graph = graph;
    pare_module_set_body(m, &(pare_module_body){ form, graph, run, release, e });
    return PARE_OK;
}

pare_status pare_module_use_graph(pare_module *m, const pare_graph *graph, pare_form form)
{
    pare_graph *copy;

    PARE_TRY(pare_module_status(m));
    PARE_TRY(pare_graph_clone(graph, &copy));
    return take_graph(m, copy, form);
}

void pare_module_to_float(pare_module *m)
{
    pare_module_set_body(m, NULL);
}

static void refuse(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out, pare_var *out[])
{
    (void)n_in, (void)in, (void)n_out, (void)out;
    pare_record_fail(r, wrong_form(m, "forward", "a module of a graph has no parts: give it a graph again"));
}

static const pare_module_kind of_graph = {
    .name = "graph",
    .about = "a model without parts",
    .max_in = -1,
    .max_out = -1,
    .forward = refuse,
};

pare_status pare_module_of_graph(const pare_graph *graph, pare_module **out)
{
    pare_graph_facts facts;
    pare_status      status;

    pare_graph_describe(graph, &facts);
    PARE_TRY(pare_module_create_of(&of_graph, out, NULL));
    status = pare_module_use_graph(*out, graph, facts.quantized ? PARE_FORM_QUANTIZED : PARE_FORM_FLOAT);
    if (status != PARE_OK) {
        pare_module_destroy(*out);
        *out = NULL;
    }
    return status;
}

/* ----------------------------------------------------------------------------------------------------- the workflow */

pare_status pare_module_prepare(pare_module *m, int n_in, const pare_trace_input *in,
                                const pare_quantize_options *options)
{
    pare_graph *traced = NULL;
    eager      *e = NULL;
    pare_status status;

    PARE_TRY(pare_module_status(m));
    if (pare_module_form(m) != PARE_FORM_FLOAT)
        return wrong_form(m, "prepare", "pare_module_to_float makes it float again");
    PARE_TRY(pare_trace(m, n_in, in, false, &traced));
    PARE_GOTO(create(&e));
    e->planned.taps = true;
    PARE_GOTO(pare_module_rules(m, options, PARE_QMODE_DEFAULT, e->arena, &e->options));
    PARE_GOTO(pare_quantization_begin(traced, &e->options, &e->q));
    PARE_GOTO(pare_watches_create(&e->q, &e->watches));
    pare_module_set_body(m, &(pare_module_body){ PARE_FORM_OBSERVED, NULL, run, release, e });
    e = NULL;
out:
    pare_graph_destroy(traced);
    release(e);
    return status;
}

/* Inputs of one sample: the first is filled, the others hold zeros. */
static pare_status calibrate(eager *e, const pare_quantize_options *o, const pare_dataset *data, pare_tensor *inputs)
{
    const pare_graph *const g = e->q.g;
    const pare_tensor      *pointers[16];
    const int64_t           there = pare_dataset_count(data), most = o->samples ? o->samples : DEFAULT_SAMPLES;
    const pare_shape        item = pare_dataset_item(data);
    pare_tensor             out;
    char                    got[PARE_SHAPE_TEXT], want[PARE_SHAPE_TEXT];

    for (int i = 0; i < g->n_inputs; i++) {
        inputs[i] = pare_tensor_of(g->inputs[i]->t.dtype, g->inputs[i]->t.shape);
        if (inputs[i].shape.rank > 0 && inputs[i].shape.dim[0] == PARE_DIM_ANY)
            inputs[i].shape.dim[0] = 1;
        pare_tensor_set_dense(&inputs[i]);
        PARE_TRY(pare_tensor_alloc(&inputs[i]));
        pointers[i] = &inputs[i];
    }
    if (pare_shape_count(&item) != pare_shape_count(&inputs[0].shape) || pare_dataset_dtype(data) != inputs[0].dtype)
        return pare_fail(PARE_ERR_SHAPE, "a sample of the data is %s%s, the module was prepared for %s%s",
                         pare_dtype_name(pare_dataset_dtype(data)), pare_shape_text(&item, got),
                         pare_dtype_name(inputs[0].dtype), pare_shape_text(&inputs[0].shape, want));
    for (int64_t i = 0; i < there && i < most; i++) {
        PARE_TRY(pare_progress_step(o->progress, "calibrating", (long)i, (long)(there < most ? there : most)));
        PARE_TRY(pare_dataset_read(data, i, inputs[0].data, NULL));
        PARE_TRY(run(e, o->pool, g->n_inputs, pointers, 1, &out));
        pare_tensor_release(&out);
    }
    return PARE_OK;
}

pare_status pare_module_calibrate(pare_module *m, const pare_quantize_options *options)
{
    pare_tensor inputs[16] = { { 0 } };
    pare_status status;

    PARE_TRY(pare_module_status(m));
    if (pare_module_form(m) != PARE_FORM_OBSERVED)
        return wrong_form(m, "calibrate", "call pare_module_prepare first: it puts the observers in");
    if (!options || !options->calibration || pare_dataset_count(options->calibration) == 0)
        return wrong_form(m, "calibrate",
                          "but there is no data: set options->calibration, or run pare_forward on "
                          "batches");
    status = calibrate(m->body.state, options, options->calibration, inputs);
    for (int i = 0; i < 16; i++)
        pare_tensor_release(&inputs[i]);
    return status;
}

pare_status pare_module_convert(pare_module *m, pare_quantize_result **result)
{
    pare_graph *graph;

    PARE_TRY(pare_module_status(m));
    if (pare_module_form(m) != PARE_FORM_OBSERVED)
        return wrong_form(m, "convert", "call pare_module_prepare and pare_module_calibrate first");
    eager *const e = m->body.state;

    if (pare_quantization_needs_data(&e->q) && e->batches == 0)
        return wrong_form(m, "convert",
                          "but nothing has run through it: call pare_module_calibrate, or pare_forward on "
                          "batches");
    PARE_TRY(pare_watches_ranges(&e->watches, &e->q));
    pare_quantization_unite(&e->q);
    const pare_form   form = strcmp(e->q.mode, "dynamic") == 0 ? PARE_FORM_DYNAMIC : PARE_FORM_QUANTIZED;
    const pare_status status = pare_quantization_finish(&e->q, &e->options, &graph, result);
    if (status == PARE_OK)
        return take_graph(m, graph, form);
    pare_module_to_float(m); /* the observed graph is half converted */
    return status;
}

pare_status pare_module_quantize_dynamic(pare_module *m, int n_in, const pare_trace_input *in,
                                         const pare_quantize_options *options, pare_quantize_result **result)
{
    pare_arena           *arena = NULL;
    pare_graph           *traced = NULL, *graph = NULL;
    pare_quantize_options o;
    pare_status           status;

    PARE_TRY(pare_module_status(m));
    if (pare_module_form(m) != PARE_FORM_FLOAT)
        return wrong_form(m, "quantize_dynamic", "pare_module_to_float makes it float again");
    PARE_TRY(pare_trace(m, n_in, in, false, &traced));
    arena = pare_arena_create();
    if (!arena)
        PARE_GOTO(pare_fail_memory(sizeof(o), "rules"));
    PARE_GOTO(pare_module_rules(m, options, PARE_QMODE_DYNAMIC, arena, &o));
    PARE_GOTO(pare_quantize(traced, &o, &graph, result));
    status = take_graph(m, graph, PARE_FORM_DYNAMIC);
out:
    pare_arena_destroy(arena);
    pare_graph_destroy(traced);
    return status;
}
