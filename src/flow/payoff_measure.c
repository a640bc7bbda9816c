/* SPDX-License-Identifier: Apache-2.0 */
/* payoff_measure.c - the model in float and in integers, timed on this machine, and what a recipe makes of it */
#include <stdio.h>
#include <string.h>

#include <pare/compile.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/status.h"
#include "exec/plan.h"
#include "flow/payoff.h"
#include "flow/pipelines.h"
#include "flow/recipe.h"

/* What was decided must make the whole faster than all in integers by this much, or it is taken back. */
static const double WORTH_IT = 0.99;

typedef struct table {
    pare_layer_times times; /* first: what callers see */
    pare_arena      *arena;
} table;

/* ------------------------------------------------------------------------------------------------------------ graph */

static void fix_batch(pare_graph *g)
{
    for (int i = 0; i < g->n_inputs; i++)
        if (g->inputs[i]->t.shape.rank > 0 && g->inputs[i]->t.shape.dim[0] == PARE_DIM_ANY) {
            g->inputs[i]->t.shape.dim[0] = 1;
            pare_tensor_set_dense(&g->inputs[i]->t);
        }
}

pare_status pare_payoff_graph(const pare_graph *model, const pare_quantize_options *o, pare_graph **g,
                              pare_quantization *q)
{
    pare_status status;

    *q = (pare_quantization){ 0 };
    PARE_TRY(pare_graph_clone(model, g));
    fix_batch(*g);
    PARE_GOTO(pare_graph_infer(*g, false));
    PARE_GOTO(pare_passes_run(*g, pare_simplify_passes, NULL));
    PARE_GOTO(pare_graph_infer(*g, false));
    PARE_GOTO(pare_quantization_decide(*g, o, q));
    return PARE_OK;
out:
    pare_quantization_clear(q);
    pare_graph_destroy(*g);
    return status;
}

/* ---------------------------------------------------------------------------------------------------------- measure */

/* Of a model as it is; *plan is the caller's. `apart`: no node goes into another's step. */
static pare_status time_plan(const pare_graph *model, bool apart, pare_plan **plan, pare_step_times *t)
{
    PARE_TRY(pare_compile(model, &(pare_compile_options){ .tune = true, .taps = apart }, plan));
    return pare_step_times_measure(*plan, t);
}

/* Of its integer twin. What values there are does not matter for the time: one sample is enough. */
static pare_status time_quantized(const pare_graph *model, const pare_quantize_options *o, pare_plan **plan,
                                  pare_step_times *t)
{
    pare_quantize_options quick = *o;
    pare_graph           *quantized;

    quick.samples = 1;
    quick.cache = quick.target = NULL;
    quick.progress = NULL;
    PARE_TRY(pare_quantize(model, &quick, &quantized, NULL));
    const pare_status status = time_plan(quantized, false, plan, t);

    pare_graph_destroy(quantized);
    return status;
}

static pare_status time_conversions(pare_layer_times *times)
{
    static const char text[] =
        "graph conversions\n%x = input f32[1,64,56,56]\n@s = const f32 {0.5}\n@z = const u8 {3}\n"
        "%q = quantize_linear(%x, @s, @z)\n%y = dequantize_linear(%q, @s, @z)\nreturn %y\n";
    const double    count = 64 * 56 * 56;
    pare_step_times t = { 0 };
    pare_plan      *plan = NULL;
    pare_graph     *g;
    pare_status     status;

    PARE_TRY(pare_graph_parse(text, &g));
    PARE_GOTO(time_plan(g, false, &plan, &t));
    for (int i = 0; i < plan->n_steps; i++) {
        const char *const op = plan->steps[i].node->op->name;

        times->quantize_ns += strcmp(op, "quantize_linear") == 0 ? t.ns[i] / count : 0;
        times->dequantize_ns += strcmp(op, "dequantize_linear") == 0 ? t.ns[i] / count : 0;
    }
out:
    pare_free(t.ns);
    pare_plan_destroy(plan);
    pare_graph_destroy(g);
    return status;
}

/* The layers that would be quantized, with the times of their nodes. */
static pare_status fill_layers(const pare_quantization *q, const double *float_ns, const double *int8_ns, table *t)
{
    t->times.layers = pare_arena_alloc(t->arena, sizeof(*t->times.layers) * ((size_t)q->n_decisions + 1));
    if (!t->times.layers)
        return pare_fail_memory(sizeof(*t->times.layers) * (size_t)q->n_decisions, "times of layers");
    for (int i = 0; i < q->n_decisions; i++) {
        const pare_decision *const d = &q->decisions[i];
        pare_layer_time *const     l = &t->times.layers[t->times.n];

        if (!d->layer || d->mode == PARE_QMODE_FLOAT)
            continue;
        *l = (pare_layer_time){ .name = pare_arena_strdup(t->arena, d->node->name),
                                .op = d->node->op->name,
                                .float_ms = 1e-6 * float_ns[i],
                                .int8_ms = 1e-6 * int8_ns[i] };
        if (!l->name)
            return pare_fail_memory(strlen(d->node->name), "a name");
        t->times.n++;
    }
    return PARE_OK;
}

/* ns[n_decisions] of every node of g: alone they share what a step does for several of them. */
static pare_status time_float(const pare_graph *model, const pare_graph *g, double *alone, double *ns, table *t)
{
    pare_step_times apart = { 0 }, together = { 0 };
    pare_plan      *plans[2] = { NULL, NULL };
    pare_status     status;

    PARE_GOTO(time_plan(model, true, &plans[0], &apart));
    PARE_GOTO(pare_step_times_of_nodes(plans[0], apart.ns, g, NULL, alone));
    PARE_GOTO(time_plan(model, false, &plans[1], &together));
    PARE_GOTO(pare_step_times_of_nodes(plans[1], together.ns, g, alone, ns));
    t->times.float_ms = 1e-6 * together.whole_ns;
out:
    pare_free(apart.ns);
    pare_free(together.ns);
    pare_plan_destroy(plans[0]);
    pare_plan_destroy(plans[1]);
    return status;
}

static pare_status measure(const pare_graph *model, const pare_quantize_options *o, table *t)
{
    pare_step_times   in_int8 = { 0 };
    pare_plan        *int8_plan = NULL;
    double           *ns[3] = { NULL, NULL, NULL };
    pare_quantization q;
    pare_graph       *g;
    pare_status       status;

    PARE_TRY(pare_payoff_graph(model, o, &g, &q));
    for (int i = 0; i < 3; i++)
        if (!(ns[i] = pare_calloc((size_t)q.n_decisions + 1, sizeof(*ns[i]))))
            PARE_GOTO(pare_fail_memory(sizeof(*ns[i]) * (size_t)q.n_decisions, "times"));
    PARE_GOTO(time_float(model, g, ns[2], ns[0], t));
    PARE_GOTO(time_quantized(model, o, &int8_plan, &in_int8));
    PARE_GOTO(time_conversions(&t->times));
    PARE_GOTO(pare_step_times_of_nodes(int8_plan, in_int8.ns, g, ns[2], ns[1]));
    t->times.int8_ms = 1e-6 * in_int8.whole_ns;
    status = fill_layers(&q, ns[0], ns[1], t);
out:
    for (int i = 0; i < 3; i++)
        pare_free(ns[i]);
    pare_free(in_int8.ns);
    pare_plan_destroy(int8_plan);
    pare_quantization_clear(&q);
    pare_graph_destroy(g);
    return status;
}

pare_status pare_layer_times_measure(const pare_graph *graph, const pare_quantize_options *o, pare_layer_times **out)
{
    pare_arena *const arena = pare_arena_create();
    table *const      t = arena ? pare_arena_alloc(arena, sizeof(*t)) : NULL;

    if (!t) {
        pare_arena_destroy(arena);
        return pare_fail_memory(sizeof(*t), "times of layers");
    }
    t->arena = arena;
    const pare_status status = measure(graph, o, t);

    if (status != PARE_OK)
        pare_arena_destroy(arena);
    else
        *out = &t->times;
    return status;
}

void pare_layer_times_destroy(pare_layer_times *times)
{
    if (times)
        pare_arena_destroy(((table *)times)->arena);
}

/* ----------------------------------------------------------------------------------------------------------- recipe */

pare_status pare_recipe_add_times(pare_recipe *r, const pare_layer_times *times)
{
    char reason[128];

    for (int i = 0; i < times->n; i++) {
        const pare_layer_time *const l = &times->layers[i];
        const pare_rule              rule = { .kind = PARE_RULE_NAME,
                                              .pattern = l->name,
                                              .config = { .mode = PARE_QMODE_FLOAT, .reason = reason } };

        if (!l->in_float)
            continue;
        snprintf(reason, sizeof(reason), "measured: %.3g ms in float, %.3g ms in integers", l->float_ms, l->int8_ms);
        PARE_TRY(pare_recipe_add(r, &rule));
    }
    return PARE_OK;
}

/* The whole with the rules that are now in the recipe. */
static pare_status time_mixed(const pare_recipe *r, const pare_quantize_options *o, pare_layer_times *times)
{
    pare_quantize_options mixed = *o;
    pare_step_times       t = { 0 };
    pare_plan            *plan = NULL;

    mixed.mapping = (pare_mapping){ r->rules, r->n };
    const pare_status status = time_quantized(r->graph, &mixed, &plan, &t);

    times->mixed_ms = 1e-6 * t.whole_ns;
    pare_free(t.ns);
    pare_plan_destroy(plan);
    return status;
}

static bool any_in_float(const pare_layer_times *times)
{
    for (int i = 0; i < times->n; i++)
        if (times->layers[i].in_float)
            return true;
    return false;
}

static pare_status decide(pare_recipe *r, const pare_quantize_options *o, pare_layer_times *times)
{
    const int before = r->n;

    PARE_TRY(pare_layer_times_decide(r->graph, o, times));
    if (!any_in_float(times))
        return PARE_OK;
    PARE_TRY(pare_recipe_add_times(r, times));
    PARE_TRY(time_mixed(r, o, times));
    if (times->mixed_ms < WORTH_IT * times->int8_ms)
        return PARE_OK;
    r->n = before;
    times->mixed_ms = 0;
    for (int i = 0; i < times->n; i++)
        times->layers[i].in_float = false;
    return PARE_OK;
}

pare_status pare_recipe_measure(pare_recipe *r, const pare_quantize_options *o, pare_layer_times **out)
{
    PARE_TRY(pare_layer_times_measure(r->graph, o, out));
    const pare_status status = decide(r, o, *out);

    if (status != PARE_OK)
        pare_layer_times_destroy(*out);
    return status;
}
