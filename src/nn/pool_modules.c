/* SPDX-License-Identifier: Apache-2.0 */
/* pool_modules.c - pools, and enlarging */
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "nn/module.h"

/* As many spatial axes as x has. */
static pare_window_options window(const pare_module *m, const pare_var *x, bool dilated)
{
    const int           n = pare_var_shape(x).rank - 2;
    pare_window_options o = { .ceil_mode = pare_module_int(m, "ceil") != 0 };

    if (n < 1 || n > 3)
        return o; /* the call refuses it */
    pare_module_ints(m, "kernel", n, o.kernel);
    pare_module_ints(m, "stride", n, o.stride);
    pare_module_ints(m, "padding", n, o.padding);
    if (dilated)
        pare_module_ints(m, "dilation", n, o.dilation);
    return o;
}

static void forward_max(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                        pare_var *out[])
{
    const pare_window_options o = window(m, in[0], true);

    (void)n_in, (void)n_out;
    out[0] = pare_max_pool(r, in[0], &o);
}

const pare_module_kind pare_module_kind_max_pool = {
    .name = "max_pool",
    .about = "the largest of each window; stride 0 is the kernel's size",
    .settings = "kernel= stride=0 padding=0 dilation=1 ceil=0",
    .forward = forward_max,
};

static void forward_average(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                            pare_var *out[])
{
    pare_window_options o = window(m, in[0], false);

    (void)n_in, (void)n_out;
    o.without_padding = pare_module_int(m, "count_padding") == 0;
    out[0] = pare_average_pool(r, in[0], &o);
}

const pare_module_kind pare_module_kind_average_pool = {
    .name = "average_pool",
    .about = "the mean of each window; stride 0 is the kernel's size",
    .settings = "kernel= stride=0 padding=0 ceil=0 count_padding=1",
    .forward = forward_average,
};

/* --------------------------------------------------------------------------------------------------------- adaptive */

/* [in, out]: what every element of an axis counts in the mean of window o, floor(o*in/out) .. ceil((o+1)*in/out). */
static pare_var *shares(pare_record *r, int64_t in, int64_t out)
{
    pare_tensor t = pare_tensor_of(PARE_f32, pare_shape_of(2, (int64_t[]){ in, out }));

    if (pare_tensor_alloc(&t) != PARE_OK) {
        pare_record_fail(r, PARE_ERR_MEMORY);
        return NULL;
    }
    for (int64_t o = 0; o < out; o++) {
        const int64_t begin = o * in / out, end = ((o + 1) * in + out - 1) / out;

        for (int64_t i = begin; i < end; i++)
            ((float *)t.data)[i * out + o] = 1.0f / (float)(end - begin);
    }
    pare_var *const v = pare_record_const(r, &t);

    pare_tensor_release(&t);
    return v;
}

/* Windows of unequal sizes are products with matrices, one axis after the other: [N,C,H,W] x [W,w], then x [H,h]. */
static pare_var *by_products(pare_record *r, pare_var *x, const int size[2])
{
    static const int swap[] = { 0, 1, 3, 2 };
    const pare_shape s = pare_var_shape(x);

    if (s.rank != 4 || s.dim[2] < 1 || s.dim[3] < 1) {
        pare_record_fail(r, pare_fail(PARE_ERR_SHAPE, "adaptive_average_pool takes [N,C,H,W] of a known H and W here"));
        return NULL;
    }
    x = pare_matmul(r, x, shares(r, s.dim[3], size[1]));
    x = pare_transpose(r, x, 4, swap);
    x = pare_matmul(r, x, shares(r, s.dim[2], size[0]));
    return pare_transpose(r, x, 4, swap);
}

static void forward_adaptive(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                             pare_var *out[])
{
    const pare_shape    s = pare_var_shape(in[0]);
    const int           n = s.rank - 2;
    int                 size[3] = { 0 };
    bool                one = true, even = true;
    pare_window_options o = { 0 };

    (void)n_in, (void)n_out;
    if (n >= 1 && n <= 3)
        pare_module_ints(m, "size", n, size);
    for (int i = 0; i < n && i < 3; i++) {
        if (size[i] < 1) {
            pare_record_fail(r, pare_fail(PARE_ERR_ARG, "adaptive_average_pool: a size is below 1"));
            return;
        }
        one &= size[i] == 1;
        even &= s.dim[2 + i] > 0 && s.dim[2 + i] % size[i] == 0;
        o.kernel[i] = (int)(s.dim[2 + i] / size[i]);
    }
    out[0] = one    ? pare_global_average_pool(r, in[0])
             : even ? pare_average_pool(r, in[0], &o)
                    : by_products(r, in[0], size);
}

const pare_module_kind pare_module_kind_adaptive_average_pool = {
    .name = "adaptive_average_pool",
    .about = "means over windows that give the size asked for",
    .settings = "size=1",
    .forward = forward_adaptive,
};

/* -------------------------------------------------------------------------------------------------------- enlarging */

static void forward_upsample(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                             pare_var *out[])
{
    const pare_shape  s = pare_var_shape(in[0]);
    const char *const mode = pare_module_word(m, "mode");
    const bool        nearest = strcmp(mode, "nearest") == 0;
    float             scale[PARE_MAX_RANK] = { 1, 1 };
    pare_tensor       t = pare_tensor_of(PARE_f32, pare_shape_of(1, (int64_t[]){ s.rank }));

    (void)n_in, (void)n_out;
    for (int i = 2; i < s.rank; i++)
        scale[i] = pare_module_real(m, "scale");
    t.data = scale;
    pare_var *const all[] = { in[0], NULL, pare_record_const(r, &t) };

    out[0] = pare_apply(r, "resize", 3, all, "mode=\"%s\"%s", nearest ? mode : "linear",
                        nearest ? " coordinate_transformation_mode=\"asymmetric\" nearest_mode=\"floor\"" : "");
}

const pare_module_kind pare_module_kind_upsample = {
    .name = "upsample",
    .about = "spatial axes times `scale`; mode nearest or linear (align_corners off)",
    .settings = "scale=2 mode=nearest",
    .forward = forward_upsample,
};
