/* SPDX-License-Identifier: Apache-2.0 */
/* lower_binary.c - dequantize, dequantize -> add, mul -> quantize becomes qadd, qmul */
#include "base/status.h"
#include "passes/pass.h"
#include "passes/qdq.h"

extern const pare_op pare_op_add, pare_op_mul, pare_op_qadd, pare_op_qmul;

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    if (n->op != &pare_op_add && n->op != &pare_op_mul)
        return PARE_OK;
    pare_value *const in[2] = { pare_qdq_source(n->in[0]), pare_qdq_source(n->in[1]) };
    pare_node *const  sink = pare_qdq_sink(n->out[0]);
    pare_node        *made;

    if (!sink || !pare_q_is_u8(in[0]) || !pare_q_is_u8(in[1]) || !pare_q_is_u8(sink->out[0]))
        return PARE_OK;
    *changed = true;
    return pare_qdq_replace(g, n->op == &pare_op_add ? &pare_op_qadd : &pare_op_qmul, n, 2, in, sink->out[0], &made);
}

const pare_pass pare_pass_lower_binary = {
    .name = "lower_binary",
    .doc = "dequantize -> add, mul -> quantize becomes qadd, qmul",
    .rewrite = rewrite,
};
