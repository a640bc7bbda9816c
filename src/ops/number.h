/* SPDX-License-Identifier: Apache-2.0 */
/* number.h - integer arithmetic that wraps modulo 2^64 instead of being undefined; stores cut it to the type's width */
#ifndef PARE_OPS_NUMBER_H
#define PARE_OPS_NUMBER_H

#include <stdint.h>

static inline int64_t pare_wrap_add(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a + (uint64_t)b);
}

static inline int64_t pare_wrap_sub(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a - (uint64_t)b);
}

static inline int64_t pare_wrap_mul(int64_t a, int64_t b)
{
    return (int64_t)((uint64_t)a * (uint64_t)b);
}

#endif
