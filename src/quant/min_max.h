/* SPDX-License-Identifier: Apache-2.0 */
/* min_max.h - smallest and largest number of a tensor */
#ifndef PARE_QUANT_MIN_MAX_H
#define PARE_QUANT_MIN_MAX_H

#include "tensor/tensor.h"

/* f32, any strides; *n elements. PARE_ERR_NUMERIC for NaN and infinity. */
pare_status pare_min_max_of(const pare_tensor *t, float *min, float *max, int64_t *n);

#endif
