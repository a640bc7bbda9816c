/* SPDX-License-Identifier: Apache-2.0 */
/* rule_shape.c - gradients of ops that move elements, each to one place */
#include <stdio.h>
#include <string.h>

#include "autograd/rules.h"

/* The same elements in the same order under another shape. */
pare_status pare_grad_same_elements(pare_tape *t, pare_node *n)
{
    pare_value *dx;

    PARE_TRY(pare_tape_reshape(t, pare_tape_grad(t, n->out[0]), &n->in[0]->t.shape, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

pare_status pare_grad_transpose(pare_tape *t, pare_node *n)
{
    const pare_ints *const perm = pare_node_ints(n, "perm");
    const int              rank = n->in[0]->t.shape.rank;
    int                    back[PARE_MAX_RANK];
    pare_value            *dx;

    for (int i = 0; i < rank; i++)
        back[perm->n ? perm->v[i] : rank - 1 - i] = i;
    PARE_TRY(pare_tape_transpose(t, pare_tape_grad(t, n->out[0]), back, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

/* ----------------------------------------------------------------------------------------------------- cut and joined */

/* The indices first .. first + count - 1 of x along an axis. */
static pare_status cut(pare_tape *t, pare_value *x, int64_t axis, int64_t first, int64_t count, pare_value **out)
{
    pare_value *list[3];

    PARE_TRY(pare_tape_ints(t, 1, &first, &list[0]));
    PARE_TRY(pare_tape_ints(t, 1, &(int64_t){ first + count }, &list[1]));
    PARE_TRY(pare_tape_ints(t, 1, &axis, &list[2]));
    return pare_tape_like(t, NULL, "slice", NULL, 4, (pare_value *const[]){ x, list[0], list[1], list[2] }, out);
}

static int64_t positive_axis(const pare_node *n)
{
    const int64_t axis = pare_node_i(n, "axis");

    return axis < 0 ? axis + n->in[0]->t.shape.rank : axis;
}

pare_status pare_grad_concat(pare_tape *t, pare_node *n)
{
    const int64_t axis = positive_axis(n);
    int64_t       first = 0;
    pare_value   *grad;

    for (int i = 0; i < n->n_in; i++) {
        const int64_t count = n->in[i]->t.shape.dim[axis];

        if (pare_tape_wants(t, n->in[i])) {
            PARE_TRY(cut(t, pare_tape_grad(t, n->out[0]), axis, first, count, &grad));
            PARE_TRY(pare_tape_give(t, n->in[i], grad));
        }
        first += count;
    }
    return PARE_OK;
}

/* Outputs that nobody needs give zeros. */
pare_status pare_grad_split(pare_tape *t, pare_node *n)
{
    const int64_t axis = positive_axis(n);
    char          text[32];
    pare_value   *grads[64], *dx;

    if (n->n_out > 64)
        return pare_tape_refuse(n, "is known for at most 64 pieces");
    for (int i = 0; i < n->n_out; i++) {
        pare_shape shape = n->in[0]->t.shape;

        if (!n->out[i])
            return pare_tape_refuse(n, "needs all its outputs");
        shape.dim[axis] = n->out[i]->t.shape.dim[axis];
        grads[i] = pare_tape_grad(t, n->out[i]);
        if (!grads[i])
            PARE_TRY(pare_tape_full(t, &shape, 0, &grads[i]));
    }
    snprintf(text, sizeof(text), "axis=%d", (int)axis);
    PARE_TRY(pare_tape_like(t, NULL, "concat", text, n->n_out, grads, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

/* Element i of a list input, or `otherwise` where it is left out. */
static int64_t item(const pare_node *n, int input, int64_t i, int64_t otherwise)
{
    return input < n->n_in && n->in[input] ? pare_tensor_int(&n->in[input]->t, i) : otherwise;
}

static pare_status needs_constants(const pare_node *n)
{
    for (int i = 1; i < n->n_in; i++)
        if (n->in[i] && !pare_value_is_const(n->in[i]))
            return pare_tape_refuse(n, "needs constants to know where elements came from; run fold_const before");
    return PARE_OK;
}

/* slice_grad knows, for every axis, the first index and the step. */
pare_status pare_grad_slice(pare_tape *t, pare_node *n)
{
    const pare_shape *const x = &n->in[0]->t.shape;
    int64_t                 starts[PARE_MAX_RANK] = { 0 }, steps[PARE_MAX_RANK];
    char                    text[512] = "";
    pare_value             *dy = pare_tape_grad(t, n->out[0]), *dx;

    PARE_TRY(needs_constants(n));
    for (int i = 0; i < x->rank; i++)
        steps[i] = 1;
    for (int64_t i = 0; i < pare_shape_count(&n->in[1]->t.shape); i++) {
        const int64_t named = item(n, 3, i, i), axis = named < 0 ? named + x->rank : named, dim = x->dim[axis];
        int64_t       start = item(n, 1, i, 0);

        steps[axis] = item(n, 4, i, 1);
        start = start < 0 ? start + dim : start;
        starts[axis] = start < 0 ? 0 : start > dim - (steps[axis] < 0) ? dim - (steps[axis] < 0) : start;
    }
    pare_tape_list(text, sizeof(text), "shape", x->rank, x->dim);
    pare_tape_list(text, sizeof(text), "starts", x->rank, starts);
    pare_tape_list(text, sizeof(text), "steps", x->rank, steps);
    PARE_TRY(pare_tape_like(t, NULL, "slice_grad", text, 1, &dy, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

/* Which of n elements lies at place i, counted from the first one, when the image is continued. */
static int64_t continued(const char *mode, int64_t i, int64_t n)
{
    const int64_t period = strcmp(mode, "reflect") == 0 ? (n > 1 ? 2 * (n - 1) : 1) : n;

    if (strcmp(mode, "edge") == 0)
        return i < 0 ? 0 : i >= n ? n - 1 : i;
    i = (i % period + period) % period;
    return i < n ? i : period - i;
}

/* The same for `count` places, `before` of which lie in front of the first element, as a constant. */
static pare_status continued_index(pare_tape *t, const pare_node *n, int64_t count, int64_t before, int64_t dim,
                                   pare_value **out)
{
    pare_tensor list = pare_tensor_of(PARE_s64, pare_shape_of(1, &count));
    pare_status status;

    PARE_TRY(pare_tensor_alloc(&list));
    for (int64_t i = 0; i < count; i++)
        ((int64_t *)list.data)[i] = continued(pare_node_s(n, "mode"), i - before, dim);
    status = pare_tape_const(t, &list, out);
    pare_tensor_release(&list);
    return status;
}

/* A continued image is gathered from the image, axis by axis: its elements add up what their copies get. */
static pare_status pad_continued(pare_tape *t, pare_node *n)
{
    const pare_shape *const x = &n->in[0]->t.shape;
    const int64_t           count = pare_shape_count(&n->in[1]->t.shape) / 2;
    pare_value             *grad = pare_tape_grad(t, n->out[0]), *index;

    for (int64_t k = 0; k < count; k++) {
        const int64_t named = item(n, 3, k, k), axis = named < 0 ? named + x->rank : named;
        pare_shape    shape = grad->t.shape;
        char          text[256] = "";

        if (shape.dim[axis] == x->dim[axis] && item(n, 1, k, 0) == 0)
            continue;
        PARE_TRY(continued_index(t, n, shape.dim[axis], item(n, 1, k, 0), x->dim[axis], &index));
        shape.dim[axis] = x->dim[axis];
        pare_tape_list(text, sizeof(text), "shape", shape.rank, shape.dim);
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "axis=%d", (int)axis);
        PARE_TRY(pare_tape_like(t, NULL, "gather_grad", text, 2, (pare_value *const[]){ grad, index }, &grad));
    }
    return pare_tape_give(t, n->in[0], grad);
}

/* Padding with the opposite numbers cuts off what was added and puts zeros where something was cut off. */
pare_status pare_grad_pad(pare_tape *t, pare_node *n)
{
    const int64_t count = pare_shape_count(&n->in[1]->t.shape);
    int64_t       back[PARE_MAX_INTS];
    pare_value   *pads, *dx;

    PARE_TRY(needs_constants(n));
    if (strcmp(pare_node_s(n, "mode"), "constant") != 0)
        return pad_continued(t, n);
    for (int64_t i = 0; i < count; i++)
        back[i] = -pare_tensor_int(&n->in[1]->t, i);
    PARE_TRY(pare_tape_ints(t, (int)count, back, &pads));
    PARE_TRY(pare_tape_like(
        t, NULL, "pad", NULL, 4,
        (pare_value *const[]){ pare_tape_grad(t, n->out[0]), pads, NULL, n->n_in > 3 ? n->in[3] : NULL }, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

/* ---------------------------------------------------------------------------------------------------------- repeated */

pare_status pare_grad_expand(pare_tape *t, pare_node *n)
{
    pare_value *dx;

    PARE_TRY(pare_tape_unbroadcast(t, pare_tape_grad(t, n->out[0]), &n->in[0]->t.shape, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

/* Every axis of r * d elements is r rows of d, which are added up. */
pare_status pare_grad_tile(pare_tape *t, pare_node *n)
{
    const pare_shape *const x = &n->in[0]->t.shape, *const y = &n->out[0]->t.shape;
    pare_shape  both = { .rank = 0 };
    int64_t     axes[PARE_MAX_RANK];
    int         n_axes = 0;
    pare_value *grad, *list;

    for (int i = 0; i < x->rank; i++) {
        const int64_t repeats = x->dim[i] ? y->dim[i] / x->dim[i] : 1;

        if (both.rank + 2 > PARE_MAX_RANK && repeats != 1)
            return pare_tape_refuse(n, "would need too many dimensions");
        if (repeats != 1) {
            axes[n_axes++] = both.rank;
            both.dim[both.rank++] = repeats;
        }
        both.dim[both.rank++] = x->dim[i];
    }
    PARE_TRY(pare_tape_reshape(t, pare_tape_grad(t, n->out[0]), &both, &grad));
    if (n_axes > 0) {
        PARE_TRY(pare_tape_ints(t, n_axes, axes, &list));
        PARE_TRY(pare_tape_like(t, NULL, "reduce_sum", "keepdims=0", 2, (pare_value *const[]){ grad, list }, &grad));
    }
    return pare_tape_give(t, n->in[0], grad);
}

/* ------------------------------------------------------------------------------------------------- other permutations */

pare_status pare_grad_trilu(pare_tape *t, pare_node *n)
{
    pare_value *in[2] = { pare_tape_grad(t, n->out[0]), n->n_in > 1 ? n->in[1] : NULL }, *dx;

    PARE_TRY(pare_tape_like(t, n, "trilu", NULL, n->n_in, in, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

/* Each element is in all sums that come after it: the sums of the gradients from the other end. */
pare_status pare_grad_cum_sum(pare_tape *t, pare_node *n)
{
    pare_value *const in[2] = { pare_tape_grad(t, n->out[0]), n->in[1] };
    pare_value       *dx;

    PARE_TRY(pare_tape_like(t, n, "cum_sum", pare_node_i(n, "reverse") ? "reverse=0" : "reverse=1", 2, in, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

pare_status pare_grad_space_to_depth(pare_tape *t, pare_node *n)
{
    pare_value *dy = pare_tape_grad(t, n->out[0]), *dx;

    PARE_TRY(pare_tape_like(t, n, "depth_to_space", "mode=\"DCR\"", 1, &dy, &dx));
    return pare_tape_give(t, n->in[0], dx);
}

/* Channels are (block, block, channel) for DCR and (channel, block, block) for CRD: the latter takes a permutation. */
pare_status pare_grad_depth_to_space(pare_tape *t, pare_node *n)
{
    const pare_shape *const x = &n->in[0]->t.shape;
    const int64_t           b = pare_node_i(n, "blocksize"), c = x->dim[1] / (b * b);
    const pare_shape        blocks = pare_shape_of(4, (const int64_t[]){ x->dim[0], b * b, c, x->dim[2] * x->dim[3] });
    pare_value             *dy = pare_tape_grad(t, n->out[0]), *dx;

    PARE_TRY(pare_tape_like(t, n, "space_to_depth", NULL, 1, &dy, &dx));
    if (strcmp(pare_node_s(n, "mode"), "CRD") == 0) {
        PARE_TRY(pare_tape_reshape(t, dx, &blocks, &dx));
        PARE_TRY(pare_tape_transpose(t, dx, (const int[]){ 0, 2, 1, 3 }, &dx));
        PARE_TRY(pare_tape_reshape(t, dx, x, &dx));
    }
    return pare_tape_give(t, n->in[0], dx);
}
