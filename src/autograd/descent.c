/* SPDX-License-Identifier: Apache-2.0 */
/* descent.c - a step of all weights in parts, clipping, and moving averages */
#include "autograd/descent.h"

#include <math.h>

#include "autograd/optimizer.h"
#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"

enum { BLOCK = 4096 /* elements that one sum of squares is of */ };

/* Elements begin .. begin + n - 1 of an array. */
typedef struct block {
    int     array;
    int64_t begin, n;
} block;

struct pare_descent {
    const pare_optimizer  *rule;
    pare_optimizer_options o;
    int64_t                steps;
    int64_t                elements; /* of all arrays       */
    float                 *state;    /* [n_slots][elements] */
    int64_t               *first;    /* [count] of an array */
    block                 *blocks;   /* [n_blocks]          */
    double                *sums;     /* [n_blocks]          */
    int                    n_blocks;
};

static pare_status check(const pare_optimizer_options *o)
{
    const struct {
        const char *name;
        double      value, below;
    } limits[] = { { "momentum", o->momentum, 1 }, { "dampening", o->dampening, INFINITY },
                   { "beta1", o->beta1, 1 },       { "beta2", o->beta2, 1 },
                   { "eps", o->eps, INFINITY },    { "weight decay", o->weight_decay, INFINITY },
                   { "clip", o->clip, INFINITY } };

    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        if (!(limits[i].value >= 0 && limits[i].value < limits[i].below))
            return pare_fail(PARE_ERR_ARG, "optimizer: %s %g must be at least 0 and less than %g", limits[i].name,
                             limits[i].value, limits[i].below);
    if (o->nesterov && (o->momentum == 0 || o->dampening != 0))
        return pare_fail(PARE_ERR_ARG, "optimizer: Nesterov needs a momentum and no dampening");
    return PARE_OK;
}

static void cut_into_blocks(pare_descent *p, int count, const int64_t n[])
{
    int k = 0;

    for (int i = 0; i < count; i++)
        for (int64_t at = 0; at < n[i]; at += BLOCK)
            p->blocks[k++] = (block){ i, at, n[i] - at < BLOCK ? n[i] - at : BLOCK };
}

static pare_status allocate(pare_descent *p, int count, const int64_t n[])
{
    p->first = pare_calloc((size_t)count + 1, sizeof(*p->first));
    if (!p->first)
        return pare_fail_memory((size_t)count * sizeof(*p->first), "an optimizer");
    for (int i = 0; i < count; i++) {
        p->first[i] = p->elements;
        p->elements += n[i];
        p->n_blocks += (int)((n[i] + BLOCK - 1) / BLOCK);
    }

    const size_t bytes = (size_t)p->elements * (size_t)p->rule->n_slots * sizeof(float);

    p->state = pare_malloc_aligned(bytes + 1);
    p->blocks = pare_calloc((size_t)p->n_blocks + 1, sizeof(*p->blocks));
    p->sums = pare_calloc((size_t)p->n_blocks + 1, sizeof(*p->sums));
    if (!p->state || !p->blocks || !p->sums)
        return pare_fail_memory(bytes, "an optimizer's state");
    cut_into_blocks(p, count, n);
    return PARE_OK;
}

pare_status pare_descent_create(const pare_optimizer_options *options, int count, const int64_t n[], pare_descent **out)
{
    pare_descent *const p = pare_calloc(1, sizeof(*p));
    pare_status         status;

    *out = NULL;
    if (!p)
        return pare_fail_memory(sizeof(*p), "an optimizer");
    p->o = *options;
    p->o.beta1 = p->o.beta1 != 0 ? p->o.beta1 : 0.9;
    p->o.beta2 = p->o.beta2 != 0 ? p->o.beta2 : 0.999;
    p->o.eps = p->o.eps != 0 ? p->o.eps : 1e-8;
    PARE_GOTO(pare_optimizer_find(p->o.name, &p->rule));
    p->o.name = p->rule->name;
    PARE_GOTO(check(&p->o));
    PARE_GOTO(allocate(p, count, n));
    *out = p;
    return PARE_OK;
out:
    pare_descent_destroy(p);
    return status;
}

void pare_descent_destroy(pare_descent *p)
{
    if (!p)
        return;
    pare_free_aligned(p->state);
    pare_free(p->first);
    pare_free(p->blocks);
    pare_free(p->sums);
    pare_free(p);
}

/* A share of a step, or of a sum of squares. */
typedef struct work {
    pare_descent         *p;
    const pare_optimized *arrays;
    pare_update           u;
} work;

static void sum_blocks(void *arg, int part, int parts)
{
    const work *const w = arg;
    long              begin, end;

    pare_pool_split(w->p->n_blocks, 1, part, parts, &begin, &end);
    for (long k = begin; k < end; k++) {
        const block *const b = &w->p->blocks[k];
        const float *const g = w->arrays[b->array].grad + b->begin;
        double             sum = 0;

        for (int64_t i = 0; i < b->n; i++)
            sum += (double)g[i] * (double)g[i];
        w->p->sums[k] = sum;
    }
}

double pare_descent_norm(pare_descent *p, pare_pool *pool, const pare_optimized *arrays)
{
    work   w = { .p = p, .arrays = arrays };
    double sum = 0;

    pare_pool_run(pool, sum_blocks, &w);
    for (int k = 0; k < p->n_blocks; k++)
        sum += p->sums[k];
    return __builtin_sqrt(sum);
}

static void update_blocks(void *arg, int part, int parts)
{
    const work *const   w = arg;
    pare_descent *const p = w->p;
    long                begin, end;

    pare_pool_split(p->n_blocks, 1, part, parts, &begin, &end);
    for (long k = begin; k < end; k++) {
        const block *const          b = &p->blocks[k];
        const pare_optimized *const a = &w->arrays[b->array];
        pare_update                 u = w->u;
        float                      *slot[PARE_MAX_SLOTS];

        u.weight_decay = a->decay ? p->o.weight_decay : 0;
        for (int s = 0; s < PARE_MAX_SLOTS; s++)
            slot[s] = s < p->rule->n_slots ? p->state + s * p->elements + p->first[b->array] + b->begin : NULL;
        p->rule->update(&u, b->n, a->w + b->begin, a->grad + b->begin, slot);
    }
}

/* torch.nn.utils.clip_grad_norm_: the factor is limit / (norm + 1e-6), at most 1. */
static float scale_of(double clip, double norm)
{
    const double factor = clip / (norm + 1e-6);

    return clip == 0 || factor >= 1 ? 1.0f : (float)factor;
}

void pare_descent_step(pare_descent *p, pare_pool *pool, const pare_optimized *arrays, double lr, double norm)
{
    work w = { .p = p, .arrays = arrays };

    p->steps++;
    w.u = (pare_update){ .o = &p->o, .step = p->steps, .lr = lr, .scale = scale_of(p->o.clip, norm) };
    pare_pool_run(pool, update_blocks, &w);
}

int64_t *pare_descent_steps(pare_descent *p)
{
    return &p->steps;
}

float *pare_descent_state(pare_descent *p, int64_t *n)
{
    *n = p->elements * p->rule->n_slots;
    return p->state;
}

typedef struct ema {
    float        keep, take;
    int64_t      n;
    float       *average;
    const float *w;
} ema;

static void average(void *arg, int part, int parts)
{
    const ema *const e = arg;
    long             begin, end;

    pare_pool_split((long)e->n, BLOCK, part, parts, &begin, &end);
    for (long i = begin; i < end; i++)
        e->average[i] = e->keep * e->average[i] + e->take * e->w[i];
}

void pare_ema_update(pare_pool *pool, double decay, int64_t n, float *to, const float *w)
{
    pare_pool_run(pool, average, &(ema){ (float)decay, (float)(1 - decay), n, to, w });
}
