/* SPDX-License-Identifier: Apache-2.0 */
/* quantize_rows.h - what the forms of quantize_rows share */
#ifndef PARE_OPS_QUANTIZE_ROWS_H
#define PARE_OPS_QUANTIZE_ROWS_H

#include "ops/op.h"

/* How many leading axes number the rows. */
int pare_row_axes(const pare_call *call);

/* Row `row` as views: codes, numbers, and where its scale goes. */
void pare_row_views(const pare_call *call, int64_t row, pare_tensor *q, pare_tensor *x, float **scale);

/* Whether the axes from `first` on are neighbours in memory, in their order. */
bool pare_rows_in_one_piece(const pare_tensor *t, int first);

/* Whether the rows are images that pare_quantize_images, a run of the step, takes. */
bool      pare_quantizes_images(const pare_call *call);
void      pare_quantize_images(const pare_step *step, const pare_call *call, int part, int parts, void *scratch);
pare_span pare_quantize_images_span(const pare_step *step, const pare_call *call, int operand, int part, int parts);

#endif
