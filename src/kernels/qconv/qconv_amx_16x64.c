/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_amx_16x64.c - 16 pixels x 64 columns: rows of x are loaded once, and outputs leave in whole cache lines */
#define FORM         pare_qconv_16x64_amx
#define COLUMN_TILES 4
#include "kernels/qconv/qconv_amx_body.h"
