/* SPDX-License-Identifier: Apache-2.0 */
/* compile.c - from a model to an executable plan: the recipe that every command goes through */
#include <pare/compile.h>

#include "base/hash.h"
#include "base/status.h"
#include "exec/interp.h"
#include "exec/plan.h"
#include "flow/pipelines.h"
#include "flow/plan_file.h"

/* The caller's shapes, or the file's with `batch` where the first dimension is open. */
static pare_status fix_inputs(pare_graph *g, const pare_compile_options *o)
{
    for (int i = 0; i < g->n_inputs; i++) {
        pare_value *const v = g->inputs[i];

        if (o->shapes)
            v->t.shape = o->shapes[i];
        else if (v->t.shape.rank > 0 && v->t.shape.dim[0] == PARE_DIM_ANY)
            v->t.shape.dim[0] = o->batch ? o->batch : 1;
        pare_tensor_set_dense(&v->t);
        v->has_shape = true;
        if (pare_shape_count(&v->t.shape) < 0) {
            char text[PARE_SHAPE_TEXT];

            return pare_fail(PARE_ERR_DYNAMIC, "%s: input '%s' has shape %s; say what its open dimensions are",
                             g->file ? g->file : g->name, v->name, pare_shape_text(&v->t.shape, text));
        }
    }
    return PARE_OK;
}

static pare_status run_passes(pare_graph *g, const pare_compile_options *o)
{
    PARE_TRY(pare_graph_infer(g, false));
    PARE_TRY(pare_passes_run(g, pare_simplify_passes, NULL));
    PARE_TRY(pare_graph_infer(g, true));
    if (o->reference)
        return PARE_OK;
    PARE_TRY(pare_passes_run(g, pare_unify_passes, NULL));
    PARE_TRY(pare_passes_run(g, pare_lower_passes, NULL));
    PARE_TRY(pare_graph_infer(g, true));
    if (o->unfused)
        return PARE_OK;
    return pare_passes_run(g, o->taps ? pare_tapped_passes : pare_speed_passes, NULL);
}

/* Takes the graph over when it succeeds. */
static pare_status plan_with_file(pare_graph *g, const pare_compile_options *o, const pare_plan_key *key,
                                  pare_plan **out)
{
    pare_plan_options packed = { .slab = o->slab, .bf16 = o->bf16 };
    const char       *misfit;
    pare_buf         *file;

    PARE_TRY(pare_plan_file_read(o->plan_file, key, &packed, &file, &misfit));
    if (!misfit) {
        const pare_status status = pare_plan_create(g, &packed, out);

        pare_buf_unref(file);
        if (status == PARE_OK)
            return PARE_OK;
        pare_store_destroy(packed.packed);
        if (status != PARE_ERR_DATA)
            return status;
        misfit = "its pieces are not those of the model's steps";
    }
    PARE_TRY(pare_plan_create(g, &(pare_plan_options){ .tune = o->tune, .slab = o->slab, .bf16 = o->bf16 }, out));
    (*out)->misfit = misfit;
    return pare_plan_file_write(o->plan_file, key, *out);
}

pare_status pare_compile(const pare_graph *graph, const pare_compile_options *options, pare_plan **out)
{
    const pare_compile_options defaults = { 0 }, *o = options ? options : &defaults;
    const bool                 by_definition = o->reference || o->unfused, with_file = o->plan_file && !by_definition;
    pare_plan                 *plan = NULL;
    pare_plan_key              key;
    pare_graph                *g;
    pare_status                status;

    PARE_TRY(pare_graph_clone(graph, &g));
    PARE_GOTO(fix_inputs(g, o));
    if (with_file)
        key = pare_plan_key_of(graph, g, o->tune);
    if (with_file && o->bf16)
        key.graph = pare_hash(key.graph, "bf16", 4);
    PARE_GOTO(run_passes(g, o));
    status = with_file ? plan_with_file(g, o, &key, &plan)
                       : pare_plan_create(g,
                                          &(pare_plan_options){ .reference = by_definition,
                                                                .bf16 = o->bf16,
                                                                .slab = by_definition ? 0 : o->slab,
                                                                .tune = o->tune },
                                          &plan);
    if (status == PARE_OK) {
        *out = plan;
        return PARE_OK;
    }
    g = plan ? NULL : g; /* a plan that could not be written has it */
    pare_plan_destroy(plan);
out:
    pare_graph_destroy(g);
    return status;
}

pare_status pare_graph_run(const pare_graph *graph, const pare_tensor *const *in, pare_tensor *out)
{
    return pare_interp_run(graph, in, out);
}
