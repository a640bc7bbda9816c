/* SPDX-License-Identifier: Apache-2.0 */
/* context.c - running a plan: every thread walks the whole step list and waits only where it must */
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "exec/interp.h"
#include "exec/lanes.h"
#include "exec/order.h"
#include "kernels/amx/tile.h"

enum { MESSAGE = 1024 };

struct pare_context {
    const pare_plan *plan;
    pare_lanes       lanes;
    char            *scratch; /* [parts][plan->scratch_bytes]        */
    int              parts;   /* that scratch has room for           */
    pare_order       order;   /* of the last run on several threads  */
    double          *ns;      /* [n_steps] NULL: nobody wants to know    */
    /* of the run that is going on */
    pare_pool                *pool;
    const pare_tensor *const *in;
    atomic_int                next_slab;
    int                       apart; /* slabs that parts run each on its own */
    const pare_tap           *taps;
    int                       n_taps;
    atomic_int                failed; /* a pare_status */
    char                      message[MESSAGE];
};

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

static pare_status grow_scratch(pare_context *ctx, int parts)
{
    if (parts <= ctx->parts)
        return PARE_OK;
    const size_t bytes = ctx->plan->scratch_bytes * (size_t)parts + 64;
    char *const  room = pare_malloc_aligned(bytes);

    if (!room)
        return pare_fail_memory(bytes, "kernel scratch");
    pare_free_aligned(ctx->scratch);
    ctx->scratch = room;
    ctx->parts = parts;
    return PARE_OK;
}

pare_status pare_context_create(const pare_plan *plan, pare_context **out)
{
    pare_context *const ctx = pare_calloc(1, sizeof(*ctx));
    pare_status         status;

    if (!ctx)
        return pare_fail_memory(sizeof(*ctx), "a context");
    ctx->plan = plan;
    PARE_GOTO(pare_lanes_create(plan, &ctx->lanes));
    *out = ctx;
    return PARE_OK;
out:
    pare_context_destroy(ctx);
    return status;
}

void pare_context_destroy(pare_context *ctx)
{
    if (!ctx)
        return;
    pare_order_clear(&ctx->order);
    pare_lanes_clear(ctx->plan, &ctx->lanes);
    pare_free_aligned(ctx->scratch);
    pare_free(ctx);
}

/* Keeps the first failure and its sentence; they are handed to the caller after the join. */
static void note_failure(pare_context *ctx, const pare_node *n, pare_status status)
{
    int none = PARE_OK;

    if (status == PARE_OK || !atomic_compare_exchange_strong(&ctx->failed, &none, (int)status))
        return;
    const pare_graph *const g = ctx->plan->g;

    if (n)
        pare_fail_in(status, "%s: node '%s' (%s)", g->file ? g->file : g->name, n->name, n->op->name);
    strncpy(ctx->message, pare_error(), MESSAGE - 1);
}

static const pare_tensor *outer_tensor(void *env, const pare_value *v)
{
    const pare_context *const ctx = env;

    return v->graph == ctx->plan->g ? &ctx->lanes.lane->tensors[v->id] : &v->t;
}

/* Part `part` of `parts` of a step in a lane's memory. */
static void run_step(pare_context *ctx, const pare_bound *lane, int s, const int share[2], void *scratch)
{
    const pare_plan_step *const step = &ctx->plan->steps[s];
    const pare_call *const      call = &lane->calls[s];
    const int                   part = share[0], parts = share[1];
    const pare_value           *framed;

    for (int i = 0; i < call->n_out; i++)
        if ((framed = pare_halo_owner(ctx->plan, s, i)))
            pare_halo_fill(framed, &lane->tensors[framed->id], part, parts);
    if (step->step.run)
        step->step.run(&step->step, call, part, parts, scratch);
    else if (part == 0)
        note_failure(ctx, step->node,
                     call->op->traits & PARE_HAS_BODY ? pare_interp_body(call, outer_tensor, ctx)
                                                      : call->op->forward(call));
}

static void show(pare_context *ctx, const pare_value *v)
{
    for (int i = 0; v && i < ctx->n_taps; i++)
        if (strcmp(ctx->taps[i].value, v->name) == 0)
            note_failure(ctx, v->producer, ctx->taps[i].see(ctx->taps[i].user, &ctx->lanes.lane->tensors[v->id]));
}

static void show_outputs(pare_context *ctx, const pare_node *n)
{
    for (int i = 0; i < n->n_out; i++)
        show(ctx, n->out[i]);
}

static void await_others(pare_context *ctx, int part, int parts, int count)
{
    for (int other = 0; other < parts; other++)
        if (other != part)
            pare_pool_await(ctx->pool, other, count);
}

/* Waits for the parts and steps that this one depends on. */
static void await_order(pare_context *ctx, int s, int part, int parts)
{
    const int i = s * parts + part;

    for (int k = ctx->order.first[i]; k < ctx->order.first[i + 1]; k++)
        pare_pool_await(ctx->pool, ctx->order.waits[k].part, ctx->order.waits[k].count);
}

/* Part 0 is the last to come to the end of a step: it shows what all have made, or looks at the clock. */
static void meet(pare_context *ctx, int s, int part, int parts, double *then)
{
    if (part > 0) {
        pare_pool_reach(ctx->pool, part, s + 1);
        pare_pool_await(ctx->pool, 0, s + 1);
        return;
    }
    await_others(ctx, part, parts, s + 1);
    if (ctx->n_taps && atomic_load(&ctx->failed) == PARE_OK)
        show_outputs(ctx, ctx->plan->steps[s].node);
    if (ctx->ns) {
        const double now = now_ns();

        ctx->ns[s] += now - *then;
        *then = now;
    }
    pare_pool_reach(ctx->pool, part, s + 1);
}

/* All parts share the steps of one slab, which is in the first lane. */
static void share_steps(void *arg, int part, int parts)
{
    pare_context *const ctx = arg;
    char *const         scratch = ctx->scratch + ctx->plan->scratch_bytes * (size_t)part;
    const bool          together = ctx->n_taps || ctx->ns;
    double              then = ctx->ns && part == 0 ? now_ns() : 0;

    for (int s = 0; s < ctx->plan->n_steps; s++) {
        if (parts > 1 && !together)
            await_order(ctx, s, part, parts);
        /* Whoever saw a failure has skipped the step, and those who waited for it see the failure, too. */
        if (!ctx->plan->steps[s].view && atomic_load_explicit(&ctx->failed, memory_order_relaxed) == PARE_OK)
            run_step(ctx, ctx->lanes.lane, s, (int[]){ part, parts }, scratch);
        if (together)
            meet(ctx, s, part, parts, &then);
        else if (!ctx->plan->steps[s].view)
            pare_pool_reach(ctx->pool, part, s + 1);
    }
    pare_tile_end();
}

/* Each part runs whole slabs, in a lane of its own: nobody waits. */
static void share_slabs(void *arg, int part, int parts)
{
    pare_context *const     ctx = arg;
    const pare_bound *const lane = &ctx->lanes.lane[part];
    char *const             scratch = ctx->scratch + ctx->plan->scratch_bytes * (size_t)part;

    (void)parts;
    for (int slab; (slab = atomic_fetch_add(&ctx->next_slab, 1)) < ctx->apart;) {
        pare_bound_inputs(ctx->plan, &ctx->lanes.lane[part], ctx->in, slab);
        for (int s = 0; s < ctx->plan->n_steps; s++)
            if (!ctx->plan->steps[s].view && atomic_load_explicit(&ctx->failed, memory_order_relaxed) == PARE_OK)
                run_step(ctx, lane, s, (int[]){ 0, 1 }, scratch);
        pare_lanes_keep(ctx->plan, &ctx->lanes, part, slab);
    }
    pare_tile_end();
}

/* As many slabs as parts have equally many of, apart; the others, and what is looked into, one after another. */
static pare_status run_slabs(pare_context *ctx, int parts)
{
    const int slabs = (int)ctx->plan->slabs;

    ctx->apart = parts == 1 || ctx->n_taps || ctx->ns ? 0 : slabs / parts * parts;
    if (ctx->apart) {
        PARE_TRY(pare_lanes_grow(ctx->plan, &ctx->lanes, parts));
        atomic_store(&ctx->next_slab, 0);
        pare_pool_run(ctx->pool, share_slabs, ctx);
    }
    for (int slab = ctx->apart; slab < slabs && atomic_load(&ctx->failed) == PARE_OK; slab++) {
        pare_bound_inputs(ctx->plan, ctx->lanes.lane, ctx->in, slab);
        if (parts > 1 && parts != ctx->order.parts)
            PARE_TRY(pare_order_make(ctx->plan, ctx->lanes.lane, parts, &ctx->order));
        for (int i = 0; ctx->n_taps && i < ctx->plan->g->n_inputs; i++)
            show(ctx, ctx->plan->g->inputs[i]);
        pare_pool_run(ctx->pool, share_steps, ctx);
        pare_lanes_keep(ctx->plan, &ctx->lanes, 0, slab);
    }
    return PARE_OK;
}

pare_status pare_context_run(pare_context *ctx, pare_pool *pool, const pare_tensor *const *in, const pare_tap *taps,
                             int n_taps)
{
    const int parts = pare_pool_threads(pool);

    PARE_TRY(pare_bound_check(ctx->plan, in));
    PARE_TRY(grow_scratch(ctx, parts));
    ctx->pool = pool;
    ctx->in = in;
    ctx->taps = taps;
    ctx->n_taps = n_taps;
    atomic_store(&ctx->failed, PARE_OK);
    PARE_TRY(run_slabs(ctx, parts));

    const pare_status status = (pare_status)atomic_load(&ctx->failed);
    if (status != PARE_OK)
        pare_error_set(ctx->message);
    return status;
}

const pare_tensor *pare_context_output(const pare_context *ctx, int index)
{
    return ctx->lanes.outputs ? &ctx->lanes.outputs[index]
                              : &ctx->lanes.lane->tensors[ctx->plan->g->outputs[index]->id];
}

const pare_call *pare_context_call(const pare_context *ctx, int step)
{
    return &ctx->lanes.lane->calls[step];
}

void pare_context_profile(pare_context *ctx, double *ns)
{
    ctx->ns = ns;
}
