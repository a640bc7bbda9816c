/* SPDX-License-Identifier: Apache-2.0 */
/* lut8_ref.c - the definition of lut8 */
#include "kernels/lut8/lut8.h"

void pare_lut8_ref(const uint8_t table[256], const uint8_t *x, uint8_t *y, long n)
{
    for (long i = 0; i < n; i++)
        y[i] = table[x[i]];
}
