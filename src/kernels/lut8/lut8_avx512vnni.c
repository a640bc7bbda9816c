/* SPDX-License-Identifier: Apache-2.0 */
/* lut8_avx512vnni.c - 64 codes at a time by word permutes, since byte permutes (VBMI) are not part of the level */
#include "cpu/cpu.h"

#if PARE_X86
#include "kernels/lut8/lut8.h"
#include "kernels/qconv/qepilogue_avx512.h"

#define ISA __attribute__((target("avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")))

ISA void pare_lut8_avx512vnni(const uint8_t table[256], const uint8_t *x, uint8_t *y, long n)
{
    for (long i = 0; i < n; i += 64) {
        const __mmask64 mask = pare_q512_mask(n - i < 64 ? (int)(n - i) : 64);
        _mm512_mask_storeu_epi8(y + i, mask, pare_q512_lookup(table, _mm512_maskz_loadu_epi8(mask, x + i)));
    }
}
#else
typedef int not_x86;
#endif
