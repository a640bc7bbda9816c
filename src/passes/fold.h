/* SPDX-License-Identifier: Apache-2.0 */
/* fold.h - what fold_const and fold_dequantize share */
#ifndef PARE_PASSES_FOLD_H
#define PARE_PASSES_FOLD_H

#include "graph/graph.h"

/*
 * Runs the node and makes constants of its results, when everything it reads is constant (of in[0] of an op with
 * PARE_SHAPE_ONLY: fixed in shape) and the results are not too large.
 */
pare_status pare_fold_node(pare_node *n, bool *changed);

#endif
