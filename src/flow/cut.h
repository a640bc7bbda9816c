/* SPDX-License-Identifier: Apache-2.0 */
/* cut.h - the cheapest way to put points on two sides, when it costs something to part some of them */
#ifndef PARE_FLOW_CUT_H
#define PARE_FLOW_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include <pare/status.h>

enum { PARE_CUT_SOURCE, PARE_CUT_SINK, PARE_CUT_FIRST }; /* the two fixed points, and the first free one */

#define PARE_CUT_NEVER ((int64_t)1 << 60) /* the price of what must not be parted */

typedef struct pare_cut pare_cut;

pare_status pare_cut_create(int points, pare_cut **out);
void        pare_cut_destroy(pare_cut *cut); /* NULL is fine */

/* `cost` >= 0 is paid when `from` is on the source's side and `to` on the sink's; several edges add up. */
pare_status pare_cut_edge(pare_cut *cut, int from, int to, int64_t cost);

/* at_sink[points] of a cheapest cut; what costs the same on both sides is on the source's. Once per cut. */
pare_status pare_cut_find(pare_cut *cut, bool *at_sink);

#endif
