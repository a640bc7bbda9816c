/* SPDX-License-Identifier: Apache-2.0 */
/* scatter.c - how a scattered element joins what is there already */
#include "ops/scatter.h"

#include <string.h>

#include "base/status.h"
#include "ops/call.h"
#include "ops/number.h"

pare_status pare_scatter_reduction(const pare_call *call, const char *word, pare_reduction *out)
{
    static const char *const words[] = { "none", "add", "mul", "max", "min" };

    for (int i = 0; i < 5; i++)
        if (!strcmp(words[i], word)) {
            *out = (pare_reduction)i;
            return i ? pare_call_plain(call, 0, PARE_D(f32) | PARE_DTYPES_INT) : PARE_OK;
        }
    return pare_fail(PARE_ERR_ARG, "reduction is '%s', it must be none, add, mul, max or min", word);
}

static float join_f32(pare_reduction reduction, float a, float b)
{
    switch (reduction) {
    case PARE_REDUCTION_ADD:
        return a + b;
    case PARE_REDUCTION_MUL:
        return a * b;
    case PARE_REDUCTION_MAX:
        return b > a || b != b ? b : a;
    case PARE_REDUCTION_MIN:
        return b < a || b != b ? b : a;
    default:
        return b;
    }
}

static int64_t join_int(pare_reduction reduction, int64_t a, int64_t b)
{
    switch (reduction) {
    case PARE_REDUCTION_ADD:
        return pare_wrap_add(a, b);
    case PARE_REDUCTION_MUL:
        return pare_wrap_mul(a, b);
    case PARE_REDUCTION_MAX:
        return b > a ? b : a;
    case PARE_REDUCTION_MIN:
        return b < a ? b : a;
    default:
        return b;
    }
}

void pare_scatter_one(pare_reduction reduction, pare_dtype dtype, void *y, int64_t at, const void *value, int64_t from)
{
    const size_t size = pare_dtype_size(dtype);

    if (reduction == PARE_REDUCTION_NONE)
        memcpy((char *)y + at * (int64_t)size, (const char *)value + from * (int64_t)size, size);
    else if (dtype == PARE_f32)
        ((float *)y)[at] = join_f32(reduction, ((float *)y)[at], ((const float *)value)[from]);
    else
        pare_store_int(dtype, y, at,
                       join_int(reduction, pare_load_int(dtype, y, at), pare_load_int(dtype, value, from)));
}
