/* SPDX-License-Identifier: Apache-2.0 */
/* qgated.h - products of pictures with one code per channel: the gates of squeeze-and-excitation blocks */
#ifndef PARE_OPS_QGATED_H
#define PARE_OPS_QGATED_H

#include "ops/op.h"

/* Whether a qmul is of channels-last pixels with one pixel per image. */
bool pare_qgated_fits(const pare_call *call);

/* Its step; lo and hi bound the codes. */
pare_status pare_qgated_prepare(const pare_call *call, int lo, int hi, pare_step *step);

#endif
