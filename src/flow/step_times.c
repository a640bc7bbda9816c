/* SPDX-License-Identifier: Apache-2.0 */
/* step_times.c - how long the steps of a plan take, and which nodes of the model that is for */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/status.h"
#include "exec/plan.h"
#include "flow/payoff.h"

enum { WARM_RUNS = 2, LEAST_RUNS = 11, MOST_RUNS = 101 };

static const double LONG_ENOUGH = 1.0; /* seconds, after which no more runs than LEAST_RUNS are made */

/* ----------------------------------------------------------------------------------------------------------- measure */

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, int n)
{
    qsort(values, (size_t)n, sizeof(*values), by_size);
    return values[n / 2];
}

/* all[step][MOST_RUNS]; the last row is the whole inference. */
static pare_status run_all(pare_context *ctx, const pare_tensor **in, int steps, double *all, int *runs)
{
    double *const one = pare_calloc((size_t)steps + 1, sizeof(*one));
    const double  start = now();
    pare_status   status = PARE_OK;

    if (!one)
        return pare_fail_memory(sizeof(*one) * (size_t)steps, "times");
    for (int i = 0; i < WARM_RUNS; i++)
        PARE_GOTO(pare_context_run(ctx, NULL, in, NULL, 0));
    for (*runs = 0; *runs < LEAST_RUNS || (*runs < MOST_RUNS && now() - start < LONG_ENOUGH); ++*runs) {
        const double before = now();

        memset(one, 0, sizeof(*one) * (size_t)steps);
        pare_context_profile(ctx, one);
        PARE_GOTO(pare_context_run(ctx, NULL, in, NULL, 0));
        one[steps] = 1e9 * (now() - before);
        for (int s = 0; s <= steps; s++)
            all[s * MOST_RUNS + *runs] = one[s];
    }
out:
    pare_context_profile(ctx, NULL);
    pare_free(one);
    return status;
}

pare_status pare_step_times_measure(const pare_plan *plan, pare_step_times *times)
{
    const int           n = pare_plan_n_inputs(plan), steps = plan->n_steps;
    pare_tensor        *in = pare_calloc((size_t)n + 1, sizeof(*in));
    const pare_tensor **ptr = pare_calloc((size_t)n + 1, sizeof(*ptr));
    double             *all = pare_calloc((size_t)steps + 1, sizeof(*all) * MOST_RUNS);
    pare_context       *ctx = NULL;
    pare_status         status = PARE_OK;
    int                 runs = 0;

    times->ns = pare_calloc((size_t)steps + 1, sizeof(*times->ns));
    if (!in || !ptr || !all || !times->ns)
        PARE_GOTO(pare_fail_memory(sizeof(*all) * (size_t)steps * MOST_RUNS, "times"));
    PARE_GOTO(pare_context_create(plan, &ctx));
    for (int i = 0; i < n; i++) {
        const pare_tensor *planned;

        pare_plan_input(plan, i, &planned);
        in[i] = pare_tensor_of(planned->dtype, planned->shape);
        PARE_GOTO(pare_tensor_alloc(&in[i]));
        ptr[i] = &in[i];
    }
    PARE_GOTO(run_all(ctx, ptr, steps, all, &runs));
    for (int s = 0; s < steps; s++)
        times->ns[s] = median(all + s * MOST_RUNS, runs);
    times->whole_ns = median(all + steps * MOST_RUNS, runs);
out:
    pare_context_destroy(ctx);
    for (int i = 0; in && i < n; i++)
        pare_tensor_release(&in[i]);
    pare_free(in);
    pare_free(ptr);
    pare_free(all);
    return status;
}

/* --------------------------------------------------------------------------------------------------------- attribute */

/* The value of the model that a planned one stands for: conversion calls codes NAME_q, a float before them NAME_f. */
static const pare_value *value_of(const pare_graph *g, const char *name)
{
    static const char *const endings[] = { "", "_q", "_f", "_dq" };
    const size_t             n = strlen(name);

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        const size_t end = strlen(endings[i]);
        char         base[512];

        if (n < end || n - end >= sizeof(base) || strcmp(name + n - end, endings[i]) != 0)
            continue;
        memcpy(base, name, n - end);
        base[n - end] = 0;
        const pare_value *const v = pare_graph_find(g, base);

        if (v)
            return v;
    }
    return NULL;
}

static bool is_conversion(const pare_node *n)
{
    return strcmp(n->op->name, "quantize_linear") == 0 || strcmp(n->op->name, "dequantize_linear") == 0;
}

static bool take_first(pare_node *n, int input, void *arg)
{
    (void)input;
    *(pare_node **)arg = n;
    return false;
}

static pare_node *first_reader(const pare_value *v)
{
    pare_node *reader = NULL;

    pare_value_each_user(v, take_first, &reader);
    return reader;
}

/* The node of g that a step is for, NULL: none. A chain of steps without names ends at one that has one. */
static const pare_node *owner_of(const pare_graph *g, const pare_node *step)
{
    for (int depth = 0; step && depth < 64; depth++) {
        if (is_conversion(step))
            return NULL;
        for (int i = 0; i < step->n_out; i++) {
            const pare_value *const v = step->out[i] ? value_of(g, step->out[i]->name) : NULL;

            if (v && v->producer)
                return v->producer;
        }
        step = step->n_out && step->out[0] ? first_reader(step->out[0]) : NULL;
    }
    return NULL;
}

/* The next node behind n that has a step of its own: the one that n went into. Marks are the nodes' numbers. */
static int taker_of(const pare_node *n, const bool *own)
{
    while (n && !own[n->mark])
        n = n->n_out && n->out[0] ? first_reader(n->out[0]) : NULL;
    return n ? n->mark : -1;
}

pare_status pare_step_times_of_nodes(const pare_plan *plan, const double *step_ns, const pare_graph *g,
                                     const double *share, double *ns)
{
    const int     n = pare_graph_n_nodes(g);
    bool *const   own = pare_calloc((size_t)n + 1, sizeof(*own));
    double *const sum = pare_calloc((size_t)n + 1, sizeof(*sum)); /* of the shares of those that one step does */
    int           i = 0;

    if (!own || !sum) {
        pare_free(own);
        pare_free(sum);
        return pare_fail_memory(sizeof(*sum) * (size_t)n, "times of nodes");
    }
    memset(ns, 0, sizeof(*ns) * (size_t)n);
    for (pare_node *node = g->first; node; node = node->next)
        node->mark = i++;
    for (int s = 0; s < plan->n_steps; s++) {
        const pare_node *const node = owner_of(g, plan->steps[s].node);

        if (node && node->graph == g) {
            own[node->mark] = true;
            ns[node->mark] += step_ns[s];
        }
    }
    for (const pare_node *node = g->first; share && node; node = node->next)
        if (taker_of(node, own) >= 0)
            sum[taker_of(node, own)] += share[node->mark];
    /* First those without steps: the time of a taker is still the whole. */
    for (const pare_node *node = g->first; share && node; node = node->next) {
        const int taker = taker_of(node, own);

        if (!own[node->mark] && taker >= 0 && sum[taker] > 0)
            ns[node->mark] = ns[taker] * share[node->mark] / sum[taker];
    }
    for (i = 0; share && i < n; i++)
        if (own[i] && sum[i] > 0)
            ns[i] *= share[i] / sum[i];
    pare_free(own);
    pare_free(sum);
    return PARE_OK;
}
