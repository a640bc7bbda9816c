/* SPDX-License-Identifier: Apache-2.0 */
/* array_source.c - numbers in rows: .f32, .npy and token files, read in place */
#include "data/dataset.h"

#include <string.h>
#include <unistd.h>

#include "base/status.h"
#include "data/labels.h"

enum { DEFAULT_WINDOW = 256, MAX_WINDOW = 1 << 24 };

static bool claims_f32(const char *path)
{
    return pare_path_ends(path, ".f32");
}

static bool claims_npy(const char *path)
{
    return pare_path_ends(path, ".npy");
}

static bool claims_tokens(const char *path)
{
    return pare_path_ends(path, ".u16");
}

/* Labels by the options, else from NAME.labels or NAME.EXT.labels beside NAME.EXT, if there is one. */
static pare_status find_labels(pare_dataset *ds, const pare_data_options *options)
{
    const int   stem = (int)(strrchr(ds->path, '.') - ds->path);
    const char *other = pare_arena_printf(ds->arena, "%.*s.labels", stem, ds->path);
    const char *full = pare_arena_printf(ds->arena, "%s.labels", ds->path);
    const char *path = options->labels;
    bool        vww, none;

    if (!other || !full)
        return pare_fail_memory(strlen(ds->path), "the name of a file");
    PARE_TRY(pare_label_rule(options, &vww, &none));
    if (none)
        return PARE_OK;
    if (!path && access(other, F_OK) == 0)
        path = other;
    if (!path && access(full, F_OK) == 0)
        path = full;
    return path ? pare_labels_read(path, options, ds->total, &ds->labels) : PARE_OK;
}

/* item: without the batch; the array: with it. */
static pare_status take_array(pare_dataset *ds, const pare_data_options *options)
{
    const pare_shape *const shape = &ds->array.shape;

    ds->total = shape->dim[0];
    ds->dtype = ds->array.dtype == PARE_s64 ? PARE_s64 : PARE_f32;
    ds->item = pare_shape_of(shape->rank - 1, shape->dim + 1);
    return find_labels(ds, options);
}

static pare_status open_f32(pare_dataset *ds, const pare_data_options *options)
{
    pare_shape    shape = { .rank = options->item.rank + 1 };
    const int64_t item = pare_shape_count(&options->item);

    if (options->item.rank < 1 || options->item.rank >= PARE_MAX_RANK || item < 1 || item > INT32_MAX)
        return pare_fail(PARE_ERR_ARG,
                         "%s: raw numbers; give the shape of one sample (like 1,49,10), up to %d "
                         "dimensions",
                         ds->path, PARE_MAX_RANK - 1);
    PARE_TRY(pare_buf_map(ds->path, &ds->bytes));

    const size_t size = pare_buf_size(ds->bytes);
    if (size % ((size_t)item * sizeof(float)))
        return pare_fail(PARE_ERR_DATA, "%s: %zu bytes are not a whole number of samples of %lld float32", ds->path,
                         size, (long long)item);
    shape.dim[0] = (int64_t)(size / ((size_t)item * sizeof(float)));
    memcpy(shape.dim + 1, options->item.dim, (size_t)options->item.rank * sizeof(shape.dim[0]));
    ds->array = (pare_npy){ PARE_f32, shape, pare_buf_bytes(ds->bytes) };
    return take_array(ds, options);
}

static pare_status open_npy(pare_dataset *ds, const pare_data_options *options)
{
    PARE_TRY(pare_buf_map(ds->path, &ds->bytes));

    const pare_status status = pare_npy_read(pare_buf_bytes(ds->bytes), pare_buf_size(ds->bytes), &ds->array);
    if (status != PARE_OK)
        return pare_fail_in(status, "%s", ds->path);
    if (ds->array.shape.rank < 1 || pare_shape_count(&ds->array.shape) == 0)
        return pare_fail(PARE_ERR_DATA, "%s: no samples in it; the first axis must number them", ds->path);
    if (ds->array.dtype == PARE_f16)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: f16 numbers; save them as float32", ds->path);
    return take_array(ds, options);
}

static pare_status open_tokens(pare_dataset *ds, const pare_data_options *options)
{
    ds->window = options->window ? options->window : DEFAULT_WINDOW;
    if (ds->window < 1 || ds->window > MAX_WINDOW)
        return pare_fail(PARE_ERR_ARG, "%s: a window of %d tokens; 1 to %d are possible", ds->path, ds->window,
                         MAX_WINDOW);
    if (options->labels || options->label_rule)
        return pare_fail(PARE_ERR_ARG, "%s: the label of a window is the token after it; no others can be given",
                         ds->path);
    PARE_TRY(pare_buf_map(ds->path, &ds->bytes));

    const size_t size = pare_buf_size(ds->bytes);
    if (size % 2)
        return pare_fail(PARE_ERR_DATA, "%s: %zu bytes are not a whole number of 16-bit tokens", ds->path, size);
    if (size / 2 <= (size_t)ds->window)
        return pare_fail(PARE_ERR_DATA, "%s: %zu tokens, fewer than one window of %d and the token after it", ds->path,
                         size / 2, ds->window);
    ds->total = (int64_t)((size / 2 - 1) / (size_t)ds->window);
    ds->dtype = PARE_s64;
    ds->item = (pare_shape){ .rank = 1, .dim = { ds->window } };
    return PARE_OK;
}

static pare_status read_tokens(const pare_dataset *ds, int64_t sample, void *out)
{
    const uint8_t *at = pare_buf_bytes(ds->bytes) + 2 * (size_t)sample * (size_t)ds->window;
    int64_t       *to = out;

    for (int i = 0; i < ds->window; i++)
        to[i] = at[2 * i] | at[2 * i + 1] << 8;
    return PARE_OK;
}

/* n elements of `dtype` to float32, rounding to nearest; every type NumPy can hand over but f16, which open refuses. */
static void convert(const uint8_t *from, pare_dtype dtype, int64_t n, float *to)
{
    const size_t size = (size_t)pare_dtype_bits(dtype) / 8;
    const bool   sign = pare_dtype_lo(dtype) < 0;
    const bool   is_bool = dtype == PARE_bool;

    for (int64_t i = 0; i < n; i++) {
        uint64_t bits = 0;
        double   real;

        for (size_t k = 0; k < size; k++)
            bits |= (uint64_t)from[(size_t)i * size + k] << (8 * k);
        if (dtype == PARE_f64) {
            memcpy(&real, &bits, sizeof(real));
            to[i] = (float)real;
        } else if (sign) {
            const int shift = (int)(64 - 8 * size);
            to[i] = (float)((int64_t)(bits << shift) >> shift);
        } else {
            to[i] = is_bool ? (float)(bits != 0) : (float)bits;
        }
    }
}

static pare_status read_array(const pare_dataset *ds, int64_t sample, void *out)
{
    const int64_t  n = pare_shape_count(&ds->item);
    const size_t   size = (size_t)pare_dtype_bits(ds->array.dtype) / 8;
    const uint8_t *from = (const uint8_t *)ds->array.data + (size_t)sample * (size_t)n * size;

    if (ds->array.dtype == ds->dtype)
        memcpy(out, from, (size_t)n * size);
    else
        convert(from, ds->array.dtype, n, out);
    return PARE_OK;
}

const pare_source pare_source_f32 = {
    .name = "f32",
    .claims = claims_f32,
    .open = open_f32,
    .numbers = read_array,
};

const pare_source pare_source_npy = {
    .name = "npy",
    .claims = claims_npy,
    .open = open_npy,
    .numbers = read_array,
};

const pare_source pare_source_tokens = {
    .name = "tokens",
    .claims = claims_tokens,
    .open = open_tokens,
    .numbers = read_tokens,
};
