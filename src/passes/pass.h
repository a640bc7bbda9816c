/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pass.h - rewriting a graph: one verb per file, a descriptor each, run by one driver.
 *
 * The driver shows `rewrite` every node (of bodies too, inner ones first); the function may edit the graph freely,
 * remove any node included, and says whether it did. After a pass that changed something, values that nobody reads
 * are swept away and shapes inferred again; after every pass the graph is verified.
 */
#ifndef PARE_PASSES_PASS_H
#define PARE_PASSES_PASS_H

#include "graph/graph.h"

typedef struct pare_pass {
    const char *name; /* of the file and of the symbol: pare_pass_NAME */
    const char *doc;  /* one line                                     */

    /* Looks at one node. Nodes are shown front to back; those put in behind `n` are still to come. */
    pare_status (*rewrite)(pare_graph *g, pare_node *n, bool *changed);
    /* Or looks at the graph as a whole (the outermost one). */
    pare_status (*run)(pare_graph *g);

    bool backward; /* nodes are shown back to front                 */
    bool repeat;   /* until a walk over the graph changes nothing   */
} pare_pass;

/* Watches a pipeline: called after each pass; anything but PARE_OK ends the pipeline. */
typedef struct pare_pass_trace {
    pare_status (*after)(void *user, const pare_pass *pass, const pare_graph *g, int changes);
    void *user;
} pare_pass_trace;

/* Runs the passes of an array that ends with NULL. `trace` may be NULL. The sentence of a failure names the pass. */
pare_status pare_passes_run(pare_graph *g, const pare_pass *const passes[], const pare_pass_trace *trace);

/* The list (passes.def). */
const pare_pass *pare_pass_find(const char *name); /* NULL: no such pass */
const pare_pass *pare_pass_at(int index);          /* NULL past the end  */

#define PARE_PASS(name) extern const pare_pass pare_pass_##name;
#include "passes/passes.def"
#undef PARE_PASS

#endif
