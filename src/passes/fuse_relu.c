/* SPDX-License-Identifier: Apache-2.0 */
/* fuse_relu.c - the producer clamps at zero when nobody else reads its output */
#include "passes/clamp.h"
#include "passes/pass.h"

extern const pare_op pare_op_relu;

static pare_status rewrite(pare_graph *g, pare_node *n, bool *changed)
{
    (void)g;
    if (n->op == &pare_op_relu)
        *changed = pare_clamp_producer(n, 0, INFINITY);
    return PARE_OK;
}

const pare_pass pare_pass_fuse_relu = {
    .name = "fuse_relu",
    .doc = "the op before a relu clamps at zero",
    .rewrite = rewrite,
};
