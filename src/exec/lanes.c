/* SPDX-License-Identifier: Apache-2.0 */
/* lanes.c - the memory of slabs that run at the same time, and the outputs that all slabs write */
#include "exec/lanes.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

pare_status pare_lanes_grow(const pare_plan *plan, pare_lanes *lanes, int n)
{
    if (n <= lanes->n)
        return PARE_OK;
    pare_bound *const more = pare_realloc(lanes->lane, sizeof(*more) * (size_t)n);

    if (!more)
        return pare_fail_memory(sizeof(*more) * (size_t)n, "a context");
    lanes->lane = more;
    for (; lanes->n < n; lanes->n++) {
        lanes->lane[lanes->n] = (pare_bound){ 0 };
        PARE_TRY(pare_bound_create(plan, &lanes->lane[lanes->n]));
    }
    return PARE_OK;
}

static pare_status make_outputs(const pare_plan *plan, pare_lanes *lanes)
{
    const pare_graph *const g = plan->g;

    lanes->outputs = pare_calloc((size_t)g->n_outputs + 1, sizeof(*lanes->outputs));
    if (!lanes->outputs)
        return pare_fail_memory(sizeof(*lanes->outputs), "outputs");
    for (int i = 0; i < g->n_outputs; i++) {
        lanes->outputs[i] = plan->whole[g->n_inputs + i];
        PARE_TRY(pare_tensor_alloc(&lanes->outputs[i]));
    }
    return PARE_OK;
}

pare_status pare_lanes_create(const pare_plan *plan, pare_lanes *lanes)
{
    PARE_TRY(pare_lanes_grow(plan, lanes, 1));
    return plan->slabs > 1 ? make_outputs(plan, lanes) : PARE_OK;
}

void pare_lanes_clear(const pare_plan *plan, pare_lanes *lanes)
{
    for (int i = 0; i < lanes->n; i++)
        pare_bound_clear(&lanes->lane[i]);
    for (int i = 0; lanes->outputs && i < plan->g->n_outputs; i++)
        pare_tensor_release(&lanes->outputs[i]);
    pare_free(lanes->lane);
    pare_free(lanes->outputs);
    *lanes = (pare_lanes){ 0 };
}

void pare_lanes_keep(const pare_plan *plan, const pare_lanes *lanes, int lane, int64_t slab)
{
    for (int i = 0; lanes->outputs && i < plan->g->n_outputs; i++) {
        const pare_tensor *const t = &lanes->lane[lane].tensors[plan->g->outputs[i]->id];
        const size_t             bytes = (size_t)pare_tensor_bytes(t);

        memcpy((char *)lanes->outputs[i].data + (size_t)slab * bytes, t->data, bytes);
    }
}
