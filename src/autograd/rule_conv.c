/* SPDX-License-Identifier: Apache-2.0 */
/* rule_conv.c - gradients of convolutions, plain and transposed */
#include <stdio.h>
#include <string.h>

#include "autograd/rules.h"
#include "ops/conv_transpose.h"

enum { TEXT = 768 };

/* Pads and other lists as text, from what the window resolves to. */
typedef struct lists {
    int64_t pads[2 * PARE_MAX_SPATIAL], extra[PARE_MAX_SPATIAL];
} lists;

/* kernel, strides and dilations of `w`, these pads, and the group: the attributes of a convolution. */
static void write_window(char text[TEXT], const pare_window *w, bool with_kernel, const int64_t *pads, int64_t group)
{
    snprintf(text, TEXT, "group=%lld ", (long long)group);
    if (with_kernel)
        pare_tape_list(text, TEXT, "kernel_shape", w->n, w->kernel);
    pare_tape_list(text, TEXT, "strides", w->n, w->stride);
    pare_tape_list(text, TEXT, "dilations", w->n, w->dilation);
    pare_tape_list(text, TEXT, "pads", 2 * w->n, pads);
}

/*
 * The window of a convolution, and how the gradient goes back through it: padding of the input beyond the last window
 * is left out, and `extra` are the elements of x behind it.
 */
static void pads_of(const pare_window *w, lists *l)
{
    for (int i = 0; i < w->n; i++) {
        const int64_t reach = (w->out[i] - 1) * w->stride[i] + (w->kernel[i] - 1) * w->dilation[i] + 1;
        const int64_t after = reach - w->before[i] - w->in[i];

        l->pads[i] = w->before[i];
        l->pads[i + w->n] = after > 0 ? after : 0;
        l->extra[i] = after < 0 ? -after : 0;
    }
}

/*
 * dX as a convolution of dY, spread by the strides, with the weights flipped: its pads. False where there was more
 * padding than the kernel reaches.
 */
static bool is_convolution(const pare_window *w, int64_t pads[2 * PARE_MAX_SPATIAL])
{
    for (int i = 0; i < w->n; i++) {
        const int64_t reach = (w->kernel[i] - 1) * w->dilation[i];

        pads[i] = reach - w->before[i];
        pads[i + w->n] = w->in[i] - 1 - (w->out[i] - 1) * w->stride[i] + w->before[i];
        if (pads[i] < 0 || pads[i + w->n] < 0)
            return false;
    }
    return true;
}

static bool has_strides(const pare_window *w)
{
    for (int i = 0; i < w->n; i++)
        if (w->stride[i] != 1)
            return true;
    return false;
}

static pare_status by_convolution(pare_tape *t, pare_node *n, const pare_window *w, const int64_t *pads,
                                  pare_value **dx)
{
    const int64_t group = pare_node_i(n, "group");
    pare_window   plain = *w;
    pare_value   *flipped, *dy = pare_tape_grad(t, n->out[0]);
    char          text[TEXT] = "";

    if (has_strides(w)) {
        pare_tape_list(text, TEXT, "strides", w->n, w->stride);
        PARE_TRY(pare_tape_like(t, NULL, "spread", text, 1, &dy, &dy));
    }
    for (int i = 0; i < w->n; i++)
        plain.stride[i] = 1;
    snprintf(text, TEXT, "group=%lld", (long long)group);
    PARE_TRY(pare_tape_like(t, NULL, "flip_weights", text, 1, &n->in[1], &flipped));
    write_window(text, &plain, false, pads, group);
    return pare_tape_like(t, NULL, "conv", text, 2, (pare_value *const[]){ dy, flipped }, dx);
}

/* With strides a transposed convolution makes no products with zeros; of groups it makes tiny products. */
static pare_status grad_input(pare_tape *t, pare_node *n, const pare_window *w)
{
    const int64_t group = pare_node_i(n, "group");
    pare_value   *dx;
    char          text[TEXT];
    lists         l;

    if (is_convolution(w, l.pads) && (group > 1 || !has_strides(w))) {
        PARE_TRY(by_convolution(t, n, w, l.pads, &dx));
        return pare_tape_give(t, n->in[0], dx);
    }
    pads_of(w, &l);
    write_window(text, w, false, l.pads, group);
    pare_tape_list(text, TEXT, "output_padding", w->n, l.extra);
    PARE_TRY(pare_tape_like(t, NULL, "conv_transpose", text, 2,
                            (pare_value *const[]){ pare_tape_grad(t, n->out[0]), n->in[1] }, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

static pare_status grad_bias(pare_tape *t, pare_node *n, pare_value *dy)
{
    pare_value *db;

    if (n->n_in < 3 || !pare_tape_wants(t, n->in[2]))
        return PARE_OK;
    PARE_TRY(pare_tape_unary(t, "channel_sums", dy, &db));
    return pare_tape_give(t, n->in[2], db);
}

pare_status pare_grad_conv(pare_tape *t, pare_node *n)
{
    pare_value *const        dy = pare_tape_grad(t, n->out[0]);
    const pare_window_attrs *a = n->attrs; /* convolutions' attributes begin with the window */
    pare_window              w;

    PARE_TRY(pare_window_resolve(a, &n->in[0]->t.shape, &n->in[1]->t.shape.dim[2], &w));
    if (pare_tape_wants(t, n->in[0]))
        PARE_TRY(grad_input(t, n, &w));
    if (pare_tape_wants(t, n->in[1])) {
        char        text[TEXT];
        int64_t     pads[2 * PARE_MAX_SPATIAL];
        pare_value *dw;

        memcpy(pads, w.before, sizeof(int64_t) * (size_t)w.n);
        memcpy(pads + w.n, w.after, sizeof(int64_t) * (size_t)w.n);
        write_window(text, &w, true, pads, pare_node_i(n, "group"));
        PARE_TRY(pare_tape_like(t, NULL, "conv_weight_grad", text, 2, (pare_value *const[]){ n->in[0], dy }, &dw));
        PARE_TRY(pare_tape_give(t, n->in[1], dw));
    }
    return grad_bias(t, n, dy);
}

/*
 * A transposed convolution of x is what carries the gradient of a convolution back, so the convolution of dY is its
 * own gradient, and x and dY change places in that of the weights. What output_padding adds is padding of dY's windows
 * that they do not reach.
 */
pare_status pare_grad_conv_transpose(pare_tape *t, pare_node *n)
{
    pare_value *const dy = pare_tape_grad(t, n->out[0]);
    const pare_call   call = { n->op, n->attrs, 2, 0, (const pare_tensor *[]){ &n->in[0]->t, &n->in[1]->t }, NULL };
    pare_window       w;
    char              text[TEXT];
    int64_t           pads[2 * PARE_MAX_SPATIAL];

    PARE_TRY(pare_conv_transpose_resolve(&call, &w));
    for (int i = 0; i < w.n; i++) {
        const int64_t reach = (w.in[i] - 1) * w.stride[i] + (w.kernel[i] - 1) * w.dilation[i] + 1;
        const int64_t after = reach - w.before[i] - w.out[i];

        pads[i] = w.before[i];
        pads[i + w.n] = after > 0 ? after : 0;
        if (after < 0 && -after >= w.stride[i])
            return pare_tape_refuse(n, "needs an output no larger than the next stride would make it");
    }
    write_window(text, &w, true, pads, pare_node_i(n, "group"));
    if (pare_tape_wants(t, n->in[0])) {
        pare_value *dx;

        PARE_TRY(pare_tape_like(t, NULL, "conv", text, 2, (pare_value *const[]){ dy, n->in[1] }, &dx));
        PARE_TRY(pare_tape_give(t, n->in[0], dx));
    }
    if (pare_tape_wants(t, n->in[1])) {
        pare_value *dw;

        PARE_TRY(pare_tape_like(t, NULL, "conv_weight_grad", text, 2, (pare_value *const[]){ dy, n->in[0] }, &dw));
        PARE_TRY(pare_tape_give(t, n->in[1], dw));
    }
    return grad_bias(t, n, dy);
}
