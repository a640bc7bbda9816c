/* SPDX-License-Identifier: Apache-2.0 */
/* qat_builder.h - what building the graph that is trained is made of */
#ifndef PARE_FLOW_QAT_BUILDER_H
#define PARE_FLOW_QAT_BUILDER_H

#include "flow/qat.h"

typedef struct pare_qat_builder {
    const pare_qat          *qat;
    const pare_qat_phase    *phase;
    const pare_quantization *q; /* decisions, on the simplified copy */
    pare_graph              *g; /* the tidied copy, which changes    */
} pare_qat_builder;

enum { ATTRS = 96 }; /* bytes of attributes as text */

/* A node in front of `before`; its outputs are new values named after `name`. */
pare_status pare_qat_add(pare_qat_builder *b, const char *op, const char *attrs, const char *name, pare_node *before,
                         int n_in, pare_value *const *in, int n_out, pare_value **out);

/* The constant of a kept number: one for all who ask. */
pare_status pare_qat_number_value(pare_qat_builder *b, const char *key, const char *suffix, pare_value **out);

/* Scale and zero point of a key, and what of them is learned; those of an op with a range of its own. */
pare_status pare_qat_scale_of(pare_qat_builder *b, const char *key, int bits, pare_node *before, pare_value *sz[2],
                              const char **learn);
pare_status pare_qat_fixed_scale(pare_qat_builder *b, const pare_value_plan *p, pare_value *sz[2]);

/* The node of that name; NULL: there is none. */
pare_node *pare_qat_node(const pare_graph *g, const char *name);

/* qat_layers.c: weights and norms first, which look for each other; biases last, which need everybody's scales. */
pare_status pare_qat_fake_layers(pare_qat_builder *b);
pare_status pare_qat_fake_biases(pare_qat_builder *b);

#endif
