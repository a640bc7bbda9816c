/* SPDX-License-Identifier: Apache-2.0 */
/* clamp.h - what fuse_relu and fuse_clip share */
#ifndef PARE_PASSES_CLAMP_H
#define PARE_PASSES_CLAMP_H

#include <math.h>

#include "graph/graph.h"

/*
 * Lets the producer of n's input clamp to [lo, hi] behind what it clamps to already, and takes n out. False, and
 * nothing is done, when the producer has no clamp of float results or n is not its only reader.
 */
bool pare_clamp_producer(pare_node *n, float lo, float hi);

#endif
