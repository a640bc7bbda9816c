/* SPDX-License-Identifier: Apache-2.0 */
/* npz.c - NumPy's .npz: a zip archive of .npy files, NAME.npy for each array */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/status.h"
#include "files/npy.h"
#include "files/state.h"
#include "files/zip.h"
#include "tensor/tensor.h"

static bool claims(const uint8_t *bytes, size_t size)
{
    return pare_zip_claims(bytes, size);
}

/* A row-major tensor of a column-major array, which is that of its transpose. */
static pare_status transpose(const pare_tensor *columns, pare_tensor *out)
{
    pare_tensor view = pare_tensor_of(columns->dtype, columns->shape);
    int64_t     stride = 1;

    *out = view;
    view.data = columns->data;
    for (int i = 0; i < view.shape.rank; i++) {
        view.stride[i] = stride;
        stride *= view.shape.dim[i];
    }
    PARE_TRY(pare_tensor_alloc(out));
    pare_tensor_copy(out, &view);
    return PARE_OK;
}

/* The array in `bytes`, in whatever order it lies. */
static pare_status view_array(pare_buf *bytes, pare_tensor *out)
{
    const uint8_t *const begin = pare_buf_bytes(bytes);
    pare_tensor          columns;
    pare_npy             array;
    bool                 column_major;

    PARE_TRY(pare_npy_read_any(begin, pare_buf_size(bytes), &array, &column_major));
    PARE_TRY(pare_state_view(bytes, (size_t)((const uint8_t *)array.data - begin), array.dtype, &array.shape, out));
    if (!column_major)
        return PARE_OK;
    columns = *out;

    const pare_status status = transpose(&columns, out);

    pare_tensor_release(&columns);
    return status;
}

/* One entry; `name` ends in .npy. */
static pare_status read_array(const pare_zip *zip, int index, const char *name, pare_state *into)
{
    const size_t length = strlen(name) - 4;
    pare_buf    *bytes;
    pare_tensor  tensor;

    PARE_TRY(pare_zip_read(zip, index, SIZE_MAX, &bytes));

    char *const key = pare_malloc(length + 1);
    pare_status status = key ? PARE_OK : pare_fail_memory(length, "a name");

    if (key) {
        memcpy(key, name, length);
        key[length] = '\0';
        status = view_array(bytes, &tensor);
    }
    if (status == PARE_OK)
        status = pare_state_give(into, key, length, &tensor);
    else if (key)
        (void)pare_fail_in(status, "'%s'", key);
    pare_free(key);
    pare_buf_unref(bytes);
    return status;
}

static pare_status read(pare_buf *file, const char *path, pare_state *into)
{
    pare_zip   *zip;
    pare_status status = PARE_OK;

    (void)path;
    PARE_TRY(pare_zip_open(pare_buf_bytes(file), pare_buf_size(file), &zip));
    for (int i = 0; status == PARE_OK && i < pare_zip_count(zip); i++) {
        const char *const name = pare_zip_name(zip, i);
        const size_t      n = strlen(name);

        if (n < 4 || strcmp(name + n - 4, ".npy") != 0)
            status = pare_fail(PARE_ERR_UNSUPPORTED,
                               "a zip archive, but neither PyTorch's nor of .npy files: it has '%.80s'", name);
        else
            status = read_array(zip, i, name, into);
    }
    pare_zip_close(zip);
    return status;
}

/* Names and headers live in `arena`. */
static pare_status describe(const pare_state *s, int i, pare_arena *arena, pare_zip_part *part)
{
    const pare_tensor *const t = pare_state_tensor(s, i);
    char *const              head = pare_arena_alloc(arena, PARE_NPY_HEAD);

    *part = (pare_zip_part){ .name = pare_arena_printf(arena, "%s.npy", pare_state_name(s, i)), .head = head };
    if (!head || !part->name)
        return pare_fail_memory(PARE_NPY_HEAD, "an archive");

    const pare_status status = pare_npy_head(t->dtype, &t->shape, head, &part->head_size);

    if (status != PARE_OK)
        return pare_fail_in(status, "'%s'; write .safetensors", pare_state_name(s, i));
    part->data = t->data;
    part->data_size = (size_t)pare_tensor_bytes(t);
    return PARE_OK;
}

static pare_status write(const pare_state *state, const char *path, const pare_state_save_options *options)
{
    const int            n = pare_state_count(state);
    pare_zip_part *const parts = pare_calloc((size_t)n + 1, sizeof(*parts));
    pare_arena *const    arena = pare_arena_create();
    pare_status          status = parts && arena ? PARE_OK : pare_fail_memory((size_t)n * sizeof(*parts), "an archive");

    if (status == PARE_OK && (pare_state_meta_key(state, 0) || options->shard_bytes))
        status =
            pare_fail(PARE_ERR_UNSUPPORTED, "an .npz has no place for metadata and is one file; write .safetensors");
    for (int i = 0; status == PARE_OK && i < n; i++)
        status = describe(state, i, arena, &parts[i]);
    if (status != PARE_OK)
        (void)pare_fail_in(status, "%s", path);
    else
        status = pare_zip_write(path, parts, n);
    pare_arena_destroy(arena);
    pare_free(parts);
    return status;
}

const pare_state_format pare_state_format_npz = {
    .name = "NumPy .npz", .ending = ".npz", .claims = claims, .read = read, .write = write
};
