/* SPDX-License-Identifier: Apache-2.0 */
/* lower.c - what lower_weighted and lower_dynamic share */
#include "passes/lower.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pages.h"
#include "base/status.h"

static float attr_f(const pare_node *n, const char *name, float none)
{
    const pare_attr *a = pare_attr_find(n->op, name);
    float            v = none;

    if (a && a->type == PARE_ATTR_FLOAT)
        memcpy(&v, (const char *)n->attrs + a->offset, sizeof(v));
    return v;
}

static int64_t attr_i(const pare_node *n, const char *name)
{
    const pare_attr *a = pare_attr_find(n->op, name);
    int64_t          v = 0;

    if (a && a->type == PARE_ATTR_INT)
        memcpy(&v, (const char *)n->attrs + a->offset, sizeof(v));
    return v;
}

const pare_op *pare_lower_integer_op(const pare_node *n)
{
    if (n->op == &pare_op_conv)
        return &pare_op_qconv;
    if (n->op == &pare_op_matmul)
        return &pare_op_qgemm;
    if (n->op == &pare_op_gemm && attr_f(n, "alpha", 0) == 1 && attr_f(n, "beta", 0) == 1 && !attr_i(n, "transA"))
        return &pare_op_qgemm;
    return NULL;
}

static bool is_signed_weight(pare_dtype dtype)
{
    return dtype == PARE_s8 || dtype == PARE_s4 || dtype == PARE_s2;
}

static bool symmetric(const pare_qparams *q)
{
    for (int i = 0; q->zero && i < q->n; i++)
        if (q->zero[i] != 0)
            return false;
    return q->block == 0;
}

/* Weights of 2 and 4 bits unpacked: kernels multiply s8. */
static pare_status unpacked(pare_graph *g, pare_value *w, pare_value **out)
{
    pare_tensor t = pare_tensor_of(PARE_s8, w->t.shape);

    *out = w;
    if (w->t.dtype == PARE_s8)
        return PARE_OK;
    PARE_TRY(pare_tensor_alloc(&t));
    for (int64_t i = 0; i < pare_shape_count(&t.shape); i++)
        ((int8_t *)t.data)[i] = (int8_t)pare_tensor_int(&w->t, i);
    t.q = w->t.q;
    const pare_status status = pare_graph_add_const(g, w->name, &t, out);

    pare_tensor_release(&t);
    return status;
}

/* to[n][k] = from[k][n], in squares that stay in the first-level cache: a large model has a hundred million of them. */
static void transpose(const int8_t *from, int8_t *to, int64_t k, int64_t n)
{
    enum { SIDE = 64 };

    for (int64_t k0 = 0; k0 < k; k0 += SIDE)
        for (int64_t n0 = 0; n0 < n; n0 += SIDE)
            for (int64_t j = n0; j < n && j < n0 + SIDE; j++)
                for (int64_t i = k0; i < k && i < k0 + SIDE; i++)
                    to[j * k + i] = from[i * n + j];
}

/* [K][N] to [N][K], the scales now along axis 0. */
static pare_status transposed(pare_graph *g, const pare_value *w, pare_value **out)
{
    const int64_t      k = w->t.shape.dim[0], n = w->t.shape.dim[1];
    pare_tensor        t = pare_tensor_of(PARE_s8, pare_shape_of(2, (const int64_t[]){ n, k }));
    const pare_qparams q = { .scale = w->t.q->scale, .n = w->t.q->n };

    PARE_TRY(pare_tensor_alloc(&t));
    transpose(w->t.data, t.data, k, n);
    if (w->t.buf)
        pare_buf_forget(w->t.buf);
    t.q = &q;
    const pare_status status = pare_graph_add_const(g, w->name, &t, out);

    pare_tensor_release(&t);
    return status;
}

/* Output channels are on axis 0; a matmul, and a gemm without transB, has them on axis 1. */
static bool has_rows(const pare_node *n)
{
    return n->op == &pare_op_conv || attr_i(n, "transB");
}

pare_value *pare_lower_weights_of(const pare_node *n)
{
    pare_value *const w = pare_qdq_source(n->in[1]);

    if (!w || !pare_value_is_const(w) || !is_signed_weight(w->t.dtype) || !symmetric(w->t.q) ||
        !pare_tensor_is_dense(&w->t) || (n->op != &pare_op_conv && w->t.shape.rank != 2))
        return NULL;
    return w->t.q->n > 1 && w->t.q->axis != (has_rows(n) ? 0 : 1) ? NULL : w;
}

int64_t pare_lower_channels(const pare_node *n, const pare_value *w)
{
    return w->t.shape.dim[has_rows(n) ? 0 : 1];
}

bool pare_lower_per_channel(const pare_shape *shape, int64_t channels)
{
    return pare_shape_count(shape) == channels && (shape->rank == 0 || shape->dim[shape->rank - 1] == channels);
}

pare_status pare_lower_weights(pare_graph *g, const pare_node *n, pare_value *from, pare_value **w)
{
    PARE_TRY(unpacked(g, from, w));
    return has_rows(n) ? PARE_OK : transposed(g, *w, w);
}

void pare_lower_clamp_of(const pare_node *n, float *lo, float *hi)
{
    *lo = attr_f(n, "clamp_lo", -INFINITY);
    *hi = attr_f(n, "clamp_hi", INFINITY);
}

void pare_lower_copy_clamp(pare_node *to, const pare_node *from)
{
    float lo, hi;

    pare_lower_clamp_of(from, &lo, &hi);
    if (lo > -INFINITY)
        pare_node_set_f(to, "clamp_lo", lo);
    if (hi < INFINITY)
        pare_node_set_f(to, "clamp_hi", hi);
}

pare_status pare_lower_float_output(pare_graph *g, const pare_op *op, const pare_node *n, int n_in,
                                    pare_value *const *in, pare_value *last)
{
    pare_node *made;
    float      lo, hi;

    pare_lower_clamp_of(last->producer, &lo, &hi);
    PARE_TRY(pare_qdq_replace(g, op, n, n_in, in, last, &made));
    pare_node_set_f(made, "clamp_lo", lo);
    pare_node_set_f(made, "clamp_hi", hi);
    return PARE_OK;
}
