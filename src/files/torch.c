/* SPDX-License-Identifier: Apache-2.0 */
/* torch.c - tensors over storages, and PyTorch's zip format: NAME/data.pkl and NAME/data/KEY */
#include "files/torch.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/status.h"
#include "files/zip.h"
#include "tensor/tensor.h"

typedef struct reader {
    const pare_torch_source *source;
    pare_map                 storages; /* key -> pare_buf, one reference each        */
    pare_buf               **held;     /* the same in an array                       */
    int                      n, cap;
    int64_t                  room; /* bytes that dense copies of views may still take */
} reader;

static pare_status storage(reader *r, const pare_torch_storage *wanted, pare_buf **out)
{
    *out = pare_map_get(&r->storages, wanted->key);
    if (*out)
        return PARE_OK;
    if (!pare_grow(&r->held, &r->cap, r->n + 1, sizeof(*r->held)))
        return pare_fail_memory(sizeof(*r->held), "a storage");
    PARE_TRY(r->source->fetch(r->source->context, wanted, out));
    r->held[r->n++] = *out;
    return pare_map_set(&r->storages, wanted->key, *out) ? PARE_OK : pare_fail_memory(0, "a storage");
}

/* The elements that a tensor reaches: its last one is at offset + sum of (size - 1) * stride. */
static bool is_inside(const pare_torch_tensor *t, int64_t elements)
{
    int64_t last = t->offset, along;

    for (int i = 0; i < t->shape.rank; i++) {
        if (t->shape.dim[i] == 0)
            return t->offset <= elements;
        if (__builtin_mul_overflow(t->shape.dim[i] - 1, t->stride[i], &along) ||
            __builtin_add_overflow(last, along, &last))
            return false;
    }
    return last < elements;
}

/* A view that is not dense becomes a copy; a small file may not ask for more of them than makes sense. */
static pare_status make(reader *r, const pare_torch_tensor *t, pare_tensor *out)
{
    const int64_t item = (int64_t)pare_dtype_size(t->dtype);
    pare_tensor   view = pare_tensor_of(t->dtype, t->shape);
    pare_buf     *bytes;

    *out = view;
    PARE_TRY(storage(r, &t->storage, &bytes));
    if (pare_tensor_bytes(&view) < 0 || !is_inside(t, (int64_t)pare_buf_size(bytes) / item))
        return pare_fail(PARE_ERR_DATA, "reaches beyond its storage of %zu bytes", pare_buf_size(bytes));
    view.data = pare_buf_bytes(bytes) + (pare_tensor_bytes(&view) ? t->offset * item : 0);
    memcpy(view.stride, t->stride, sizeof(view.stride));
    if (pare_tensor_is_dense(&view)) {
        *out = view;
        pare_tensor_set_dense(out);
        out->buf = pare_buf_ref(bytes);
        return PARE_OK;
    }
    r->room -= pare_tensor_bytes(&view);
    if (r->room < 0)
        return pare_fail(PARE_ERR_UNSUPPORTED,
                         "its views repeat numbers until they are many times the file; save clones of them");
    PARE_TRY(pare_tensor_alloc(out));
    pare_tensor_copy(out, &view);
    return PARE_OK;
}

/* What data parallel training and compiling put in front of every name. */
static pare_status strip(pare_state *s)
{
    bool module = true, compiled = true;

    while (module || compiled) {
        PARE_TRY(pare_state_strip(s, "module.", &module));
        PARE_TRY(pare_state_strip(s, "_orig_mod.", &compiled));
    }
    return PARE_OK;
}

pare_status pare_torch_take(const pare_pickle_value *root, const pare_torch_source *source, pare_arena *arena,
                            pare_state *into)
{
    pare_torch_list list = { .arena = arena };
    reader          r = { .source = source, .room = 64 << 20 };
    pare_status     status;

    r.room += 4 * (int64_t)source->file_size;
    PARE_GOTO(pare_torch_collect(root, &list));
    for (int i = 0; i < list.n; i++) {
        const pare_torch_tensor *const t = &list.tensors[i];
        pare_tensor                    tensor;

        status = make(&r, t, &tensor);
        if (status != PARE_OK) {
            (void)pare_fail_in(status, "'%s'", t->name);
            goto out;
        }
        PARE_GOTO(pare_state_give(into, t->name, t->name_length, &tensor));
    }
    status = strip(into);
out:
    for (int i = 0; i < r.n; i++)
        pare_buf_unref(r.held[i]);
    pare_free(r.held);
    pare_free(list.tensors);
    pare_map_free(&r.storages);
    return status;
}

/* ------------------------------------------------------------------------------------------------------------- zip */

typedef struct archive {
    pare_zip *zip;
    char      folder[256]; /* "NAME/" */
} archive;

static pare_status fetch(void *context, const pare_torch_storage *wanted, pare_buf **out)
{
    const archive *const a = context;
    char                 name[512];
    const int            n = snprintf(name, sizeof(name), "%sdata/%s", a->folder, wanted->key);
    const int            index = n < (int)sizeof(name) ? pare_zip_find(a->zip, name) : -1;

    *out = NULL;
    if (index < 0)
        return pare_fail(PARE_ERR_DATA, "damaged PyTorch file: the archive has no '%.80s'", name);
    return pare_zip_read(a->zip, index, (size_t)wanted->bytes, out);
}

static pare_status check_byte_order(const archive *a)
{
    char      name[512];
    pare_buf *order;

    snprintf(name, sizeof(name), "%sbyteorder", a->folder);
    const int index = pare_zip_find(a->zip, name);

    if (index < 0)
        return PARE_OK; /* before PyTorch 2.1 */
    PARE_TRY(pare_zip_read(a->zip, index, 16, &order));
    const bool big = pare_buf_size(order) >= 3 && memcmp(pare_buf_bytes(order), "big", 3) == 0;
    pare_buf_unref(order);
    return big ? pare_fail(PARE_ERR_UNSUPPORTED, "written on a big-endian machine") : PARE_OK;
}

static pare_status read_archive(archive *a, pare_arena *arena, size_t file_size, pare_state *into)
{
    const int               index = pare_zip_find_ending(a->zip, "/data.pkl");
    const char *const       name = index < 0 ? "" : pare_zip_name(a->zip, index);
    const size_t            n = strlen(name);
    const pare_torch_source source = { fetch, a, file_size };
    pare_buf               *bytes;
    pare_pickle             pickle;

    if (index < 0 || n - 8 >= sizeof(a->folder))
        return pare_fail(PARE_ERR_DATA, "the archive has no data.pkl of PyTorch");
    memcpy(a->folder, name, n - 8);
    PARE_TRY(check_byte_order(a));
    PARE_TRY(pare_zip_read(a->zip, index, 64 << 20, &bytes));

    pare_status status =
        pare_pickle_read(pare_buf_bytes(bytes), pare_buf_size(bytes), &pare_torch_rules, arena, &pickle);
    if (status == PARE_OK)
        status = pare_torch_take(pickle.root, &source, arena, into);
    pare_buf_unref(bytes);
    return status;
}

static pare_status read(pare_buf *file, const char *path, pare_state *into)
{
    archive           a = { 0 };
    pare_arena *const arena = pare_arena_create();
    pare_status       status = arena ? PARE_OK : pare_fail_memory(0, "a pickle");

    (void)path;
    if (status == PARE_OK)
        status = pare_zip_open(pare_buf_bytes(file), pare_buf_size(file), &a.zip);
    if (status == PARE_OK)
        status = read_archive(&a, arena, pare_buf_size(file), into);
    pare_zip_close(a.zip);
    pare_arena_destroy(arena);
    return status;
}

static bool claims(const uint8_t *bytes, size_t size)
{
    return pare_zip_holds(bytes, size, "/data.pkl");
}

const pare_state_format pare_state_format_torch_zip = { .name = "PyTorch", .claims = claims, .read = read };
