/* SPDX-License-Identifier: Apache-2.0 */
/*
 * single.c - operations run one at a time
 *
 * A call is a graph of one node: what the planner does with it (kernels, memory formats) is what it does in a model, so
 * results are equal bit for bit. Plans are found again by operation, attributes, types, shapes and the small constants
 * that shapes depend on. Where a shape depends on other numbers the node is run by its definition.
 */
#include "nn/single.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "exec/interp.h"
#include "exec/plan.h"
#include "passes/pass.h"

struct pare_single {
    pare_plan    *plan; /* NULL: a shape depends on data */
    pare_context *ctx;
    pare_graph   *g; /* instead of a plan */
    pare_single  *next;
};

void pare_singles_clear(pare_singles *s)
{
    for (pare_single *i = s->all; i; i = i->next) {
        pare_context_destroy(i->ctx);
        pare_plan_destroy(i->plan);
        pare_graph_destroy(i->g);
    }
    pare_map_free(&s->by_key);
    pare_arena_destroy(s->arena);
    *s = (pare_singles){ 0 };
}

/* ------------------------------------------------------------------------------------------------------------- keys */

enum { NUMBERS = 26 * 16 }; /* characters of the numbers of a small constant */

static size_t add_input(char *at, size_t room, const pare_tensor *t, bool setting)
{
    char   shape[PARE_SHAPE_TEXT];
    size_t n;

    if (!t)
        return (size_t)snprintf(at, room, " ?");
    n = (size_t)snprintf(at, room, " %s%s", pare_dtype_name(t->dtype), pare_shape_text(&t->shape, shape));
    for (int64_t i = 0; setting && i < pare_shape_count(&t->shape); i++)
        n += (size_t)snprintf(at + n, room - n, ",%.17g", pare_tensor_real(t, i));
    return n;
}

/* What plans are found by. From pare_malloc; NULL: out of memory. */
static char *key_of(const pare_single_call *c)
{
    const size_t room = strlen(c->op->name) + (c->attrs ? strlen(c->attrs) : 0) + 32 +
                        (size_t)c->n_in * (16 + PARE_SHAPE_TEXT + NUMBERS);
    char *const key = pare_malloc(room);
    size_t      n;

    if (!key)
        return NULL;
    n = (size_t)snprintf(key, room, "%s %d %s", c->op->name, c->n_out, c->attrs ? c->attrs : "");
    for (int i = 0; i < c->n_in; i++)
        n += add_input(key + n, room - n, c->in[i], c->settings[i]);
    return key;
}

/* ----------------------------------------------------------------------------------------------------------- making */

static pare_status add_inputs(pare_graph *g, const pare_single_call *c, pare_value **in)
{
    for (int i = 0; i < c->n_in; i++) {
        const pare_tensor *const t = c->in[i];

        in[i] = NULL;
        if (t && c->settings[i])
            PARE_TRY(pare_graph_add_const(g, NULL, t, &in[i]));
        else if (t)
            PARE_TRY(pare_graph_add_input(g, NULL, t->dtype, &t->shape, &in[i]));
    }
    return PARE_OK;
}

static pare_status build(const pare_single_call *c, pare_value **in, pare_graph **out)
{
    pare_value *results[PARE_MAX_OUTPUTS];
    pare_graph *g;
    pare_node  *n;
    pare_status status;

    PARE_TRY(pare_graph_create("a call", &g));
    PARE_GOTO(add_inputs(g, c, in));
    for (int i = 0; i < c->n_out; i++)
        PARE_GOTO(pare_graph_add_value(g, NULL, &results[i]));
    PARE_GOTO(pare_graph_add_node(g, c->op, c->op->name, c->n_in, in, c->n_out, results, NULL, &n));
    PARE_GOTO(pare_node_parse_attrs(n, c->attrs));
    for (int i = 0; i < c->n_out; i++)
        PARE_GOTO(pare_graph_add_output(g, results[i]));
    *out = g;
    return PARE_OK;
out:
    pare_graph_destroy(g);
    return status;
}

/* Takes the graph over, unless its shapes depend on data. */
static pare_status plan(pare_single *s)
{
    static const pare_pass *const passes[] = { &pare_pass_choose_layout, NULL };
    pare_status                   status = pare_graph_infer(s->g, true);

    if (status == PARE_ERR_DYNAMIC)
        return PARE_OK;
    if (status == PARE_OK)
        status = pare_passes_run(s->g, passes, NULL);
    if (status == PARE_OK)
        status = pare_plan_create(s->g, NULL, &s->plan);
    if (status != PARE_OK)
        return status;
    s->g = NULL;
    return pare_context_create(s->plan, &s->ctx);
}

static pare_status make(pare_singles *s, const pare_single_call *c, const char *key, pare_single **out)
{
    pare_value **const in = pare_calloc((size_t)c->n_in + 1, sizeof(*in));
    pare_single       *made = NULL;
    const char        *kept = NULL;
    pare_status        status = PARE_OK;

    if (!s->arena)
        s->arena = pare_arena_create();
    if (in && s->arena) {
        made = pare_arena_alloc(s->arena, sizeof(*made));
        kept = pare_arena_strdup(s->arena, key);
    }
    if (!made || !kept)
        PARE_GOTO(pare_fail_memory(sizeof(*made), "a call"));
    made->next = s->all;
    s->all = made;
    PARE_GOTO(build(c, in, &made->g));
    PARE_GOTO(plan(made));
    if (!pare_map_set(&s->by_key, kept, made))
        PARE_GOTO(pare_fail_memory(sizeof(*made), "a call"));
    *out = made;
out:
    pare_free(in);
    return status;
}

/* ---------------------------------------------------------------------------------------------------------- running */

static pare_status copy_out(const pare_single *s, int n, pare_tensor *out)
{
    for (int i = 0; i < n; i++) {
        const pare_tensor *const t = pare_context_output(s->ctx, i);

        out[i] = pare_tensor_of(t->dtype, t->shape);
        PARE_TRY(pare_tensor_alloc(&out[i]));
        pare_tensor_copy(&out[i], t);
    }
    return PARE_OK;
}

static pare_status run(const pare_single *s, const pare_single_call *c, pare_pool *pool, pare_tensor *out)
{
    const pare_tensor **const in = pare_calloc((size_t)c->n_in + 1, sizeof(*in));
    int                       n = 0;
    pare_status               status;

    if (!in)
        return pare_fail_memory(sizeof(*in), "a call");
    for (int i = 0; i < c->n_in; i++)
        if (c->in[i] && !c->settings[i])
            in[n++] = c->in[i];
    if (s->plan) {
        status = pare_context_run(s->ctx, pool, in, NULL, 0);
        if (status == PARE_OK)
            status = copy_out(s, c->n_out, out);
    } else {
        status = pare_interp_run(s->g, in, out);
    }
    pare_free(in);
    return status;
}

pare_status pare_singles_run(pare_singles *s, const pare_single_call *call, pare_pool *pool, pare_tensor *out)
{
    char *const  key = key_of(call);
    pare_single *single = key ? pare_map_get(&s->by_key, key) : NULL;
    pare_status  status = PARE_OK;

    for (int i = 0; i < call->n_out; i++)
        out[i] = (pare_tensor){ 0 };
    if (!key)
        return pare_fail_memory(64, "a call");
    if (!single)
        status = make(s, call, key, &single);
    if (status == PARE_OK)
        status = run(single, call, pool, out);
    for (int i = 0; status != PARE_OK && i < call->n_out; i++)
        pare_tensor_release(&out[i]);
    pare_free(key);
    return status;
}
