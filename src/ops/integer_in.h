/* SPDX-License-Identifier: Apache-2.0 */
/* integer_in.h - scales and zero points of ONNX's integer products: checked inputs of one number or one per channel */
#ifndef PARE_OPS_INTEGER_IN_H
#define PARE_OPS_INTEGER_IN_H

#include "ops/call.h"

/* Inputs by number; 0 stands for "this op has none" (input 0 is the first operand). */
typedef struct pare_integer_in {
    int b, bias;                   /* second operand; s32 bias                                   */
    int a_scale, b_scale, y_scale; /* all or none: without, the result is the s32 sum            */
    int a_zero, b_zero, y_zero;
} pare_integer_in;

/*
 * Operands u8 or s8 with zero points of their dtype; scales f32. a's parameters are one number or `rows`, b's one or
 * `columns`, y's one. Sets the dtype of out[0]: that of its zero point, or s32.
 */
pare_status pare_integer_check(const pare_call *call, const pare_integer_in *at, int64_t rows, int64_t columns);

/* Number i of a zero point input; 0 where it is left out. */
int64_t pare_integer_zero(const pare_call *call, int input, int64_t i);

/* Stores an exact sum: requantized (NUMERICS.md 5), or modulo 2^32 where there are no scales. */
void pare_integer_store(const pare_call *call, const pare_integer_in *at, int64_t row, int64_t column, int64_t acc,
                        int64_t to);

#endif
