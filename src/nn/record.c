/* SPDX-License-Identifier: Apache-2.0 */
/* record.c - the one way to call an operation: run it, append it to the graph, or both */
#include "nn/record.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

bool pare_record_runs(const pare_record *r)
{
    return r->options.mode != PARE_RECORD;
}

bool pare_record_records(const pare_record *r)
{
    return r->options.mode != PARE_RUN;
}

pare_status pare_record_fail(pare_record *r, pare_status status)
{
    if (r->status != PARE_OK)
        return r->status;
    if (r->path[0])
        pare_fail_in(status, "%s", r->path);
    r->status = status;
    r->sentence = pare_strdup(pare_error());
    return status;
}

void pare_record_name(const pare_record *r, const char *name, char text[PARE_PATH])
{
    const int n = snprintf(text, PARE_PATH, "%s%s%s", r->path, r->path[0] && name[0] ? "." : "", name);

    if (n >= PARE_PATH) /* names are made unique where they are used */
        text[PARE_PATH - 1] = '\0';
}

/* ------------------------------------------------------------------------------------------------- life of a record */

static pare_status begin(pare_record *r)
{
    r->arena = pare_arena_create();
    if (!r->arena)
        return pare_fail_memory(sizeof(*r), "a record");
    return pare_record_records(r) ? pare_graph_create("model", &r->g) : PARE_OK;
}

static void end(pare_record *r)
{
    for (pare_var *v = r->vars; v; v = v->next)
        pare_tensor_release(&v->t);
    pare_map_free(&r->params);
    pare_graph_destroy(r->g);
    pare_arena_destroy(r->arena);
    pare_free(r->sentence);
    r->vars = NULL;
    r->params = (pare_map){ 0 };
    r->g = NULL;
    r->arena = NULL;
    r->sentence = NULL;
    r->status = PARE_OK;
    r->path[0] = '\0';
}

pare_status pare_record_create(const pare_record_options *options, pare_record **out)
{
    pare_record *const r = pare_calloc(1, sizeof(*r));

    if (!r)
        return pare_fail_memory(sizeof(*r), "a record");
    if (options)
        r->options = *options;
    const pare_status status = begin(r);
    if (status != PARE_OK) {
        pare_record_destroy(r);
        return status;
    }
    *out = r;
    return PARE_OK;
}

pare_status pare_record_clear(pare_record *r)
{
    end(r);
    return begin(r);
}

void pare_record_destroy(pare_record *r)
{
    if (!r)
        return;
    end(r);
    pare_singles_clear(&r->singles);
    pare_free(r);
}

pare_status pare_record_status(const pare_record *r)
{
    if (r->status != PARE_OK)
        pare_error_set(r->sentence ? r->sentence : "out of memory");
    return r->status;
}

/* ------------------------------------------------------------------------------------------------------------ calls */

/* Dtype and shape of what a new node makes. What it makes of settings alone stays unknown until the graph is
 * planned. */
static pare_status infer(pare_node *n)
{
    pare_call *const call = pare_node_call(n);

    if (!call)
        return PARE_ERR_MEMORY;
    const pare_status status = pare_op_infer(call);
    for (int i = 0; status == PARE_OK && i < n->n_out; i++) {
        n->out[i]->t = pare_tensor_of(call->out[i]->dtype, call->out[i]->shape);
        n->out[i]->has_shape = true;
    }
    pare_free(call);
    return status;
}

/* The module's own name for the node of one that has no parts, else "module.op". */
static const char *node_name(const pare_record *r, const pare_op *op, char text[PARE_PATH])
{
    if (r->leaf && r->path[0] && !pare_map_get(&r->g->node_names, r->path))
        return r->path;
    pare_record_name(r, op->name, text);
    return text;
}

static pare_status append(pare_record *r, const pare_op *op, int n_in, pare_var *const in[], int n_out,
                          pare_value **out, const char *attrs)
{
    pare_value **const values = pare_arena_alloc(r->arena, (size_t)(n_in + 1) * sizeof(*values));
    char               text[PARE_PATH];
    const char *const  name = node_name(r, op, text);
    pare_node         *n;

    if (!values)
        return pare_fail_memory((size_t)n_in * sizeof(*values), "a call");
    for (int i = 0; i < n_in; i++)
        values[i] = in[i] ? in[i]->value : NULL;
    for (int i = 0; i < n_out; i++)
        PARE_TRY(pare_graph_add_value(r->g, name, &out[i]));
    PARE_TRY(pare_graph_add_node(r->g, op, name, n_in, values, n_out, out, NULL, &n));
    PARE_TRY(pare_node_parse_attrs(n, attrs));
    return infer(n);
}

static pare_status compute(pare_record *r, const pare_op *op, int n_in, pare_var *const in[], int n_out,
                           pare_tensor *out, const char *attrs)
{
    const pare_tensor **const tensors = pare_calloc((size_t)n_in + 1, sizeof(*tensors));
    bool *const               settings = pare_calloc((size_t)n_in + 1, sizeof(*settings));
    pare_status               status;

    if (!tensors || !settings) {
        status = pare_fail_memory((size_t)n_in * sizeof(*tensors), "a call");
    } else {
        for (int i = 0; i < n_in; i++) {
            tensors[i] = in[i] ? &in[i]->t : NULL;
            settings[i] = in[i] && in[i]->setting;
        }
        status = pare_singles_run(&r->singles, &(pare_single_call){ op, attrs, n_in, n_out, tensors, settings },
                                  r->options.pool, out);
    }
    pare_free(tensors);
    pare_free(settings);
    return status;
}

static pare_status check(const pare_record *r, const char *name, int n_in, pare_var *const in[], int n_out)
{
    const pare_op *const op = pare_op_find(name);

    if (!op)
        return pare_fail(PARE_ERR_ARG, "there is no operation '%s'; `pare list ops` names them", name);
    if (op->traits & (PARE_INTEGER | PARE_HAS_BODY))
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s is not called by hand: %s", name,
                         op->traits & PARE_INTEGER ? "lowering makes it from quantize, float op and dequantize"
                                                   : "it holds graphs");
    if (n_out < 1 || n_out > op->max_out)
        return pare_fail(PARE_ERR_ARG, "%s has %d to %d results, not %d", name, op->min_out, op->max_out, n_out);
    for (int i = 0; i < n_in; i++)
        if (in[i] && in[i]->record != r)
            return pare_fail(PARE_ERR_ARG, "%s: input %d belongs to another record", name, i);
    return PARE_OK;
}

pare_status pare_op_call(pare_record *r, const char *name, int n_in, pare_var *const in[], int n_out, pare_var *out[],
                         const char *attrs)
{
    pare_value *values[PARE_MAX_OUTPUTS] = { 0 };
    pare_tensor t[PARE_MAX_OUTPUTS] = { { 0 } };
    pare_status status = r->status;

    for (int i = 0; i < n_out; i++)
        out[i] = NULL;
    if (status != PARE_OK)
        return status;
    status = check(r, name, n_in, in, n_out);
    if (status == PARE_OK && r->g)
        status = append(r, pare_op_find(name), n_in, in, n_out, values, attrs);
    for (int i = 0; status == PARE_OK && r->g && i < n_out; i++)
        t[i] = pare_tensor_of(values[i]->t.dtype, values[i]->t.shape);
    if (status == PARE_OK && pare_record_runs(r))
        status = compute(r, pare_op_find(name), n_in, in, n_out, t, attrs);
    if (status != PARE_OK)
        return pare_record_fail(r, status);
    for (int i = 0; i < n_out; i++)
        out[i] = pare_record_add(r, &t[i], values[i]);
    return r->status;
}
