/* SPDX-License-Identifier: Apache-2.0 */
/* zip8_neon.c - st2 stores 16 pairs and ld2 loads them; the last step of a pixel goes back so far that it is whole */
#include "cpu/cpu.h"

#if PARE_ARM64
#include "kernels/neon.h"
#include "kernels/zip8/zip8.h"

enum { WIDE = 16, NARROW = 8 };

PARE_NEON_INLINE void zip_wide(const uint8_t *a, const uint8_t *b, uint8_t *y)
{
    vst2q_u8(y, (uint8x16x2_t){ { vld1q_u8(a), vld1q_u8(b) } });
}

PARE_NEON_INLINE void zip_narrow(const uint8_t *a, const uint8_t *b, uint8_t *y)
{
    vst2_u8(y, (uint8x8x2_t){ { vld1_u8(a), vld1_u8(b) } });
}

static void zip_pixel(const uint8_t *a, const uint8_t *b, uint8_t *y, long n)
{
    long c = 0;

    if (n < NARROW) {
        for (; c < n; c++) {
            y[2 * c] = a[c];
            y[2 * c + 1] = b[c];
        }
    } else if (n < WIDE) {
        zip_narrow(a, b, y);
        zip_narrow(a + n - NARROW, b + n - NARROW, y + 2 * (n - NARROW));
    } else {
        for (; c + WIDE <= n; c += WIDE)
            zip_wide(a + c, b + c, y + 2 * c);
        if (c < n)
            zip_wide(a + n - WIDE, b + n - WIDE, y + 2 * (n - WIDE));
    }
}

void pare_zip8_neon(const pare_zip8_args *g)
{
    for (long i = 0; i < g->pixels; i++)
        zip_pixel(g->a + i * g->a_pixel, g->b + i * g->b_pixel, g->y + i * g->y_pixel, g->channels);
}

PARE_NEON_INLINE void unzip_wide(const uint8_t *x, uint8_t *y, bool second)
{
    const uint8x16x2_t pairs = vld2q_u8(x);

    vst1q_u8(y, second ? pairs.val[1] : pairs.val[0]);
}

PARE_NEON_INLINE void unzip_narrow(const uint8_t *x, uint8_t *y, bool second)
{
    const uint8x8x2_t pairs = vld2_u8(x);

    vst1_u8(y, second ? pairs.val[1] : pairs.val[0]);
}

static void unzip_pixel(const uint8_t *x, uint8_t *y, long n, bool second)
{
    long c = 0;

    if (n < NARROW) {
        for (; c < n; c++)
            y[c] = x[2 * c + second];
    } else if (n < WIDE) {
        unzip_narrow(x, y, second);
        unzip_narrow(x + 2 * (n - NARROW), y + n - NARROW, second);
    } else {
        for (; c + WIDE <= n; c += WIDE)
            unzip_wide(x + 2 * c, y + c, second);
        if (c < n)
            unzip_wide(x + 2 * (n - WIDE), y + n - WIDE, second);
    }
}

void pare_unzip8_neon(const pare_unzip8_args *g)
{
    for (long i = 0; i < g->pixels; i++)
        unzip_pixel(g->x + i * g->x_pixel, g->y + i * g->y_pixel, g->channels, g->second);
}
#else
typedef int not_arm64;
#endif
