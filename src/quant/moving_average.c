/* SPDX-License-Identifier: Apache-2.0 */
/* moving_average.c - each batch pulls the range a hundredth of the way to its own (Jacob et al. 2018, section 3.1) */
#include "base/status.h"
#include "quant/min_max.h"
#include "quant/observer.h"

static const float RATE = 0.01f;

typedef struct average {
    int64_t batches;
    float   min, max;
} average;

static pare_status see(void *state, const pare_tensor *t)
{
    average *const s = state;
    float          min, max;
    int64_t        n;

    PARE_TRY(pare_min_max_of(t, &min, &max, &n));
    if (n == 0)
        return PARE_OK;
    s->min = s->batches ? s->min + RATE * (min - s->min) : min;
    s->max = s->batches ? s->max + RATE * (max - s->max) : max;
    s->batches++;
    return PARE_OK;
}

static pare_status range(const void *state, int levels, float *min, float *max)
{
    const average *s = state;

    (void)levels;
    *min = s->min;
    *max = s->max;
    return s->batches ? PARE_OK : pare_fail(PARE_ERR_NUMERIC, "no data has reached it");
}

const pare_observer pare_observer_moving_average = {
    .name = "moving_average",
    .doc = "each batch pulls the range a hundredth of the way towards its own",
    .size = sizeof(average),
    .ordered = true,
    .see = see,
    .range = range,
};
