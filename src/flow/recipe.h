/* SPDX-License-Identifier: Apache-2.0 */
/* recipe.h - a recipe from inside: its rules, and the names it is checked against */
#ifndef PARE_FLOW_RECIPE_H
#define PARE_FLOW_RECIPE_H

#include <pare/recipe.h>

#include "base/arena.h"
#include "graph/graph.h"
#include "quant/qconfig.h"

struct pare_recipe {
    pare_arena       *arena;
    const pare_graph *graph;
    const char      **nodes, **ops; /* [n_nodes] of all nodes: name, and name of the op */
    int               n_nodes;
    pare_rule        *rules; /* [n] */
    int               n, cap;
    int               samples; /* 0: not said    */
    const char       *target;  /* NULL: not said */
};

/* "there is no WHAT 'WORD'; did you mean ...": always an error. */
pare_status pare_recipe_unknown(const char *what, const char *word, const char *const *words, int n);

/* "auto", "static", "dynamic" or "float". */
pare_status pare_recipe_mode(const char *word, pare_qmode *mode);
const char *pare_recipe_mode_name(pare_qmode mode);

#endif
