/* SPDX-License-Identifier: Apache-2.0 */
/* interp.h - the reference interpreter: every node by infer + forward on real data, so shapes may depend on values */
#ifndef PARE_EXEC_INTERP_H
#define PARE_EXEC_INTERP_H

#include "graph/graph.h"

#include <pare/plan.h>

/*
 * Evaluates the graph on in[n_inputs] and fills out[n_outputs] with dense tensors of their own, which the caller
 * releases. Slow and simple: the definition of what a graph means. Taps see every named value, bodies' included.
 */
pare_status pare_interp_run(const pare_graph *g, const pare_tensor *const in[], pare_tensor out[]);
pare_status pare_interp_run_taps(const pare_graph *g, const pare_tensor *const in[], pare_tensor out[],
                                 const pare_tap *taps, int n_taps);

/*
 * For ops with PARE_HAS_BODY: runs the body that `call` chooses. `lookup` gives the tensor of a value of an outer
 * graph (the body's captures). Output tensors without data are allocated; those with data are written through.
 */
pare_status pare_interp_body(const pare_call *call, const pare_tensor *(*lookup)(void *env, const pare_value *v),
                             void            *env);

#endif
