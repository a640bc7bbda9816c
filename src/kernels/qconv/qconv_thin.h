/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_thin.h - a form of the AVX-512 version for little depth (qconv_thin_avx512vnni.c) */
#ifndef PARE_KERNELS_QCONV_THIN_H
#define PARE_KERNELS_QCONV_THIN_H

#include "kernels/qconv/qconv_plan.h"

bool pare_qconv_thin_fits(const pare_qconv_plan *plan);
void pare_qconv_thin_avx512vnni(const pare_qconv_range *r);

#endif
