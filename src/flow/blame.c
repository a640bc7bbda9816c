/* SPDX-License-Identifier: Apache-2.0 */
/* blame.c - a step gave NaN or infinity: the batch is run again, and every value looked at, to name who made it */
#include <math.h>

#include "base/alloc.h"
#include "base/comm.h"
#include "base/status.h"
#include "exec/plan.h"
#include "flow/trainer.h"

typedef struct watch {
    const pare_value *value;
    const pare_value *first; /* shared: the first one that was seen with a number that is not finite */
    struct watch     *found;
} watch;

static bool is_finite(const pare_tensor *t)
{
    const char *bytes = t->data;
    int64_t     index[PARE_MAX_RANK] = { 0 }, n = pare_shape_count(&t->shape);

    for (int64_t i = 0; i < n; i++) {
        int64_t offset = 0;

        for (int d = 0; d < t->shape.rank; d++)
            offset += index[d] * t->stride[d];
        if (!isfinite(((const float *)(const void *)bytes)[offset]))
            return false;
        for (int d = t->shape.rank - 1; d >= 0 && ++index[d] == t->shape.dim[d]; d--)
            index[d] = 0;
    }
    return true;
}

/* Values are shown in the order of the steps, so the first that is not finite is where it began. */
static pare_status see(void *user, const pare_tensor *t)
{
    watch *const w = user;

    if (!w->found->first && t->dtype == PARE_f32 && t->data && !is_finite(t))
        w->found->first = w->value;
    return PARE_OK;
}

static pare_status name_it(const pare_trainer *t, const pare_value *v)
{
    const char *const file = t->model->file ? t->model->file : t->model->name;

    if (!v->producer)
        return pare_fail(PARE_ERR_NUMERIC, "%s: '%s' has numbers that are not finite%s", file, v->name,
                         v == t->plan->g->inputs[0] ? ": the data has them" : " already before the step");
    return pare_fail(PARE_ERR_NUMERIC,
                     "%s: node '%s' (%s) made the first number that is not finite, in '%s'; a lower learning rate, a "
                     "warm-up or gradient clipping may help",
                     file, v->producer->name, v->producer->op->name, v->name);
}

/* Taps on all values; watches and taps have room for them. */
static pare_status search(pare_trainer *t, const pare_batch *batch, watch *watches, pare_tap *taps, watch *found)
{
    int n = 0;

    for (const pare_value *v = t->plan->g->values; v; v = v->next, n++) {
        watches[n] = (watch){ .value = v, .found = found };
        taps[n] = (pare_tap){ v->name, see, &watches[n] };
    }
    for (int i = 0; i < t->local && !found->first; i++)
        PARE_TRY(pare_trainer_run_chunk(t, batch, i, taps, n));
    return found->first ? name_it(t, found->first) : PARE_OK;
}

pare_status pare_trainer_blame(pare_trainer *t, const pare_batch *batch)
{
    size_t n = 0;

    for (const pare_value *v = t->plan->g->values; v; v = v->next)
        n++;
    watch *const    watches = pare_calloc(n + 1, sizeof(*watches));
    pare_tap *const taps = pare_calloc(n + 1, sizeof(*taps));
    pare_status     status = PARE_ERR_MEMORY;

    if (watches && taps)
        status = search(t, batch, watches, taps, &(watch){ 0 });
    else
        pare_fail_memory(n * sizeof(*watches), "looking for what is not finite");
    pare_free(watches);
    pare_free(taps);
    status = pare_comm_agree(t->o.comm, status);
    return status != PARE_OK ? status
                             : pare_fail(PARE_ERR_NUMERIC,
                                         "%s: the sum over chunks of losses or gradients is not finite; a lower "
                                         "learning rate or gradient clipping may help",
                                         t->model->file ? t->model->file : t->model->name);
}
