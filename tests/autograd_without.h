/* SPDX-License-Identifier: Apache-2.0 */
/* autograd_without.h - ops that no gradient goes through, by reason (included inside a list by test_autograd.c) */

/* Results are integers, booleans, or do not depend on values. */
"equal", "greater", "greater_or_equal", "less", "less_or_equal", "and", "or", "xor", "is_inf", "is_nan", "not",
    "arg_max", "arg_min", "constant", "constant_of_shape", "eye_like", "one_hot", "range", "shape", "size",

    /* Integer and quantized forms, and what passes make of float graphs after training. */
    "quantize_linear", "dequantize_linear", "dynamic_quantize_linear", "quantize_rows", "norm_rows", "attention",
    "qconv", "qgemm", "qadd", "qmul", "qaverage_pool", "qglobal_average_pool", "lut", "interleave", "conv_integer",
    "qlinear_conv", "matmul_integer", "qlinear_matmul", "dynamic_lstm", "dynamic_gru",

/* Gradients themselves, and statistics of batch norms: nothing flows back through them. */
#define PARE_UNARY_GRAD(name, ...)    #name "_grad",
#define PARE_UNARY_GRAD_OF(name, ...) #name "_grad",
#include "ops/unary_grad.def"
#undef PARE_UNARY_GRAD
#undef PARE_UNARY_GRAD_OF
    "average_pool_grad", "max_pool_grad", "global_average_pool_grad", "global_max_pool_grad", "softmax_grad",
    "log_softmax_grad", "layer_norm_grad", "layer_norm_grad_params", "gather_grad", "slice_grad", "resize_grad",
    "softmax_cross_entropy_grad", "lstm_grad", "gru_grad", "batch_norm_grad", "batch_norm_grad_merge",
    "batch_norm_grad_sums", "channel_sums", "conv_add", "conv_weight_grad", "flip_weights", "image_stats",
    "merge_stats", "spread", "fake_quantize_grad", "bound_scale_grad",

    /* Not needed by any network so far: the remainder's steps, control flow, and the simple recurrent cell. */
    "mod", "if", "rnn",
