/* SPDX-License-Identifier: Apache-2.0 */
/* parts.h - forward, run and prepare of an op that is written once, as its share of a call */
#ifndef PARE_OPS_PARTS_H
#define PARE_OPS_PARTS_H

#include "ops/op.h"

/* Leaves `run` in the step, under the name of plain C. */
static inline pare_status pare_choose_run(pare_step *step,
                                          void (*run)(const pare_step *, const pare_call *, int, int, void *))
{
    step->kernel = "c";
    step->run = run;
    return PARE_OK;
}

/* Forward, run and prepare by do_part(call, part, parts), which does a share of a call and cannot fail. */
#define PARE_IN_PARTS(do_part)                                                                  \
    static pare_status forward(const pare_call *c)                                              \
    {                                                                                           \
        do_part(c, 0, 1);                                                                       \
        return PARE_OK;                                                                         \
    }                                                                                           \
    static void run(const pare_step *s, const pare_call *c, int part, int parts, void *scratch) \
    {                                                                                           \
        (void)s, (void)scratch, do_part(c, part, parts);                                        \
    }                                                                                           \
    static pare_status prepare(const pare_call *c, pare_step *s)                                \
    {                                                                                           \
        (void)c;                                                                                \
        return pare_choose_run(s, run);                                                         \
    }

#endif
