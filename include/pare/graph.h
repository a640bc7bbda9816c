/* SPDX-License-Identifier: Apache-2.0 */
/* graph.h - a model: ops on values */
#ifndef PARE_GRAPH_H
#define PARE_GRAPH_H

#include <stdbool.h>
#include <stdint.h>

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

/* What a model is made of; nodes and constants of bodies (If) are counted with it. */
typedef struct pare_graph_facts {
    int     nodes;
    int     opset;        /* of the file; 0: it has none                                       */
    int64_t parameters;   /* numbers in constants, without 64-bit integers, which are shapes   */
    int64_t weight_bytes; /* bytes of all constants                                            */
    bool    quantized;    /* it has quantize or dequantize nodes, or ops on quantized integers */
} pare_graph_facts;

PARE_API void pare_graph_describe(const pare_graph *g, pare_graph_facts *facts);

/* The op types of a model, the most frequent first, and how many nodes have them; NULL past the last. */
PARE_API const char *pare_graph_op(const pare_graph *g, int index, int *count);

/* Node `index` in execution order, without bodies: its name and its op; NULL past the last. */
PARE_API const char *pare_graph_node(const pare_graph *g, int index, const char **op);

#ifdef __cplusplus
}
#endif
#endif
