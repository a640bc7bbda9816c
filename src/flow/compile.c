/* SPDX-License-Identifier: Apache-2.0 */
/* compile.c - from a model to an executable plan: the recipe that every command goes through */
#include <pare/compile.h>

#include "base/status.h"
#include "exec/interp.h"
#include "exec/plan.h"
#include "flow/pipelines.h"

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
    return pare_passes_run(g, pare_speed_passes, NULL);
}

pare_status pare_compile(const pare_graph *graph, const pare_compile_options *options, pare_plan **out)
{
    const pare_compile_options defaults = { 0 }, *o = options ? options : &defaults;
    pare_graph                *g;
    pare_status                status;

    PARE_TRY(pare_graph_clone(graph, &g));
    PARE_GOTO(fix_inputs(g, o));
    PARE_GOTO(run_passes(g, o));
    PARE_GOTO(pare_plan_create(g, &(pare_plan_options){ .reference = o->reference || o->unfused }, out));
    return PARE_OK;
out:
    pare_graph_destroy(g);
    return status;
}

pare_status pare_graph_run(const pare_graph *graph, const pare_tensor *const *in, pare_tensor *out)
{
    return pare_interp_run(graph, in, out);
}
