/* SPDX-License-Identifier: Apache-2.0 */
/* module_forward.c - calling modules on a record, and tracing a network into a graph */
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "nn/module.h"

pare_var *pare_module_var(const pare_module *m, pare_record *r, const char *name)
{
    const pare_slot *const s = pare_module_slot(m, name);

    return s ? pare_record_param(r, name, &s->t) : NULL;
}

static pare_status check_counts(const pare_module *m, int n_in, int n_out)
{
    const int max_in = m->kind->max_in ? m->kind->max_in : 1, max_out = m->kind->max_out ? m->kind->max_out : 1;

    if (n_in < 1 || (max_in > 0 && n_in > max_in))
        return pare_fail(PARE_ERR_ARG, "%s takes at most %d inputs, not %d", m->kind->name, max_in, n_in);
    if (n_out < 1 || (max_out > 0 && n_out > max_out))
        return pare_fail(PARE_ERR_ARG, "%s has at most %d outputs, not %d", m->kind->name, max_out, n_out);
    return PARE_OK;
}

static void call_kind(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out, pare_var *out[])
{
    const pare_status status = check_counts(m, n_in, n_out);

    if (status != PARE_OK)
        pare_record_fail(r, status);
    else if (m->body.run)
        pare_module_run_body(m, r, n_in, in, n_out, out);
    else if (m->kind->op)
        pare_op_call(r, m->kind->op, n_in, in, n_out, out, m->attrs);
    else
        m->kind->forward(m, r, n_in, in, n_out, out);
}

/* While m runs, the record's path is m's, so that nodes, parameters and failures are named after it. */
void pare_forward_all(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out, pare_var *out[])
{
    char       path[PARE_PATH];
    const bool leaf = r->leaf;

    for (int i = 0; i < n_out; i++)
        out[i] = NULL;
    if (r->status != PARE_OK)
        return;
    if (pare_module_status(m) != PARE_OK) {
        pare_record_fail(r, pare_module_status(m));
        return;
    }
    strcpy(path, r->path);
    pare_module_path(m, NULL, r->path);
    r->leaf = !m->first;
    call_kind(m, r, n_in, in, n_out, out);
    strcpy(r->path, path);
    r->leaf = leaf;
}

pare_var *pare_forward(const pare_module *m, pare_record *r, pare_var *x)
{
    pare_var *out;

    pare_forward_all(m, r, 1, &x, 1, &out);
    return out;
}

pare_var *pare_forward_child(const pare_module *m, pare_record *r, const char *name, pare_var *x)
{
    const pare_module *const child = pare_module_find(m, name);

    if (child)
        return pare_forward(child, r, x);
    if (r->status == PARE_OK)
        pare_record_fail(r, pare_fail(PARE_ERR_ARG, "%s has no part '%s'", m->kind->name, name));
    return NULL;
}

/* ---------------------------------------------------------------------------------------------------------- tracing */

enum { MAX_ENDS = 16 }; /* inputs of a traced network, and outputs */

static pare_var *add_input(pare_record *r, int i, const pare_trace_input *in)
{
    const pare_tensor like = pare_tensor_of(in->dtype, in->shape);
    char              name[32];

    snprintf(name, sizeof(name), i ? "input_%d" : "input", i);
    return pare_record_input(r, in->name ? in->name : name, &like);
}

static int outputs_of(const pare_module *m, bool training)
{
    const int max = m->kind->max_out;

    return training && max > 0 && max <= MAX_ENDS ? max : 1;
}

pare_status pare_trace(const pare_module *m, int n_in, const pare_trace_input *in, bool training, pare_graph **out)
{
    pare_var    *inputs[MAX_ENDS], *outputs[MAX_ENDS];
    const int    n_out = m ? outputs_of(m, training) : 1;
    int          there = 0;
    pare_record *r;
    pare_status  status;

    *out = NULL;
    PARE_TRY(pare_module_status(m));
    if (n_in < 1 || n_in > MAX_ENDS)
        return pare_fail(PARE_ERR_ARG, "a network is traced with 1 to %d inputs, not %d", MAX_ENDS, n_in);
    PARE_TRY(pare_record_create(&(pare_record_options){ .mode = PARE_RECORD, .training = training }, &r));
    for (int i = 0; i < n_in; i++)
        inputs[i] = add_input(r, i, &in[i]);
    pare_forward_all(m, r, n_in, inputs, n_out, outputs);
    for (int i = 0; i < n_out; i++) /* outputs that the module left out */
        if (outputs[i])
            outputs[there++] = outputs[i];
    status = pare_record_status(r);
    if (status == PARE_OK && there == 0)
        status = pare_fail(PARE_ERR_ARG, "%s has made no output", m->kind->name);
    if (status == PARE_OK)
        status = pare_record_graph(r, there, outputs, out);
    pare_record_destroy(r);
    return status;
}
