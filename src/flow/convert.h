/* SPDX-License-Identifier: Apache-2.0 */
/* convert.h - the pieces of conversion: Q and DQ nodes, and constants turned into integers */
#ifndef PARE_FLOW_CONVERT_H
#define PARE_FLOW_CONVERT_H

#include "flow/quantization.h"
#include "tensor/qparams.h"

/* The scale and zero point inputs of Q and DQ nodes; one pair serves both nodes of an activation. */
typedef struct pare_q_inputs {
    pare_value *scale, *zero; /* zero NULL: symmetric, the input is left out */
    int         axis;         /* -1: per tensor                              */
} pare_q_inputs;

/* "name_suffix" in the graph's arena. */
const char *pare_convert_name(pare_graph *g, const char *name, const char *suffix);

/* A constant full of one zero point; equal ones are one constant for the whole graph. */
pare_status pare_convert_zeros(pare_graph *g, pare_dtype dtype, pare_shape shape, int32_t value, pare_value **out);

/* Constants for q: per tensor when its axis is -1, else its zero points must all be equal. */
pare_status pare_convert_q_inputs(pare_graph *g, const pare_qparams *q, pare_dtype dtype, pare_q_inputs *out);

/* A quantize_linear or dequantize_linear node from one value to another. */
pare_status pare_convert_q_node(pare_graph *g, const pare_op *op, pare_value *from, pare_value *to,
                                const pare_q_inputs *q, pare_node *before);

/* dequantize(constant integers) as a float value; the constant is named after `like`, which it stands for. */
pare_status pare_convert_constant(pare_graph *g, const pare_value *like, const pare_tensor *integers,
                                  const pare_qparams *q, pare_node *before, pare_value **real);

/* Scale and zero point of what a layer with weights reads, into in_scale, in_zero; learned ones of a coarse input stay. */
pare_status pare_convert_choose_input(const pare_quantization *q, pare_decision *d);

/* A Q/DQ pair between v and all that read it; for a constant operand of an add or mul its codes; and one more pair, with
 * fewer bits, in front of a layer whose input is coarse. */
pare_status pare_convert_value(const pare_quantization *q, pare_value *v);
pare_status pare_convert_const_operand(const pare_quantization *q, pare_value *v);
pare_status pare_convert_input(const pare_quantization *q, const pare_decision *d);

/* Scales of one layer's weights; `scale` is released with pare_free. */
typedef struct pare_weight_scales {
    float *scale; /* [n] */
    int    n, axis;
} pare_weight_scales;

/* The axis of a layer's weights that its output channels lie on. */
int pare_channel_axis(const pare_node *n);

pare_status pare_weight_scales_choose(const pare_value *w, int axis, const pare_qconfig *c, pare_weight_scales *s);
void        pare_weight_scales_widen(pare_weight_scales *s, float sx, const pare_value *bias);

/* in[input] of n becomes dequantize(integers): weights, or the bias of a layer whose input has scale sx. */
pare_status pare_convert_weights(pare_graph *g, pare_node *n, int input, const pare_weight_scales *s, int bits);
pare_status pare_convert_bias(pare_graph *g, pare_node *n, int input, float sx, const pare_weight_scales *s);

#endif
