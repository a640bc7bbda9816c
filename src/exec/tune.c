/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tune.c - which candidate of a step is fastest, measured
 *
 * The plan runs once, so that every step finds real data; then each choice of a step is timed on that memory, by one
 * thread. Between two runs the second-level cache is filled with something else and the step's inputs are read again:
 * in a whole inference the weights come from further away, and the activations were written just before. What counts is
 * the fastest of several runs, because everything else on the machine only adds time. All choices give equal bits, so
 * nothing but speed depends on this.
 */
#include <math.h>
#include <time.h>

#include "base/alloc.h"
#include "base/status.h"
#include "exec/plan.h"

enum {
    RUNS = 7,
    EVICTED = 4 << 20, /* bytes: twice the largest second-level cache that is known */
    LINE = 64,
};

/* Another choice must be faster than the rule's by this much: less is noise. */
static const double WORTH = 0.98;
/* What is slower than the best one by this much after two runs is given up. */
static const double HOPELESS = 1.5;

typedef struct tuner {
    const pare_plan *plan;
    pare_context    *ctx;
    pare_tensor     *in; /* [inputs], which the context reads where they are */
    char            *scratch, *evicted;
    size_t           scratch_bytes;
    unsigned         sum; /* of what was only read to move it: keeps the compiler from leaving that out */
} tuner;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void read_lines(tuner *t, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i += LINE)
        t->sum += (unsigned char)bytes[i];
}

static void read_inputs(tuner *t, const pare_plan_step *s, const pare_call *call)
{
    for (int i = 0; i < call->n_in; i++) {
        const pare_tensor *const x = call->in[i];
        int64_t                  last = 0;

        if (!x || !x->data || s->node->in[i]->t.data)
            continue;
        for (int axis = 0; axis < x->shape.rank; axis++)
            last += (x->shape.dim[axis] - 1) * x->stride[axis];
        if (last >= 0)
            read_lines(t, x->data, (size_t)(last + 1) * pare_dtype_size(x->dtype));
    }
}

static pare_status grow_scratch(tuner *t, size_t bytes)
{
    if (bytes <= t->scratch_bytes)
        return PARE_OK;
    pare_free_aligned(t->scratch);
    t->scratch = pare_malloc_aligned(bytes);
    t->scratch_bytes = t->scratch ? bytes : 0;
    return t->scratch ? PARE_OK : pare_fail_memory(bytes, "kernel scratch");
}

/* Seconds of the fastest run; *step was prepared. */
static pare_status time_step(tuner *t, int index, const pare_step *step, double best, double *seconds)
{
    const pare_plan_step *const s = &t->plan->steps[index];
    const pare_call *const      call = pare_context_call(t->ctx, index);

    PARE_TRY(grow_scratch(t, step->scratch + LINE));
    *seconds = INFINITY;
    for (int i = 0; i < RUNS && !(i >= 2 && *seconds > HOPELESS * best); i++) {
        read_lines(t, t->evicted, EVICTED);
        read_inputs(t, s, call);
        const double before = now();

        step->run(step, call, 0, 1, t->scratch);
        *seconds = fmin(*seconds, now() - before);
    }
    return PARE_OK;
}

static pare_status tune_step(tuner *t, int index, uint8_t *choice)
{
    const pare_plan_step *const s = &t->plan->steps[index];
    double                      best, seconds;

    PARE_TRY(time_step(t, index, &s->step, INFINITY, &best));
    best *= WORTH;
    for (int i = 1; i < s->step.n_choices; i++) {
        pare_step   step;
        pare_status status = pare_plan_prepare_step(t->plan, s, i, NULL, &step);

        if (status == PARE_OK && step.run)
            status = time_step(t, index, &step, best, &seconds);
        if (status == PARE_OK && step.run && seconds < best) {
            best = seconds;
            *choice = (uint8_t)i;
        }
        pare_step_release(&step);
        PARE_TRY(status);
    }
    return PARE_OK;
}

/* Zeros for inputs: what is timed does not depend on values. */
static pare_status run_once(tuner *t)
{
    const int           n = pare_plan_n_inputs(t->plan);
    const pare_tensor **ptr = pare_calloc((size_t)n + 1, sizeof(*ptr));
    pare_status         status = PARE_OK;

    t->in = pare_calloc((size_t)n + 1, sizeof(*t->in));
    if (!t->in || !ptr)
        PARE_GOTO(pare_fail_memory(sizeof(*t->in) * (size_t)n, "inputs"));
    for (int i = 0; i < n; i++) {
        const pare_tensor *planned;

        pare_plan_input(t->plan, i, &planned);
        t->in[i] = pare_tensor_of(planned->dtype, planned->shape);
        PARE_GOTO(pare_tensor_alloc(&t->in[i]));
        ptr[i] = &t->in[i];
    }
    status = pare_context_run(t->ctx, NULL, ptr, NULL, 0);
out:
    pare_free(ptr);
    return status;
}

pare_status pare_plan_tune(const pare_plan *p, uint8_t **choices)
{
    tuner       t = { .plan = p };
    pare_status status;

    *choices = pare_calloc((size_t)p->n_steps + 1, 1);
    t.evicted = pare_calloc(1, EVICTED);
    if (!*choices || !t.evicted)
        PARE_GOTO(pare_fail_memory(EVICTED, "tuning"));
    PARE_GOTO(pare_context_create(p, &t.ctx));
    PARE_GOTO(run_once(&t));
    for (int i = 0; i < p->n_steps; i++)
        if (!p->steps[i].view && p->steps[i].step.run && p->steps[i].step.n_choices > 1)
            PARE_GOTO(tune_step(&t, i, &(*choices)[i]));
out:
    pare_context_destroy(t.ctx);
    for (int i = 0; t.in && i < pare_plan_n_inputs(p); i++)
        pare_tensor_release(&t.in[i]);
    pare_free(t.in);
    pare_free(t.evicted);
    pare_free_aligned(t.scratch);
    return status;
}
