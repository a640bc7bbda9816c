/* SPDX-License-Identifier: Apache-2.0 */
/* measure.h - how good one output of one model is */
#ifndef PARE_FLOW_MEASURE_H
#define PARE_FLOW_MEASURE_H

#include <pare/tensor.h>

/* What went into the model. */
typedef struct pare_measured {
    const void *sample;      /* f32 or s64, shape's elements           */
    pare_shape  shape;       /* without the batch                      */
    pare_dtype  dtype;       /* s64: token ids                         */
    int         label;       /* of tokens: the one behind the window; -1: none */
    int         first_token; /* predictions of earlier positions do not count: they know too little */
} pare_measured;

/* Sums over samples; for one sample, what it adds. */
typedef struct pare_measures {
    int64_t predicted;            /* 1, of tokens the counted positions; 0: the output is no choice of one class */
    int64_t labelled, top1, top5; /* predictions whose right answer is known                                     */
    double  nll;
    double  squares; /* of differences to the first model */
    int64_t compared;
    double  input_squares; /* of differences to the input */
    int64_t input_compared;
} pare_measures;

/* Sets all of `m` but the difference to the first model; classes[predicted] become the largest outputs. */
pare_status pare_measure(const pare_measured *what, const pare_tensor *out, pare_measures *m, int32_t *classes);

/* Sets the difference of two outputs. */
pare_status pare_measure_difference(const pare_tensor *out, const pare_tensor *first, pare_measures *m);

void pare_measures_add(pare_measures *sum, const pare_measures *m);

#endif
