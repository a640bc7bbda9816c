/* SPDX-License-Identifier: Apache-2.0 */
/* attention.h - what the definition of attention and its planned form share */
#ifndef PARE_OPS_ATTENTION_H
#define PARE_OPS_ATTENTION_H

#include "kernels/rows_f32/rows_f32.h"
#include "ops/matmul.h"

enum { PARE_ATTENTION_Q, PARE_ATTENTION_K, PARE_ATTENTION_V, PARE_ATTENTION_MASK };

typedef struct pare_attention_attrs {
    pare_ints perm_q, perm_k, perm_v, perm_y; /* as transpose's; none: the axes stay                       */
    float     factor;                         /* of the scores; 0: none                                    */
    int64_t   divides;                        /* scores / factor, not scores * factor                      */
} pare_attention_attrs;

/* The call as two products: s = q k, which has no memory of its own, and y = s v. */
typedef struct pare_attention {
    pare_matmul qk, sv;
    pare_tensor mask; /* broadcast to the scores, or without data */
} pare_attention;

pare_attention pare_attention_of(const pare_call *call);

/* Row at[1] of batch at[0] of the scores: scaled, masked, as shares of 1. `room` has n floats. */
void pare_attention_finish_row(const pare_rows_f32_kernel *rows, const pare_call *call, const pare_attention *p,
                               const int64_t at[2], float *s, float *room);

pare_status pare_attention_prepare(const pare_call *call, pare_step *step);

#endif
