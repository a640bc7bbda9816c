/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rule_recurrent.c - gradients of LSTM and GRU
 *
 * The states before all steps are known (Y, one step later), so the sums before the gates are products of whole
 * matrices, in the chains of the forward pass. lstm_grad and gru_grad walk back through time and give the gradients of
 * these sums; what weights and inputs get from them are products of whole matrices again.
 */
#include <string.h>

#include "autograd/rules.h"

enum { X, W, R, B, LENS, H0, C0, PEEPHOLES };

/* One direction of a node. */
typedef struct direction {
    pare_node  *n;
    bool        reverse, lstm;
    int         d;
    int64_t     steps, batch, in, hidden, width; /* width: gates * hidden                          */
    pare_value *x, *before, *states;             /* [T*B,I], [T*B,H]; states [T,B,H] before steps  */
    pare_value *w, *r, *bias[2];                 /* [width,I], [width,H], Wb and Rb [width] or NULL */
} direction;

/* What the two directions give to the weights of both, in their order. */
typedef struct parts {
    pare_value *w[2], *r[2], *b[2], *h[2], *c[2];
} parts;

static pare_value *input(const pare_node *n, int i)
{
    return i < n->n_in ? n->in[i] : NULL;
}

/* The indices first .. first + count - 1 along an axis; x itself where that is all. */
static pare_status cut(pare_tape *t, pare_value *x, int64_t axis, int64_t first, int64_t count, pare_value **out)
{
    pare_value *list[3];

    *out = x;
    if (x->t.shape.dim[axis] == count)
        return PARE_OK;
    PARE_TRY(pare_tape_ints(t, 1, &first, &list[0]));
    PARE_TRY(pare_tape_ints(t, 1, &(int64_t){ first + count }, &list[1]));
    PARE_TRY(pare_tape_ints(t, 1, &axis, &list[2]));
    return pare_tape_like(t, NULL, "slice", NULL, 4, (pare_value *const[]){ x, list[0], list[1], list[2] }, out);
}

/* Index d along an axis, which goes. */
static pare_status pick(pare_tape *t, pare_value *x, int axis, int64_t d, pare_value **out)
{
    pare_shape rest = x->t.shape;

    rest.rank--;
    for (int i = axis; i < rest.rank; i++)
        rest.dim[i] = x->t.shape.dim[i + 1];
    PARE_TRY(cut(t, x, axis, d, 1, out));
    return pare_tape_reshape(t, *out, &rest, out);
}

static pare_status concat(pare_tape *t, pare_value *a, pare_value *b, pare_value **out)
{
    return pare_tape_like(t, NULL, "concat", "axis=0", 2, (pare_value *const[]){ a, b }, out);
}

static pare_status matrix(pare_tape *t, pare_value *x, int64_t columns, pare_value **out)
{
    const int64_t    count = pare_shape_count(&x->t.shape);
    const pare_shape shape = pare_shape_of(2, (const int64_t[]){ count / columns, columns });

    return pare_tape_reshape(t, x, &shape, out);
}

/* The state before each step: the first one, then those after the steps but the last. */
static pare_status states_before(pare_tape *t, direction *s)
{
    const pare_shape first_shape = pare_shape_of(3, (const int64_t[]){ 1, s->batch, s->hidden });
    pare_value      *y, *first, *rest;

    PARE_TRY(pick(t, s->n->out[0], 1, s->d, &y));
    if (input(s->n, H0)) {
        PARE_TRY(pick(t, s->n->in[H0], 0, s->d, &first));
        PARE_TRY(pare_tape_reshape(t, first, &first_shape, &first));
    } else {
        PARE_TRY(pare_tape_full(t, &first_shape, 0, &first));
    }
    s->states = first;
    if (s->steps > 1) {
        PARE_TRY(cut(t, y, 0, s->reverse ? 1 : 0, s->steps - 1, &rest));
        PARE_TRY(concat(t, s->reverse ? rest : first, s->reverse ? first : rest, &s->states));
    }
    return matrix(t, s->states, s->hidden, &s->before);
}

static pare_status read_direction(pare_tape *t, direction *s)
{
    pare_value *all;

    PARE_TRY(matrix(t, s->n->in[X], s->in, &s->x));
    PARE_TRY(pick(t, s->n->in[W], 0, s->d, &s->w));
    PARE_TRY(pick(t, s->n->in[R], 0, s->d, &s->r));
    if (input(s->n, B)) {
        PARE_TRY(pick(t, s->n->in[B], 0, s->d, &all));
        for (int i = 0; i < 2; i++)
            PARE_TRY(cut(t, all, 0, i * s->width, s->width, &s->bias[i]));
    }
    return states_before(t, s);
}

/* a w' + add, w [n,k] */
static pare_status sums(pare_tape *t, pare_value *a, pare_value *w, pare_value *add, pare_value **out)
{
    return pare_tape_like(t, NULL, "gemm", "transB=1", add ? 3 : 2, (pare_value *const[]){ a, w, add }, out);
}

static pare_status in_steps(pare_tape *t, const direction *s, pare_value *z, pare_value **out)
{
    const pare_shape shape = pare_shape_of(3, (const int64_t[]){ s->steps, s->batch, s->width });

    return pare_tape_reshape(t, z, &shape, out);
}

/* The gradient of output `output` for this direction, NULL where none flows. */
static pare_status flow(pare_tape *t, const direction *s, int output, int axis, pare_value **out)
{
    pare_value *const grad = output < s->n->n_out ? pare_tape_grad(t, s->n->out[output]) : NULL;

    *out = NULL;
    return grad ? pick(t, grad, axis, s->d, out) : PARE_OK;
}

/* Back through time: gradients of x's sums and of the state's sums (one and the same for an LSTM), and of the states. */
static pare_status back(pare_tape *t, const direction *s, pare_value **dzx, pare_value **dzs, pare_value **dh,
                        pare_value **dc)
{
    const char *const reverse = s->reverse ? "reverse=1" : NULL;
    pare_value       *dy, *last, *cell, *c = NULL, *bias = s->bias[0], *zx, *zs, *out[3];

    PARE_TRY(flow(t, s, 0, 1, &dy));
    PARE_TRY(flow(t, s, 1, 0, &last));
    PARE_TRY(flow(t, s, 2, 0, &cell));
    if (input(s->n, C0) && s->lstm)
        PARE_TRY(pick(t, s->n->in[C0], 0, s->d, &c));
    if (bias && s->lstm)
        PARE_TRY(pare_tape_binary(t, "add", bias, s->bias[1], &bias));
    PARE_TRY(sums(t, s->x, s->w, bias, &zx));
    PARE_TRY(sums(t, s->before, s->r, s->lstm ? zx : s->bias[1], &zs));
    PARE_TRY(in_steps(t, s, zx, &zx));
    PARE_TRY(in_steps(t, s, zs, &zs));
    pare_value *const lstm[] = { zs, s->r, dy, c, last, cell, input(s->n, LENS) };
    pare_value *const gru[] = { zx, zs, s->states, s->r, dy, last, input(s->n, LENS) };

    PARE_TRY(pare_tape_node(t, s->lstm ? "lstm_grad" : "gru_grad", reverse, 7, s->lstm ? lstm : gru, 3, out, NULL));
    PARE_TRY(matrix(t, out[0], s->width, dzx));
    *dzs = *dzx;
    if (!s->lstm)
        PARE_TRY(matrix(t, out[1], s->width, dzs));
    *dh = out[s->lstm ? 1 : 2];
    *dc = s->lstm ? out[2] : NULL;
    return PARE_OK;
}

/* dz' a: what weights get */
static pare_status weights(pare_tape *t, pare_value *dz, pare_value *a, pare_value **out)
{
    return pare_tape_like(t, NULL, "gemm", "transA=1", 2, (pare_value *const[]){ dz, a }, out);
}

static pare_status one_direction(pare_tape *t, const direction *s, parts *p)
{
    const pare_shape row = pare_shape_of(1, &s->width);
    pare_value      *dzx, *dzs, *dx, *b[2];

    PARE_TRY(back(t, s, &dzx, &dzs, &p->h[s->d], &p->c[s->d]));
    if (pare_tape_wants(t, s->n->in[X])) {
        PARE_TRY(pare_tape_binary(t, "gemm", dzx, s->w, &dx));
        PARE_TRY(pare_tape_reshape(t, dx, &s->n->in[X]->t.shape, &dx));
        PARE_TRY(pare_tape_give(t, s->n->in[X], dx));
    }
    PARE_TRY(weights(t, dzx, s->x, &p->w[s->d]));
    PARE_TRY(weights(t, dzs, s->before, &p->r[s->d]));
    if (!s->bias[0])
        return PARE_OK;
    PARE_TRY(pare_tape_unbroadcast(t, dzx, &row, &b[0]));
    b[1] = b[0];
    if (!s->lstm)
        PARE_TRY(pare_tape_unbroadcast(t, dzs, &row, &b[1]));
    return concat(t, b[0], b[1], &p->b[s->d]);
}

/* One after the other, in the shape of what they are the gradient of. */
static pare_status give(pare_tape *t, pare_value *v, pare_value *const part[2])
{
    pare_value *all = part[0];

    if (!pare_tape_wants(t, v) || !all)
        return PARE_OK;
    if (part[1])
        PARE_TRY(concat(t, part[0], part[1], &all));
    PARE_TRY(pare_tape_reshape(t, all, &v->t.shape, &all));
    return pare_tape_give(t, v, all);
}

static pare_status check(const pare_node *n, bool lstm)
{
    const char *const given = pare_node_s(n, "activations"), *const usual = lstm ? "Sigmoid,Tanh,Tanh" : "Sigmoid,Tanh";
    const size_t length = strlen(usual);

    if (given && *given &&
        (strncmp(given, usual, length) != 0 ||
         (given[length] && (given[length] != ',' || strcmp(given + length + 1, usual) != 0))))
        return pare_tape_refuse(n, "is known for the usual activations only");
    if (pare_node_f(n, "clip") > 0 || input(n, PEEPHOLES) || (lstm && pare_node_i(n, "input_forget")))
        return pare_tape_refuse(n, "is not known for clips, peepholes and coupled gates");
    if (!lstm && !pare_node_i(n, "linear_before_reset"))
        return pare_tape_refuse(n, "is known for linear_before_reset 1 only");
    if (pare_node_i(n, "layout"))
        return pare_tape_refuse(n, "is known for layout 0 only; transpose the input");
    if (!n->out[0])
        return pare_tape_refuse(n, "needs its first output, the states of all steps");
    if (input(n, LENS) && input(n, H0) && strcmp(pare_node_s(n, "direction"), "forward") != 0)
        return pare_tape_refuse(n, "is not known for a reverse direction with both lengths and a first state");
    return PARE_OK;
}

static pare_status recurrent(pare_tape *t, pare_node *n, bool lstm)
{
    const pare_shape *const x = &n->in[X]->t.shape, *const r = &n->in[R]->t.shape;
    const char *const way = pare_node_s(n, "direction");
    parts             p = { 0 };

    PARE_TRY(check(n, lstm));
    for (int d = 0; d < r->dim[0]; d++) {
        direction s = { .n = n,
                        .lstm = lstm,
                        .d = d,
                        .reverse = d == 1 || strcmp(way, "reverse") == 0,
                        .steps = x->dim[0],
                        .batch = x->dim[1],
                        .in = x->dim[2],
                        .hidden = r->dim[2],
                        .width = r->dim[1] };

        PARE_TRY(read_direction(t, &s));
        PARE_TRY(one_direction(t, &s, &p));
    }
    PARE_TRY(give(t, n->in[W], p.w));
    PARE_TRY(give(t, n->in[R], p.r));
    PARE_TRY(give(t, input(n, B), p.b));
    PARE_TRY(give(t, input(n, H0), p.h));
    return give(t, lstm ? input(n, C0) : NULL, p.c);
}

pare_status pare_grad_lstm(pare_tape *t, pare_node *n)
{
    return recurrent(t, n, true);
}

pare_status pare_grad_gru(pare_tape *t, pare_node *n)
{
    return recurrent(t, n, false);
}
