/* SPDX-License-Identifier: Apache-2.0 */
/* if.c - one of two bodies; the graph infers it and exec runs it, since ops know no graphs */
#include "ops/attr.h"

static const pare_attr attrs[] = {
    PARE_ATTR_ROW_GRAPH(pare_if_attrs, then_branch),
    PARE_ATTR_ROW_GRAPH(pare_if_attrs, else_branch),
    PARE_ATTR_END,
};

const pare_op pare_op_if = {
    .name = "if",
    .onnx = "If",
    .min_in = 1,
    .max_in = 1,
    .min_out = 1,
    .max_out = PARE_MAX_OUTPUTS,
    .traits = PARE_HAS_BODY,
    .attrs = attrs,
    .attrs_size = sizeof(pare_if_attrs),
};
