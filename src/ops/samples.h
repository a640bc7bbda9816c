/* SPDX-License-Identifier: Apache-2.0 */
/* samples.h - ops whose samples, along axis 0, never meet: what they say as op->by_sample */
#ifndef PARE_OPS_SAMPLES_H
#define PARE_OPS_SAMPLES_H

#include "ops/call.h"

/* Whether the inputs that carry samples are all of `must`, those of `may` that are there, and no others. */
static inline bool pare_samples_are(const pare_call *call, unsigned carries, unsigned must, unsigned may)
{
    for (int i = 0; i < call->n_in && i < 32; i++)
        if (call->in[i] && may >> i & 1)
            must |= 1u << i;
    return carries == must;
}

/* The same samples come along axis 0 in `perm`, or there is none. */
static inline bool pare_samples_stay(const pare_ints *perm)
{
    return perm->n == 0 || perm->v[0] == 0;
}

/* Of ops whose in[0] is cut or summed along one axis. */
static inline bool pare_samples_off_axis(const pare_call *call, int64_t axis)
{
    const int rank = call->in[0]->shape.rank;

    return rank > 1 && axis != 0 && axis != -rank;
}

#endif
