/* SPDX-License-Identifier: Apache-2.0 */
/* module_body.c - modules that run a graph instead of their parts: by its plan, or spliced into what is recorded */
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "nn/module.h"
#include "quant/qconfig.h"

pare_form pare_module_form(const pare_module *m)
{
    return m->body.form;
}

const char *pare_form_name(pare_form form)
{
    static const char *const names[] = { "float", "observed", "fake-quantized", "quantized", "dynamic" };

    return names[form];
}

const pare_graph *pare_module_graph(const pare_module *m)
{
    return m->body.graph;
}

void pare_module_set_body(pare_module *m, const pare_module_body *body)
{
    if (m->body.release)
        m->body.release(m->body.state);
    m->body = body ? *body : (pare_module_body){ 0 };
}

static const char *keep_string(const pare_module *m, const char *s, bool *failed)
{
    const char *const kept = s ? pare_arena_strdup(m->arena, s) : NULL;

    *failed |= s && !kept;
    return kept;
}

pare_status pare_module_set_qconfig(pare_module *m, const pare_qconfig *config)
{
    pare_qconfig *kept = NULL;
    bool          failed = false;

    PARE_TRY(pare_module_status(m));
    if (config) {
        kept = pare_arena_alloc(m->arena, sizeof(*kept));
        if (!kept)
            return pare_fail_memory(sizeof(*kept), "settings");
        *kept = *config;
        kept->observer = keep_string(m, config->observer, &failed);
        kept->reason = keep_string(m, config->reason, &failed);
    }
    if (failed)
        return pare_fail_memory(64, "settings");
    m->qconfig = kept;
    return PARE_OK;
}

const pare_qconfig *pare_module_qconfig(const pare_module *m)
{
    return m->qconfig;
}

/* -------------------------------------------------------------------------------------------------------- recording */

/* Constants under their names, and outputs of nodes; inputs are the caller's values. By id of the spliced graph. */
static pare_status add_values(pare_record *r, const pare_graph *g, pare_value **map)
{
    for (const pare_value *v = g->values; v; v = v->next) {
        if (v->is_input)
            continue;
        if (v->t.data)
            PARE_TRY(pare_graph_add_const(r->g, v->name, &v->t, &map[v->id]));
        else
            PARE_TRY(pare_graph_add_value(r->g, v->name, &map[v->id]));
        if (!v->t.data && v->t.q) {
            map[v->id]->t.dtype = v->t.dtype;
            PARE_TRY(pare_value_set_q(map[v->id], v->t.q));
        }
    }
    return PARE_OK;
}

static pare_status add_node(pare_record *r, const pare_node *old, pare_value *const *map)
{
    pare_value **const ends = pare_arena_alloc(r->arena, (size_t)(old->n_in + old->n_out) * sizeof(*ends));
    pare_node         *n;

    if (!ends)
        return pare_fail_memory(sizeof(*ends), "a node");
    if (old->op->traits & PARE_HAS_BODY)
        return pare_fail(PARE_ERR_UNSUPPORTED, "node '%s' has branches: its graph runs only by itself", old->name);
    for (int i = 0; i < old->n_in; i++)
        ends[i] = old->in[i] ? map[old->in[i]->id] : NULL;
    for (int i = 0; i < old->n_out; i++)
        ends[old->n_in + i] = old->out[i] ? map[old->out[i]->id] : NULL;
    PARE_TRY(pare_graph_add_node(r->g, old->op, old->name, old->n_in, ends, old->n_out, ends + old->n_in, NULL, &n));
    return pare_node_copy_attrs(old, n);
}

static pare_status splice(pare_record *r, const pare_graph *g, int n_in, pare_var *const in[], pare_value **map)
{
    for (int i = 0; i < g->n_inputs; i++) {
        if (i >= n_in || !in[i])
            return pare_fail(PARE_ERR_ARG, "input '%s' of its graph was not given", g->inputs[i]->name);
        map[g->inputs[i]->id] = in[i]->value;
    }
    PARE_TRY(add_values(r, g, map));
    for (const pare_node *n = g->first; n; n = n->next)
        PARE_TRY(add_node(r, n, map));
    return pare_graph_infer(r->g, false);
}

static pare_status record(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                          pare_value *values[])
{
    const pare_graph *const g = m->body.graph;

    if (!g)
        return pare_fail(PARE_ERR_ARG, "it is %s: convert it, or make it float again, before it is traced",
                         pare_form_name(m->body.form));
    if (n_out > g->n_outputs)
        return pare_fail(PARE_ERR_ARG, "its graph has %d outputs, not %d", g->n_outputs, n_out);
    pare_graph_number((pare_graph *)(uintptr_t)g);
    pare_value **const map = pare_calloc((size_t)g->n_values + 1, sizeof(*map));
    if (!map)
        return pare_fail_memory((size_t)g->n_values * sizeof(*map), "a graph");
    const pare_status status = splice(r, g, n_in, in, map);

    for (int i = 0; i < n_out; i++)
        values[i] = map[g->outputs[i]->id];
    pare_free(map);
    return status;
}

/* ---------------------------------------------------------------------------------------------------------- running */

enum { MAX_ENDS = 16 };

void pare_module_run_body(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                          pare_var *out[])
{
    pare_value        *values[MAX_ENDS] = { 0 };
    const pare_tensor *inputs[MAX_ENDS];
    pare_tensor        t[MAX_ENDS] = { { 0 } };
    pare_status        status = PARE_OK;

    if (n_in > MAX_ENDS || n_out > MAX_ENDS)
        status = pare_fail(PARE_ERR_ARG, "more than %d inputs or outputs", MAX_ENDS);
    if (status == PARE_OK && r->g)
        status = record(m, r, n_in, in, n_out, values);
    for (int i = 0; status == PARE_OK && i < n_out && r->g; i++)
        t[i] = pare_tensor_of(values[i]->t.dtype, values[i]->t.shape);
    for (int i = 0; i < n_in && i < MAX_ENDS; i++)
        inputs[i] = in[i] ? &in[i]->t : NULL;
    if (status == PARE_OK && pare_record_runs(r))
        status = m->body.run(m->body.state, r->options.pool, n_in, inputs, n_out, t);
    if (status != PARE_OK) {
        pare_record_fail(r, status);
        return;
    }
    for (int i = 0; i < n_out; i++)
        out[i] = pare_record_add(r, &t[i], values[i]);
}
