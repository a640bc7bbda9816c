/* SPDX-License-Identifier: Apache-2.0 */
/* graph.h - a model: ops on values */
#ifndef PARE_GRAPH_H
#define PARE_GRAPH_H

#include <pare/status.h>
#include <pare/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pare_graph pare_graph;

PARE_API void pare_graph_destroy(pare_graph *g); /* NULL is fine */

/* Inputs and outputs, in the order of the file. Names and shapes live as long as the graph. */
PARE_API int         pare_graph_n_inputs(const pare_graph *g);
PARE_API int         pare_graph_n_outputs(const pare_graph *g);
PARE_API const char *pare_graph_input(const pare_graph *g, int index, pare_dtype *dtype, pare_shape *shape);
PARE_API const char *pare_graph_output(const pare_graph *g, int index, pare_dtype *dtype, pare_shape *shape);

#ifdef __cplusplus
}
#endif
#endif
