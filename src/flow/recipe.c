/* SPDX-License-Identifier: Apache-2.0 */
/* recipe.c - what is to be done to which layer, checked against a model as it is put together */
#include "flow/recipe.h"

#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/status.h"
#include "quant/observer.h"

static const char *const mode_names[] = { "auto", "static", "dynamic", "float" };

enum { N_MODES = sizeof(mode_names) / sizeof(mode_names[0]) };

/* ------------------------------------------------------------------------------------------- the model's names */

/* Names of all nodes of the graph and its bodies, or the names of their ops: words[cap], n of them are there. */
static int collect(const pare_graph *g, bool ops, const char **words, int n, int cap)
{
    pare_graph *body;

    for (const pare_node *node = g->first; node; node = node->next) {
        if (words && n < cap)
            words[n] = ops ? node->op->name : node->name;
        n++;
        for (int i = 0; (body = pare_node_body(node, i)); i++)
            n = collect(body, ops, words, n, cap);
    }
    return n;
}

static pare_status collect_names(pare_recipe *r)
{
    r->n_nodes = collect(r->graph, false, NULL, 0, 0);
    r->nodes = pare_arena_alloc(r->arena, sizeof(*r->nodes) * ((size_t)r->n_nodes + 1));
    r->ops = pare_arena_alloc(r->arena, sizeof(*r->ops) * ((size_t)r->n_nodes + 1));
    if (!r->nodes || !r->ops)
        return pare_fail_memory(sizeof(*r->nodes) * (size_t)r->n_nodes, "names of nodes");
    collect(r->graph, false, r->nodes, 0, r->n_nodes);
    collect(r->graph, true, r->ops, 0, r->n_nodes);
    return PARE_OK;
}

static bool matches(const pare_rule *rule, const char *op, const char *node)
{
    switch (rule->kind) {
    case PARE_RULE_GLOBAL:
        return true;
    case PARE_RULE_OP:
        return strcmp(rule->pattern, op) == 0;
    case PARE_RULE_GLOB:
        return pare_glob_match(rule->pattern, node);
    default:
        return strcmp(rule->pattern, node) == 0;
    }
}

/* ------------------------------------------------------------------------------------------------------- checks */

pare_status pare_recipe_unknown(const char *what, const char *word, const char *const *words, int n)
{
    const char *near = pare_nearest_name(word, words, n);
    char        all[256] = "";

    if (near)
        return pare_fail(PARE_ERR_ARG, "there is no %s '%s'; did you mean '%s'?", what, word, near);
    for (int i = 0; i < n && strlen(all) + strlen(words[i]) + 3 < sizeof(all); i++) {
        strcat(all, i ? ", " : "");
        strcat(all, words[i]);
    }
    return pare_fail(PARE_ERR_ARG, "there is no %s '%s'; there are: %s", what, word, all);
}

pare_status pare_recipe_mode(const char *word, pare_qmode *mode)
{
    for (int i = 0; i < N_MODES; i++)
        if (strcmp(word, mode_names[i]) == 0) {
            *mode = (pare_qmode)(PARE_QMODE_AUTO + i);
            return PARE_OK;
        }
    return pare_recipe_unknown("mode", word, mode_names, N_MODES);
}

const char *pare_recipe_mode_name(pare_qmode mode)
{
    return mode_names[mode - PARE_QMODE_AUTO];
}

static pare_status check_config(const pare_qconfig *c)
{
    if (c->observer && !pare_observer_find(c->observer)) {
        const char *names[16];
        int         n = 0;

        for (const pare_observer *o; n < 16 && (o = pare_observer_at(n)); n++)
            names[n] = o->name;
        return pare_recipe_unknown("observer", c->observer, names, n);
    }
    if (c->weight_bits && (c->weight_bits < 2 || c->weight_bits > 8))
        return pare_fail(PARE_ERR_ARG, "weight_bits is %d; 2 to 8 are possible", c->weight_bits);
    if (c->activation_bits && (c->activation_bits < 2 || c->activation_bits > 8))
        return pare_fail(PARE_ERR_ARG, "activation_bits is %d; 2 to 8 are possible", c->activation_bits);
    return PARE_OK;
}

static pare_status matches_nothing(const pare_recipe *r, const pare_rule *rule)
{
    const bool  ops = rule->kind == PARE_RULE_OP;
    const char *near = pare_nearest_name(rule->pattern, ops ? r->ops : r->nodes, r->n_nodes);

    return pare_fail(PARE_ERR_ARG, "%s: no %s '%s'%s%s%s; `pare info --nodes` lists them",
                     r->graph->file ? r->graph->file : r->graph->name,
                     ops                            ? "node has the op"
                     : rule->kind == PARE_RULE_GLOB ? "node's name matches"
                                                    : "node has the name",
                     rule->pattern, near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* -------------------------------------------------------------------------------------------------------- rules */

pare_status pare_recipe_create(const pare_graph *graph, pare_recipe **out)
{
    pare_arena *const  arena = pare_arena_create();
    pare_recipe *const r = arena ? pare_arena_alloc(arena, sizeof(*r)) : NULL;
    pare_status        status;

    if (!r) {
        pare_arena_destroy(arena);
        return pare_fail_memory(sizeof(*r), "a recipe");
    }
    r->arena = arena;
    r->graph = graph;
    status = collect_names(r);
    if (status != PARE_OK) {
        pare_recipe_destroy(r);
        return status;
    }
    *out = r;
    return PARE_OK;
}

void pare_recipe_destroy(pare_recipe *r)
{
    if (!r)
        return;
    pare_free(r->rules);
    pare_arena_destroy(r->arena);
}

static pare_status append(pare_recipe *r, const pare_rule *rule)
{
    if (!pare_grow(&r->rules, &r->cap, r->n + 1, sizeof(*r->rules)))
        return pare_fail_memory(sizeof(*r->rules) * ((size_t)r->n + 1), "rules");
    r->rules[r->n++] = *rule;
    return PARE_OK;
}

/* The observer's own name lives as long as the library. */
static pare_rule lasting(const pare_rule *rule)
{
    pare_rule copy = *rule;

    if (copy.config.observer)
        copy.config.observer = pare_observer_find(copy.config.observer)->name;
    return copy;
}

pare_status pare_recipe_add(pare_recipe *r, const pare_rule *rule)
{
    bool found = rule->kind == PARE_RULE_GLOBAL;

    PARE_TRY(check_config(&rule->config));
    for (int i = 0; i < r->n_nodes && !found; i++)
        found = matches(rule, r->ops[i], r->nodes[i]);
    if (!found)
        return matches_nothing(r, rule);

    pare_rule copy = lasting(rule);
    if (rule->kind == PARE_RULE_GLOBAL)
        copy.pattern = "";
    else if (!(copy.pattern = pare_arena_strdup(r->arena, rule->pattern)))
        return pare_fail_memory(strlen(rule->pattern), "a pattern");
    if (rule->config.reason && !(copy.config.reason = pare_arena_strdup(r->arena, rule->config.reason)))
        return pare_fail_memory(strlen(rule->config.reason), "a reason");
    return append(r, &copy);
}

/* A rule for every single name is stronger than any glob, and the last one of them is the strongest. */
pare_status pare_recipe_force(pare_recipe *r, const char *glob, const pare_qconfig *config)
{
    const pare_rule rule = { PARE_RULE_GLOB, glob, *config };
    const int       start = r->n;

    PARE_TRY(check_config(config));
    for (int i = 0; i < r->n_nodes; i++) {
        pare_rule one = lasting(&rule);

        one.kind = PARE_RULE_NAME;
        one.pattern = r->nodes[i];
        if (matches(&rule, r->ops[i], r->nodes[i]))
            PARE_TRY(append(r, &one));
    }
    return r->n > start ? PARE_OK : matches_nothing(r, &rule);
}

void pare_recipe_apply(const pare_recipe *r, pare_quantize_options *o)
{
    o->mapping = (pare_mapping){ r->rules, r->n };
    if (r->samples)
        o->samples = r->samples;
    if (r->target)
        o->target = r->target;
}
