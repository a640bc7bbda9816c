/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attr.h - rows of attribute tables, and the attribute structs of the ops that are not convolution, pooling, matrix,
 * normalization, recurrent or quantized ones. A field has the ONNX name of its attribute.
 */
#ifndef PARE_OPS_ATTR_H
#define PARE_OPS_ATTR_H

#include <math.h>

#include "ops/op.h"

#define PARE_ATTR_ROW_INT(type_, field, value)                                                \
    {                                                                                         \
        .name = #field, .type = PARE_ATTR_INT, .offset = offsetof(type_, field), .i = (value) \
    }
#define PARE_ATTR_ROW_FLOAT(type_, field, value)                                                \
    {                                                                                           \
        .name = #field, .type = PARE_ATTR_FLOAT, .offset = offsetof(type_, field), .f = (value) \
    }
#define PARE_ATTR_ROW_STRING(type_, field, value)                                                \
    {                                                                                            \
        .name = #field, .type = PARE_ATTR_STRING, .offset = offsetof(type_, field), .s = (value) \
    }
#define PARE_ATTR_ROW_INTS(type_, field)                                         \
    {                                                                            \
        .name = #field, .type = PARE_ATTR_INTS, .offset = offsetof(type_, field) \
    }
#define PARE_ATTR_ROW_FLOATS(type_, field)                                         \
    {                                                                              \
        .name = #field, .type = PARE_ATTR_FLOATS, .offset = offsetof(type_, field) \
    }
#define PARE_ATTR_ROW_STRINGS(type_, field)                                         \
    {                                                                               \
        .name = #field, .type = PARE_ATTR_STRINGS, .offset = offsetof(type_, field) \
    }
#define PARE_ATTR_ROW_DTYPE(type_, field, value)                                                \
    {                                                                                           \
        .name = #field, .type = PARE_ATTR_DTYPE, .offset = offsetof(type_, field), .i = (value) \
    }
#define PARE_ATTR_ROW_TENSOR(type_, field)                                         \
    {                                                                              \
        .name = #field, .type = PARE_ATTR_TENSOR, .offset = offsetof(type_, field) \
    }
#define PARE_ATTR_ROW_GRAPH(type_, field)                                         \
    {                                                                             \
        .name = #field, .type = PARE_ATTR_GRAPH, .offset = offsetof(type_, field) \
    }

/* The two rows of an op with PARE_CAN_CLAMP, whose struct has float clamp_lo, clamp_hi. They are ours, not ONNX's. */
#define PARE_ATTR_ROW_CLAMP(type_, field, value)                                                                  \
    {                                                                                                             \
        .name = #field, .type = PARE_ATTR_FLOAT, .offset = offsetof(type_, field), .f = (value), .internal = true \
    }
#define PARE_ATTR_ROWS_CLAMP(type_) \
    PARE_ATTR_ROW_CLAMP(type_, clamp_lo, -INFINITY), PARE_ATTR_ROW_CLAMP(type_, clamp_hi, INFINITY)
#define PARE_ATTR_END \
    {                 \
        .name = NULL  \
    }

/* Every op of unary.def; each table names only the fields that the formula reads. */
typedef struct pare_unary_attrs {
    float alpha; /* the first parameter of the function ... */
    union {
        float beta, gamma; /* ... and the second, by either name */
    };
    const char *approximate; /* gelu: "none" or "tanh" */
} pare_unary_attrs;

/* Every op of binary.def. */
typedef struct pare_binary_attrs {
    float clamp_lo, clamp_hi;
} pare_binary_attrs;

/* Ops with nothing but an axis: concat, flatten, gather, gather_elements, one_hot ... */
typedef struct pare_axis_attrs {
    int64_t axis;
} pare_axis_attrs;

typedef struct pare_arg_attrs {
    int64_t axis, keepdims, select_last_index;
} pare_arg_attrs;

typedef struct pare_cast_attrs {
    pare_dtype to;
    int64_t    saturate;
} pare_cast_attrs;

/* constant, constant_of_shape. */
typedef struct pare_value_attrs {
    const pare_tensor *value;
} pare_value_attrs;

typedef struct pare_cum_sum_attrs {
    int64_t exclusive, reverse;
} pare_cum_sum_attrs;

typedef struct pare_depth_to_space_attrs {
    int64_t     blocksize;
    const char *mode; /* depth_to_space only: "DCR" or "CRD" */
} pare_depth_to_space_attrs;

typedef struct pare_dropout_attrs {
    int64_t seed;
} pare_dropout_attrs;

typedef struct pare_eye_like_attrs {
    pare_dtype dtype; /* PARE_NO_DTYPE: the input's */
    int64_t    k;
} pare_eye_like_attrs;

typedef struct pare_gather_nd_attrs {
    int64_t batch_dims;
} pare_gather_nd_attrs;

typedef struct pare_if_attrs {
    struct pare_graph *then_branch, *else_branch;
} pare_if_attrs;

typedef struct pare_is_inf_attrs {
    int64_t detect_negative, detect_positive;
} pare_is_inf_attrs;

typedef struct pare_mod_attrs {
    int64_t fmod;
} pare_mod_attrs;

typedef struct pare_pad_attrs {
    const char *mode; /* "constant", "reflect", "edge", "wrap" */
} pare_pad_attrs;

typedef struct pare_reduce_attrs {
    int64_t keepdims, noop_with_empty_axes;
} pare_reduce_attrs;

typedef struct pare_reshape_attrs {
    int64_t allowzero;
} pare_reshape_attrs;

typedef struct pare_resize_attrs {
    int64_t     antialias, exclude_outside;
    pare_ints   axes;
    const char *coordinate_transformation_mode, *keep_aspect_ratio_policy, *mode, *nearest_mode;
    float       cubic_coeff_a, extrapolation_value;
} pare_resize_attrs;

typedef struct pare_scatter_attrs {
    int64_t     axis; /* scatter_elements only */
    const char *reduction;
} pare_scatter_attrs;

typedef struct pare_shape_attrs {
    int64_t start, end;
} pare_shape_attrs;

typedef struct pare_split_attrs {
    int64_t axis, num_outputs;
} pare_split_attrs;

typedef struct pare_top_k_attrs {
    int64_t axis, largest, sorted;
} pare_top_k_attrs;

typedef struct pare_transpose_attrs {
    pare_ints perm;
} pare_transpose_attrs;

typedef struct pare_trilu_attrs {
    int64_t upper;
} pare_trilu_attrs;

#endif
