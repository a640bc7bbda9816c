/* SPDX-License-Identifier: Apache-2.0 */
/* prepare.c - the steps of a plan get their kernels, and constants are packed into one store */
#include "base/alloc.h"
#include "base/pages.h"
#include "base/status.h"
#include "cpu/cpu.h"
#include "exec/plan.h"

const pare_tensor *pare_plan_tensor(const pare_plan *p, const pare_value *v)
{
    return v->graph == p->g ? &p->tensors[v->id] : &v->t;
}

void pare_step_release(pare_step *step)
{
    if (step->release)
        step->release(step->state);
    *step = (pare_step){ 0 };
}

pare_status pare_plan_prepare_step(const pare_plan *p, const pare_plan_step *s, int choice, pare_store *store,
                                   pare_step *out)
{
    const pare_node *const n = s->node;

    *out = (pare_step){ .cpu = p->cpu, .bf16 = p->bf16, .choice = choice, .store = store };
    if (s->view || !n->op->prepare || p->reference)
        return PARE_OK;
    const pare_tensor **in = pare_calloc((size_t)n->n_in + 1, sizeof(*in));
    pare_tensor       **to = pare_calloc((size_t)n->n_out + 1, sizeof(*to));
    pare_status         status = PARE_OK;

    if (!in || !to)
        PARE_GOTO(pare_fail_memory(sizeof(*in) * (size_t)n->n_in, "a call"));
    for (int i = 0; i < n->n_in; i++)
        in[i] = n->in[i] ? pare_plan_tensor(p, n->in[i]) : NULL;
    for (int i = 0; i < n->n_out; i++)
        to[i] = n->out[i] ? &p->tensors[n->out[i]->id] : NULL;
    status = n->op->prepare(&(pare_call){ n->op, n->attrs, n->n_in, n->n_out, in, to }, out);
    if (status != PARE_OK)
        status = pare_fail_in(status, "%s: node '%s' (%s)", p->g->file ? p->g->file : p->g->name, n->name, n->op->name);
out:
    pare_free(in);
    pare_free(to);
    return status;
}

static bool has_packed(const pare_plan_step *s, int input)
{
    return input < 32 && s->step.packed >> input & 1;
}

/* Of the pieces from number `first` on. */
static size_t bytes_of(const pare_store *store, int first)
{
    size_t size, sum = 0;

    for (int i = first; i < pare_store_n(store); i++) {
        pare_store_piece(store, i, &size);
        sum += size;
    }
    return sum;
}

static pare_status prepare_steps(pare_plan *p, const uint8_t *choices, pare_store *store)
{
    for (int i = 0; i < p->n_steps; i++) {
        pare_plan_step *const s = &p->steps[i];

        const int first = pare_store_n(store);

        PARE_TRY(pare_plan_prepare_step(p, s, choices ? choices[i] : 0, store, &s->step));
        s->packed_bytes = bytes_of(store, first);
        if (p->scratch_bytes < s->step.scratch)
            p->scratch_bytes = (s->step.scratch + 63) / 64 * 64;
        /* Weights that were read from a mapped file just now need not stay in memory until the last step is packed. */
        for (int j = 0; j < s->node->n_in; j++)
            if (s->node->in[j] && s->node->in[j]->t.buf && has_packed(s, j))
                pare_buf_forget(s->node->in[j]->t.buf);
    }
    return PARE_OK;
}

/* Constants that nobody reads any more. Their values stay, as shapes for listings. */
static void drop_packed(pare_plan *p)
{
    for (pare_value *v = p->g->values; v; v = v->next)
        v->mark = 0;
    for (int i = 0; i < p->n_steps; i++)
        for (int j = 0; j < p->steps[i].node->n_in; j++)
            if (p->steps[i].node->in[j] && has_packed(&p->steps[i], j))
                p->steps[i].node->in[j]->mark++;
    for (pare_value *v = p->g->values; v; v = v->next)
        if (v->t.data && v->mark == v->n_uses && v->mark > 0) {
            pare_buf_unref(v->t.buf);
            v->t.buf = NULL;
            v->t.data = NULL;
            p->tensors[v->id].buf = NULL;
            p->tensors[v->id].data = NULL;
        }
}

/* Packed forms are little larger than the constants; pages that are not written to cost nothing. */
static size_t expected_bytes(const pare_graph *g)
{
    size_t bytes = 0;

    for (const pare_value *v = g->values; v; v = v->next)
        if (v->t.data && v->n_uses > 0)
            bytes += (size_t)pare_tensor_bytes(&v->t);
    return bytes + bytes / 8;
}

/* In memory of its own: what is timed here is packed again, in the order of its use. */
static pare_status tune(pare_plan *p, uint8_t **choices)
{
    pare_status status = prepare_steps(p, NULL, NULL);

    if (status == PARE_OK)
        status = pare_plan_tune(p, choices);
    for (int i = 0; i < p->n_steps; i++)
        pare_step_release(&p->steps[i].step);
    p->scratch_bytes = 0;
    return status;
}

/* With the constants of an earlier plan. They belong to this graph if every step asks for just those pieces. */
static pare_status reuse(pare_plan *p, const pare_plan_options *o)
{
    const pare_status status = prepare_steps(p, o->choices, p->store = o->packed);

    return pare_store_fits(p->store) ? status
                                     : pare_fail(PARE_ERR_DATA, "%s: the packed constants are not those of its steps",
                                                 p->g->file ? p->g->file : p->g->name);
}

pare_status pare_plan_prepare(pare_plan *p, const pare_plan_options *o)
{
    uint8_t    *tuned = NULL;
    pare_status status = PARE_OK;

    p->cpu = o->cpu ? o->cpu : pare_cpu_features();
    p->reference = o->reference;
    p->bf16 = o->bf16;
    if (p->reference)
        return prepare_steps(p, NULL, NULL);
    if (o->choices && o->n_choices != p->n_steps)
        return pare_fail(PARE_ERR_DATA, "%s has %d steps, the choices are for %d", p->g->file ? p->g->file : p->g->name,
                         p->n_steps, o->n_choices);
    if (o->packed) {
        PARE_GOTO(reuse(p, o));
    } else {
        if (o->tune && !o->choices)
            PARE_GOTO(tune(p, &tuned));
        PARE_GOTO(pare_store_create(expected_bytes(p->g), &p->store));
        PARE_GOTO(prepare_steps(p, tuned ? tuned : o->choices, p->store));
    }
    drop_packed(p);
out:
    pare_free(tuned);
    return status;
}
