/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_report.h - what pare quantize has done, printed */
#ifndef PARE_CLI_QUANTIZE_REPORT_H
#define PARE_CLI_QUANTIZE_REPORT_H

#include <pare/payoff.h>

/* From the file `from` to the file `to`. `times` may be NULL: not measured. */
void pare_quantize_text(const char *from, const char *to, const pare_quantize_result *r, const pare_layer_times *times);
void pare_quantize_json(const char *from, const char *to, const pare_quantize_result *r, const pare_layer_times *times);

#endif
