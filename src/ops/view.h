/* SPDX-License-Identifier: Apache-2.0 */
/* view.h - ops that give in[0] another shape and nothing else: reshape, flatten, squeeze, identity ... */
#ifndef PARE_OPS_VIEW_H
#define PARE_OPS_VIEW_H

#include "ops/call.h"
#include "ops/move.h"
#include "ops/parts.h"

/* out[0] has dtype and qparams of in[0] and this shape. Sub-byte types may take part: dense, so nothing moves. */
pare_status pare_view_out(const pare_call *call, const pare_shape *shape);

/* Copies in row-major order, unless output and input are the same bytes. */
void pare_view_part(const pare_call *call, int part, int parts);

#endif
