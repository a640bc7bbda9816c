/* SPDX-License-Identifier: Apache-2.0 */
/* lower.h - what lower_weighted and lower_dynamic share */
#ifndef PARE_PASSES_LOWER_H
#define PARE_PASSES_LOWER_H

#include "ops/qconv.h"
#include "passes/qdq.h"

extern const pare_op pare_op_conv, pare_op_gemm, pare_op_matmul, pare_op_qconv, pare_op_qgemm, pare_op_add;

/* qconv for conv, qgemm for gemm and matmul in the forms that these cover; NULL otherwise. */
const pare_op *pare_lower_integer_op(const pare_node *n);

/*
 * The signed integer constant that the node's weights were dequantized from, with one scale or one per output channel;
 * NULL: they are not such.
 */
pare_value *pare_lower_weights_of(const pare_node *n);
int64_t     pare_lower_channels(const pare_node *n, const pare_value *w);

/* A bias of this shape has one number per channel: [channels], [1, channels]. */
bool pare_lower_per_channel(const pare_shape *shape, int64_t channels);

/* Those weights as the integer op wants them: s8, output channels on axis 0; matrices transposed to [N][K]. */
pare_status pare_lower_weights(pare_graph *g, const pare_node *n, pare_value *from, pare_value **w);

/* The integer op in place of the node(s) that made the float value `last`; it takes over the clamp of last's producer. */
pare_status pare_lower_float_output(pare_graph *g, const pare_op *op, const pare_node *n, int n_in,
                                    pare_value *const *in, pare_value *last);

/* Takes over the clamp of another node (an add or a layer) where that is tighter than none. */
void pare_lower_copy_clamp(pare_node *to, const pare_node *from);

/* The clamp attributes of a node with PARE_CAN_CLAMP; infinities otherwise. */
void pare_lower_clamp_of(const pare_node *n, float *lo, float *hi);

#endif
