/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qdw.h - depthwise 2-D convolution u8 x s8 -> s32 -> u8 or f32, channels-last
 *
 * Same desc, memory contract, epilogue and definition (pare_qconv_ref) as qconv, for the case
 * in_c == out_c == groups: every channel has a kernel_h x kernel_w filter of its own. Any kernel, stride, dilation.
 */
#ifndef PARE_KERNELS_QDW_H
#define PARE_KERNELS_QDW_H

#include "kernels/qconv/qconv.h"

typedef struct pare_qdw_plan   pare_qdw_plan;
typedef struct pare_qdw_kernel pare_qdw_kernel;

/* The versions that `cpu` runs, best first; 0 where the desc is not depthwise. The last is portable C. */
int         pare_qdw_candidates(const pare_qconv_desc *d, unsigned cpu, const pare_qdw_kernel *out[], int max);
const char *pare_qdw_kernel_name(const pare_qdw_kernel *kernel);

/* As their namesakes in qconv.h. */
pare_status pare_qdw_create(const pare_qconv_desc *d, const pare_qdw_kernel *kernel, pare_qdw_plan **out);
void        pare_qdw_destroy(pare_qdw_plan *plan);
size_t      pare_qdw_packed_bytes(const pare_qdw_plan *plan);

/* Does share `part` of `parts` of the output lines and channel blocks. Cannot fail. */
void pare_qdw_run(const pare_qdw_plan *plan, const pare_qconv_args *args, int part, int parts);

/* Whole lines that hold all output pixels, counted over images, lines and columns, that a part writes. */
void pare_qdw_share(const pare_qdw_plan *plan, int batch, int part, int parts, long *first, long *last);

#endif
