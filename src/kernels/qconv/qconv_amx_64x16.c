/* SPDX-License-Identifier: Apache-2.0 */
/* qconv_amx_64x16.c - 64 pixels x 16 columns: each weight is read once where pixels are few */
#define FORM         pare_qconv_64x16_amx
#define COLUMN_TILES 1
#include "kernels/qconv/qconv_amx_body.h"
