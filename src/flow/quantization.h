/* SPDX-License-Identifier: Apache-2.0 */
/* quantization.h - the decisions of one quantization run: per node what is done, per value its range */
#ifndef PARE_FLOW_QUANTIZATION_H
#define PARE_FLOW_QUANTIZATION_H

#include <pare/quantize.h>

#include "graph/graph.h"
#include "quant/backend.h"

/* One node of the float graph. */
typedef struct pare_decision {
    pare_node        *node;
    const pare_qrule *rule;   /* NULL: the target has none                                       */
    pare_qconfig      config; /* resolved                                                        */
    pare_qmode        mode;   /* STATIC, DYNAMIC or FLOAT                                        */
    const char       *reason; /* why float; "" otherwise                                         */
    bool              layer;  /* worth listing: works on activations (not shape arithmetic)      */
    bool              bias;   /* an add that is only the bias of the matmul before it            */

    /* Static layers with weights. A coarse input is quantized once more, in front of this layer alone: its value has
     * more bits for others. Scales that training has learned; NULL: by the largest weight. */
    bool         coarse;
    float        in_min, in_max; /* the range of a coarse input for its bits; equal: that of the value */
    float        in_scale;       /* of what it reads; 0: not chosen yet */
    int32_t      in_zero;
    const float *weight_scale; /* [channels or 1] */
} pare_decision;

/* One float value. */
typedef struct pare_value_plan {
    bool        quantized; /* gets a Q/DQ pair                                                         */
    bool        observed;  /* its range comes from data                                                */
    int         group;     /* id of the value whose qparams it shares: its own when it shares none     */
    float       min, max;  /* the range chosen; for group leaders that of the whole group              */
    int         bits;      /* of its codes                                                              */
    float       fixed_scale;
    int32_t     fixed_zero;
    const char *observer;
} pare_value_plan;

typedef struct pare_quantization {
    pare_graph      *g; /* simplified, to be changed by convert */
    pare_decision   *decisions;
    int              n_decisions;
    pare_value_plan *values; /* [g->n_values] by id */
    int              n_values;
    const char      *mode;   /* "static" or "dynamic": of the model as a whole */
    const char      *reason; /* and why */
} pare_quantization;

/* A simplified copy of the model with its decisions. End it even after a failure. */
pare_status pare_quantization_begin(const pare_graph *model, const pare_quantize_options *o, pare_quantization *q);
void        pare_quantization_end(pare_quantization *q); /* and its graph */

/* Once ranges are there: converts and hands the graph over. `result` may be NULL. */
pare_status pare_quantization_finish(pare_quantization *q, const pare_quantize_options *o, pare_graph **out,
                                     pare_quantize_result **result);

/* Chooses for every node and value (no data needed). The graph is numbered and has its shapes, batch may be open. */
pare_status pare_quantization_decide(pare_graph *g, const pare_quantize_options *o, pare_quantization *q);
void        pare_quantization_clear(pare_quantization *q); /* not the graph */

/* Refuses settings that do not exist and constants that are not finite; decide ends with it. */
pare_status pare_quantization_check(const pare_quantization *q, const pare_quantize_options *o);

/* Whether any value's range comes from data. */
bool pare_quantization_needs_data(const pare_quantization *q);

/* Runs calibration data through the graph and fills min and max of the observed values. */
pare_status pare_quantization_calibrate(pare_quantization *q, const pare_quantize_options *o);

/* Puts Q/DQ pairs, integer weights and biases into the graph. */
pare_status pare_quantization_convert(pare_quantization *q);

/* It computes with integers whose scales are known beforehand. NULL is fine. */
static inline bool pare_quantization_is_static(const pare_decision *d)
{
    return d && d->mode == PARE_QMODE_STATIC;
}

/* decide's last step: what the values between the nodes that are static become. */
void pare_quantization_choose_values(pare_quantization *q);

/* Inputs of static nodes that read v as activations. */
int pare_quantization_readers(const pare_quantization *q, const pare_value *v);

/* The decision of a node, NULL when it has none. */
const pare_decision *pare_quantization_of(const pare_quantization *q, const pare_node *n);

/* The value (by id) that holds the range of all those which share one scale with `id`. */
int pare_quantization_leader(const pare_quantization *q, int id);

/* Input i of a node carries activations, not weights, scales or shapes. */
bool pare_quantization_is_data(const pare_decision *d, int i);

/* The add behind a matmul that is only its bias (a constant of one dimension); NULL: none. */
pare_node *pare_quantization_bias_add(const pare_node *matmul);

#endif
