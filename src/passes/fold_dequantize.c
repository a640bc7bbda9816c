/* SPDX-License-Identifier: Apache-2.0 */
/* fold_dequantize.c - after lowering: quantized constants that are still read as float become float constants */
#include "passes/fold.h"
#include "passes/pass.h"

extern const pare_op pare_op_dequantize_linear;

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    (void)g;
    return n->op == &pare_op_dequantize_linear ? pare_fold_node(n, changed) : PARE_OK;
}

const pare_pass pare_pass_fold_dequantize = {
    .name = "fold_dequantize",
    .doc = "quantized constants that no integer op reads become float constants",
    .rewrite = rewrite,
};
