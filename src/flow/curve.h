/* SPDX-License-Identifier: Apache-2.0 */
/* curve.h - the course of training as a picture */
#ifndef PARE_FLOW_CURVE_H
#define PARE_FLOW_CURVE_H

#include "flow/checkpoint.h"

/* An SVG file: the loss of all steps so far, and after each epoch that of the test set and its accuracy. */
pare_status pare_curve_write(const char *path, const pare_run_state *state, int64_t steps_per_epoch, int64_t total);

#endif
