/* SPDX-License-Identifier: Apache-2.0 */
/* bind.c - a plan's tensors and calls with the memory of one context */
#include "exec/bind.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

/* Gives every value of the block and its views an address. */
static void bind_block(const pare_plan *plan, pare_bound *b)
{
    for (int i = 0; i < plan->n_values; i++) {
        const pare_place *const p = &plan->places[i];

        if (p->kind == PARE_PLACE_BLOCK)
            b->tensors[i].data = b->block + p->offset + p->interior;
    }
}

/* Slices of slices, too, lie in a value of the block. */
static void bind_slices(const pare_plan *plan, pare_bound *b)
{
    const pare_place *const places = plan->places;

    for (int i = 0; i < plan->n_values; i++) {
        size_t offset = 0;
        int    id = i;

        for (; places[id].kind == PARE_PLACE_SLICE; id = places[id].root)
            offset += places[id].offset;
        if (id != i)
            b->tensors[i].data = (char *)b->tensors[id].data + offset;
    }
}

static void bind_views(const pare_plan *plan, pare_bound *b)
{
    for (int s = 0; s < plan->n_steps; s++)
        if (plan->steps[s].view) {
            const int id = plan->steps[s].node->out[0]->id;

            if (plan->places[id].kind == PARE_PLACE_VIEW)
                b->tensors[id].data = b->tensors[plan->places[id].root].data;
        }
}

static void bind_calls(const pare_plan *plan, pare_bound *b)
{
    const pare_tensor **in = b->in;
    pare_tensor       **out = b->out;

    for (int s = 0; s < plan->n_steps; s++) {
        const pare_node *const n = plan->steps[s].node;

        b->calls[s] = (pare_call){ n->op, n->attrs, n->n_in, n->n_out, in, out };
        for (int i = 0; i < n->n_in; i++)
            *in++ = n->in[i] ? &b->tensors[n->in[i]->id] : NULL;
        for (int i = 0; i < n->n_out; i++)
            *out++ = n->out[i] ? &b->tensors[n->out[i]->id] : NULL;
    }
}

pare_status pare_bound_create(const pare_plan *plan, pare_bound *b)
{
    size_t n_in = 1, n_out = 1;

    for (int s = 0; s < plan->n_steps; s++) {
        n_in += (size_t)plan->steps[s].node->n_in;
        n_out += (size_t)plan->steps[s].node->n_out;
    }
    b->block = pare_malloc_aligned(plan->block_bytes + 64);
    b->tensors = pare_calloc((size_t)plan->n_values + 1, sizeof(*b->tensors));
    b->calls = pare_calloc((size_t)plan->n_steps + 1, sizeof(*b->calls));
    b->in = pare_calloc(n_in, sizeof(*b->in));
    b->out = pare_calloc(n_out, sizeof(*b->out));
    if (!b->block || !b->tensors || !b->calls || !b->in || !b->out) {
        pare_bound_clear(b);
        return pare_fail_memory(plan->block_bytes, "a context's activations");
    }
    memcpy(b->tensors, plan->tensors, sizeof(*b->tensors) * (size_t)plan->n_values);
    bind_block(plan, b);
    bind_slices(plan, b);
    bind_calls(plan, b);
    return PARE_OK;
}

void pare_bound_clear(pare_bound *b)
{
    pare_free_aligned(b->block);
    pare_free(b->tensors);
    pare_free(b->calls);
    pare_free(b->in);
    pare_free(b->out);
    *b = (pare_bound){ 0 };
}

pare_status pare_bound_check(const pare_plan *plan, const pare_tensor *const *in)
{
    for (int i = 0; i < plan->g->n_inputs; i++) {
        const pare_tensor *const t = &plan->whole[i];
        const char *const        name = plan->g->inputs[i]->name;

        if (!in[i] || !in[i]->data)
            return pare_fail(PARE_ERR_ARG, "input '%s' was not given", name);
        if (in[i]->dtype != t->dtype || !pare_shape_equal(&in[i]->shape, &t->shape) || !pare_tensor_is_dense(in[i])) {
            char want[PARE_SHAPE_TEXT], got[PARE_SHAPE_TEXT];

            return pare_fail(PARE_ERR_SHAPE,
                             "input '%s' is %s%s%s, the plan was made for %s%s; plan again for this shape", name,
                             pare_dtype_name(in[i]->dtype), pare_shape_text(&in[i]->shape, got),
                             pare_tensor_is_dense(in[i]) ? "" : " (not dense)", pare_dtype_name(t->dtype),
                             pare_shape_text(&t->shape, want));
        }
    }
    return PARE_OK;
}

void pare_bound_inputs(const pare_plan *plan, pare_bound *b, const pare_tensor *const *in, int64_t slab)
{
    for (int i = 0; i < plan->g->n_inputs; i++) {
        const pare_value *const v = plan->g->inputs[i];
        pare_tensor *const      t = &b->tensors[v->id];
        const size_t            bytes = (size_t)pare_tensor_bytes(t);
        char *const             from = (char *)in[i]->data + (size_t)slab * bytes;

        if (plan->places[v->id].kind == PARE_PLACE_BLOCK)
            memcpy(t->data, from, bytes);
        else
            t->data = from;
    }
    bind_views(plan, b);
}
