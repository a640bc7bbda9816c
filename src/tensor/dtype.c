/* SPDX-License-Identifier: Apache-2.0 */
/* dtype.c - what each element type is called, how wide it is and which integers it holds */
#include <string.h>

#include "tensor/tensor.h"

typedef struct dtype_row {
    const char *name;
    int         onnx, bits;
    pare_kind   kind;
    int64_t     lo, hi;
} dtype_row;

static const dtype_row table[PARE_N_DTYPES] = {
    [PARE_NO_DTYPE] = { "none", 0, 0, PARE_KIND_INT, 0, 0 },
#define PARE_DTYPE(name, onnx, bits, kind, lo, hi) [PARE_##name] = { #name, onnx, bits, kind, lo, hi },
#include <pare/dtype.def>
#undef PARE_DTYPE
};

static const dtype_row *row(pare_dtype dtype)
{
    return &table[(unsigned)dtype < PARE_N_DTYPES ? dtype : PARE_NO_DTYPE];
}

const char *pare_dtype_name(pare_dtype dtype)
{
    return row(dtype)->name;
}

pare_dtype pare_dtype_parse(const char *name)
{
    for (int i = PARE_NO_DTYPE + 1; i < PARE_N_DTYPES; i++)
        if (strcmp(table[i].name, name) == 0)
            return (pare_dtype)i;
    return PARE_NO_DTYPE;
}

int pare_dtype_bits(pare_dtype dtype)
{
    return row(dtype)->bits;
}

pare_kind pare_dtype_kind(pare_dtype dtype)
{
    return row(dtype)->kind;
}

int64_t pare_dtype_lo(pare_dtype dtype)
{
    return row(dtype)->lo;
}

int64_t pare_dtype_hi(pare_dtype dtype)
{
    return row(dtype)->hi;
}

size_t pare_dtype_size(pare_dtype dtype)
{
    return (size_t)row(dtype)->bits / 8;
}

pare_dtype pare_dtype_from_onnx(int64_t number)
{
    for (int i = PARE_NO_DTYPE + 1; i < PARE_N_DTYPES; i++)
        if (table[i].onnx == number)
            return (pare_dtype)i;
    return PARE_NO_DTYPE;
}

int pare_dtype_to_onnx(pare_dtype dtype)
{
    return row(dtype)->onnx;
}

static uint32_t float_bits(float x)
{
    uint32_t bits;

    memcpy(&bits, &x, sizeof(bits));
    return bits;
}

static float float_of_bits(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

float pare_bf16_to_f32(uint16_t bits)
{
    return float_of_bits((uint32_t)bits << 16);
}

uint16_t pare_f32_to_bf16(float x)
{
    const uint32_t bits = float_bits(x);

    if (x != x)
        return (uint16_t)(bits >> 16 | 0x40); /* quiet, so that cutting the low bits cannot make it infinite */
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

float pare_f16_to_f32(uint16_t half)
{
    const uint32_t sign = (uint32_t)(half & 0x8000) << 16;
    const uint32_t exponent = half >> 10 & 31;
    const uint32_t fraction = half & 0x3ff;

    if (exponent == 31)
        return float_of_bits(sign | 0x7f800000 | fraction << 13);
    if (exponent == 0) /* zero and subnormals: fraction * 2^-24, exact in float */
        return float_of_bits(sign | float_bits((float)fraction * 0x1p-24f));
    return float_of_bits(sign | (exponent + 112) << 23 | fraction << 13);
}

uint16_t pare_f32_to_f16(float x)
{
    const uint32_t bits = float_bits(x);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    const uint32_t abs = bits & 0x7fffffff;

    if (abs > 0x7f800000)
        return (uint16_t)(sign | 0x7e00 | (abs >> 13 & 0x3ff));
    if (abs >= 0x477ff000) /* 65520 and more round to infinity */
        return (uint16_t)(sign | 0x7c00);
    if (abs < 0x38800000) /* under 2^-14: adding 0.5 leaves the multiple of 2^-24 in the low bits, rounded to even */
        return (uint16_t)(sign | (float_bits(float_of_bits(abs) + 0.5f) - float_bits(0.5f)));
    return (uint16_t)(sign | ((abs + 0xfff + (abs >> 13 & 1)) - (112u << 23)) >> 13);
}
