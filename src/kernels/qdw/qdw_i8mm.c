/* SPDX-License-Identifier: Apache-2.0 */
/* qdw_i8mm.c - with usdot, whose codes are unsigned as they are */
#include "cpu/cpu.h"

#if PARE_ARM64
#include "kernels/neon.h"

#define ISA PARE_I8MM_ISA
#define RUN pare_qdw_8_i8mm

typedef uint8x16_t codes;

ISA PARE_NEON_INLINE codes as_codes(uint8x16_t bytes)
{
    return bytes;
}

ISA PARE_NEON_INLINE int32x4_t product(int32x4_t sum, codes x, int8x16_t w)
{
    return pare_neon_usdot(sum, x, w);
}

#include "kernels/qdw/qdw_neon_body.h"
#else
typedef int not_arm64;
#endif
