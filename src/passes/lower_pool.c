/* SPDX-License-Identifier: Apache-2.0 */
/* lower_pool.c - dequantize -> average pools -> quantize becomes qaverage_pool, qglobal_average_pool */
#include "base/status.h"
#include "passes/pass.h"
#include "passes/qdq.h"

extern const pare_op pare_op_average_pool, pare_op_global_average_pool, pare_op_qaverage_pool,
    pare_op_qglobal_average_pool;

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    if (n->op != &pare_op_average_pool && n->op != &pare_op_global_average_pool)
        return PARE_OK;
    pare_value *const x = pare_qdq_source(n->in[0]);
    pare_node *const  sink = pare_qdq_sink(n->out[0]);
    pare_node        *made;

    if (!sink || !pare_q_is_u8(x) || !pare_q_is_u8(sink->out[0]))
        return PARE_OK;
    *changed = true;
    return pare_qdq_replace(g, n->op == &pare_op_average_pool ? &pare_op_qaverage_pool : &pare_op_qglobal_average_pool,
                            n, 1, &x, sink->out[0], &made);
}

const pare_pass pare_pass_lower_pool = {
    .name = "lower_pool",
    .doc = "dequantize -> average pools -> quantize becomes integer pools",
    .rewrite = rewrite,
};
