/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qconv.h - the integer convolution and matrix product: what lowering sets, and the epilogue they share
 *
 * Inputs of qconv:  x u8 (q per tensor), w s8 [OC,C/group,kernel] (q per tensor or along axis 0), bias s32 [OC] at scale
 *                   sx * sw[c], residual u8 (q per tensor), row scales f32 [N], bias f32 [OC], table u8 [256]; all but
 *                   x, w may be left out.
 * Inputs of qgemm:  the same with x u8 [..., K], w s8 [N,K], row scales with the shape of x without its last axis.
 * Output: u8 when it has q, else f32. With row scales (dynamic quantization, quantize_rows) x is q + 128 and sx is the
 * row's; bias f32 is added to float results only. Clamps act on the real result and become integer bounds.
 * With a residual the result is first rounded with mid_scale, mid_zero, then added and rounded to the output's q: the
 * bits of the unfused pair (NUMERICS.md 6). With a table it is rounded with mid_scale, mid_zero, then looked up. There
 * is not both.
 */
#ifndef PARE_OPS_QCONV_H
#define PARE_OPS_QCONV_H

#include "kernels/qconv/qepilogue.h"
#include "ops/conv.h"

enum { PARE_Q_X, PARE_Q_W, PARE_Q_BIAS, PARE_Q_RESIDUAL, PARE_Q_ROWS, PARE_Q_BIAS_F32, PARE_Q_TABLE, PARE_Q_INPUTS };

typedef struct pare_qfused_attrs {
    float   clamp_lo, clamp_hi; /* of the product                          */
    float   mid_scale;          /* > 0: there is a residual or a table     */
    int64_t mid_zero;
    int64_t conv_is_second; /* the product is operand b of the add     */
    float   sum_lo, sum_hi; /* clamp of the sum                        */
} pare_qfused_attrs;

/* Rows of the attribute tables of ops whose struct S has a member `q` of type pare_qfused_attrs. */
#define PARE_QFUSED_ROW(S, type_, member, field, value)                                                \
    {                                                                                                  \
        .name = #member, .type = PARE_ATTR_##type_, .offset = offsetof(S, q.member), .field = (value), \
        .internal = true                                                                               \
    }
#define PARE_QFUSED_ROWS(S)                                                                              \
    PARE_QFUSED_ROW(S, FLOAT, clamp_lo, f, -INFINITY), PARE_QFUSED_ROW(S, FLOAT, clamp_hi, f, INFINITY), \
        PARE_QFUSED_ROW(S, FLOAT, mid_scale, f, 0), PARE_QFUSED_ROW(S, INT, mid_zero, i, 0),             \
        PARE_QFUSED_ROW(S, INT, conv_is_second, i, 0), PARE_QFUSED_ROW(S, FLOAT, sum_lo, f, -INFINITY),  \
        PARE_QFUSED_ROW(S, FLOAT, sum_hi, f, INFINITY)

/* What kernels copy when they pack (pare_step.packed). */
enum { PARE_Q_PACKED = 1 << PARE_Q_W | 1 << PARE_Q_BIAS | 1 << PARE_Q_BIAS_F32 };

/* The call's input, or NULL. */
const pare_tensor *pare_q_input(const pare_call *call, int index);

/* Checks dtypes and q of all inputs; sets the output's dtype. */
pare_status pare_q_check(const pare_call *call, const pare_qfused_attrs *a);

/* Describes the call for the kernels. `channels` output channels; w per channel along axis 0. */
void pare_q_describe(const pare_call *call, const pare_qfused_attrs *a, pare_qchannels *channels, pare_qoutput *out);

/* False where a clamp leaves only code 0: the kernels read an upper bound of 0 as "none". */
bool pare_q_kernel_bounds(const pare_qoutput *out);

/* The definition: one accumulator (without bias) to one output element. `residual`: the code, or 0. */
void pare_q_finish(const pare_call *call, const pare_qfused_attrs *a, int64_t channel, int64_t acc, int residual,
                   float row_scale, int64_t to);

/* Clamp bounds of a real interval as codes of q. */
void pare_q_bounds(const pare_qparams *q, float lo, float hi, int *code_lo, int *code_hi);

#endif
