/* SPDX-License-Identifier: Apache-2.0 */
/* describe.c - a plan as people want to see it */
#include "exec/plan.h"

/* Multiply-adds: outputs times the weights behind each of them. */
static double macs_of(const pare_plan *p, const pare_node *n)
{
    if (!(n->op->traits & PARE_LINEAR_OP) || n->n_in < 2 || !n->in[1] || !n->out[0])
        return 0;
    const pare_tensor *w = pare_plan_tensor(p, n->in[1]), *y = &p->tensors[n->out[0]->id];
    const int64_t      channels = y->shape.rank < 1 ? 1
                                  : n->op->traits & PARE_WANTS_CHANNELS_LAST && y->shape.rank > 2
                                      ? y->shape.dim[1]
                                      : y->shape.dim[y->shape.rank - 1];

    return channels > 0 ? (double)p->slabs * (double)pare_shape_count(&y->shape) * (double)pare_shape_count(&w->shape) /
                              (double)channels
                        : 0;
}

/* Of all slabs. */
static int64_t slabs_of(const pare_plan *p, const pare_value *v)
{
    return v->graph == p->g && p->carries[v->id] ? p->slabs : 1;
}

static double bytes_of_value(const pare_plan *p, const pare_value *v)
{
    return (double)pare_tensor_bytes(pare_plan_tensor(p, v)) * (double)slabs_of(p, v);
}

/* Inputs, outputs and constants, each once. Constants that are packed count as they are packed. */
static double bytes_of(const pare_plan *p, const pare_plan_step *s)
{
    double bytes = (double)s->packed_bytes;

    for (int i = 0; i < s->node->n_in; i++)
        if (s->node->in[i] && !(i < 32 && s->step.packed >> i & 1))
            bytes += bytes_of_value(p, s->node->in[i]);
    for (int i = 0; i < s->node->n_out; i++)
        if (s->node->out[i])
            bytes += bytes_of_value(p, s->node->out[i]);
    return s->view ? 0 : bytes;
}

void pare_plan_describe(const pare_plan *p, int index, pare_step_info *info)
{
    const pare_plan_step *s = &p->steps[index];
    const pare_value     *v = s->node->n_out ? s->node->out[0] : NULL;

    *info = (pare_step_info){
        .name = s->node->name,
        .op = s->node->op->name,
        .kernel = s->view       ? "view"
                  : s->step.run ? s->step.kernel ? s->step.kernel : "rows"
                                : "reference",
        .output = v ? v->name : "",
        .integer = s->node->op->traits & PARE_INTEGER,
        .n_choices = s->step.n_choices,
        .macs = macs_of(p, s->node),
        .bytes = bytes_of(p, s),
    };
    if (v) {
        info->shape = p->tensors[v->id].shape;
        if (slabs_of(p, v) > 1)
            info->shape.dim[0] *= p->slabs;
        info->dtype = p->tensors[v->id].dtype;
    }
}

size_t pare_plan_packed_bytes(const pare_plan *p)
{
    size_t bytes = 0;

    for (int i = 0; i < p->n_steps; i++)
        bytes += p->steps[i].packed_bytes;
    return bytes;
}

const char *pare_plan_misfit(const pare_plan *p)
{
    return p->misfit;
}
