/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mark_quantized.c - integers between quantize and dequantize nodes carry their scale and zero point
 *
 * Sets q on the integer value of every quantize_linear and dequantize_linear with constant parameters: a Q's output, a
 * DQ's input. A value that two nodes read with different parameters keeps those of the first. The lowering passes look
 * at values only.
 */
#include "base/alloc.h"
#include "base/status.h"
#include "passes/pass.h"
#include "passes/qdq.h"

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    pare_value *const integers = n->op == &pare_op_quantize_linear     ? n->out[0]
                                 : n->op == &pare_op_dequantize_linear ? n->in[0]
                                                                       : NULL;
    pare_qparams     *q;

    (void)g;
    if (!integers || integers->t.q || !integers->has_shape)
        return PARE_OK;
    PARE_TRY(pare_qdq_params(n, &integers->t.shape, &q));
    const pare_status status = q ? pare_value_set_q(integers, q) : PARE_OK;

    *changed = q != NULL;
    pare_free(q);
    return status;
}

const pare_pass pare_pass_mark_quantized = {
    .name = "mark_quantized",
    .doc = "integers between quantize and dequantize carry their scale and zero point",
    .rewrite = rewrite,
};
