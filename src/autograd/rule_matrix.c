/* SPDX-License-Identifier: Apache-2.0 */
/* rule_matrix.c - gradients of matrix products */
#include <stdio.h>

#include "autograd/rules.h"

/* alpha a' b', primes by what trans_a and trans_b say. */
typedef struct product {
    pare_value *a, *b;
    bool        trans_a, trans_b;
    float       alpha;
} product;

static pare_status multiply(pare_tape *t, const product *p, pare_value **out)
{
    char text[96];

    snprintf(text, sizeof(text), "transA=%d transB=%d alpha=%.9g", p->trans_a, p->trans_b, (double)p->alpha);
    return pare_tape_like(t, NULL, "gemm", text, 2, (pare_value *const[]){ p->a, p->b }, out);
}

/* Y = alpha A' B' + beta C. Of A' the gradient is alpha dY B'^T, of B' alpha A'^T dY; of A and B, that transposed. */
pare_status pare_grad_gemm(pare_tape *t, pare_node *n)
{
    pare_value *const dy = pare_tape_grad(t, n->out[0]), *a = n->in[0], *b = n->in[1], *grad;
    const bool        trans_a = pare_node_i(n, "transA"), trans_b = pare_node_i(n, "transB");
    const float       alpha = pare_node_f(n, "alpha"), beta = pare_node_f(n, "beta");

    if (pare_tape_wants(t, a)) {
        const product p =
            trans_a ? (product){ b, dy, trans_b, true, alpha } : (product){ dy, b, false, !trans_b, alpha };

        PARE_TRY(multiply(t, &p, &grad));
        PARE_TRY(pare_tape_give(t, a, grad));
    }
    if (pare_tape_wants(t, b)) {
        const product p =
            trans_b ? (product){ dy, a, true, trans_a, alpha } : (product){ a, dy, !trans_a, false, alpha };

        PARE_TRY(multiply(t, &p, &grad));
        PARE_TRY(pare_tape_give(t, b, grad));
    }
    if (n->n_in < 3 || !pare_tape_wants(t, n->in[2]))
        return PARE_OK;
    PARE_TRY(pare_tape_unbroadcast(t, dy, &n->in[2]->t.shape, &grad));
    if (beta != 1) {
        pare_value *factor;

        PARE_TRY(pare_tape_float(t, beta, &factor));
        PARE_TRY(pare_tape_binary(t, "mul", grad, factor, &grad));
    }
    return pare_tape_give(t, n->in[2], grad);
}

/* All dimensions but the last as rows of one matrix. */
static pare_status as_matrix(pare_tape *t, pare_value *x, pare_value **out)
{
    const pare_shape *const s = &x->t.shape;
    const int64_t           columns = s->dim[s->rank - 1];
    int64_t                 rows = 1;

    for (int i = 0; i < s->rank - 1; i++)
        rows *= s->dim[i];
    const pare_shape matrix = pare_shape_of(2, (const int64_t[]){ rows, columns });

    return pare_tape_reshape(t, x, &matrix, out);
}

/* One B [K,N] for all rows of A [...,K]: two products of matrices. */
static pare_status one_matrix(pare_tape *t, pare_node *n)
{
    pare_value *a = n->in[0], *b = n->in[1], *dy, *flat, *grad;

    PARE_TRY(as_matrix(t, pare_tape_grad(t, n->out[0]), &dy));
    if (pare_tape_wants(t, a)) {
        PARE_TRY(multiply(t, &(product){ dy, b, false, true, 1 }, &grad));
        PARE_TRY(pare_tape_reshape(t, grad, &a->t.shape, &grad));
        PARE_TRY(pare_tape_give(t, a, grad));
    }
    if (!pare_tape_wants(t, b))
        return PARE_OK;
    PARE_TRY(as_matrix(t, a, &flat));
    PARE_TRY(multiply(t, &(product){ flat, dy, true, false, 1 }, &grad));
    return pare_tape_give(t, b, grad);
}

static pare_status turned(pare_tape *t, pare_value *x, pare_value **out)
{
    const int rank = x->t.shape.rank;
    int       perm[PARE_MAX_RANK];

    for (int i = 0; i < rank; i++)
        perm[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
    return pare_tape_transpose(t, x, perm, out);
}

/* A vector as a matrix of one row (`front`) or one column. */
static pare_status with_dimension(pare_tape *t, pare_value *x, bool front, pare_value **out)
{
    const int64_t    k = x->t.shape.dim[0];
    const pare_shape row = pare_shape_of(2, (const int64_t[]){ front ? 1 : k, front ? k : 1 });

    *out = x;
    return x->t.shape.rank == 1 ? pare_tape_reshape(t, x, &row, out) : PARE_OK;
}

/* Y = A B in every batch. */
pare_status pare_grad_matmul(pare_tape *t, pare_node *n)
{
    pare_value *a, *b, *dy = pare_tape_grad(t, n->out[0]), *other, *grad;
    pare_shape  y = { .rank = 0 };

    if (n->in[1]->t.shape.rank == 2 && n->in[0]->t.shape.rank >= 2)
        return one_matrix(t, n);
    PARE_TRY(with_dimension(t, n->in[0], true, &a));
    PARE_TRY(with_dimension(t, n->in[1], false, &b));
    const pare_shape *const sa = &a->t.shape, *const sb = &b->t.shape;

    for (int i = 0; i < dy->t.shape.rank - (n->in[0]->t.shape.rank > 1) - (n->in[1]->t.shape.rank > 1); i++)
        y.dim[y.rank++] = dy->t.shape.dim[i];
    y.dim[y.rank++] = sa->dim[sa->rank - 2];
    y.dim[y.rank++] = sb->dim[sb->rank - 1];
    PARE_TRY(pare_tape_reshape(t, dy, &y, &dy));
    if (pare_tape_wants(t, n->in[0])) {
        PARE_TRY(turned(t, b, &other));
        PARE_TRY(pare_tape_binary(t, "matmul", dy, other, &grad));
        PARE_TRY(pare_tape_unbroadcast(t, grad, sa, &grad));
        PARE_TRY(pare_tape_reshape(t, grad, &n->in[0]->t.shape, &grad));
        PARE_TRY(pare_tape_give(t, n->in[0], grad));
    }
    if (!pare_tape_wants(t, n->in[1]))
        return PARE_OK;
    PARE_TRY(turned(t, a, &other));
    PARE_TRY(pare_tape_binary(t, "matmul", other, dy, &grad));
    PARE_TRY(pare_tape_unbroadcast(t, grad, sb, &grad));
    PARE_TRY(pare_tape_reshape(t, grad, &n->in[1]->t.shape, &grad));
    return pare_tape_give(t, n->in[1], grad);
}
