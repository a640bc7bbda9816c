/* SPDX-License-Identifier: Apache-2.0 */
/* roofline.h - what this machine can do at most, to compare a plan's steps with */
#ifndef PARE_ROOFLINE_H
#define PARE_ROOFLINE_H

#include <stddef.h>

#include <pare/plan.h>
#include <pare/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/* In a second, by all threads of a pool together. */
typedef struct pare_peaks {
    const char *level;     /* the instructions that these are peaks of, e.g. "avx512vnni"             */
    double      int8_macs; /* multiply-adds of 8-bit codes                                            */
    double      f32_macs;
    double      bytes; /* read, one after another, from as much memory as the working set is: which
                        * cache that fits into is part of the answer                               */
} pare_peaks;

/* Takes about a tenth of a second. `pool` NULL: one thread. */
PARE_API pare_status pare_peaks_measure(pare_pool *pool, size_t working_set, pare_peaks *peaks);

/*
 * The least seconds that a step can take: its multiply-adds at the peak of its type, or its bytes at that of memory,
 * whatever is more. Activations that the step before has left in a nearer cache can be faster.
 */
PARE_API double pare_peaks_bound(const pare_peaks *peaks, const pare_step_info *step);

#ifdef __cplusplus
}
#endif
#endif
