/* SPDX-License-Identifier: Apache-2.0 */
/* pool_shape.c - output sizes and divisors of pools */
#include "ops/pool.h"

#include "base/status.h"

pare_status pare_pool_shape(const pare_call *call, pare_window *window)
{
    const pare_pool_attrs *a = call->attrs;

    PARE_TRY(pare_window_resolve(&a->window, &call->in[0]->shape, NULL, window));
    call->out[0]->shape = call->in[0]->shape;
    for (int i = 0; i < window->n; i++)
        call->out[0]->shape.dim[i + 2] = window->out[i];
    return PARE_OK;
}

static int64_t min64(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Taps whose position lies in [lo, hi). */
static int64_t taps_inside(const pare_window *w, int i, int64_t at, int64_t lo, int64_t hi)
{
    int64_t count = 0;

    for (int64_t j = 0; j < w->kernel[i]; j++) {
        const int64_t p = at * w->stride[i] - w->before[i] + j * w->dilation[i];

        count += p >= lo && p < hi;
    }
    return count;
}

int64_t pare_pool_count(const pare_pool_attrs *a, const pare_window *w, const int64_t *at)
{
    int64_t count = 1;

    for (int i = 0; i < w->n; i++) {
        const int64_t all = taps_inside(w, i, at[i], -w->before[i], w->in[i] + w->after[i]);
        const int64_t real = taps_inside(w, i, at[i], 0, w->in[i]);

        count *= a->count_include_pad ? all : min64(all, real);
    }
    return count;
}
