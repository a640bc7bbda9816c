/* SPDX-License-Identifier: Apache-2.0 */
/* calls.c - the common operations as functions */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "nn/record.h"

enum { ATTRS = 512 };

pare_var *pare_apply(pare_record *r, const char *op, int n_in, pare_var *const in[], const char *attrs, ...)
{
    char      text[ATTRS] = "";
    pare_var *out;
    va_list   args;
    int       n = 0;

    if (attrs) {
        va_start(args, attrs);
        n = vsnprintf(text, sizeof(text), attrs, args);
        va_end(args);
    }
    if (n >= ATTRS && r->status == PARE_OK)
        pare_record_fail(r, pare_fail(PARE_ERR_ARG, "%s: attributes of more than %d letters", op, ATTRS - 1));
    pare_op_call(r, op, n_in, in, 1, &out, text);
    return out;
}

pare_var *pare_record_ints(pare_record *r, int n, const int64_t *values)
{
    pare_tensor t = pare_tensor_of(PARE_s64, pare_shape_of(1, (int64_t[]){ n }));

    t.data = (void *)(uintptr_t)values;
    return pare_record_const(r, &t);
}

pare_var *pare_record_float(pare_record *r, float value)
{
    pare_tensor t = pare_tensor_of(PARE_f32, pare_shape_of(0, NULL));

    t.data = &value;
    return pare_record_const(r, &t);
}

static const char *const none = NULL; /* default attributes */

pare_var *pare_unary(pare_record *r, const char *op, pare_var *x)
{
    return pare_apply(r, op, 1, &x, none);
}

pare_var *pare_binary(pare_record *r, const char *op, pare_var *a, pare_var *b)
{
    return pare_apply(r, op, 2, (pare_var *const[]){ a, b }, none);
}

pare_var *pare_relu(pare_record *r, pare_var *x)
{
    return pare_unary(r, "relu", x);
}

pare_var *pare_add(pare_record *r, pare_var *a, pare_var *b)
{
    return pare_binary(r, "add", a, b);
}

pare_var *pare_mul(pare_record *r, pare_var *a, pare_var *b)
{
    return pare_binary(r, "mul", a, b);
}

pare_var *pare_matmul(pare_record *r, pare_var *a, pare_var *b)
{
    return pare_binary(r, "matmul", a, b);
}

pare_var *pare_clip(pare_record *r, pare_var *x, float lo, float hi)
{
    return pare_apply(r, "clip", 3, (pare_var *const[]){ x, pare_record_float(r, lo), pare_record_float(r, hi) }, none);
}

/* ---------------------------------------------------------------------------------------------------------- windows */

/* " name=[1,2]" appended; `twice` writes the list two times in one: pads. Zeros become `zero`. */
static void add_list(char text[ATTRS], const char *name, int n, const int *v, const int *zero, bool twice)
{
    size_t at = strlen(text);

    at += (size_t)snprintf(text + at, ATTRS - at, " %s=[", name);
    for (int i = 0; i < (twice ? 2 * n : n); i++)
        at += (size_t)snprintf(text + at, ATTRS - at, "%s%d", i ? "," : "",
                               v[i % n] ? v[i % n]
                               : zero   ? zero[i % n]
                                        : 0);
    snprintf(text + at, ATTRS - at, "]");
}

static const int ones[3] = { 1, 1, 1 };

/* How many spatial axes x has; 0 after saying that it has none or too many. */
static int spatial(pare_record *r, const char *op, const pare_var *x)
{
    const int n = pare_var_shape(x).rank - 2;

    if (x && n >= 1 && n <= 3)
        return n;
    pare_record_fail(r, pare_fail(PARE_ERR_SHAPE, "%s takes [N,C] and 1 to 3 spatial axes, not %d axes", op, n + 2));
    return 0;
}

pare_var *pare_conv(pare_record *r, pare_var *x, pare_var *weight, pare_var *bias, const pare_window_options *options)
{
    const pare_window_options defaults = { 0 }, *o = options ? options : &defaults;
    const int                 n = spatial(r, "conv", x);
    char                      text[ATTRS] = "";

    if (n == 0)
        return NULL;
    add_list(text, "strides", n, o->stride, ones, false);
    add_list(text, "pads", n, o->padding, NULL, true);
    add_list(text, "dilations", n, o->dilation, ones, false);
    return pare_apply(r, "conv", bias ? 3 : 2, (pare_var *const[]){ x, weight, bias }, "%s group=%d", text,
                      o->groups ? o->groups : 1);
}

static pare_var *pool(pare_record *r, const char *op, pare_var *x, const pare_window_options *o, const char *more)
{
    const int n = spatial(r, op, x);
    char      text[ATTRS] = "";

    if (n == 0)
        return NULL;
    add_list(text, "kernel_shape", n, o->kernel, ones, false);
    add_list(text, "strides", n, o->stride, o->kernel, false);
    add_list(text, "pads", n, o->padding, NULL, true);
    add_list(text, "dilations", n, o->dilation, ones, false);
    return pare_apply(r, op, 1, &x, "%s ceil_mode=%d%s", text, o->ceil_mode, more);
}

pare_var *pare_max_pool(pare_record *r, pare_var *x, const pare_window_options *o)
{
    return pool(r, "max_pool", x, o, "");
}

pare_var *pare_average_pool(pare_record *r, pare_var *x, const pare_window_options *o)
{
    return pool(r, "average_pool", x, o, o->without_padding ? "" : " count_include_pad=1");
}

pare_var *pare_global_average_pool(pare_record *r, pare_var *x)
{
    return pare_unary(r, "global_average_pool", x);
}

/* --------------------------------------------------------------------------------------------------------- matrices */

pare_var *pare_linear(pare_record *r, pare_var *x, pare_var *weight, pare_var *bias)
{
    if (pare_var_shape(x).rank == 2)
        return pare_apply(r, "gemm", bias ? 3 : 2, (pare_var *const[]){ x, weight, bias }, "transB=1");
    pare_var *const y = pare_matmul(r, x, pare_transpose(r, weight, 2, (const int[]){ 1, 0 }));

    return bias ? pare_add(r, y, bias) : y;
}

pare_var *pare_softmax(pare_record *r, pare_var *x, int axis)
{
    return pare_apply(r, "softmax", 1, &x, "axis=%d", axis);
}

/* ------------------------------------------------------------------------------------------------------------ moves */

pare_var *pare_reshape(pare_record *r, pare_var *x, int rank, const int64_t *dims)
{
    return pare_binary(r, "reshape", x, pare_record_ints(r, rank, dims));
}

pare_var *pare_flatten(pare_record *r, pare_var *x, int axis)
{
    return pare_apply(r, "flatten", 1, &x, "axis=%d", axis);
}

pare_var *pare_transpose(pare_record *r, pare_var *x, int rank, const int *perm)
{
    char text[ATTRS] = "";

    add_list(text, "perm", rank, perm, NULL, false);
    return pare_apply(r, "transpose", 1, &x, "%s", text);
}

pare_var *pare_concat(pare_record *r, int n, pare_var *const in[], int axis)
{
    return pare_apply(r, "concat", n, in, "axis=%d", axis);
}

pare_var *pare_slice(pare_record *r, pare_var *x, int axis, int64_t start, int64_t end, int64_t step)
{
    pare_var *const in[] = { x, pare_record_ints(r, 1, &start), pare_record_ints(r, 1, &end),
                             pare_record_ints(r, 1, &(int64_t){ axis }), pare_record_ints(r, 1, &step) };

    return pare_apply(r, "slice", 5, in, none);
}

pare_var *pare_gather(pare_record *r, pare_var *table, pare_var *ids, int axis)
{
    return pare_apply(r, "gather", 2, (pare_var *const[]){ table, ids }, "axis=%d", axis);
}

pare_var *pare_mean(pare_record *r, pare_var *x, int n, const int64_t *axes, bool keep)
{
    return pare_apply(r, "reduce_mean", 2, (pare_var *const[]){ x, pare_record_ints(r, n, axes) }, "keepdims=%d", keep);
}

pare_var *pare_dropout(pare_record *r, pare_var *x, float p)
{
    if (!r->options.training || p <= 0)
        return x;
    return pare_binary(r, "dropout", x, pare_record_float(r, p));
}
