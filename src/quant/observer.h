/* SPDX-License-Identifier: Apache-2.0 */
/* observer.h - watching a value while data runs through, then choosing the range to quantize */
#ifndef PARE_QUANT_OBSERVER_H
#define PARE_QUANT_OBSERVER_H

#include <stdio.h>

#include "tensor/qparams.h"
#include "tensor/tensor.h"

typedef struct pare_observer pare_observer;

/*
 * A kind of observer. Its state is one zeroed block of `size` bytes at the start, holds no pointers and does not grow
 * with the data; equal data in any order and any split gives equal states wherever `ordered` is false.
 */
struct pare_observer {
    const char *name;    /* as users write it: "histogram"          */
    const char *doc;     /* one line                                */
    size_t      size;    /* bytes of state                          */
    bool        ordered; /* the order of batches matters (moving averages) */

    /* Takes in one batch of f32 numbers, any strides. PARE_ERR_NUMERIC for NaN and infinity. */
    pare_status (*see)(void *state, const pare_tensor *t);
    /* The range for `levels` quantization levels; PARE_ERR_NUMERIC when nothing was seen. */
    pare_status (*range)(const void *state, int levels, float *min, float *max);
    /* Adds what `other` has seen; NULL where `ordered`. */
    void (*merge)(void *state, const void *other);
};

const pare_observer *pare_observer_find(const char *name); /* NULL: no such observer */
const pare_observer *pare_observer_at(int index);          /* NULL past the end      */

#endif
