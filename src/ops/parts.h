/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h - forward, run and prepare of an op that is written once, as its share of a call */
#ifndef PARE_OPS_PARTS_H
#define PARE_OPS_PARTS_H

#include "ops/op.h"

/* Share `part` of `parts` of a call; cannot fail. The whole is part 0 of 1. */
typedef void pare_part_fn(const pare_call *call, int part, int parts);

/* Defines forward and run of an op by its pare_part_fn, and a prepare that chooses this run. */
#define PARE_IN_PARTS(do_part)                                                                                       \
    static pare_status forward(const pare_call *c) { do_part(c, 0, 1); return PARE_OK; }                             \
    static void run(const pare_step *s, const pare_call *c, int i, int n, void *m) { (void)s, (void)m, do_part(c, i, n); } \
    static pare_status prepare(const pare_call *c, pare_step *s) { (void)c; s->kernel = "c", s->run = run; return PARE_OK; }

#endif
