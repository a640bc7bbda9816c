/* SPDX-License-Identifier: Apache-2.0 */
/* call.h - what infer functions keep asking of a call: dtype sets, axes, lists of integers, outputs */
#ifndef PARE_OPS_CALL_H
#define PARE_OPS_CALL_H

#include "ops/op.h"

/* Sets of dtypes: PARE_D(f32) | PARE_D(s64). */
#define PARE_D(dtype) (1u << PARE_##dtype)
enum {
    PARE_DTYPES_INT = PARE_D(u8) | PARE_D(s8) | PARE_D(u16) | PARE_D(s16) | PARE_D(s32) | PARE_D(s64) | PARE_D(u32),
    PARE_DTYPES_INDEX = PARE_D(s32) | PARE_D(s64),
    PARE_DTYPES_BYTES = PARE_DTYPES_INT | PARE_D(f32) | PARE_D(f64) | PARE_D(f16) | PARE_D(bf16) | PARE_D(u64) |
                        PARE_D(bool), /* everything but the sub-byte types */
};
_Static_assert(PARE_N_DTYPES <= 31, "a set of dtypes is one int");

/* Input `input` has a dtype of the set and is not quantized: plain numbers. */
pare_status pare_call_plain(const pare_call *call, int input, unsigned set);

/* Inputs first .. last - 1 that are given have one dtype. */
pare_status pare_call_same_dtype(const pare_call *call, int first, int last);

/* Writes dtype and shape of an output without qparams; nothing when it is not wanted. */
void pare_call_out(const pare_call *call, int output, pare_dtype dtype, const pare_shape *shape);

/*
 * For ops with PARE_SELECTS: output `output` has the dtype and qparams of in[first] and this shape. The inputs
 * first .. last - 1 must agree in both; qparams must be per tensor, since an axis would have to move along.
 */
pare_status pare_call_select(const pare_call *call, int output, int first, int last, const pare_shape *shape);

/* -rank .. rank - 1 to 0 .. rank - 1. */
pare_status pare_call_axis(int64_t axis, int rank, int *out);

/* The values of a 0- or 1-D integer input; PARE_ERR_DYNAMIC when not known. A left out input gives n == 0. */
pare_status pare_call_ints(const pare_call *call, int input, const char *what, pare_ints *out);

/* Is input i there? Inputs behind n_in count as left out. */
static inline bool pare_call_has(const pare_call *call, int input)
{
    return input < call->n_in && call->in[input] != NULL;
}

/* Appends a dimension; PARE_ERR_UNSUPPORTED when the rank grows over PARE_MAX_RANK. */
pare_status pare_shape_push(pare_shape *shape, int64_t dim);

/* Each axis at most once: marks those of the list in `marked` [rank]. */
pare_status pare_call_mark_axes(const pare_ints *axes, int rank, bool *marked);

/* Broadcast of all given inputs first .. last - 1. */
pare_status pare_call_broadcast(const pare_call *call, int first, int last, pare_shape *out);

#endif
