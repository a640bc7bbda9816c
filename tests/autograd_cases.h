/* SPDX-License-Identifier: Apache-2.0 */
/* autograd_cases.h - small graphs whose gradients test_autograd.c checks: at least one for every rule */
#ifndef PARE_TESTS_AUTOGRAD_CASES_H
#define PARE_TESTS_AUTOGRAD_CASES_H

/*
 * `ir` computes outputs from float inputs, whose elements are distinct multiples of 0.1, moved by 0.05 and from input to
 * input by 0.025: none is nearer than that to 0, to another element, or to a kink at a multiple of 0.1. They lie around
 * 0, or with `positive` above it.
 */
typedef struct grad_case {
    const char *op, *ir;
    int         positive;
} grad_case;

#define X23 "%x = input f32[2,3]\n"
#define AB  "%a = input f32[2,3]\n%b = input f32[2,3]\n"

static const grad_case cases[] = {
    { "relu", X23 "%y = relu(%x)\nreturn %y", 0 },
    { "sigmoid", X23 "%y = sigmoid(%x)\nreturn %y", 0 },
    { "tanh", X23 "%y = tanh(%x)\nreturn %y", 0 },
    { "exp", X23 "%y = exp(%x)\nreturn %y", 0 },
    { "sqrt", X23 "%y = sqrt(%x)\nreturn %y", 1 },
    { "reciprocal", X23 "%y = reciprocal(%x)\nreturn %y", 1 },
    { "log", X23 "%y = log(%x)\nreturn %y", 1 },
    { "erf", "%x = input f32[20]\n%y = erf(%x)\nreturn %y", 0 },
    { "sin", "%x = input f32[40]\n%y = sin(%x)\nreturn %y", 0 },
    { "cos", "%x = input f32[40]\n%y = cos(%x)\nreturn %y", 0 },
    { "abs", X23 "%y = abs(%x)\nreturn %y", 0 },
    { "neg", X23 "%y = neg(%x)\nreturn %y", 0 },
    { "softplus", "%x = input f32[30]\n%y = softplus(%x)\nreturn %y", 0 },
    { "softsign", "%x = input f32[30]\n%y = softsign(%x)\nreturn %y", 0 },
    { "mish", "%x = input f32[60]\n%y = mish(%x)\nreturn %y", 0 },
    { "elu", "%x = input f32[30]\n%y = elu(%x) alpha=0.7\nreturn %y", 0 },
    { "celu", "%x = input f32[30]\n%y = celu(%x) alpha=0.7\nreturn %y", 0 },
    { "selu", "%x = input f32[30]\n%y = selu(%x)\nreturn %y", 0 },
    { "leaky_relu", "%x = input f32[30]\n%y = leaky_relu(%x) alpha=0.2\nreturn %y", 0 },
    { "thresholded_relu", "%x = input f32[30]\n%y = thresholded_relu(%x) alpha=1\nreturn %y", 0 },
    { "hard_sigmoid", "%x = input f32[70]\n%y = hard_sigmoid(%x)\nreturn %y", 0 },
    { "hard_swish", "%x = input f32[80]\n%y = hard_swish(%x)\nreturn %y", 0 },
    { "gelu", "%x = input f32[60]\n%y = gelu(%x)\nreturn %y", 0 },
    { "gelu", "%x = input f32[60]\n%y = gelu(%x) approximate=\"tanh\"\nreturn %y", 0 },
    { "floor",
      X23 "%a = floor(%x)\n%b = ceil(%x)\n%c = round(%x)\n%d = sign(%x)\n"
          "%y = sum(%a, %b, %c, %d, %x)\nreturn %y",
      0 },

    { "add", AB "%y = add(%a, %b)\nreturn %y", 0 },
    { "add", "%a = input f32[2,3,4]\n%b = input f32[3,1]\n%y = add(%a, %b)\nreturn %y", 0 },
    { "add", "%a = input f32[2,1,4]\n%b = input f32[1,3,1]\n%y = add(%a, %b) clamp_lo=0\nreturn %y", 0 },
    { "add", X23 "%y = add(%x, %x)\nreturn %y", 0 },
    { "sub", "%a = input f32[2,3]\n%b = input f32[3]\n%y = sub(%a, %b) clamp_lo=-0.4 clamp_hi=0.4\nreturn %y", 0 },
    { "mul", "%a = input f32[2,3]\n%b = input f32[]\n%y = mul(%a, %b)\nreturn %y", 0 },
    { "mul", X23 "%y = mul(%x, %x)\nreturn %y", 0 },
    { "div", "%a = input f32[4,3]\n%b = input f32[4,1]\n%y = div(%a, %b)\nreturn %y", 1 },
    { "sum", "%a = input f32[2,3]\n%b = input f32[3]\n%c = input f32[]\n%y = sum(%a, %b, %c)\nreturn %y", 0 },

    { "identity", X23 "%y = identity(%x)\n%z = mul(%y, %y)\nreturn %z, %y", 0 },
    { "reshape", X23 "@s = const s64[2] {3,-1}\n%y = reshape(%x, @s)\nreturn %y", 0 },
    { "flatten", "%x = input f32[2,3,2]\n%y = flatten(%x)\nreturn %y", 0 },
    { "squeeze", "%x = input f32[2,1,3]\n@s = const s64[1] {1}\n%y = squeeze(%x, @s)\nreturn %y", 0 },
    { "unsqueeze", X23 "@s = const s64[2] {0,2}\n%y = unsqueeze(%x, @s)\nreturn %y", 0 },
    { "transpose", "%x = input f32[2,3,4]\n%y = transpose(%x) perm=[2,0,1]\nreturn %y", 0 },
    { "transpose", "%x = input f32[2,3,4]\n%y = transpose(%x)\nreturn %y", 0 },

    { "gemm", "%a = input f32[3,4]\n%b = input f32[4,5]\n%c = input f32[5]\n%y = gemm(%a, %b, %c)\nreturn %y", 0 },
    { "gemm",
      "%a = input f32[4,3]\n%b = input f32[5,4]\n%c = input f32[3,1]\n"
      "%y = gemm(%a, %b, %c) transA=1 transB=1 alpha=0.5 beta=2\nreturn %y",
      0 },
    { "gemm", "%a = input f32[4,3]\n%b = input f32[4,5]\n%y = gemm(%a, %b) transA=1 clamp_lo=0\nreturn %y", 0 },
    { "gemm", "%a = input f32[3,4]\n%b = input f32[5,4]\n%y = gemm(%a, %b) transB=1\nreturn %y", 0 },
    { "matmul", "%a = input f32[3,4]\n%b = input f32[4,2]\n%y = matmul(%a, %b)\nreturn %y", 0 },
    { "matmul", "%a = input f32[2,3,4]\n%b = input f32[4,2]\n%y = matmul(%a, %b)\nreturn %y", 0 },
    { "matmul", "%a = input f32[2,1,3,4]\n%b = input f32[3,4,2]\n%y = matmul(%a, %b)\nreturn %y", 0 },
    { "matmul", "%a = input f32[4]\n%b = input f32[4,2]\n%y = matmul(%a, %b)\nreturn %y", 0 },
    { "matmul", "%a = input f32[2,3,4]\n%b = input f32[4]\n%y = matmul(%a, %b)\nreturn %y", 0 },
    { "matmul", "%a = input f32[4]\n%b = input f32[4]\n%y = matmul(%a, %b)\nreturn %y", 0 },

    { "reduce_sum", "%x = input f32[2,3,4]\n@a = const s64[2] {0,-1}\n%y = reduce_sum(%x, @a) keepdims=0\nreturn %y",
      0 },
    { "reduce_sum", "%x = input f32[2,3,4]\n%y = reduce_sum(%x)\nreturn %y", 0 },
    { "reduce_sum", "%x = input f32[2,3,4]\n%y = reduce_sum(%x) keepdims=0\nreturn %y", 0 },
    { "reduce_mean", "%x = input f32[2,3,4]\n@a = const s64[1] {1}\n%y = reduce_mean(%x, @a) keepdims=0\nreturn %y",
      0 },
    { "reduce_mean", "%x = input f32[2,3,4]\n@a = const s64[2] {1,2}\n%y = reduce_mean(%x, @a)\nreturn %y", 0 },

    { "softmax_cross_entropy",
      "%x = input f32[3,5]\n@t = const s64[3] {4,0,2}\n%l, %p = softmax_cross_entropy(%x, @t)\nreturn %l", 0 },
    { "softmax_cross_entropy",
      "%x = input f32[3,5]\n@t = const s64[3] {4,0,2}\n"
      "%l, %p = softmax_cross_entropy(%x, @t) label_smoothing=0.1\nreturn %l",
      0 },
    { "softmax_cross_entropy",
      "%x = input f32[2,3]\n@t = const f32[2,3] {0.5,0.25,0.25,0,0.9,0.4}\n"
      "%l, %p = softmax_cross_entropy(%x, @t)\nreturn %l",
      0 },

    { "average_pool",
      "%x = input f32[1,2,5,4]\n"
      "%y = average_pool(%x) kernel_shape=[3,2] strides=[2,1] pads=[1,0,1,1]\nreturn %y",
      0 },
    { "average_pool",
      "%x = input f32[2,2,7]\n%y = average_pool(%x) kernel_shape=[2] strides=[2] ceil_mode=1 "
      "count_include_pad=1\nreturn %y",
      0 },
    { "max_pool",
      "%x = input f32[1,2,5,4]\n"
      "%y = max_pool(%x) kernel_shape=[3,2] strides=[2,1] pads=[1,0,1,1]\nreturn %y",
      0 },
    { "max_pool", "%x = input f32[2,2,7]\n%y = max_pool(%x) kernel_shape=[2] strides=[2] ceil_mode=1\nreturn %y", 0 },
    { "max_pool", "%x = input f32[1,1,5,5]\n%y = max_pool(%x) kernel_shape=[2,2] dilations=[2,2]\nreturn %y", 0 },
    { "global_average_pool", "%x = input f32[2,3,2,2]\n%y = global_average_pool(%x)\nreturn %y", 0 },

    { "batch_normalization",
      "%x = input f32[3,2,2]\n%s = input f32[2]\n%b = input f32[2]\n%p = image_stats(%x)\n"
      "%m, %v = merge_stats(%p) count=2\n%y = batch_normalization(%x, %s, %b, %m, %v)\nreturn %y",
      0 },
    { "batch_normalization",
      "%x = input f32[3,2,2]\n%s = input f32[2]\n%b = input f32[2]\n@m = const f32[2] {0.5,-1}\n"
      "@v = const f32[2] {2,0.5}\n%y = batch_normalization(%x, %s, %b, @m, @v) epsilon=0.01\nreturn %y",
      0 },

    { "conv",
      "%x = input f32[2,2,4,3]\n%w = input f32[3,2,3,3]\n%b = input f32[3]\n"
      "%y = conv(%x, %w, %b) pads=[1,1,1,1]\nreturn %y",
      0 },
    { "conv",
      "%x = input f32[1,2,5,6]\n%w = input f32[2,2,3,2]\n"
      "%y = conv(%x, %w) strides=[2,3] pads=[1,0,1,1]\nreturn %y",
      0 },
    { "conv", "%x = input f32[2,4,7]\n%w = input f32[4,2,3]\n%y = conv(%x, %w) group=2 dilations=[2]\nreturn %y", 0 },
    { "conv",
      "%x = input f32[1,3,4,4]\n%w = input f32[3,1,3,3]\n"
      "%y = conv(%x, %w) group=3 pads=[1,0,2,1]\nreturn %y",
      0 },
    { "conv",
      "%x = input f32[1,2,4,4]\n%w = input f32[2,2,1,1]\n%y = conv(%x, %w) strides=[2,2] "
      "pads=[0,3,0,0]\nreturn %y",
      0 },
    { "conv", "%x = input f32[1,1,2,3,3]\n%w = input f32[2,1,2,2,2]\n%y = conv(%x, %w)\nreturn %y", 0 },
    { "conv", "%x = input f32[1,2,3,3]\n%w = input f32[2,2,2,2]\n%y = conv(%x, %w) pads=[2,1,0,2]\nreturn %y", 0 },
    { "conv",
      "%x = input f32[1,4,5,6]\n%w = input f32[4,1,3,3]\n%y = conv(%x, %w) strides=[2,2] pads=[1,1,1,1] "
      "group=4\nreturn %y",
      0 },
    { "conv_transpose",
      "%x = input f32[1,2,3,2]\n%w = input f32[2,2,3,3]\n%b = input f32[2]\n"
      "%y = conv_transpose(%x, %w, %b) strides=[2,2] pads=[1,1,1,1] output_padding=[1,0]\nreturn %y",
      0 },
    { "conv_transpose",
      "%x = input f32[2,4,4]\n%w = input f32[4,1,2]\n"
      "%y = conv_transpose(%x, %w) group=2 dilations=[3]\nreturn %y",
      0 },

    { "max", "%a = input f32[2,3]\n%b = input f32[3]\n%c = input f32[]\n%y = max(%a, %b, %c)\nreturn %y", 0 },
    { "min", "%a = input f32[2,3]\n%b = input f32[2,1]\n%y = min(%a, %b)\nreturn %y", 0 },
    { "mean", "%a = input f32[2,3]\n%b = input f32[3]\n%c = input f32[]\n%y = mean(%a, %b, %c)\nreturn %y", 0 },
    { "clip", "%x = input f32[20]\n@l = const f32 {-0.5}\n@h = const f32 {0.5}\n%y = clip(%x, @l, @h)\nreturn %y", 0 },
    { "clip", "%x = input f32[20]\n@h = const f32 {0.5}\n%y = clip(%x, ?, @h)\nreturn %y", 0 },
    { "where",
      "%a = input f32[2,3]\n%b = input f32[3]\n@z = const f32 {0}\n%c = greater(%a, @z)\n"
      "%y = where(%c, %a, %b)\nreturn %y",
      0 },
    { "prelu", "%x = input f32[2,3,4]\n%s = input f32[3,1]\n%y = prelu(%x, %s)\nreturn %y", 0 },
    { "pow", "%a = input f32[2,3]\n%b = input f32[3]\n%y = pow(%a, %b)\nreturn %y", 1 },
    { "pow", "%a = input f32[2,3]\n@b = const f32 {2}\n%y = pow(%a, @b)\nreturn %y", 0 },

    { "cast", X23 "%y = cast(%x) to=f32\nreturn %y", 0 },
    { "dropout", X23 "%y = dropout(%x)\nreturn %y", 0 },
    { "dropout_mask", X23 "@s = const s64 {9}\n%m = dropout_mask(@s, %x)\n%y = mul(%x, %m)\nreturn %y", 0 },
    { "concat", "%a = input f32[2,3]\n%b = input f32[2,1]\n%y = concat(%a, %b, %a) axis=-1\nreturn %y", 0 },
    { "split",
      "%x = input f32[2,5]\n@s = const s64[3] {1,2,2}\n%a, %b, %c = split(%x, @s) axis=1\n"
      "%d = mul(%a, %a)\nreturn %d, %c",
      0 },
    { "slice",
      "%x = input f32[4,7]\n@s = const s64[2] {-1,1}\n@e = const s64[2] {-100,6}\n@a = const s64[2] {1,0}\n"
      "@p = const s64[2] {-2,1}\n%y = slice(%x, @s, @e, @a, @p)\nreturn %y",
      0 },
    { "slice",
      "%x = input f32[4,3]\n@s = const s64[1] {1}\n@e = const s64[1] {9}\n"
      "%y = slice(%x, @s, @e)\nreturn %y",
      0 },
    { "pad", "%x = input f32[2,3,4]\n@p = const s64[6] {0,1,-1,1,0,2}\n%y = pad(%x, @p)\nreturn %y", 0 },
    { "pad",
      "%x = input f32[2,3]\n@p = const s64[2] {2,1}\n@v = const f32 {3}\n@a = const s64[1] {1}\n"
      "%y = pad(%x, @p, @v, @a)\nreturn %y",
      0 },
    { "pad", "%x = input f32[2,3,4]\n@p = const s64[6] {0,2,-1,0,5,3}\n%y = pad(%x, @p) mode=\"reflect\"\nreturn %y",
      0 },
    { "pad", "%x = input f32[2,3]\n@p = const s64[4] {1,2,0,1}\n%y = pad(%x, @p) mode=\"edge\"\nreturn %y", 0 },
    { "pad",
      "%x = input f32[2,3]\n@p = const s64[2] {4,1}\n@a = const s64[1] {1}\n"
      "%y = pad(%x, @p, ?, @a) mode=\"wrap\"\nreturn %y",
      0 },
    { "expand", "%x = input f32[3,1]\n@s = const s64[3] {2,1,4}\n%y = expand(%x, @s)\nreturn %y", 0 },
    { "tile", "%x = input f32[2,3]\n@r = const s64[2] {3,2}\n%y = tile(%x, @r)\nreturn %y", 0 },
    { "trilu", "%x = input f32[2,3,4]\n@k = const s64 {1}\n%y = trilu(%x, @k) upper=0\nreturn %y", 0 },
    { "cum_sum", "%x = input f32[2,4]\n@a = const s64 {1}\n%y = cum_sum(%x, @a)\nreturn %y", 0 },
    { "cum_sum", "%x = input f32[2,4]\n@a = const s64 {1}\n%y = cum_sum(%x, @a) reverse=1 exclusive=1\nreturn %y", 0 },
    { "space_to_depth", "%x = input f32[1,2,4,6]\n%y = space_to_depth(%x) blocksize=2\nreturn %y", 0 },
    { "depth_to_space", "%x = input f32[1,8,2,3]\n%y = depth_to_space(%x) blocksize=2\nreturn %y", 0 },
    { "depth_to_space", "%x = input f32[1,8,2,3]\n%y = depth_to_space(%x) blocksize=2 mode=\"CRD\"\nreturn %y", 0 },

    { "gather", "%x = input f32[5,3]\n@i = const s64[2,2] {1,-1,1,0}\n%y = gather(%x, @i)\nreturn %y", 0 },
    { "gather", "%x = input f32[2,3,2]\n@i = const s64 {2}\n%y = gather(%x, @i) axis=1\nreturn %y", 0 },
    { "gather_elements",
      "%x = input f32[2,3]\n@i = const s64[2,2] {1,1,2,-3}\n"
      "%y = gather_elements(%x, @i) axis=1\nreturn %y",
      0 },
    { "gather_nd", "%x = input f32[2,3]\n@i = const s64[3,1] {1,0,1}\n%y = gather_nd(%x, @i)\nreturn %y", 0 },
    { "top_k", "%x = input f32[3,5]\n@k = const s64[1] {2}\n%y, %i = top_k(%x, @k)\nreturn %y", 0 },
    { "scatter_elements",
      "%x = input f32[2,3]\n%u = input f32[2,1]\n@i = const s64[2,1] {1,2}\n"
      "%y = scatter_elements(%x, @i, %u) axis=1\nreturn %y",
      0 },
    { "scatter_nd",
      "%x = input f32[4,2]\n%u = input f32[2,2]\n@i = const s64[2,1] {3,0}\n"
      "%y = scatter_nd(%x, @i, %u)\nreturn %y",
      0 },

    { "reduce_sum_square", "%x = input f32[2,3]\n@a = const s64[1] {0}\n%y = reduce_sum_square(%x, @a)\nreturn %y", 0 },
    { "reduce_l1", "%x = input f32[2,3]\n@a = const s64[1] {0}\n%y = reduce_l1(%x, @a) keepdims=0\nreturn %y", 0 },
    { "reduce_l2", "%x = input f32[2,3]\n@a = const s64[1] {1}\n%y = reduce_l2(%x, @a) keepdims=0\nreturn %y", 0 },
    { "reduce_log_sum", "%x = input f32[2,3]\n%y = reduce_log_sum(%x)\nreturn %y", 1 },
    { "reduce_log_sum_exp", "%x = input f32[2,3]\n@a = const s64[1] {1}\n%y = reduce_log_sum_exp(%x, @a)\nreturn %y",
      0 },
    { "reduce_prod", "%x = input f32[2,3]\n@a = const s64[1] {1}\n%y = reduce_prod(%x, @a)\nreturn %y", 0 },
    { "reduce_max", "%x = input f32[2,3,4]\n@a = const s64[2] {0,2}\n%y = reduce_max(%x, @a)\nreturn %y", 0 },
    { "reduce_min", "%x = input f32[2,3,4]\n@a = const s64[1] {1}\n%y = reduce_min(%x, @a) keepdims=0\nreturn %y", 0 },

    { "global_max_pool", "%x = input f32[2,3,2,3]\n%y = global_max_pool(%x)\nreturn %y", 0 },
    { "resize", "%x = input f32[1,2,3,2]\n@s = const f32[4] {1,1,2,2}\n%y = resize(%x, ?, @s)\nreturn %y", 0 },
    { "resize",
      "%x = input f32[1,2,3,4]\n@s = const s64[4] {1,2,5,7}\n%y = resize(%x, ?, ?, @s) mode=\"linear\"\nreturn %y", 0 },
    { "resize",
      "%x = input f32[1,1,4,4]\n@s = const s64[2] {7,3}\n%y = resize(%x, ?, ?, @s) mode=\"cubic\" axes=[2,3] "
      "coordinate_transformation_mode=\"align_corners\"\nreturn %y",
      0 },

    { "softmax", "%x = input f32[2,3,4]\n%y = softmax(%x) axis=1\nreturn %y", 0 },
    { "softmax", "%x = input f32[2,20]\n%y = softmax(%x)\nreturn %y", 0 },
    { "log_softmax", "%x = input f32[3,5]\n%y = log_softmax(%x)\nreturn %y", 0 },
    { "log_softmax", "%x = input f32[3,5]\n%y = log_softmax(%x) axis=0\nreturn %y", 0 },
    { "layer_normalization",
      "%x = input f32[2,2,5]\n%s = input f32[5]\n%b = input f32[5]\n"
      "%y = layer_normalization(%x, %s, %b)\nreturn %y",
      0 },
    { "layer_normalization",
      "%x = input f32[3,2,4]\n%s = input f32[1,4]\n"
      "%y = layer_normalization(%x, %s) axis=1 epsilon=0.1\nreturn %y",
      0 },
    { "group_normalization",
      "%x = input f32[2,4,3]\n%s = input f32[4]\n%b = input f32[4]\n"
      "%y = group_normalization(%x, %s, %b) num_groups=2\nreturn %y",
      0 },
    { "instance_normalization",
      "%x = input f32[2,2,2,3]\n%s = input f32[2]\n%b = input f32[2]\n"
      "%y = instance_normalization(%x, %s, %b) epsilon=0.01\nreturn %y",
      0 },
    { "lp_normalization", X23 "%y = lp_normalization(%x)\nreturn %y", 0 },
    { "lp_normalization", X23 "%y = lp_normalization(%x) p=1 axis=0\nreturn %y", 0 },

    { "lstm",
      "%x = input f32[3,2,2]\n%w = input f32[1,8,2]\n%r = input f32[1,8,2]\n%b = input f32[1,16]\n"
      "%h = input f32[1,2,2]\n%c = input f32[1,2,2]\n"
      "%y, %yh, %yc = lstm(%x, %w, %r, %b, ?, %h, %c)\nreturn %y, %yh, %yc",
      0 },
    { "lstm",
      "%x = input f32[4,3,2]\n%w = input f32[1,8,2]\n%r = input f32[1,8,2]\n@n = const s32[3] {4,2,0}\n"
      "%y, ?, %yc = lstm(%x, %w, %r, ?, @n) direction=\"reverse\"\nreturn %y, %yc",
      0 },
    { "lstm",
      "%x = input f32[3,2,2]\n%w = input f32[2,4,2]\n%r = input f32[2,4,1]\n%b = input f32[2,8]\n"
      "@n = const s32[2] {3,1}\n"
      "%y, %yh = lstm(%x, %w, %r, %b, @n) direction=\"bidirectional\"\nreturn %yh",
      0 },
    { "gru",
      "%x = input f32[3,2,2]\n%w = input f32[1,6,2]\n%r = input f32[1,6,2]\n%b = input f32[1,12]\n"
      "%h = input f32[1,2,2]\n"
      "%y, %yh = gru(%x, %w, %r, %b, ?, %h) linear_before_reset=1\nreturn %y, %yh",
      0 },
    { "gru",
      "%x = input f32[3,2,2]\n%w = input f32[2,3,2]\n%r = input f32[2,3,1]\n%b = input f32[2,6]\n"
      "@n = const s32[2] {3,1}\n%y = gru(%x, %w, %r, %b, @n) direction=\"bidirectional\" "
      "linear_before_reset=1\nreturn %y",
      0 },
};

#endif
