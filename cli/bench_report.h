/* SPDX-License-Identifier: Apache-2.0 */
/* bench_report.h - what pare bench has measured, printed */
#ifndef PARE_CLI_BENCH_REPORT_H
#define PARE_CLI_BENCH_REPORT_H

#include <pare/roofline.h>

#include "session.h"

typedef struct pare_bench {
    double    *ms; /* [n], sorted when measured                */
    int        n;
    double    *step_ms; /* [steps] medians; NULL: not wanted        */
    pare_peaks peaks;   /* where there are steps                    */
    double     open_ms; /* from the file to the plan, timing and packing included */
    int        threads, batch;
    bool       tuned;
} pare_bench;

double pare_bench_median(const double *sorted, int n);

void pare_bench_text(const pare_session *s, const pare_bench *t);
void pare_bench_json(const pare_session *s, const pare_bench *t);

#endif
