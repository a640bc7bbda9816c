/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resize_apply.c - the sums of a resize
 *
 * y = ((w00 * x00 + w01 * x01) + w10 * x10) + w11 * x11 with the last axis fastest, each weight being that of the last
 * axis times the product of those before it. Positions outside `inner`, the axis along which y is densest, are walked;
 * their taps are combined once and used for the whole line.
 */
#include <stdlib.h>
#include <string.h>

#include "base/pool.h"
#include "ops/move.h"
#include "ops/resize.h"

/* Input offset and weight of one combination of taps; at most 4 taps along 3 axes, or 2 along 6. */
enum { CORNERS = 64 };
typedef struct corner {
    int64_t offset;
    float   weight;
} corner;

/*
 * The axis to run along: where y is densest if its elements go one to one, else the last. Sums must not depend on the
 * memory order, and a line along the last axis keeps it fastest.
 */
static int inner_axis(const pare_resize_plan *plan, const pare_tensor *y)
{
    int best = y->shape.rank - 1;

    for (int k = 0; k < y->shape.rank; k++)
        if (!plan->axis[k] && y->shape.dim[k] > 1 &&
            (plan->axis[best] ? llabs(y->stride[k]) == 1 : llabs(y->stride[k]) < llabs(y->stride[best])))
            best = k;
    return best;
}

/* Combines the taps of all axes but `inner` at a position. 0: outside. */
static int corners_at(const pare_resize_plan *plan, const int64_t *at, const pare_tensor *x, int inner,
                      corner corners[CORNERS])
{
    int n = 1;

    corners[0] = (corner){ 0, 1 };
    for (int k = 0; k < x->shape.rank; k++) {
        if (k == inner)
            continue;
        if (!plan->axis[k]) {
            for (int c = 0; c < n; c++)
                corners[c].offset += at[k] * x->stride[k];
            continue;
        }
        const pare_resize_taps *const t = &plan->axis[k][at[k]];
        for (int c = n - 1; c >= 0; c--) /* from the back: corner c becomes corners c * t->n ... */
            for (int i = t->n - 1; i >= 0; i--)
                corners[c * t->n + i] =
                    (corner){ corners[c].offset + t->at[i] * x->stride[k], t->weight[i] * corners[c].weight };
        n *= t->n;
    }
    return n;
}

/* The walk over everything but the inner axis, at the first line of the part. Returns how many lines it has. */
static long begin(pare_walk *w, const pare_tensor *y, int inner, int part, int parts)
{
    pare_shape lines = y->shape;
    long       first, last;

    lines.dim[inner] = 1;
    pare_walk_begin(w, lines.rank, lines.dim);
    pare_walk_follow(w, 0, y->stride);
    pare_pool_split((long)w->left, 1, part, parts, &first, &last);
    pare_walk_seek(w, first);
    return last - first;
}

/* One line of n outputs, each the element its tap names, or the one beside the last; y, x: first element and step. */
#define NEAREST_LINE(type)          \
    for (int64_t i = 0; i < n; i++) \
    ((type *)y)[i * y_step] = ((const type *)x)[(taps ? taps[i].at[0] : i) * x_step]

static void nearest_line(int64_t n, char *y, int64_t y_step, const char *x, int64_t x_step,
                         const pare_resize_taps *taps, size_t size)
{
    if (!taps && y_step == 1 && x_step == 1) {
        memcpy(y, x, (size_t)n * size);
        return;
    }
    switch (size) {
    case 1:
        NEAREST_LINE(uint8_t);
        break;
    case 2:
        NEAREST_LINE(uint16_t);
        break;
    case 4:
        NEAREST_LINE(uint32_t);
        break;
    default:
        NEAREST_LINE(uint64_t);
        break;
    }
}

/* The outputs of a line that lie outside the input: all of them where `all`, else those without taps. */
static void outside_line(const pare_tensor *y, int inner, char *to, const pare_resize_taps *taps, bool all, float value)
{
    for (int64_t i = 0; (all || taps) && i < y->shape.dim[inner]; i++)
        if (all || taps[i].n == 0)
            pare_store_real(y->dtype, to, i * y->stride[inner], value);
}

void pare_resize_nearest(const pare_resize_plan *plan, const pare_call *call, int part, int parts)
{
    const pare_resize_attrs *const p = call->attrs;
    const pare_tensor *const x = call->in[0], *const y = call->out[0];
    const size_t size = pare_dtype_size(x->dtype);
    const int    inner = y->shape.rank ? inner_axis(plan, y) : -1;
    corner       corners[CORNERS];
    pare_walk    w;

    if (inner < 0) {
        pare_move(y, x, part, parts);
        return;
    }
    const pare_resize_taps *const taps = plan->axis[inner];
    for (long lines = begin(&w, y, inner, part, parts); lines > 0; lines--, pare_walk_next(&w)) {
        const int         n = corners_at(plan, w.at, x, inner, corners);
        char *const       to = (char *)y->data + w.offset[0] * (int64_t)size;
        const char *const from = (const char *)x->data + corners[0].offset * (int64_t)size;
        if (n > 0) /* a coordinate without taps reads element 0 here, and is put right below */
            nearest_line(y->shape.dim[inner], to, y->stride[inner], from, x->stride[inner], taps, size);
        outside_line(y, inner, to, taps, n == 0, p->extrapolation_value);
    }
}

/* One line whose axis is resized: for each output its taps, for all corners. */
static void line_of_taps(const pare_tensor *x, const pare_tensor *y, int inner, const pare_resize_taps *taps,
                         const corner *corners, int n, float *to, float outside)
{
    for (int64_t i = 0; i < y->shape.dim[inner]; i++) {
        float sum = 0;
        for (int c = 0; c < n; c++)
            for (int k = 0; k < taps[i].n; k++) {
                const float v = ((const float *)x->data)[corners[c].offset + taps[i].at[k] * x->stride[inner]];
                const float t = taps[i].weight[k] * corners[c].weight * v;
                sum = c + k ? sum + t : t;
            }
        to[i * y->stride[inner]] = taps[i].n ? sum : outside;
    }
}

/* One line whose axis goes one to one: corner by corner, which the compiler can vectorise. */
static void line_of_corners(const pare_tensor *x, const pare_tensor *y, int inner, const corner *corners, int n,
                            float *to)
{
    const int64_t x_step = x->stride[inner], y_step = y->stride[inner];

    for (int c = 0; c < n; c++) {
        const float *const from = (const float *)x->data + corners[c].offset;
        const float        weight = corners[c].weight;
        if (c == 0)
            for (int64_t i = 0; i < y->shape.dim[inner]; i++)
                to[i * y_step] = weight * from[i * x_step];
        else
            for (int64_t i = 0; i < y->shape.dim[inner]; i++)
                to[i * y_step] += weight * from[i * x_step];
    }
}

void pare_resize_weighted(const pare_resize_plan *plan, const pare_call *call, int part, int parts)
{
    const pare_tensor *const x = call->in[0], *const y = call->out[0];
    const float outside = ((const pare_resize_attrs *)call->attrs)->extrapolation_value;
    const int   inner = y->shape.rank ? inner_axis(plan, y) : -1;
    corner      corners[CORNERS];
    pare_walk   w;

    if (inner < 0) {
        pare_move(y, x, part, parts);
        return;
    }
    for (long lines = begin(&w, y, inner, part, parts); lines > 0; lines--, pare_walk_next(&w)) {
        const int    n = corners_at(plan, w.at, x, inner, corners);
        float *const to = (float *)y->data + w.offset[0];
        if (n == 0)
            for (int64_t i = 0; i < y->shape.dim[inner]; i++)
                to[i * y->stride[inner]] = outside;
        else if (plan->axis[inner])
            line_of_taps(x, y, inner, plan->axis[inner], corners, n, to, outside);
        else
            line_of_corners(x, y, inner, corners, n, to);
    }
}
