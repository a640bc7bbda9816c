/* SPDX-License-Identifier: Apache-2.0 */
/* qat_train.c - training with quantization: moving, then frozen, then converted */
#include <pare/qat.h>

#include <stdio.h>
#include <string.h>

#include "base/status.h"

enum { PATH = 4096 };

/*
 * Without the batch's statistics a weight acts on the loss by its batch norm's factor squared: what was a fitting step
 * before is too long now.
 */
static const double FROZEN_SHARE = 0.1;

/* One of the two phases, and what the caller's functions are told of it. */
typedef struct phase {
    pare_qat                 *qat;
    const pare_train_options *caller;
    pare_qat_phase            form;
    int                       first, epochs; /* of the whole run */
    char                      checkpoint[PATH], curve[PATH];
} phase;

/* The test is of what would be shipped. */
static pare_status ship(void *user, const pare_graph *trained, pare_graph **out)
{
    const phase *const p = user;

    PARE_TRY(pare_qat_absorb(p->qat, trained));
    return pare_qat_convert(p->qat, out, NULL);
}

static void epoch_done(void *user, const pare_train_epoch *e)
{
    const phase *const p = user;
    pare_train_epoch   whole = *e;

    whole.epoch += p->first;
    if (p->caller->epoch_done)
        p->caller->epoch_done(p->caller->user, &whole);
}

/* What a schedule without a learning rate takes. */
static double highest(const pare_train_options *o)
{
    const bool sgd = !o->trainer.optimizer.name || strcmp(o->trainer.optimizer.name, "sgd") == 0;

    return o->schedule.lr > 0 ? o->schedule.lr : sgd ? 0.1 : 0.001;
}

static pare_status run(phase *p, const pare_dataset *data, const pare_dataset *test, int all_epochs)
{
    pare_train_options o = *p->caller;
    pare_graph        *graph, *trained = NULL;

    if (p->epochs == 0)
        return PARE_OK;
    o.epochs = p->epochs;
    o.schedule_epochs = all_epochs;
    o.schedule_first = p->first;
    o.trainer.freeze_statistics = p->form.freeze_batch_norm || o.trainer.freeze_statistics;
    if (p->form.freeze_batch_norm)
        o.schedule.lr = FROZEN_SHARE * highest(&o);
    o.epoch_begins = NULL;
    o.epoch_done = epoch_done;
    o.ship = ship;
    o.user = p;
    if (o.checkpoint) {
        snprintf(p->checkpoint, sizeof(p->checkpoint), "%s%s", o.checkpoint, p->form.freeze_ranges ? ".frozen" : "");
        o.checkpoint = p->checkpoint;
    }
    if (o.curve && p->form.freeze_ranges) {
        snprintf(p->curve, sizeof(p->curve), "%s.frozen.svg", o.curve);
        o.curve = p->curve;
    }
    PARE_TRY(pare_qat_graph(p->qat, &p->form, &graph));
    pare_status status = pare_train(graph, data, test, &o, &trained);

    if (status == PARE_OK)
        status = pare_qat_absorb(p->qat, trained);
    if (status == PARE_ERR_CANCELLED && p->form.freeze_ranges && p->caller->checkpoint) /* name what to give again */
        status =
            pare_fail(status, "training was stopped in its frozen epochs; it goes on from %s", p->caller->checkpoint);
    pare_graph_destroy(trained);
    pare_graph_destroy(graph);
    return status;
}

pare_status pare_qat_train(pare_qat *qat, const pare_dataset *data, const pare_dataset *test,
                           const pare_train_options *options, int frozen, pare_graph **out,
                           pare_quantize_result **result)
{
    static const pare_train_options defaults = { 0 };
    const pare_train_options *const o = options ? options : &defaults;
    const int                       epochs = o->epochs ? o->epochs : 1;
    const int                       last = frozen ? frozen : epochs / 3 > 0 ? epochs / 3 : 1;
    phase                           moving = { .qat = qat, .caller = o, .epochs = epochs - last };
    phase                           still = { .qat = qat,
                                              .caller = o,
                                              .form = { .freeze_ranges = true, .freeze_batch_norm = true },
                                              .first = epochs - last,
                                              .epochs = last };

    *out = NULL;
    if (epochs < 1 || last < 0 || last > epochs)
        return pare_fail(PARE_ERR_ARG, "%d of %d epochs cannot be frozen", frozen, epochs);
    PARE_TRY(run(&moving, data, test, epochs));
    PARE_TRY(run(&still, data, test, epochs));
    return pare_qat_convert(qat, out, result);
}
