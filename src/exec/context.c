/* SPDX-License-Identifier: Apache-2.0 */
/* context.c - running a plan: every thread walks the whole step list and waits only where it must */
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/pool.h"
#include "base/status.h"
#include "exec/interp.h"
#include "exec/order.h"

enum { MESSAGE = 1024 };

struct pare_context {
    const pare_plan    *plan;
    char               *block;
    char               *scratch; /* [parts][plan->scratch_bytes] */
    int                 parts;   /* that scratch has room for     */
    pare_tensor        *tensors; /* [n_values] with data          */
    pare_call          *calls;   /* [n_steps]                     */
    const pare_tensor **in_ptrs; /* all calls' inputs, one array  */
    pare_tensor       **out_ptrs;
    pare_order          order; /* of the last run on several threads */
    double             *ns;
    /* of the run that is going on */
    pare_pool      *pool;
    const pare_tap *taps;
    int             n_taps;
    atomic_int      failed; /* a pare_status */
    char            message[MESSAGE];
};

static double now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return 1e9 * (double)t.tv_sec + (double)t.tv_nsec;
}

/* Gives every value of the block and its views an address. */
static void bind_block(pare_context *ctx)
{
    for (int i = 0; i < ctx->plan->n_values; i++) {
        const pare_place *const p = &ctx->plan->places[i];

        if (p->kind == PARE_PLACE_BLOCK)
            ctx->tensors[i].data = ctx->block + p->offset + p->interior;
    }
}

/* Slices of slices, too, lie in a value of the block. */
static void bind_slices(pare_context *ctx)
{
    const pare_place *const places = ctx->plan->places;

    for (int i = 0; i < ctx->plan->n_values; i++) {
        size_t offset = 0;
        int    id = i;

        for (; places[id].kind == PARE_PLACE_SLICE; id = places[id].root)
            offset += places[id].offset;
        if (id != i)
            ctx->tensors[i].data = (char *)ctx->tensors[id].data + offset;
    }
}

static void bind_views(pare_context *ctx)
{
    for (int s = 0; s < ctx->plan->n_steps; s++)
        if (ctx->plan->steps[s].view) {
            const int id = ctx->plan->steps[s].node->out[0]->id;

            if (ctx->plan->places[id].kind == PARE_PLACE_VIEW)
                ctx->tensors[id].data = ctx->tensors[ctx->plan->places[id].root].data;
        }
}

static void bind_calls(pare_context *ctx)
{
    const pare_tensor **in = ctx->in_ptrs;
    pare_tensor       **out = ctx->out_ptrs;

    for (int s = 0; s < ctx->plan->n_steps; s++) {
        const pare_node *const n = ctx->plan->steps[s].node;

        ctx->calls[s] = (pare_call){ n->op, n->attrs, n->n_in, n->n_out, in, out };
        for (int i = 0; i < n->n_in; i++)
            *in++ = n->in[i] ? &ctx->tensors[n->in[i]->id] : NULL;
        for (int i = 0; i < n->n_out; i++)
            *out++ = n->out[i] ? &ctx->tensors[n->out[i]->id] : NULL;
    }
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
    size_t              n_in = 1, n_out = 1;

    if (!ctx)
        return pare_fail_memory(sizeof(*ctx), "a context");
    for (int s = 0; s < plan->n_steps; s++) {
        n_in += (size_t)plan->steps[s].node->n_in;
        n_out += (size_t)plan->steps[s].node->n_out;
    }
    ctx->plan = plan;
    ctx->block = pare_malloc_aligned(plan->block_bytes + 64);
    ctx->tensors = pare_calloc((size_t)plan->n_values + 1, sizeof(*ctx->tensors));
    ctx->calls = pare_calloc((size_t)plan->n_steps + 1, sizeof(*ctx->calls));
    ctx->in_ptrs = pare_calloc(n_in, sizeof(*ctx->in_ptrs));
    ctx->out_ptrs = pare_calloc(n_out, sizeof(*ctx->out_ptrs));
    if (!ctx->block || !ctx->tensors || !ctx->calls || !ctx->in_ptrs || !ctx->out_ptrs) {
        pare_context_destroy(ctx);
        return pare_fail_memory(plan->block_bytes, "a context's activations");
    }
    memcpy(ctx->tensors, plan->tensors, sizeof(*ctx->tensors) * (size_t)plan->n_values);
    bind_block(ctx);
    bind_slices(ctx);
    bind_calls(ctx);
    *out = ctx;
    return PARE_OK;
}

void pare_context_destroy(pare_context *ctx)
{
    if (!ctx)
        return;
    pare_order_clear(&ctx->order);
    pare_free_aligned(ctx->block);
    pare_free_aligned(ctx->scratch);
    pare_free(ctx->tensors);
    pare_free(ctx->calls);
    pare_free(ctx->in_ptrs);
    pare_free(ctx->out_ptrs);
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

    return v->graph == ctx->plan->g ? &ctx->tensors[v->id] : &v->t;
}

static void run_step(pare_context *ctx, int s, int part, int parts)
{
    const pare_plan_step *const step = &ctx->plan->steps[s];
    const pare_call *const      call = &ctx->calls[s];
    const pare_value           *framed;

    for (int i = 0; i < call->n_out; i++)
        if ((framed = pare_halo_owner(ctx->plan, s, i)))
            pare_halo_fill(framed, &ctx->tensors[framed->id], part, parts);
    if (step->step.run)
        step->step.run(&step->step, call, part, parts, ctx->scratch + ctx->plan->scratch_bytes * (size_t)part);
    else if (part == 0)
        note_failure(ctx, step->node,
                     call->op->traits & PARE_HAS_BODY ? pare_interp_body(call, outer_tensor, ctx)
                                                      : call->op->forward(call));
}

static void show(pare_context *ctx, const pare_value *v)
{
    for (int i = 0; v && i < ctx->n_taps; i++)
        if (strcmp(ctx->taps[i].value, v->name) == 0)
            note_failure(ctx, v->producer, ctx->taps[i].see(ctx->taps[i].user, &ctx->tensors[v->id]));
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

static void job(void *arg, int part, int parts)
{
    pare_context *const ctx = arg;
    const bool          together = ctx->n_taps || ctx->ns;
    double              then = ctx->ns && part == 0 ? now_ns() : 0;

    for (int s = 0; s < ctx->plan->n_steps; s++) {
        if (parts > 1 && !together)
            await_order(ctx, s, part, parts);
        /* Whoever saw a failure has skipped the step, and those who waited for it see the failure, too. */
        if (!ctx->plan->steps[s].view && atomic_load_explicit(&ctx->failed, memory_order_relaxed) == PARE_OK)
            run_step(ctx, s, part, parts);
        if (together)
            meet(ctx, s, part, parts, &then);
        else if (!ctx->plan->steps[s].view)
            pare_pool_reach(ctx->pool, part, s + 1);
    }
}

static pare_status bind_inputs(pare_context *ctx, const pare_tensor *const *in)
{
    for (int i = 0; i < ctx->plan->g->n_inputs; i++) {
        const pare_value *const v = ctx->plan->g->inputs[i];
        pare_tensor *const      t = &ctx->tensors[v->id];

        if (!in[i] || !in[i]->data)
            return pare_fail(PARE_ERR_ARG, "input '%s' was not given", v->name);
        if (in[i]->dtype != t->dtype || !pare_shape_equal(&in[i]->shape, &t->shape) || !pare_tensor_is_dense(in[i])) {
            char want[PARE_SHAPE_TEXT], got[PARE_SHAPE_TEXT];

            return pare_fail(PARE_ERR_SHAPE,
                             "input '%s' is %s%s%s, the plan was made for %s%s; plan again for this shape", v->name,
                             pare_dtype_name(in[i]->dtype), pare_shape_text(&in[i]->shape, got),
                             pare_tensor_is_dense(in[i]) ? "" : " (not dense)", pare_dtype_name(t->dtype),
                             pare_shape_text(&t->shape, want));
        }
        if (ctx->plan->places[v->id].kind == PARE_PLACE_BLOCK)
            memcpy(t->data, in[i]->data, (size_t)pare_tensor_bytes(t));
        else
            t->data = in[i]->data;
    }
    bind_views(ctx);
    return PARE_OK;
}

pare_status pare_context_run(pare_context *ctx, pare_pool *pool, const pare_tensor *const *in, const pare_tap *taps,
                             int n_taps)
{
    const int parts = pare_pool_threads(pool);

    PARE_TRY(bind_inputs(ctx, in));
    PARE_TRY(grow_scratch(ctx, parts));
    if (parts > 1 && parts != ctx->order.parts)
        PARE_TRY(pare_order_make(ctx->plan, &(pare_bound){ ctx->calls, ctx->tensors, ctx->block }, parts, &ctx->order));
    ctx->pool = pool;
    ctx->taps = taps;
    ctx->n_taps = n_taps;
    atomic_store(&ctx->failed, PARE_OK);
    for (int i = 0; n_taps && i < ctx->plan->g->n_inputs; i++)
        show(ctx, ctx->plan->g->inputs[i]);
    pare_pool_run(pool, job, ctx);

    const pare_status status = (pare_status)atomic_load(&ctx->failed);
    if (status != PARE_OK)
        pare_error_set(ctx->message);
    return status;
}

const pare_tensor *pare_context_output(const pare_context *ctx, int index)
{
    return &ctx->tensors[ctx->plan->g->outputs[index]->id];
}

const pare_call *pare_context_call(const pare_context *ctx, int step)
{
    return &ctx->calls[step];
}

void pare_context_profile(pare_context *ctx, double *ns)
{
    ctx->ns = ns;
}
