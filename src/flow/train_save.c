/* SPDX-License-Identifier: Apache-2.0 */
/* train_save.c - the checkpoint of a run, and whether one belongs to it */
#include <string.h>
#include <unistd.h>

#include "base/comm.h"
#include "base/hash.h"
#include "base/status.h"
#include "flow/train_run.h"

static uint64_t hash_text(uint64_t h, const char *text)
{
    return pare_hash(h, text ? text : "", text ? strlen(text) + 1 : 1);
}

/* Of all that a step depends on, but for the model and the samples' content. */
static uint64_t fingerprint(const pare_run *r)
{
    const pare_train_options *const   o = r->o;
    const pare_trainer_options *const t = &o->trainer;
    const pare_schedule_options      *s = &r->schedule;
    const pare_optimizer_options     *p = &t->optimizer;
    const double                      numbers[] = { r->t->o.batch,
                                                    r->t->o.chunks,
                                                    (double)t->label_smoothing,
                                                    t->targets,
                                                    t->freeze_statistics,
                                                    t->average,
                                                    p->momentum,
                                                    p->dampening,
                                                    p->nesterov,
                                                    p->beta1,
                                                    p->beta2,
                                                    p->eps,
                                                    p->weight_decay,
                                                    p->clip,
                                                    s->lr,
                                                    s->lowest,
                                                    (double)s->warmup,
                                                    s->warmup_from,
                                                    (double)s->step_every,
                                                    s->step_factor,
                                                    s->rise,
                                                    s->divisor,
                                                    s->last_divisor,
                                                    r->epochs,
                                                    (double)r->per_epoch,
                                                    r->o->schedule_epochs,
                                                    r->o->schedule_first };
    uint64_t                          h = pare_hash(0, numbers, sizeof(numbers));

    h = pare_hash(h, &o->seed, sizeof(o->seed));
    h = hash_text(hash_text(h, t->loss), p->name);
    return hash_text(hash_text(h, s->name), o->augment);
}

pare_status pare_run_save(pare_run *r)
{
    pare_status status = PARE_OK;

    if (r->o->checkpoint && pare_comm_rank(r->o->trainer.comm) == 0)
        status = pare_checkpoint_write(r->o->checkpoint, r->t, r->fingerprint, &r->s);
    return pare_comm_agree(r->o->trainer.comm, status);
}

/* Every process reads the file: they see the same folder, or have a copy. */
pare_status pare_run_resume(pare_run *r)
{
    const char *const path = r->o->checkpoint;
    pare_status       status = PARE_OK;

    r->fingerprint = fingerprint(r);
    if (!r->o->resume || !path)
        return PARE_OK;
    if (access(path, F_OK) == 0)
        status = pare_checkpoint_read(path, r->t, r->fingerprint, &r->s);
    return pare_comm_agree(r->o->trainer.comm, status);
}
