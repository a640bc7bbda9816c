/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merge_tables.c - what integer ops make of one 8-bit value alone is one table
 *
 * A table of a table, and the sum or product of a value with a table of it: x * hard_sigmoid(x) is hard-swish. The new
 * table holds what the reference of the op makes of all 256 codes, so the bits are those of the chain.
 */
#include "base/status.h"
#include "passes/pass.h"
#include "passes/qdq.h"

extern const pare_op pare_op_lut, pare_op_qadd, pare_op_qmul;

/* The value that v is a table of, or v itself. */
static pare_value *source(pare_value *v)
{
    const pare_node *const n = v->producer;

    return n && n->op == &pare_op_lut && pare_value_is_const(n->in[1]) ? n->in[0] : v;
}

/* v's codes for all 256 codes of its source. */
static void fill_codes(const pare_value *v, const pare_value *x, uint8_t codes[256])
{
    for (int i = 0; i < 256; i++)
        codes[i] = v == x ? (uint8_t)i : (uint8_t)pare_tensor_int(&v->producer->in[1]->t, i);
}

/* One call of the node's op on the codes that its inputs have for each code of x. */
static pare_status evaluate(const pare_node *n, const pare_value *x, uint8_t codes[256])
{
    const pare_shape   shape = pare_shape_of(1, (const int64_t[]){ 256 });
    const int          n_data = n->op == &pare_op_lut ? 1 : 2;
    uint8_t            in_codes[2][256];
    pare_tensor        in[2], y = { .q = n->out[0]->t.q };
    const pare_tensor *ins[2] = { &in[0], &in[1] };
    pare_tensor       *out = &y;

    for (int i = 0; i < n_data; i++) {
        fill_codes(n->in[i], x, in_codes[i]);
        in[i] = pare_tensor_of(PARE_u8, shape);
        in[i].data = in_codes[i];
        in[i].q = n->in[i]->t.q;
    }
    if (n_data == 1)
        ins[1] = &n->in[1]->t;
    PARE_TRY(pare_op_eval(&(pare_call){ n->op, n->attrs, 2, 1, ins, &out }));
    for (int i = 0; i < 256; i++)
        codes[i] = (uint8_t)pare_tensor_int(&y, i);
    pare_tensor_release(&y);
    return PARE_OK;
}

/* The one value that decides what n makes; NULL: there are several, or n reads it directly. */
static pare_value *only_source(const pare_node *n)
{
    if (n->op == &pare_op_lut && pare_value_is_const(n->in[1]))
        return source(n->in[0]) == n->in[0] ? NULL : source(n->in[0]);
    if ((n->op != &pare_op_qadd && n->op != &pare_op_qmul) || !pare_shape_equal(&n->in[0]->t.shape, &n->in[1]->t.shape))
        return NULL;
    return source(n->in[0]) == source(n->in[1]) ? source(n->in[0]) : NULL;
}

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    pare_value *in[2] = { only_source(n) };
    uint8_t     codes[256];
    pare_node  *made;

    if (!in[0] || pare_value_is_const(in[0]))
        return PARE_OK;
    *changed = true;
    PARE_TRY(evaluate(n, in[0], codes));
    PARE_TRY(pare_qdq_const_u8(g, "table", codes, 256, &in[1]));
    return pare_qdq_replace(g, &pare_op_lut, NULL, 2, in, n->out[0], &made);
}

const pare_pass pare_pass_merge_tables = {
    .name = "merge_tables",
    .doc = "what is made of one 8-bit value alone is one table",
    .rewrite = rewrite,
};
