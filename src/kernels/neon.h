/* SPDX-License-Identifier: Apache-2.0 */
/*
 * neon.h - what every NEON file says, floats by fours, and the byte products of the levels neondot and i8mm
 *
 * Functions that use those carry PARE_NEONDOT_ISA or PARE_I8MM_ISA, so that one binary holds all levels. Compilers
 * want a constant for a lane: always_inline and a switch make one of an argument. clang before 16 hides the intrinsics
 * unless the whole file is compiled for the level, but not the builtins that they are made of.
 */
#ifndef PARE_KERNELS_NEON_H
#define PARE_KERNELS_NEON_H

#include <arm_neon.h>

#define PARE_NEON_INLINE __attribute__((always_inline)) static inline

#if defined(__clang__)
#define PARE_NEON_UNROLL     _Pragma("clang loop unroll(full)")
#define PARE_NEON_IN_ORDER() (void)0
#define PARE_NEONDOT_ISA     __attribute__((target("dotprod")))
#define PARE_I8MM_ISA        __attribute__((target("dotprod,i8mm")))
#else
#define PARE_NEON_UNROLL     _Pragma("GCC unroll 32")
/* Loads stay behind it: without, gcc 12 begins with all the loads of a loop and then has no registers left. */
#define PARE_NEON_IN_ORDER() __asm__("" ::: "memory")
#define PARE_NEONDOT_ISA     __attribute__((target("arch=armv8.2-a+dotprod")))
#define PARE_I8MM_ISA        __attribute__((target("arch=armv8.2-a+dotprod+i8mm")))
#endif

#if defined(__clang__) && __clang_major__ < 16
enum { PARE_NEON_S32X4 = 34 }; /* clang's number for int32x4_t */
#define PARE_NEON_PRODUCT(name, sum, a, b) \
    ((int32x4_t)__builtin_neon_##name##_v((int8x16_t)(sum), (int8x16_t)(a), (int8x16_t)(b), PARE_NEON_S32X4))
#define PARE_NEON_FOUR(x, lane)       vdupq_laneq_s32((int32x4_t)(x), lane)
#define PARE_NEON_SDOT(sum, a, b)     PARE_NEON_PRODUCT(vdotq, sum, a, b)
#define PARE_NEON_USMMLA(sum, a, b)   PARE_NEON_PRODUCT(vusmmlaq, sum, a, b)
#define PARE_NEON_SDOT4(sum, a, x, l) PARE_NEON_PRODUCT(vdotq, sum, a, PARE_NEON_FOUR(x, l))
#define PARE_NEON_USDOT(sum, a, b)    PARE_NEON_PRODUCT(vusdotq, sum, a, b)
#else
#define PARE_NEON_SDOT   vdotq_s32
#define PARE_NEON_USDOT  vusdotq_s32
#define PARE_NEON_USMMLA vusmmlaq_s32
#define PARE_NEON_SDOT4  vdotq_laneq_s32
#endif

/* v < lo ? lo : v, then v > hi ? hi : v. Not fmax and fmin: NaN and the sign of zero stay. */
PARE_NEON_INLINE float32x4_t pare_neon_clamp(float32x4_t v, float32x4_t lo, float32x4_t hi)
{
    v = vbslq_f32(vcltq_f32(v, lo), lo, v);
    return vbslq_f32(vcgtq_f32(v, hi), hi, v);
}

/* fmaf(b, x[lane], sum) */
PARE_NEON_INLINE float32x4_t pare_neon_fma_lane(float32x4_t sum, float32x4_t b, float32x4_t x, int lane)
{
    switch (lane) {
    case 0:
        return vfmaq_laneq_f32(sum, b, x, 0);
    case 1:
        return vfmaq_laneq_f32(sum, b, x, 1);
    case 2:
        return vfmaq_laneq_f32(sum, b, x, 2);
    default:
        return vfmaq_laneq_f32(sum, b, x, 3);
    }
}

/* The first n floats at x, n >= 4: four; nothing behind them is read. */
PARE_NEON_INLINE float32x4_t pare_neon_load_f32(const float *x, int n)
{
    float all[4] = { 0 };

    if (n >= 4)
        return vld1q_f32(x);
    for (int i = 0; i < n; i++)
        all[i] = x[i];
    return vld1q_f32(all);
}

/* Stores the first n floats of v, n >= 4: all; 0 or less: none. */
PARE_NEON_INLINE void pare_neon_save_f32(float *y, int n, float32x4_t v)
{
    if (n >= 4) {
        vst1q_f32(y, v);
        return;
    }
    if (n > 0)
        y[0] = vgetq_lane_f32(v, 0);
    if (n > 1)
        y[1] = vgetq_lane_f32(v, 1);
    if (n > 2)
        y[2] = vgetq_lane_f32(v, 2);
}

/* sum + four products of signed bytes, in each of 4 int32; wraps. */
PARE_NEONDOT_ISA PARE_NEON_INLINE int32x4_t pare_neon_sdot(int32x4_t sum, int8x16_t a, int8x16_t b)
{
    return PARE_NEON_SDOT(sum, a, b);
}

/* The same, b being four neighbouring bytes of x: number `lane` of 0..3. */
PARE_NEONDOT_ISA PARE_NEON_INLINE int32x4_t pare_neon_sdot_four(int32x4_t sum, int8x16_t a, int8x16_t x, int lane)
{
    switch (lane) {
    case 0:
        return PARE_NEON_SDOT4(sum, a, x, 0);
    case 1:
        return PARE_NEON_SDOT4(sum, a, x, 1);
    case 2:
        return PARE_NEON_SDOT4(sum, a, x, 2);
    default:
        return PARE_NEON_SDOT4(sum, a, x, 3);
    }
}

/* Unsigned a by signed b. */
PARE_I8MM_ISA PARE_NEON_INLINE int32x4_t pare_neon_usdot(int32x4_t sum, uint8x16_t a, int8x16_t b)
{
    return PARE_NEON_USDOT(sum, a, b);
}

/* sum[2 i + j] + the products of 8 unsigned bytes, row i of a, by 8 signed bytes, row j of b. */
PARE_I8MM_ISA PARE_NEON_INLINE int32x4_t pare_neon_usmmla(int32x4_t sum, uint8x16_t a, int8x16_t b)
{
    return PARE_NEON_USMMLA(sum, a, b);
}

#endif
