/* SPDX-License-Identifier: Apache-2.0 */
/* train.c - a run of training: epochs of steps, a test after each, checkpoints, a curve */
#include <pare/train.h>

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/alloc.h"
#include "base/comm.h"
#include "base/progress.h"
#include "base/status.h"
#include "flow/curve.h"
#include "flow/train_run.h"

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static bool leads(const pare_run *r)
{
    return pare_comm_rank(r->o->trainer.comm) == 0;
}

/* ---------------------------------------------------------------------------------------------------------- epochs */

static pare_status grow_lists(pare_run *r)
{
    float *const            losses = pare_realloc(r->s.losses, (size_t)r->total * sizeof(*losses));
    pare_train_epoch *const history = pare_realloc(r->s.history, (size_t)r->epochs * sizeof(*history));

    r->s.losses = losses ? losses : r->s.losses;
    r->s.history = history ? history : r->s.history;
    return losses && history ? PARE_OK : pare_fail_memory((size_t)r->total * sizeof(*losses), "losses");
}

static double lr_of(const pare_run *r, int64_t step)
{
    return pare_schedule_lr(&r->schedule, r->first + step, r->schedule_total);
}

/* Mean loss of the steps of this epoch so far, in their order. */
static double mean_loss(const pare_run *r)
{
    double sum = 0;

    for (int64_t i = r->s.n_losses - r->s.batch; i < r->s.n_losses; i++)
        sum += (double)r->s.losses[i];
    return r->s.batch ? sum / (double)r->s.batch : NAN;
}

static double accuracy_so_far(const pare_run *r)
{
    return r->t->graph.probs < 0 ? NAN : (double)r->s.correct / (double)(r->s.batch * r->t->o.batch);
}

/* Says where the run is; a wish to stop is told to the other processes with the next step's sums. */
static void report(pare_run *r)
{
    const double accuracy = accuracy_so_far(r);
    char         what[96];
    int          n;

    if (!r->o->progress)
        return;
    n = snprintf(what, sizeof(what), "epoch %lld/%d", (long long)r->o->schedule_first + r->s.epoch + 1,
                 r->o->schedule_epochs ? r->o->schedule_epochs : r->o->schedule_first + r->epochs);
    if (r->s.batch)
        n += snprintf(what + n, sizeof(what) - (size_t)n, " loss %.4f", mean_loss(r));
    if (r->s.batch && !isnan(accuracy))
        snprintf(what + n, sizeof(what) - (size_t)n, " accuracy %.1f %%", 100 * accuracy);
    if (pare_progress_step(r->o->progress, what, (long)r->s.n_losses, (long)r->total) != PARE_OK)
        r->t->stop = true;
}

static pare_status cancelled(pare_run *r)
{
    PARE_TRY(pare_run_save(r));
    return pare_fail(PARE_ERR_CANCELLED, "training was stopped in epoch %lld after %lld steps%s%s",
                     (long long)r->o->schedule_first + r->s.epoch + 1, (long long)r->s.n_losses,
                     r->o->checkpoint ? "; it goes on from " : "", r->o->checkpoint ? r->o->checkpoint : "");
}

static pare_status run_steps(pare_run *r)
{
    const pare_batch *b;
    pare_train_step   step;

    pare_loader_start(r->loader, r->o->schedule_first + r->s.epoch, r->s.batch);
    while (r->s.batch < r->per_epoch) {
        const double begin = now();

        report(r);
        if (r->t->stop && pare_comm_size(r->o->trainer.comm) == 1)
            return cancelled(r);
        PARE_TRY(pare_loader_next(r->loader, &b));
        PARE_TRY(pare_trainer_step(r->t, b, lr_of(r, r->s.n_losses), &step));
        r->s.losses[r->s.n_losses++] = (float)step.loss;
        r->s.correct += step.correct;
        r->s.seconds += now() - begin;
        r->s.batch++;
        if (r->t->stop)
            return cancelled(r);
    }
    return PARE_OK;
}

/* The epoch is over: test it, tell, and begin the next. */
static pare_status close_epoch(pare_run *r)
{
    pare_train_epoch e = { .epoch = (int)r->s.epoch,
                           .loss = mean_loss(r),
                           .accuracy = accuracy_so_far(r),
                           .lr = lr_of(r, r->s.n_losses - 1),
                           .test_loss = NAN,
                           .test_accuracy = NAN,
                           .seconds = r->s.seconds };
    pare_graph      *model = NULL, *shipped = NULL;
    pare_status      status = PARE_OK;

    if (r->test_loader) {
        PARE_TRY(pare_trainer_model(r->t, true, &model));
        if (r->o->ship)
            status = r->o->ship(r->o->user, model, &shipped);
        if (status == PARE_OK)
            status = pare_examine(&r->test, shipped ? shipped : model, &e.test_loss, &e.test_accuracy);
        pare_graph_destroy(shipped);
        pare_graph_destroy(model);
        PARE_TRY(status);
    }
    r->s.history[r->s.n_history++] = e;
    r->s.epoch++;
    r->s.batch = r->s.correct = 0;
    r->s.seconds = 0;
    if (r->o->curve && leads(r))
        PARE_TRY(pare_curve_write(r->o->curve, &r->s, r->per_epoch, r->total));
    if (r->o->epoch_done && leads(r))
        r->o->epoch_done(r->o->user, &e);
    const int every = r->o->every ? r->o->every : 1;

    return r->s.epoch % every == 0 || r->s.epoch == r->epochs ? pare_run_save(r) : PARE_OK;
}

/* ------------------------------------------------------------------------------------------------------------- run */

static pare_status prepare(pare_run *r, const pare_graph *model, const pare_dataset *test)
{
    PARE_TRY(pare_trainer_create(model, &r->o->trainer, &r->t));
    PARE_TRY(pare_run_check_data(r, r->data));
    if (test)
        PARE_TRY(pare_run_check_data(r, test));
    PARE_TRY(pare_run_open_loaders(r, test));
    r->total = r->per_epoch * r->epochs;
    r->first = r->per_epoch * r->o->schedule_first;
    r->schedule_total = r->o->schedule_epochs ? r->per_epoch * r->o->schedule_epochs : r->first + r->total;
    PARE_TRY(pare_schedule_check(&r->schedule, r->o->trainer.optimizer.name, r->schedule_total));
    PARE_TRY(pare_run_resume(r));
    return grow_lists(r);
}

static pare_status train(pare_run *r, const pare_graph *model, const pare_dataset *test)
{
    PARE_TRY(pare_comm_agree(r->o->trainer.comm, prepare(r, model, test)));
    while (r->s.epoch < r->epochs) {
        if (r->o->epoch_begins)
            PARE_TRY(r->o->epoch_begins(r->o->user, r->t, (int)r->s.epoch));
        PARE_TRY(run_steps(r));
        PARE_TRY(close_epoch(r));
    }
    return PARE_OK;
}

pare_status pare_train(const pare_graph *model, const pare_dataset *data, const pare_dataset *test,
                       const pare_train_options *options, pare_graph **out)
{
    static const pare_train_options defaults = { 0 };
    pare_run                        r = { .o = options ? options : &defaults, .data = data };

    *out = NULL;
    r.epochs = r.o->epochs ? r.o->epochs : 1;
    r.schedule = r.o->schedule;
    if (r.epochs < 1 || r.o->every < 0)
        return pare_fail(PARE_ERR_ARG, "%d epochs, a checkpoint every %d: at least one", r.epochs, r.o->every);
    if (r.o->schedule_first < 0 || (r.o->schedule_epochs && r.o->schedule_epochs < r.o->schedule_first + r.epochs))
        return pare_fail(PARE_ERR_ARG, "%d epochs from epoch %d on are not part of %d", r.epochs, r.o->schedule_first,
                         r.o->schedule_epochs);
    pare_status status = train(&r, model, test);

    if (status == PARE_OK)
        status = pare_trainer_model(r.t, true, out);
    pare_loader_destroy(r.loader);
    pare_loader_destroy(r.test_loader);
    pare_trainer_destroy(r.t);
    pare_run_state_clear(&r.s);
    return status;
}
