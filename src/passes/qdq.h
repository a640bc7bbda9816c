/* SPDX-License-Identifier: Apache-2.0 */
/* qdq.h - reading the Q/DQ form: what the lowering passes share */
#ifndef PARE_PASSES_QDQ_H
#define PARE_PASSES_QDQ_H

#include "graph/graph.h"

extern const pare_op pare_op_quantize_linear, pare_op_dequantize_linear;

/*
 * The parameters that a Q or DQ node names for integers of this shape, one heap block (pare_free); *out is NULL when
 * they are not constant.
 */
pare_status pare_qdq_params(const pare_node *n, const pare_shape *shape, pare_qparams **out);

/* The integer value that v was dequantized from, its q set and equal to the DQ's parameters; NULL: v is not such. */
pare_value *pare_qdq_source(const pare_value *v);

/* The quantize_linear that is the only reader of v, its output's q set; NULL: there is none. */
pare_node *pare_qdq_sink(const pare_value *v);

bool pare_q_is_u8(const pare_value *v); /* u8, one scale for the tensor */

/*
 * A node of op on integers in place of a float node: it makes `out`, which loses its old producer. With `like` its
 * attributes are copied field by field where both tables have them by the same name and type.
 */
pare_status pare_qdq_replace(pare_graph *g, const pare_op *op, const pare_node *like, int n_in, pare_value *const *in,
                             pare_value *out, pare_node **result);

/* Copies attributes that both tables have. */
void pare_qdq_copy_attrs(pare_node *to, const pare_node *from);

/* A constant with one number per `values`. */
pare_status pare_qdq_const_u8(pare_graph *g, const char *name, const uint8_t *values, int n, pare_value **out);

#endif
