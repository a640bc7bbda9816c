/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - tables of 256 codes */
#include "passes/table.h"

#include "base/alloc.h"
#include "base/status.h"
#include "passes/qdq.h"
#include "tensor/qparams.h"

extern const pare_op pare_op_lut;

/* f on 256 numbers, as one call of the node's op. */
static pare_status evaluate(const pare_node *n, pare_tensor *x, pare_tensor *y)
{
    const pare_tensor **in = pare_calloc((size_t)n->n_in, sizeof(*in));
    pare_tensor        *out[1] = { y };

    if (!in)
        return pare_fail_memory(sizeof(*in) * (size_t)n->n_in, "a call");
    in[0] = x;
    for (int i = 1; i < n->n_in; i++)
        in[i] = n->in[i] ? &n->in[i]->t : NULL;
    const pare_call   call = { n->op, n->attrs, n->n_in, 1, in, out };
    const pare_status status = pare_op_eval(&call);

    pare_free(in);
    return status;
}

pare_status pare_table_make(const pare_node *n, const pare_qparams *from, const pare_qparams *to, uint8_t codes[256])
{
    const pare_shape shape = pare_shape_of(1, (const int64_t[]){ 256 });
    pare_tensor      q = pare_tensor_of(PARE_u8, shape), x = pare_tensor_of(PARE_f32, shape), y = { 0 }, r = q;
    uint8_t          all[256];
    float            real[256];

    for (int i = 0; i < 256; i++)
        all[i] = (uint8_t)i;
    q.data = all;
    q.q = from;
    x.data = real;
    pare_tensor_dequantize(&q, &x);
    if (n)
        PARE_TRY(evaluate(n, &x, &y));
    r.data = codes;
    r.q = to;
    pare_tensor_quantize(n ? &y : &x, &r, pare_qrange_of(PARE_u8, false));
    pare_tensor_release(&y);
    return PARE_OK;
}

pare_status pare_table_requantize(pare_graph *g, pare_value *x, const pare_qparams *to, pare_node *before,
                                  pare_value **out)
{
    uint8_t     codes[256];
    pare_value *in[2] = { x };
    pare_node  *made;

    PARE_TRY(pare_table_make(NULL, x->t.q, to, codes));
    PARE_TRY(pare_qdq_const_u8(g, "table", codes, 256, &in[1]));
    PARE_TRY(pare_graph_add_value(g, x->name, out));
    (*out)->t = pare_tensor_of(PARE_u8, x->t.shape);
    (*out)->has_shape = x->has_shape;
    PARE_TRY(pare_value_set_q(*out, to));
    return pare_graph_add_node(g, &pare_op_lut, NULL, 2, in, 1, out, before, &made);
}
