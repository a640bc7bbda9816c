/* SPDX-License-Identifier: Apache-2.0 */
/* containers.c - modules that only say how their parts are put together, and those that do nothing by themselves */
#include <string.h>

#include "base/status.h"
#include "nn/module.h"

enum { MAX_BRANCHES = 32 };

static const char shortcut[] = "downsample";

static pare_var *in_order(const pare_module *m, pare_record *r, pare_var *x)
{
    for (const pare_module *c = m->first; c; c = c->next)
        if (m->kind != &pare_module_kind_residual || strcmp(c->name, shortcut) != 0)
            x = pare_forward(c, r, x);
    return x;
}

void pare_sequential_forward(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                             pare_var *out[])
{
    (void)n_in, (void)n_out;
    out[0] = in_order(m, r, in[0]);
}

const pare_module_kind pare_module_kind_sequential = {
    .name = "sequential",
    .about = "its parts one after the other",
    .forward = pare_sequential_forward,
};

static void forward_residual(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                             pare_var *out[])
{
    const pare_module *const side = pare_module_find(m, shortcut);
    pare_var *const          y = in_order(m, r, in[0]);

    (void)n_in, (void)n_out;
    out[0] = pare_add(r, y, side ? pare_forward(side, r, in[0]) : in[0]);
}

const pare_module_kind pare_module_kind_residual = {
    .name = "residual",
    .about = "x, or its part 'downsample' of x, plus its other parts one after the other",
    .forward = forward_residual,
};

static void forward_branches(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                             pare_var *out[])
{
    pare_var *all[MAX_BRANCHES];
    int       n = 0;

    (void)n_in, (void)n_out;
    for (const pare_module *c = m->first; c && n < MAX_BRANCHES; c = c->next)
        all[n++] = pare_forward(c, r, in[0]);
    if (n == 0 || pare_module_child(m, MAX_BRANCHES))
        pare_record_fail(r, pare_fail(PARE_ERR_ARG, "branches has 1 to %d parts", MAX_BRANCHES));
    out[0] = pare_concat(r, n, all, (int)pare_module_int(m, "axis"));
}

const pare_module_kind pare_module_kind_branches = {
    .name = "branches",
    .about = "its parts side by side, results concatenated",
    .settings = "axis=1",
    .forward = forward_branches,
};

static void forward_dropout(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                            pare_var *out[])
{
    (void)n_in, (void)n_out;
    out[0] = pare_dropout(r, in[0], pare_module_real(m, "p"));
}

const pare_module_kind pare_module_kind_dropout = {
    .name = "dropout",
    .about = "sets elements to 0 with probability p while training",
    .settings = "p=0.5",
    .forward = forward_dropout,
};

/* Quantization works on the graph and finds its borders itself; networks that mark them run as they are. */
static void forward_stub(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                         pare_var *out[])
{
    (void)m, (void)r, (void)n_in, (void)n_out;
    out[0] = in[0];
}

const pare_module_kind pare_module_kind_quant_stub = {
    .name = "quant_stub",
    .about = "where quantized layers begin; not needed, for networks that have it",
    .forward = forward_stub,
};

const pare_module_kind pare_module_kind_dequant_stub = {
    .name = "dequant_stub",
    .about = "where quantized layers end; not needed, for networks that have it",
    .forward = forward_stub,
};
