/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows_f32_blocks_body.h - walking a row in blocks of 16 elements, one per lane, which the compiler makes vectors
 *
 * Part of rows_f32_body.h. A block that is not full is filled up with zeros to be computed, and only its real elements
 * are stored. Loops of 16 fixed turns over blocks of their own need no checks at run time, so gcc vectorises
 * them at -O2 too.
 */
#ifndef PARE_KERNELS_ROWS_F32_BLOCKS_BODY_H
#define PARE_KERNELS_ROWS_F32_BLOCKS_BODY_H

#include <stddef.h>

#include "base/math.h"

#define EACH_LANE for (int l = 0; l < 16; l++)
#define BYTES(n)  ((size_t)(n) * sizeof(float))

/* n <= 16 elements to read as a block: where they are, or filled up with zeros in `rest`. */
INLINE const float *take(float *restrict rest, const float *x, long n)
{
    if (n >= 16)
        return x;
    memset(rest, 0, BYTES(16));
    memcpy(rest, x, BYTES(n));
    return rest;
}

#endif
