/* SPDX-License-Identifier: Apache-2.0 */
/* qat.h - what quantization in training keeps between its phases */
#ifndef PARE_FLOW_QAT_H
#define PARE_FLOW_QAT_H

#include <pare/qat.h>

#include "base/arena.h"
#include "flow/quantization.h"

/*
 * A range or a learned scale: numbers of a constant of the training graph, by its name. "KEY.min", "KEY.max" of a range,
 * "KEY.scale", "KEY.zero" where it is learned, "WEIGHTS.scale" of learned scales of weights. KEY is the value that leads
 * those which share the scale, or "NODE/input" where a layer reads a coarser form.
 */
typedef struct pare_qat_number {
    const char *name;
    pare_tensor t; /* f32 */
} pare_qat_number;

struct pare_qat {
    pare_arena           *arena;
    pare_graph           *model; /* float, tidied, with the parameters as they are now */
    pare_quantize_options quantize;
    pare_qat_scales       scales;
    float                 averaging;
    pare_qat_number      *numbers;
    int                   n_numbers;
};

/* Fills them in from the calibrated ranges of q, and from its weights. */
pare_status pare_qat_keep(pare_qat *qat, const pare_quantization *q);

/* A static layer with weights. */
bool pare_qat_is_weighted(const pare_decision *d);

/* NULL: there is none. */
const pare_tensor *pare_qat_number_of(const pare_qat *qat, const char *key, const char *suffix);

/* What leads the scale of a quantized value of q, and what a layer reads when that is coarser. */
const char *pare_qat_value_key(const pare_quantization *q, const pare_value *v);
const char *pare_qat_input_key(const pare_qat *qat, const pare_decision *d);

#endif
