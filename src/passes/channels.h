/* SPDX-License-Identifier: Apache-2.0 */
/* channels.h - reading concat, split and slice along the channels */
#ifndef PARE_PASSES_CHANNELS_H
#define PARE_PASSES_CHANNELS_H

#include "graph/graph.h"

/* A concat along axis 1. */
bool pare_channels_are_joined(const pare_node *n);

/* A split along axis 1, or a slice of neighbours along that axis only, whose shapes and numbers are known. */
bool pare_channels_are_cut(const pare_node *n);

/* Of such a node: the first channel of output i in in[0]; false: it cannot be told. */
bool pare_channels_start(const pare_node *n, int i, int64_t *start);

#endif
