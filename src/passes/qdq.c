/* SPDX-License-Identifier: Apache-2.0 */
/* qdq.c - reading the Q/DQ form */
#include "passes/qdq.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "ops/qlinear.h"

pare_status pare_qdq_params(const pare_node *n, const pare_shape *shape, pare_qparams **out)
{
    const pare_value *zero = n->n_in > 2 ? n->in[2] : NULL;

    *out = NULL;
    if (!pare_value_is_const(n->in[1]) || (zero && !pare_value_is_const(zero)))
        return PARE_OK;
    return pare_qlinear_params(&n->in[1]->t, zero ? &zero->t : NULL, n->attrs, shape, out);
}

/* Whether a DQ's parameters are those the value carries: zero points may be absent on one side. */
static bool same_params(const pare_node *n, const pare_qparams *q, const pare_shape *shape)
{
    pare_qparams *own = NULL;

    if (pare_qdq_params(n, shape, &own) != PARE_OK || !own)
        return false;
    bool same = own->n == q->n && own->block == q->block && (q->n == 1 || own->axis == q->axis) &&
                memcmp(own->scale, q->scale, sizeof(float) * (size_t)q->n) == 0;
    for (int i = 0; same && i < q->n; i++)
        same = (own->zero ? own->zero[i] : 0) == (q->zero ? q->zero[i] : 0);
    pare_free(own);
    return same;
}

pare_value *pare_qdq_source(const pare_value *v)
{
    const pare_node *dq = v ? v->producer : NULL;

    if (!dq || dq->op != &pare_op_dequantize_linear || !dq->in[0]->t.q ||
        !same_params(dq, dq->in[0]->t.q, &dq->in[0]->t.shape))
        return NULL;
    return dq->in[0];
}

pare_node *pare_qdq_sink(const pare_value *v)
{
    pare_node *q = pare_value_only_user(v);

    return q && q->op == &pare_op_quantize_linear && q->in[0] == v && q->out[0]->t.q ? q : NULL;
}

bool pare_q_is_u8(const pare_value *v)
{
    return v && v->t.dtype == PARE_u8 && v->t.q && v->t.q->n == 1 && v->t.q->block == 0;
}

static size_t attr_size(pare_attr_type type)
{
    switch (type) {
    case PARE_ATTR_INT:
        return sizeof(int64_t);
    case PARE_ATTR_FLOAT:
        return sizeof(float);
    case PARE_ATTR_INTS:
        return sizeof(pare_ints);
    case PARE_ATTR_FLOATS:
        return sizeof(pare_floats);
    case PARE_ATTR_DTYPE:
        return sizeof(pare_dtype);
    default:
        return sizeof(void *);
    }
}

void pare_qdq_copy_attrs(pare_node *to, const pare_node *from)
{
    for (const pare_attr *a = to->op->attrs; a && a->name; a++) {
        const pare_attr *b = pare_attr_find(from->op, a->name);

        if (b && b->type == a->type)
            memcpy((char *)to->attrs + a->offset, (const char *)from->attrs + b->offset, attr_size(a->type));
    }
}

pare_status pare_qdq_replace(pare_graph *g, const pare_op *op, const pare_node *like, int n_in, pare_value *const *in,
                             pare_value *out, pare_node **result)
{
    pare_node *const old = out->producer, *const after = old->next;
    pare_node *n;

    pare_graph_remove_node(old);
    PARE_TRY(pare_graph_add_node(g, op, NULL, n_in, in, 1, &out, after, &n));
    if (like)
        pare_qdq_copy_attrs(n, like);
    *result = n;
    return PARE_OK;
}

pare_status pare_qdq_const_u8(pare_graph *g, const char *name, const uint8_t *values, int n, pare_value **out)
{
    pare_tensor t = pare_tensor_of(PARE_u8, pare_shape_of(1, (const int64_t[]){ n }));

    PARE_TRY(pare_tensor_alloc(&t));
    memcpy(t.data, values, (size_t)n);
    const pare_status status = pare_graph_add_const(g, name, &t, out);

    pare_tensor_release(&t);
    return status;
}
