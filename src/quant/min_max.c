/* SPDX-License-Identifier: Apache-2.0 */
/* min_max.c - the range of everything seen */
#include "quant/min_max.h"

#include <float.h>
#include <math.h>

#include "base/status.h"
#include "quant/observer.h"

pare_status pare_min_max_of(const pare_tensor *t, float *min, float *max, int64_t *n)
{
    pare_rows rows;
    bool      finite = true;

    *min = INFINITY, *max = -INFINITY, *n = 0;
    pare_rows_begin(&rows, 1, &t, 0, 1);
    while (pare_rows_next(&rows)) {
        const float *x = (const float *)rows.ptr[0];
        float        lo = *min, hi = *max;

        for (int64_t i = 0; i < rows.n; i++) {
            const float v = x[i * rows.step[0]];

            finite &= fabsf(v) <= FLT_MAX;
            lo = v < lo ? v : lo;
            hi = v > hi ? v : hi;
        }
        *min = lo, *max = hi;
        *n += rows.n;
    }
    *min += 0.0f, *max += 0.0f; /* -0 becomes 0: which of both comes first must not matter */
    if (!finite)
        return pare_fail(PARE_ERR_NUMERIC, "it holds NaN or an infinity; check the data and the preprocessing");
    return PARE_OK;
}

typedef struct min_max {
    int64_t seen;
    float   min, max;
} min_max;

static pare_status see(void *state, const pare_tensor *t)
{
    min_max *const s = state;
    float          min, max;
    int64_t        n;

    PARE_TRY(pare_min_max_of(t, &min, &max, &n));
    if (n == 0)
        return PARE_OK;
    s->min = s->seen && s->min < min ? s->min : min;
    s->max = s->seen && s->max > max ? s->max : max;
    s->seen += n;
    return PARE_OK;
}

static pare_status range(const void *state, int levels, float *min, float *max)
{
    const min_max *s = state;

    (void)levels;
    *min = s->min;
    *max = s->max;
    return s->seen ? PARE_OK : pare_fail(PARE_ERR_NUMERIC, "no data has reached it");
}

static void merge(void *state, const void *other)
{
    min_max *const       s = state;
    const min_max *const o = other;

    if (!o->seen)
        return;
    s->min = s->seen && s->min < o->min ? s->min : o->min;
    s->max = s->seen && s->max > o->max ? s->max : o->max;
    s->seen += o->seen;
}

const pare_observer pare_observer_min_max = {
    .name = "min_max",
    .doc = "everything that was seen lies inside the range",
    .size = sizeof(min_max),
    .see = see,
    .range = range,
    .merge = merge,
};
