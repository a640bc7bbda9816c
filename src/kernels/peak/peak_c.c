/* SPDX-License-Identifier: Apache-2.0 */
/* peak_c.c - 64 sums in a row of memory, for the compiler to put into vectors as it does in the other portable code */
#include <math.h>
#include <stdint.h>

#include "kernels/peak/peak.h"

enum { SUMS = 64 };

int pare_peak_int8_c(long n)
{
    int32_t sum[SUMS] = { 0 };
    uint8_t x[SUMS];
    int8_t  w[SUMS];
    int32_t all = 0;

    for (int i = 0; i < SUMS; i++) {
        x[i] = (uint8_t)(n + i);
        w[i] = (int8_t)(n - i);
    }
    for (long round = 0; round < n; round++) {
        for (int i = 0; i < SUMS; i++)
            sum[i] += x[i] * w[i];
        __asm__ volatile("" : "+m"(sum), "+m"(x), "+m"(w)); /* each round anew */
    }
    for (int i = 0; i < SUMS; i++)
        all ^= sum[i];
    return all;
}

/* The chains of the float reference: one fmaf after another, which is a call where the instruction is not there. */
int pare_peak_f32_c(long n)
{
    float sum[SUMS] = { 0 };
    float x = 1.0f / (float)(n + 2), all = 0;

    for (long round = 0; round < n; round++)
        for (int i = 0; i < SUMS; i++)
            sum[i] = fmaf(sum[i], x, x);
    for (int i = 0; i < SUMS; i++)
        all += sum[i];
    return all > 1;
}
