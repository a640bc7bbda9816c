/* SPDX-License-Identifier: Apache-2.0 */
/* lut8_neon.c - 32 codes at a time; the table lies in 16 registers, tbl and tbx look up a quarter each */
#include "cpu/cpu.h"

#if PARE_ARM64
#include "kernels/lut8/lut8.h"
#include "kernels/qconv/qepilogue_neon.h"

void pare_lut8_neon(const uint8_t table[256], const uint8_t *x, uint8_t *y, long n)
{
    const pare_q128_table t = pare_q128_load_table(table);
    long                  i = 0;

    for (; i + 32 <= n; i += 32) {
        const uint8x16_t a = pare_q128_look(&t, vld1q_u8(x + i)), b = pare_q128_look(&t, vld1q_u8(x + i + 16));
        vst1q_u8(y + i, a);
        vst1q_u8(y + i + 16, b);
    }
    for (; i < n; i += 16) {
        const int left = n - i < 16 ? (int)(n - i) : 16;
        pare_q128_save(y + i, left, pare_q128_look(&t, pare_q128_load(x + i, left)));
    }
}
#else
typedef int not_arm64;
#endif
