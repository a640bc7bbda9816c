/* SPDX-License-Identifier: Apache-2.0 */
/* train_data.c - data of a run: whether the model can take it, and batches of it */
#include "base/comm.h"
#include "base/status.h"
#include "flow/train_run.h"
#include "tensor/tensor.h"

/* A sample of the data must be what the model takes; its labels classes that it has. */
pare_status pare_run_check_data(const pare_run *r, const pare_dataset *data)
{
    const pare_tensor *const x = &r->t->inputs[0];
    const pare_shape         item = pare_dataset_item(data);
    char                     want[PARE_SHAPE_TEXT], got[PARE_SHAPE_TEXT];

    if (pare_shape_count(&item) * r->t->chunk != pare_shape_count(&x->shape) || pare_dataset_dtype(data) != x->dtype)
        return pare_fail(PARE_ERR_SHAPE, "the model takes %s%s, a sample of the data is %s%s",
                         pare_dtype_name(x->dtype), pare_shape_text(&x->shape, want),
                         pare_dtype_name(pare_dataset_dtype(data)), pare_shape_text(&item, got));
    for (int64_t i = 0; r->t->graph.probs >= 0 && i < pare_dataset_count(data); i++) {
        const int label = pare_dataset_label(data, i);
        char      name[256];

        if (label >= 0 && label < r->t->graph.classes)
            continue;
        pare_dataset_name(data, i, name, sizeof(name));
        return pare_fail(PARE_ERR_DATA, "sample %s: label %d, the model has classes 0 to %d", name, label,
                         r->t->graph.classes - 1);
    }
    return PARE_OK;
}

pare_status pare_run_open_loaders(pare_run *r, const pare_dataset *test)
{
    const pare_train_options *const o = r->o;
    const pare_comm *const          comm = o->trainer.comm;
    const bool                      targets = o->trainer.targets;
    const pare_loader_options       options = { .batch = r->t->o.batch,
                                                .group = r->t->chunk,
                                                .share = pare_comm_rank(comm),
                                                .shares = pare_comm_size(comm),
                                                .seed = o->seed,
                                                .shuffle = true,
                                                .augment = o->augment,
                                                .classes = targets ? r->t->graph.classes : 0,
                                                .threads = o->loaders };

    PARE_TRY(pare_loader_create(r->data, &options, &r->loader));
    r->per_epoch = pare_loader_batches(r->loader);
    if (r->per_epoch == 0)
        return pare_fail(PARE_ERR_ARG, "%lld samples are less than one batch of %d",
                         (long long)pare_dataset_count(r->data), r->t->o.batch);
    if (!test)
        return PARE_OK;
    r->test =
        (pare_examination){ .data = test, .batch = r->t->chunk * r->t->local, .pool = o->trainer.pool, .comm = comm };
    PARE_TRY(pare_loader_create(
        test,
        &(pare_loader_options){
            .batch = r->t->o.batch, .share = options.share, .shares = options.shares, .whole = true },
        &r->test_loader));
    r->test.loader = r->test_loader;
    return PARE_OK;
}
