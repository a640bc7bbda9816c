/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_amx_32x32.c - 32 pixels x 32 columns: fewest bytes loaded per product, for sums over many k */
#define FORM         pare_qconv_32x32_amx
#define COLUMN_TILES 2
#include "kernels/qconv/qconv_amx_body.h"
