/* SPDX-License-Identifier: Apache-2.0 */
/* window.c - sliding windows: output sizes, padding, addresses */
#include "ops/window.h"

#include <string.h>

#include "base/status.h"

/* Taps that a kernel may have beyond the elements of the input: in all of them it sees nothing but padding. */
enum { MOST_BEYOND = 256 };

static bool list_fits(const pare_ints *list, int n)
{
    return list->n == 0 || list->n == n;
}

/* SAME: as many outputs as strides fit into the input, the padding split with the odd one at the end (or begin). */
static void pad_same(pare_window *w, int i, bool lower)
{
    const int64_t reach = (w->kernel[i] - 1) * w->dilation[i] + 1;

    w->out[i] = (w->in[i] + w->stride[i] - 1) / w->stride[i];
    const int64_t total = (w->out[i] - 1) * w->stride[i] + reach - w->in[i];
    const int64_t pad = total > 0 ? total : 0;

    w->before[i] = lower ? (pad + 1) / 2 : pad / 2;
    w->after[i] = pad - w->before[i];
}

static pare_status resolve_axis(const pare_window_attrs *a, pare_window *w, int i)
{
    const int64_t reach = (w->kernel[i] - 1) * w->dilation[i] + 1;

    if (w->kernel[i] < 1 || w->stride[i] < 1 || w->dilation[i] < 1 || w->kernel[i] > 1 << 20 ||
        w->stride[i] > 1 << 20 || w->dilation[i] > 1 << 20 || w->before[i] < 0 || w->after[i] < 0 ||
        w->before[i] > 1 << 20 || w->after[i] > 1 << 20)
        return pare_fail(PARE_ERR_SHAPE, "kernel, strides and dilations must be at least 1, pads at least 0");
    if (w->kernel[i] > w->in[i] + MOST_BEYOND)
        return pare_fail(PARE_ERR_SHAPE, "the kernel has %lld taps along an axis where the input has %lld elements",
                         (long long)w->kernel[i], (long long)w->in[i]);
    if (strncmp(a->auto_pad, "SAME", 4) == 0) {
        pad_same(w, i, strcmp(a->auto_pad, "SAME_LOWER") == 0);
        return PARE_OK;
    }
    const int64_t room = w->in[i] + w->before[i] + w->after[i] - reach;

    if (room < 0)
        return pare_fail(PARE_ERR_SHAPE, "the kernel reaches over %lld elements, the padded input has %lld",
                         (long long)reach, (long long)(room + reach));
    w->out[i] = room / w->stride[i] + 1;
    if (a->ceil_mode && room % w->stride[i] != 0) {
        w->out[i]++;
        /* A window may start in the right padding only where the input proper has not ended before it. */
        if ((w->out[i] - 1) * w->stride[i] >= w->in[i] + w->before[i])
            w->out[i]--;
    }
    return PARE_OK;
}

pare_status pare_window_resolve(const pare_window_attrs *a, const pare_shape *x, const int64_t *kernel, pare_window *w)
{
    const int n = x->rank - 2;

    *w = (pare_window){ .n = n, .taps = 1, .positions = 1 };
    if (n < 1)
        return pare_fail(PARE_ERR_SHAPE, "the input has rank %d, at least 3 (N, C, spatial ...) is needed", x->rank);
    if (!list_fits(&a->kernel_shape, n) || !list_fits(&a->strides, n) || !list_fits(&a->dilations, n) ||
        !list_fits(&a->pads, 2 * n) || (!kernel && a->kernel_shape.n == 0))
        return pare_fail(PARE_ERR_SHAPE, "kernel_shape, strides, dilations or pads do not have %d spatial axes", n);
    for (int i = 0; i < n; i++) {
        w->in[i] = x->dim[i + 2];
        w->kernel[i] = kernel ? kernel[i] : a->kernel_shape.v[i];
        w->stride[i] = a->strides.n ? a->strides.v[i] : 1;
        w->dilation[i] = a->dilations.n ? a->dilations.v[i] : 1;
        w->before[i] = a->pads.n ? a->pads.v[i] : 0;
        w->after[i] = a->pads.n ? a->pads.v[i + n] : 0;
        if (kernel && a->kernel_shape.n && a->kernel_shape.v[i] != kernel[i])
            return pare_fail(PARE_ERR_SHAPE, "kernel_shape and the weights disagree");
        if (strcmp(a->auto_pad, "VALID") == 0)
            w->before[i] = w->after[i] = 0;
        if (w->in[i] < 0) {
            w->out[i] = PARE_DIM_ANY;
            continue;
        }
        PARE_TRY(resolve_axis(a, w, i));
        w->taps *= w->kernel[i];
        w->positions *= w->out[i];
        if (w->taps > 1 << 24)
            return pare_fail(PARE_ERR_SHAPE, "the kernel has over 2^24 taps");
    }
    return PARE_OK;
}

static void coordinates(const int64_t *dims, int n, int64_t i, int64_t *at)
{
    for (int axis = n - 1; axis >= 0; axis--) {
        at[axis] = i % dims[axis];
        i /= dims[axis];
    }
}

void pare_window_position(const pare_window *w, int64_t i, int64_t at[PARE_MAX_SPATIAL])
{
    coordinates(w->out, w->n, i, at);
}

void pare_window_tap(const pare_window *w, int64_t j, int64_t tap[PARE_MAX_SPATIAL])
{
    coordinates(w->kernel, w->n, j, tap);
}

int64_t pare_window_offset(const pare_window *w, const int64_t *at, const int64_t *tap, const int64_t *stride)
{
    int64_t offset = 0;

    for (int i = 0; i < w->n; i++) {
        const int64_t p = at[i] * w->stride[i] - w->before[i] + tap[i] * w->dilation[i];

        if (p < 0 || p >= w->in[i])
            return -1;
        offset += p * stride[i];
    }
    return offset;
}

bool pare_window_as_2d(const pare_window *w, pare_window_2d *out)
{
    if (w->n > 2)
        return false;
    const int  h = 0, x = w->n - 1;
    const bool flat = w->n == 1;

    *out = (pare_window_2d){
        .kh = flat ? 1 : (int)w->kernel[h],
        .kw = (int)w->kernel[x],
        .stride_h = flat ? 1 : (int)w->stride[h],
        .stride_w = (int)w->stride[x],
        .dilation_h = flat ? 1 : (int)w->dilation[h],
        .dilation_w = (int)w->dilation[x],
        .top = flat ? 0 : (int)w->before[h],
        .left = (int)w->before[x],
        .ih = flat ? 1 : (int)w->in[h],
        .iw = (int)w->in[x],
        .oh = flat ? 1 : (int)w->out[h],
        .ow = (int)w->out[x],
    };
    /* What the last window really reaches, which may be less than the padding asked for. */
    const int bottom = (out->oh - 1) * out->stride_h - out->top + (out->kh - 1) * out->dilation_h - (out->ih - 1);
    const int right = (out->ow - 1) * out->stride_w - out->left + (out->kw - 1) * out->dilation_w - (out->iw - 1);

    out->bottom = bottom > 0 ? bottom : 0;
    out->right = right > 0 ? right : 0;
    return true;
}

bool pare_window_fits_memory(const pare_window_2d *w, const pare_tensor *x)
{
    return x->shape.rank >= 3 && x->shape.rank <= 4 && (x->stride[1] == 1 || x->shape.dim[1] == 1) &&
           x->stride[x->shape.rank - 1] >= x->shape.dim[1] && x->halo[0][0] >= w->top && x->halo[0][1] >= w->bottom &&
           x->halo[1][0] >= w->left && x->halo[1][1] >= w->right;
}

void pare_window_strides(const pare_tensor *t, ptrdiff_t *image, ptrdiff_t *row, ptrdiff_t *pixel)
{
    *image = (ptrdiff_t)t->stride[0];
    *pixel = (ptrdiff_t)t->stride[t->shape.rank - 1];
    *row = t->shape.rank == 4 ? (ptrdiff_t)t->stride[2] : *image;
}
