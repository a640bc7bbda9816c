/* SPDX-License-Identifier: Apache-2.0 */
/*
 * trainer_step.c - one step of training: chunks run, summed by a tree, the optimizer's step.
 *
 * The tree over chunks 0 .. G-1 is that of a binary counter: two sums of 2^k chunks make one of 2^(k+1). A process has
 * G / N neighbouring chunks, a whole branch; the processes' sums go on from there. So the number of processes does not
 * change a bit.
 */
#include <math.h>
#include <string.h>

#include "base/comm.h"
#include "base/status.h"
#include "flow/trainer.h"

enum { TAIL = 3, LOSS = 0, CORRECT = 1, STOP = 2 }; /* the last of the sums */

pare_status pare_trainer_run_chunk(pare_trainer *t, const pare_batch *batch, int index, const pare_tap *taps,
                                   int n_taps)
{
    pare_tensor *const x = &t->inputs[0];
    const int64_t      first = (int64_t)index * t->chunk;

    x->data = (char *)(uintptr_t)batch->x + index * pare_tensor_bytes(x);
    if (t->graph.target >= 0)
        t->inputs[t->graph.target].data = t->o.targets ? (void *)(uintptr_t)(batch->targets + first * t->graph.classes)
                                                       : (void *)(uintptr_t)(batch->labels + first);
    return pare_context_run(t->ctx, t->o.pool, t->pointers, taps, n_taps);
}

/* Rows whose largest element, the first of equal ones, is at the label. */
static int count_correct(const pare_trainer *t, const int64_t *labels)
{
    const float *row;
    int          correct = 0;

    if (t->graph.probs < 0)
        return 0;
    row = pare_context_output(t->ctx, t->graph.probs)->data;
    for (int i = 0; i < t->chunk; i++, row += t->graph.classes) {
        int best = 0;

        for (int c = 1; c < t->graph.classes; c++)
            best = row[c] > row[best] ? c : best;
        correct += best == labels[i];
    }
    return correct;
}

/* What the chunk that was run gives, into to[n_sums]. */
static void collect(const pare_trainer *t, const int64_t *labels, float *to)
{
    for (int i = 0; i < t->graph.params.n; i++)
        if (t->sum_at[i] >= 0) {
            const pare_tensor *const from = pare_context_output(t->ctx, t->graph.output[i]);

            memcpy(to + t->sum_at[i], from->data, (size_t)pare_tensor_bytes(from));
        }
    float *const tail = to + t->n_sums - TAIL;

    tail[LOSS] = *(const float *)pare_context_output(t->ctx, 0)->data;
    tail[CORRECT] = (float)count_correct(t, labels);
    tail[STOP] = t->stop;
}

static void add_to(float *x, const float *y, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        x[i] += y[i];
}

/*
 * Sums over all chunks into sums[0]. sums[k + 1] holds the left branch of 2^k chunks while its right one is made in
 * sums[0]; bit k of the number of chunks done says whether there is one.
 */
static pare_status sum_chunks(pare_trainer *t, const pare_batch *batch)
{
    for (int done = 0; done < t->local; done++) {
        PARE_TRY(pare_trainer_run_chunk(t, batch, done, NULL, 0));
        collect(t, batch->labels + (int64_t)done * t->chunk, t->sums[0]);
        int k = 0;

        for (; done >> k & 1; k++)
            add_to(t->sums[0], t->sums[k + 1], t->n_sums);
        if (done + 1 < t->local)
            memcpy(t->sums[k + 1], t->sums[0], (size_t)t->n_sums * sizeof(float));
    }
    PARE_TRY(pare_comm_sum(t->o.comm, t->sums[0], t->sums[t->levels - 1], t->n_sums));
    for (int64_t i = 0; i < t->n_sums - TAIL + CORRECT; i++) /* by a power of two: exact; counts stay as they are */
        t->sums[0][i] *= 1.0f / (float)t->o.chunks;
    return PARE_OK;
}

/* A running statistic takes its share of the new one; the running variance is that of a sample, over n - 1. */
static void update_statistics(pare_trainer *t)
{
    for (int i = 0; i < t->graph.params.n; i++) {
        const pare_param *const p = &t->graph.params.list[i];

        if (p->trained || t->sum_at[i] < 0)
            continue;
        const pare_node *const made = p->batch->producer;
        const bool             is_variance = made && made->n_out > 1 && made->out[1] == p->batch && p->count > 1;
        const float            widen = is_variance ? (float)p->count / (float)(p->count - 1) : 1.0f;
        const float           *now = t->sums[0] + t->sum_at[i];
        float                 *running = t->weights + t->at[i];

        for (int64_t k = 0; k < pare_shape_count(&p->initial.shape); k++)
            running[k] = p->momentum * running[k] + (1 - p->momentum) * (now[k] * widen);
    }
}

pare_status pare_trainer_step(pare_trainer *t, const pare_batch *batch, double lr, pare_train_step *result)
{
    const int share = t->chunk * t->local;

    if (batch->count != share)
        return pare_fail(PARE_ERR_ARG, "a batch of %d samples for a trainer that takes %d", batch->count, share);
    if (t->graph.target >= 0 && t->o.targets && !batch->targets)
        return pare_fail(PARE_ERR_ARG, "a trainer with shares of classes needs a loader that gives them");
    PARE_TRY(sum_chunks(t, batch));
    const double norm = pare_descent_norm(t->descent, t->o.pool, t->arrays);

    const float *const tail = t->sums[0] + t->n_sums - TAIL;

    *result = (pare_train_step){ .loss = (double)tail[LOSS], .norm = norm, .correct = (int64_t)tail[CORRECT] };
    t->stop = tail[STOP] > 0;
    if (!isfinite(result->loss) || !isfinite(norm))
        return pare_trainer_blame(t, batch);
    pare_descent_step(t->descent, t->o.pool, t->arrays, lr, norm);
    update_statistics(t);
    if (t->average)
        pare_ema_update(t->o.pool, t->o.average, t->n_weights, t->average, t->weights);
    return PARE_OK;
}
