/* SPDX-License-Identifier: Apache-2.0 */
/* qdw_neondot.c - with sdot: codes become signed by xor 0x80, which takes 128 off them; the bias makes up for it */
#include "cpu/cpu.h"

#if PARE_ARM64
#include "kernels/neon.h"

#define ISA PARE_NEONDOT_ISA
#define RUN pare_qdw_8_neondot

typedef int8x16_t codes;

ISA PARE_NEON_INLINE codes as_codes(uint8x16_t bytes)
{
    return vreinterpretq_s8_u8(veorq_u8(bytes, vdupq_n_u8(128)));
}

ISA PARE_NEON_INLINE int32x4_t product(int32x4_t sum, codes x, int8x16_t w)
{
    return pare_neon_sdot(sum, x, w);
}

#include "kernels/qdw/qdw_neon_body.h"
#else
typedef int not_arm64;
#endif
