/* SPDX-License-Identifier: Apache-2.0 */
/* dataset.c - data sets: which kind a path is, which samples are kept, reading them */
#include "data/dataset.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/status.h"
#include "data/slice.h"

#define PARE_SOURCE(name) extern const pare_source pare_source_##name;
#include "data/sources.def"
#undef PARE_SOURCE

static const pare_source *const sources[] = {
#define PARE_SOURCE(name) &pare_source_##name,
#include "data/sources.def"
#undef PARE_SOURCE
};
enum { N_SOURCES = sizeof(sources) / sizeof(sources[0]) };

bool pare_path_ends(const char *path, const char *extension)
{
    const size_t n = strlen(path), m = strlen(extension);

    return n > m && strcasecmp(path + n - m, extension) == 0;
}

bool pare_path_is_picture(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    return name[0] != '.' &&
           (pare_path_ends(name, ".jpg") || pare_path_ends(name, ".jpeg") || pare_path_ends(name, ".png"));
}

static pare_status find_source(const char *path, const pare_source **out)
{
    struct stat st;

    for (int i = 0; i < N_SOURCES; i++)
        if (sources[i]->claims(path)) {
            *out = sources[i];
            return PARE_OK;
        }
    if (stat(path, &st) != 0)
        return pare_fail(PARE_ERR_IO, "%s: %s", path, strerror(errno));
    return pare_fail(PARE_ERR_UNSUPPORTED,
                     "%s: not a data set; known are a folder of pictures, .tar, .jpg, .png, "
                     ".f32, .npy, .u16, demo:train and demo:test",
                     path);
}

/* Options that only pictures have would be passed over in silence: say so instead. */
static pare_status refuse_picture_options(const char *path, const pare_data_options *o)
{
    const bool any = o->preset || o->width || o->height || o->fit || o->resize || o->bgr || o->divisor != 0 ||
                     o->mean[0] != 0 || o->mean[1] != 0 || o->mean[2] != 0 || o->std[0] != 0 || o->std[1] != 0 ||
                     o->std[2] != 0;

    return any ? pare_fail(PARE_ERR_ARG,
                           "%s holds numbers, used as they are; preset, size, fit, order and scale are "
                           "for pictures",
                           path)
               : PARE_OK;
}

/* Puts file and entry in front of the sentence. */
static pare_status fail_in_sample(const pare_dataset *ds, int64_t sample, pare_status status)
{
    return ds->pictures ? pare_fail_in(status, "%s: %s", ds->path, ds->pictures[sample].name)
                        : pare_fail_in(status, "%s[%lld]", ds->path, (long long)sample);
}

/* The shape of prepared pictures: from the options, else from the first picture kept. */
static pare_status find_picture_shape(pare_dataset *ds)
{
    pare_prepare *const p = &ds->prepare;

    if (!p->width) {
        const int64_t first = ds->kept ? ds->kept[0] : 0;
        pare_image    image = { 0 };

        const pare_status status = ds->source->picture(ds, first, &image);
        if (status != PARE_OK)
            return fail_in_sample(ds, first, status);
        p->width = image.width;
        p->height = image.height;
        pare_image_free(&image);
    }
    ds->dtype = PARE_f32;
    ds->item = (pare_shape){ .rank = 3, .dim = { 3, p->height, p->width } };
    return PARE_OK;
}

static pare_status keep_samples(pare_dataset *ds, const pare_data_options *options)
{
    pare_slice keep, leave = { 0, 0, 1 };

    ds->count = ds->total;
    if (!options->slice && !options->without)
        return PARE_OK;
    PARE_TRY(pare_slice_parse("slice", options->slice ? options->slice : ":", ds->total, &keep));
    if (options->without)
        PARE_TRY(pare_slice_parse("without", options->without, ds->total, &leave));

    ds->count = 0;
    for (int64_t i = keep.start; i < keep.stop; i += keep.step)
        ds->count += !pare_slice_has(&leave, i);
    if (ds->count == 0)
        return pare_fail(PARE_ERR_ARG, "%s: slice '%s'%s%s%s keeps none of %lld samples", ds->path,
                         options->slice ? options->slice : ":", options->without ? " without '" : "",
                         options->without ? options->without : "", options->without ? "'" : "", (long long)ds->total);

    ds->kept = pare_calloc((size_t)ds->count, sizeof(*ds->kept));
    if (!ds->kept)
        return pare_fail_memory((size_t)ds->count * sizeof(*ds->kept), "the numbers of the samples kept");

    int64_t n = 0;
    for (int64_t i = keep.start; i < keep.stop; i += keep.step)
        if (!pare_slice_has(&leave, i))
            ds->kept[n++] = i;
    return PARE_OK;
}

static pare_status open_dataset(pare_dataset *ds, const char *path, const pare_data_options *options)
{
    PARE_TRY(find_source(path, &ds->source));
    ds->arena = pare_arena_create();
    ds->path = ds->arena ? pare_arena_strdup(ds->arena, path) : NULL;
    if (!ds->path)
        return pare_fail_memory(strlen(path) + 1, "the name of a data set");

    if (ds->source->picture)
        PARE_TRY(pare_prepare_choose(options, ds->source->preset, &ds->prepare));
    else
        PARE_TRY(refuse_picture_options(path, options));
    PARE_TRY(ds->source->open(ds, options));
    if (ds->total == 0)
        return pare_fail(PARE_ERR_DATA, "%s: no samples in it", path);
    PARE_TRY(keep_samples(ds, options));
    if (ds->source->picture)
        PARE_TRY(find_picture_shape(ds));
    if (options->need_labels && !pare_dataset_has_labels(ds))
        return pare_fail(PARE_ERR_DATA,
                         "%s: no labels; give a .tsv with the columns file and class, put the pictures "
                         "into one folder per class, or raw int32 labels beside numbers",
                         path);
    return PARE_OK;
}

pare_status pare_dataset_open(const char *path, const pare_data_options *options, pare_dataset **out)
{
    static const pare_data_options none = { 0 };

    *out = NULL;
    pare_dataset *ds = pare_calloc(1, sizeof(*ds));
    if (!ds)
        return pare_fail_memory(sizeof(*ds), "a data set");

    const pare_status status = open_dataset(ds, path, options ? options : &none);
    if (status != PARE_OK) {
        pare_dataset_close(ds);
        return status;
    }
    *out = ds;
    return PARE_OK;
}

void pare_dataset_close(pare_dataset *ds)
{
    if (!ds)
        return;
    pare_buf_unref(ds->bytes);
    pare_free(ds->pictures);
    pare_free(ds->labels);
    pare_free(ds->kept);
    pare_arena_destroy(ds->arena);
    pare_free(ds);
}

int64_t pare_dataset_count(const pare_dataset *ds)
{
    return ds->count;
}

pare_dtype pare_dataset_dtype(const pare_dataset *ds)
{
    return ds->dtype;
}

pare_shape pare_dataset_item(const pare_dataset *ds)
{
    return ds->item;
}

static int64_t sample_of(const pare_dataset *ds, int64_t index)
{
    return ds->kept ? ds->kept[index] : index;
}

bool pare_dataset_has_labels(const pare_dataset *ds)
{
    for (int64_t i = 0; i < ds->count; i++)
        if (pare_dataset_label(ds, i) >= 0)
            return true;
    return false;
}

int pare_dataset_label(const pare_dataset *ds, int64_t index)
{
    const int64_t sample = sample_of(ds, index);

    if (ds->labels)
        return ds->labels[sample];
    if (ds->pictures)
        return ds->pictures[sample].label;
    if (ds->demo)
        return pare_demo_draw(ds->demo, (int)sample, NULL);
    if (ds->window) {
        /* The token after the window. */
        const uint8_t *at = pare_buf_bytes(ds->bytes) + 2 * (size_t)(sample + 1) * (size_t)ds->window;

        return at[0] | at[1] << 8;
    }
    return -1;
}

void pare_dataset_name(const pare_dataset *ds, int64_t index, char *text, size_t size)
{
    const int64_t     sample = sample_of(ds, index);
    const char *const slash = strrchr(ds->path, '/');

    if (ds->pictures)
        snprintf(text, size, "%s", ds->pictures[sample].name);
    else
        snprintf(text, size, "%s[%lld]", slash && slash[1] ? slash + 1 : ds->path, (long long)sample);
}

static pare_status read_sample(const pare_dataset *ds, int64_t sample, void *out)
{
    if (ds->source->numbers)
        return ds->source->numbers(ds, sample, out);

    pare_image  image = { 0 };
    pare_status status = ds->source->picture(ds, sample, &image);

    if (status == PARE_OK)
        status = pare_prepare_picture(&ds->prepare, &image, out);
    pare_image_free(&image);
    return status;
}

pare_status pare_dataset_read(const pare_dataset *ds, int64_t index, void *out, int *label)
{
    if (index < 0 || index >= ds->count)
        return pare_fail(PARE_ERR_ARG, "%s: sample %lld of %lld", ds->path, (long long)index, (long long)ds->count);
    if (label)
        *label = pare_dataset_label(ds, index);

    const pare_status status = read_sample(ds, sample_of(ds, index), out);
    return status == PARE_OK ? PARE_OK : fail_in_sample(ds, sample_of(ds, index), status);
}

pare_status pare_dataset_picture(const pare_dataset *ds, int64_t index, bool fit, pare_image *out)
{
    const int64_t sample = sample_of(ds, index);

    *out = (pare_image){ 0 };
    pare_status status = ds->source->picture(ds, sample, out);

    if (status == PARE_OK && fit)
        status = pare_prepare_fit(&ds->prepare, out);
    if (status == PARE_OK)
        return PARE_OK;
    pare_image_free(out);
    return fail_in_sample(ds, sample, status);
}
