/* SPDX-License-Identifier: Apache-2.0 */
/*
 * calibrate.c - data runs through the float model while observers watch it
 *
 * One sample is in flight at a time: memory is that of one inference plus a fixed state per value, whatever the number
 * of samples.
 */
#include <pare/compile.h>
#include <pare/plan.h>

#include <string.h>

#include "base/alloc.h"
#include "base/progress.h"
#include "base/status.h"
#include "flow/calibration_file.h"
#include "flow/observe.h"

enum { DEFAULT_SAMPLES = 200 };

/* The model's inputs: the sample goes into the first, the others (recurrent states) hold zeros. */
typedef struct feed {
    pare_tensor        *tensors;
    const pare_tensor **pointers;
    int                 n;
} feed;

static void feed_clear(feed *f)
{
    for (int i = 0; f->tensors && i < f->n; i++)
        pare_tensor_release(&f->tensors[i]);
    pare_free(f->tensors);
    pare_free(f->pointers);
}

/* The same axes but for those of length 1; a plain list of numbers fits any shape. */
static bool same_axes(const pare_shape *item, const pare_shape *input)
{
    int k = 0;

    if (item->rank <= 1)
        return true;
    for (int i = 0; i < input->rank; i++) {
        while (k < item->rank && item->dim[k] == 1)
            k++;
        if (input->dim[i] != 1 && (k == item->rank || item->dim[k++] != input->dim[i]))
            return false;
    }
    return true;
}

static pare_status check_sample(const pare_dataset *data, const pare_tensor *input, const char *name)
{
    const pare_shape item = pare_dataset_item(data);
    char             got[PARE_SHAPE_TEXT], want[PARE_SHAPE_TEXT];

    if (pare_shape_count(&item) == pare_shape_count(&input->shape) && pare_dataset_dtype(data) == input->dtype &&
        same_axes(&item, &input->shape))
        return PARE_OK;
    return pare_fail(PARE_ERR_SHAPE,
                     "a sample of the calibration data is %s%s, input '%s' of the model takes %s%s; check --preset, "
                     "--size or --item",
                     pare_dtype_name(pare_dataset_dtype(data)), pare_shape_text(&item, got), name,
                     pare_dtype_name(input->dtype), pare_shape_text(&input->shape, want));
}

static pare_status feed_create(const pare_plan *plan, const pare_dataset *data, feed *f)
{
    f->n = pare_plan_n_inputs(plan);
    f->tensors = pare_calloc((size_t)f->n + 1, sizeof(*f->tensors));
    f->pointers = pare_calloc((size_t)f->n + 1, sizeof(*f->pointers));
    if (!f->tensors || !f->pointers)
        return pare_fail_memory(sizeof(*f->tensors) * (size_t)f->n, "inputs");
    for (int i = 0; i < f->n; i++) {
        const pare_tensor *shape;
        const char        *name = pare_plan_input(plan, i, &shape);

        if (i == 0)
            PARE_TRY(check_sample(data, shape, name));
        f->tensors[i] = pare_tensor_of(shape->dtype, shape->shape);
        f->pointers[i] = &f->tensors[i];
        PARE_TRY(pare_tensor_alloc(&f->tensors[i]));
    }
    return f->n > 0 ? PARE_OK : pare_fail(PARE_ERR_ARG, "a model without inputs cannot be calibrated");
}

static pare_status run_samples(const pare_plan *plan, const pare_quantize_options *o, const pare_watches *w,
                               int64_t samples)
{
    pare_context *ctx = NULL;
    feed          f = { 0 };
    pare_status   status;

    PARE_GOTO(pare_context_create(plan, &ctx));
    PARE_GOTO(feed_create(plan, o->calibration, &f));
    for (int64_t i = 0; i < samples; i++) {
        PARE_GOTO(pare_progress_step(o->progress, "calibrating", (long)i, (long)samples));
        PARE_GOTO(pare_dataset_read(o->calibration, i, f.tensors[0].data, NULL));
        status = pare_context_run(ctx, o->pool, f.pointers, w->taps, w->n);
        if (status != PARE_OK) {
            char name[256];

            pare_dataset_name(o->calibration, i, name, sizeof(name));
            status = pare_fail_in(status, "calibration sample %s", name);
            goto out;
        }
    }
    status = pare_progress_step(o->progress, "calibrating", (long)samples, (long)samples);
out:
    feed_clear(&f);
    pare_context_destroy(ctx);
    return status;
}

pare_status pare_quantization_calibrate(pare_quantization *q, const pare_quantize_options *o)
{
    const int64_t most = o->samples ? o->samples : DEFAULT_SAMPLES;
    const int64_t there = o->calibration ? pare_dataset_count(o->calibration) : 0;
    const int64_t n = there < most ? there : most;
    pare_watches  w = { 0 };
    pare_plan    *plan = NULL;
    pare_status   status;
    bool          known = false, coarse = false;

    for (int i = 0; i < q->n_decisions; i++)
        coarse |= q->decisions[i].coarse; /* a cache has no ranges of those */
    if (o->cache && !coarse)
        PARE_TRY(pare_calibration_read(o->cache, q, o->calibration, n, &known));
    if (!known) {
        if (!there)
            return pare_fail(PARE_ERR_ARG, "static quantization needs calibration data: give some (--calib), or choose "
                                           "--mode dynamic");
        PARE_GOTO(pare_watches_create(q, &w));
        PARE_GOTO(pare_compile(q->g, &(pare_compile_options){ .batch = 1, .taps = true }, &plan));
        PARE_GOTO(run_samples(plan, o, &w, n));
        PARE_GOTO(pare_watches_ranges(&w, q));
        if (o->cache && !coarse)
            PARE_GOTO(pare_calibration_write(o->cache, q, o->calibration, n));
    }
    pare_quantization_unite(q);
    status = PARE_OK;
out:
    pare_watches_clear(&w);
    pare_plan_destroy(plan);
    return status;
}
