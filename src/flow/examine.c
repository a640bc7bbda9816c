/* SPDX-License-Identifier: Apache-2.0 */
/*
 * examine.c - loss and accuracy of a model between epochs.
 *
 * Every sample's numbers get a place of their own and are summed in order at the end; other processes' samples are zeros
 * until then. So the result does not depend on how many there are.
 */
#include "flow/examine.h"

#include <math.h>
#include <string.h>

#include <pare/compile.h>

#include "base/alloc.h"
#include "base/comm.h"
#include "base/status.h"
#include "flow/measure.h"

enum { LOSS, RIGHT, COUNTED, FIELDS };

typedef struct work {
    const pare_examination *e;
    pare_plan              *plan;
    pare_context           *ctx;
    pare_tensor            *inputs;   /* [n_inputs] */
    const pare_tensor     **pointers; /* [n_inputs] */
    int                     n_inputs;
    float                  *fields; /* [samples][FIELDS] */
    float                  *spare;
    int32_t                *classes;
    int64_t                 n; /* samples * FIELDS */
} work;

static pare_status prepare(work *w, const pare_graph *model)
{
    const pare_shape item = pare_dataset_item(w->e->data);
    const size_t     room = (size_t)pare_shape_count(&item);

    PARE_TRY(pare_compile(model, &(pare_compile_options){ .batch = w->e->batch }, &w->plan));
    PARE_TRY(pare_context_create(w->plan, &w->ctx));
    w->n_inputs = pare_plan_n_inputs(w->plan);
    w->n = pare_dataset_count(w->e->data) * FIELDS;
    w->inputs = pare_calloc((size_t)w->n_inputs + 1, sizeof(*w->inputs));
    w->pointers = pare_calloc((size_t)w->n_inputs + 1, sizeof(*w->pointers));
    w->fields = pare_calloc((size_t)w->n, sizeof(*w->fields));
    w->spare = pare_calloc((size_t)w->n, sizeof(*w->spare));
    w->classes = pare_calloc(room + 1, sizeof(*w->classes));
    if (!w->inputs || !w->pointers || !w->fields || !w->spare || !w->classes)
        return pare_fail_memory((size_t)w->n * sizeof(*w->fields), "measures");
    for (int i = 0; i < w->n_inputs; i++) {
        const pare_tensor *planned;

        pare_plan_input(w->plan, i, &planned);
        w->inputs[i] = pare_tensor_of(planned->dtype, planned->shape);
        w->pointers[i] = &w->inputs[i];
        if (i > 0)
            PARE_TRY(pare_tensor_alloc(&w->inputs[i]));
    }
    return PARE_OK;
}

static void release(work *w)
{
    for (int i = 1; w->inputs && i < w->n_inputs; i++)
        pare_tensor_release(&w->inputs[i]);
    pare_free(w->inputs);
    pare_free(w->pointers);
    pare_free(w->fields);
    pare_free(w->spare);
    pare_free(w->classes);
    pare_context_destroy(w->ctx);
    pare_plan_destroy(w->plan);
}

/* Row i of the output, measured as `pare eval` does. */
static pare_status measure_row(work *w, const pare_batch *b, int i, float *fields)
{
    const pare_tensor *const y = pare_context_output(w->ctx, 0);
    const int64_t            width = pare_shape_count(&y->shape) / w->e->batch;
    const pare_shape         item = pare_dataset_item(w->e->data);
    const pare_dtype         dtype = pare_dataset_dtype(w->e->data);
    const size_t             bytes = (size_t)pare_shape_count(&item) * (dtype == PARE_s64 ? 8 : 4);
    const pare_measured      what = {
             .sample = (const char *)b->x + (size_t)i * bytes, .shape = item, .dtype = dtype, .label = (int)b->labels[i]
    };
    pare_tensor   row = *y;
    pare_measures m = { 0 };

    row.shape.dim[0] = 1;
    row.data = (float *)y->data + i * width;
    row.buf = NULL;
    PARE_TRY(pare_measure(&what, &row, &m, w->classes));
    if (m.labelled > 0) {
        fields[LOSS] = (float)(m.nll / (double)m.labelled);
        fields[RIGHT] = (float)m.top1 / (float)m.labelled;
        fields[COUNTED] = 1;
    } else if (m.input_compared > 0) {
        fields[LOSS] = (float)(m.input_squares / (double)m.input_compared);
        fields[RIGHT] = NAN;
        fields[COUNTED] = 1;
    }
    return PARE_OK;
}

static pare_status run_batches(work *w)
{
    const pare_examination *const e = w->e;
    const int64_t                 step = (int64_t)e->batch * pare_comm_size(e->comm);
    const pare_batch             *b;

    pare_loader_start(e->loader, 0, 0);
    for (;;) {
        PARE_TRY(pare_loader_next(e->loader, &b));
        if (!b)
            return PARE_OK;
        const int64_t first = b->index * step + (int64_t)pare_comm_rank(e->comm) * e->batch;

        w->inputs[0].data = (void *)(uintptr_t)b->x;
        PARE_TRY(pare_context_run(w->ctx, e->pool, w->pointers, NULL, 0));
        for (int i = 0; i < b->count; i++)
            PARE_TRY(measure_row(w, b, i, w->fields + (first + i) * FIELDS));
    }
}

pare_status pare_examine(const pare_examination *e, const pare_graph *model, double *loss, double *accuracy)
{
    work        w = { .e = e };
    double      sums[FIELDS] = { 0 };
    pare_status status = prepare(&w, model);

    if (status == PARE_OK)
        status = run_batches(&w);
    status = pare_comm_agree(e->comm, status);
    if (status == PARE_OK)
        status = pare_comm_sum(e->comm, w.fields, w.spare, w.n);
    for (int64_t i = 0; status == PARE_OK && i < w.n; i++)
        sums[i % FIELDS] += (double)w.fields[i];
    *loss = sums[LOSS] / sums[COUNTED];
    *accuracy = sums[RIGHT] / sums[COUNTED];
    release(&w);
    return status;
}
