/* SPDX-License-Identifier: Apache-2.0 */
/* trainer.c - a trainer made: the graph planned, memory for weights and sums, inputs bound to it */
#include "flow/trainer.h"

#include <string.h>

#include <pare/compile.h>

#include "base/alloc.h"
#include "base/comm.h"
#include "base/pages.h"
#include "base/status.h"

enum { DEFAULT_BATCH = 128, LINE = 16 /* floats in a cache line */ };

/* ------------------------------------------------------------------------------------------------------- creation */

static bool is_power_of_two(int n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

static pare_status choose_chunks(pare_trainer *t)
{
    pare_trainer_options *const o = &t->o;
    const int                   size = pare_comm_size(o->comm);

    o->batch = o->batch ? o->batch : DEFAULT_BATCH;
    o->chunks = o->chunks ? o->chunks : size;
    if (!is_power_of_two(size))
        return pare_fail(PARE_ERR_ARG, "training on %d processes; their number must be a power of two", size);
    if (!is_power_of_two(o->chunks) || o->chunks % size || o->batch < 1 || o->batch % o->chunks)
        return pare_fail(PARE_ERR_ARG,
                         "a batch of %d cannot be cut into %d chunks on %d processes: chunks are a power of two, a "
                         "multiple of the processes, and divide the batch",
                         o->batch, o->chunks, size);
    if (!(o->average >= 0 && o->average < 1))
        return pare_fail(PARE_ERR_ARG, "a moving average keeps at least 0 and less than 1, not %g", o->average);
    t->chunk = o->batch / o->chunks;
    t->local = o->chunks / size;
    return PARE_OK;
}

static int64_t in_lines(int64_t n)
{
    return (n + LINE - 1) / LINE * LINE;
}

static float *floats(int64_t n)
{
    return pare_malloc_pages((size_t)n * sizeof(float) + 1);
}

static pare_status allocate(pare_trainer *t)
{
    const pare_params *const p = &t->graph.params;
    const size_t             n = (size_t)p->n, inputs = (size_t)t->graph.g->n_inputs;
    int                      last = 0;

    t->at = pare_calloc(n + 1, sizeof(*t->at));
    t->sum_at = pare_calloc(n + 1, sizeof(*t->sum_at));
    t->arrays = pare_calloc(n + 1, sizeof(*t->arrays));
    t->inputs = pare_calloc(inputs + 1, sizeof(*t->inputs));
    t->pointers = pare_calloc(inputs + 1, sizeof(*t->pointers));
    if (!t->at || !t->sum_at || !t->arrays || !t->inputs || !t->pointers)
        return pare_fail_memory(n * sizeof(*t->arrays), "a trainer");
    for (int i = 0; i < p->n; i++) {
        const int64_t count = pare_shape_count(&p->list[i].initial.shape);

        t->at[i] = t->n_weights;
        t->n_weights += in_lines(count);
        t->sum_at[i] = t->graph.output[i] < 0 ? -1 : t->n_sums;
        t->n_sums += t->graph.output[i] < 0 ? 0 : in_lines(count);
    }
    t->n_sums += LINE;
    while (1 << last < t->local)
        last++;
    t->levels = last + 1 + (last == 0 && pare_comm_size(t->o.comm) > 1); /* room for what comes in */
    t->weights = floats(t->n_weights);
    t->average = t->o.average > 0 ? floats(t->n_weights) : NULL;
    bool ok = t->weights && (t->average || t->o.average == 0);

    for (int k = 0; k < t->levels; k++)
        ok &= (t->sums[k] = floats(t->n_sums)) != NULL;
    return ok ? PARE_OK : pare_fail_memory((size_t)(t->n_weights + t->n_sums * t->levels) * sizeof(float), "weights");
}

static void fill_weights(pare_trainer *t)
{
    const pare_params *const p = &t->graph.params;

    memset(t->weights, 0, (size_t)t->n_weights * sizeof(float));
    for (int k = 0; k < t->levels; k++)
        memset(t->sums[k], 0, (size_t)t->n_sums * sizeof(float));
    for (int i = 0; i < p->n; i++)
        memcpy(t->weights + t->at[i], p->list[i].initial.data, (size_t)pare_tensor_bytes(&p->list[i].initial));
    if (t->average)
        memcpy(t->average, t->weights, (size_t)t->n_weights * sizeof(float));
}

static pare_status bind_inputs(pare_trainer *t)
{
    for (int i = 0; i < t->graph.g->n_inputs; i++) {
        const pare_tensor *planned;

        pare_plan_input(t->plan, i, &planned);
        t->inputs[i] = pare_tensor_of(planned->dtype, planned->shape);
        t->pointers[i] = &t->inputs[i];
        if (i > 0 && i < t->graph.model_inputs) /* inputs besides the sample are zeros, as in evaluation */
            PARE_TRY(pare_tensor_alloc(&t->inputs[i]));
    }
    for (int i = 0; i < t->graph.params.n; i++)
        if (t->graph.input[i] >= 0)
            t->inputs[t->graph.input[i]].data = t->weights + t->at[i];
    return PARE_OK;
}

static pare_status create_descent(pare_trainer *t)
{
    const pare_params *const p = &t->graph.params;
    int64_t *const           sizes = pare_calloc((size_t)p->n + 1, sizeof(*sizes));

    if (!sizes)
        return pare_fail_memory((size_t)p->n * sizeof(*sizes), "an optimizer");
    for (int i = 0; i < p->n; i++)
        if (p->list[i].trained && t->sum_at[i] >= 0) {
            const int64_t n = pare_shape_count(&p->list[i].initial.shape);

            sizes[t->n_arrays] = n;
            t->arrays[t->n_arrays++] = (pare_optimized){
                .w = t->weights + t->at[i], .grad = t->sums[0] + t->sum_at[i], .n = n, .decay = p->list[i].decay
            };
        }
    const pare_status status = pare_descent_create(&t->o.optimizer, t->n_arrays, sizes, &t->descent);

    pare_free(sizes);
    return status;
}

static pare_status create(pare_trainer *t, const pare_graph *model)
{
    PARE_TRY(choose_chunks(t));
    PARE_TRY(pare_graph_clone(model, &t->model));
    PARE_TRY(pare_training_graph_make(t->model, &t->o, t->chunk, &t->graph));
    PARE_TRY(pare_compile(t->graph.g, NULL, &t->plan));
    PARE_TRY(pare_context_create(t->plan, &t->ctx));
    PARE_TRY(allocate(t));
    fill_weights(t);
    PARE_TRY(bind_inputs(t));
    return create_descent(t);
}

pare_status pare_trainer_create(const pare_graph *model, const pare_trainer_options *options, pare_trainer **out)
{
    pare_trainer *const t = pare_calloc(1, sizeof(*t));

    *out = NULL;
    if (!t)
        return pare_fail_memory(sizeof(*t), "a trainer");
    if (options)
        t->o = *options;
    const pare_status status = create(t, model);

    t->o.loss = NULL; /* the caller's texts */
    t->o.optimizer.name = NULL;
    if (status == PARE_OK)
        *out = t;
    else
        pare_trainer_destroy(t);
    return status;
}

void pare_trainer_destroy(pare_trainer *t)
{
    if (!t)
        return;
    for (int i = 1; t->inputs && i < t->graph.model_inputs; i++)
        pare_tensor_release(&t->inputs[i]);
    for (int k = 0; k < PARE_MAX_LEVELS; k++)
        pare_free_aligned(t->sums[k]);
    pare_descent_destroy(t->descent);
    pare_free_aligned(t->weights);
    pare_free_aligned(t->average);
    pare_context_destroy(t->ctx);
    pare_plan_destroy(t->plan);
    pare_training_graph_clear(&t->graph);
    pare_graph_destroy(t->model);
    pare_free(t->at);
    pare_free(t->sum_at);
    pare_free(t->arrays);
    pare_free(t->inputs);
    pare_free(t->pointers);
    pare_free(t);
}

/* --------------------------------------------------------------------------------------------------------- queries */

static pare_status set_constant(pare_graph *g, const pare_param *p, const float *data)
{
    pare_value *const v = pare_graph_find(g, p->name);
    pare_tensor       old, now = pare_tensor_of(PARE_f32, p->initial.shape);

    if (!v || !pare_value_is_const(v))
        return pare_fail(PARE_ERR_DATA, "parameter '%s' is not in the model any more", p->name);
    now.data = (void *)(uintptr_t)data;
    old = v->t;
    v->t = (pare_tensor){ 0 };
    const pare_status status = pare_value_set_const(v, &now);

    pare_tensor_release(&old);
    return status;
}

pare_status pare_trainer_model(const pare_trainer *t, bool average, pare_graph **out)
{
    const float *const weights = average && t->average ? t->average : t->weights;
    pare_graph        *g;
    pare_status        status = PARE_OK;

    *out = NULL;
    PARE_TRY(pare_graph_clone(t->model, &g));
    for (int i = 0; i < t->graph.params.n && status == PARE_OK; i++)
        status = set_constant(g, &t->graph.params.list[i], weights + t->at[i]);
    if (status == PARE_OK)
        *out = g;
    else
        pare_graph_destroy(g);
    return status;
}

int64_t pare_trainer_parameters(const pare_trainer *t)
{
    int64_t n = 0;

    for (int i = 0; i < t->n_arrays; i++)
        n += t->arrays[i].n;
    return n;
}

size_t pare_trainer_bytes(const pare_trainer *t)
{
    int64_t state;

    pare_descent_state(t->descent, &state);
    return pare_plan_context_bytes(t->plan) + pare_plan_packed_bytes(t->plan) +
           sizeof(float) * (size_t)(t->n_weights * (t->average ? 2 : 1) + t->n_sums * t->levels + state);
}
