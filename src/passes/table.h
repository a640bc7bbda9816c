/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - any function of one 8-bit number is a table of 256 codes (NUMERICS.md 6) */
#ifndef PARE_PASSES_TABLE_H
#define PARE_PASSES_TABLE_H

#include "graph/graph.h"

/*
 * Fills codes[i] = quantize(f(dequantize(i))): `n` is a node of one activation (its other inputs constants), evaluated
 * on all 256 numbers by its reference. NULL: f is the identity (requantize).
 */
pare_status pare_table_make(const pare_node *n, const pare_qparams *from, const pare_qparams *to, uint8_t codes[256]);

/* A lut node before `before` that carries x over to the parameters `to`. */
pare_status pare_table_requantize(pare_graph *g, pare_value *x, const pare_qparams *to, pare_node *before,
                                  pare_value **out);

#endif
