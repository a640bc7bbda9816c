/* SPDX-License-Identifier: Apache-2.0 */
/* scatter.h - how a scattered element joins what is there already */
#ifndef PARE_OPS_SCATTER_H
#define PARE_OPS_SCATTER_H

#include "ops/op.h"

typedef enum pare_reduction {
    PARE_REDUCTION_NONE,
    PARE_REDUCTION_ADD,
    PARE_REDUCTION_MUL,
    PARE_REDUCTION_MAX,
    PARE_REDUCTION_MIN
} pare_reduction;

/* From the attribute "none", "add", "mul", "max" or "min"; reducing needs f32 or integers that are not quantized. */
pare_status pare_scatter_reduction(const pare_call *call, const char *word, pare_reduction *out);

/* y[at] joined with value[from], both of `dtype`. */
void pare_scatter_one(pare_reduction reduction, pare_dtype dtype, void *y, int64_t at, const void *value, int64_t from);

#endif
