/* SPDX-License-Identifier: Apache-2.0 */
/* calibration_file.h - ranges kept in a file, so that trying other settings does not calibrate again */
#ifndef PARE_FLOW_CALIBRATION_FILE_H
#define PARE_FLOW_CALIBRATION_FILE_H

#include "flow/quantization.h"

/*
 * Fills the ranges of all observed values when the file was written for this model (by a fingerprint of its nodes and
 * weights), the first `samples` of this data (by their names and the numbers of the first) and the same observers; else
 * *fits is false and nothing is filled. Without data (NULL) that of the file is taken on trust. A missing file does not
 * fit; a damaged one is PARE_ERR_DATA.
 */
pare_status pare_calibration_read(const char *path, pare_quantization *q, const pare_dataset *data, int64_t samples,
                                  bool *fits);
pare_status pare_calibration_write(const char *path, const pare_quantization *q, const pare_dataset *data,
                                   int64_t samples);

#endif
