/* SPDX-License-Identifier: Apache-2.0 */
/* fingerprint.h - whether a graph is the one that something was made for */
#ifndef PARE_FLOW_FINGERPRINT_H
#define PARE_FLOW_FINGERPRINT_H

#include "graph/graph.h"

/*
 * Of names, ops, attributes, shapes and constants. Of a constant above 4 KB only some pieces are read, so that a large
 * model need not come from the disk for this; *left_out says whether there was one.
 */
uint64_t pare_fingerprint(const pare_graph *g, bool *left_out);

/* Of all bytes of all constants. Pages of mapped files leave memory again. */
uint64_t pare_fingerprint_constants(const pare_graph *g);

/* Of the size and the time of change of the file that the graph came from; 0: there is none. */
uint64_t pare_fingerprint_file(const pare_graph *g);

#endif
