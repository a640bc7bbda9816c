/* SPDX-License-Identifier: Apache-2.0 */
/* slice.h - START:STOP:STEP, as in Python */
#ifndef PARE_DATA_SLICE_H
#define PARE_DATA_SLICE_H

#include <stdbool.h>
#include <stdint.h>

#include <pare/status.h>

/* start, start + step ... below stop; 0 <= start, stop <= n; step >= 1. */
typedef struct pare_slice {
    int64_t start;
    int64_t stop;
    int64_t step;
} pare_slice;

/* Of `n` samples. Each part may be missing; negative ones count from the end. `what` names the option in errors. */
pare_status pare_slice_parse(const char *what, const char *text, int64_t n, pare_slice *out);
bool        pare_slice_has(const pare_slice *slice, int64_t index);

#endif
