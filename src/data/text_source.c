/* SPDX-License-Identifier: Apache-2.0 */
/* text_source.c - labelled sentences as a data set: rows of piece numbers, for loaders, calibration and evaluation */
#include <pare/tokenizer.h>

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "data/dataset.h"

/* out: [length] */
static pare_status read_row(const pare_dataset *ds, int64_t sample, void *out)
{
    const size_t row = (size_t)ds->item.dim[0] * sizeof(int64_t);

    memcpy(out, pare_buf_bytes(ds->bytes) + (size_t)sample * row, row);
    return PARE_OK;
}

/* Not in sources.def: no path alone says which tokenizer to take. */
static const pare_source source = { .name = "texts", .numbers = read_row };

static pare_status fill(pare_dataset *ds, const pare_texts *texts, const pare_tokenizer *tokenizer, int length)
{
    pare_tensor ids;

    ds->source = &source;
    ds->arena = pare_arena_create();
    ds->path = ds->arena ? pare_arena_strdup(ds->arena, pare_texts_path(texts)) : NULL;
    if (!ds->path)
        return pare_fail_memory(0, "the name of a data set");
    ds->total = ds->count = pare_texts_count(texts);
    if (!ds->total)
        return pare_fail(PARE_ERR_DATA, "%s: no sentences in it", ds->path);
    PARE_TRY(pare_texts_encode(texts, tokenizer, length, &ids, NULL));
    ds->bytes = ids.buf; /* the tensor's reference is now the data set's */
    ds->dtype = PARE_s64;
    ds->item = pare_shape_of(1, &ids.shape.dim[1]);
    ds->array = (pare_npy){ PARE_s64, ids.shape, ids.data };
    ds->labels = pare_calloc((size_t)ds->total, sizeof(*ds->labels));
    if (!ds->labels)
        return pare_fail_memory((size_t)ds->total * sizeof(*ds->labels), "labels");
    for (int64_t i = 0; i < ds->total; i++)
        ds->labels[i] = pare_texts_label(texts, i);
    return PARE_OK;
}

pare_status pare_texts_dataset(const pare_texts *texts, const pare_tokenizer *tokenizer, int length, pare_dataset **out)
{
    pare_dataset *const ds = pare_calloc(1, sizeof(*ds));

    *out = NULL;
    if (!ds)
        return pare_fail_memory(sizeof(*ds), "a data set");

    const pare_status status = fill(ds, texts, tokenizer, length);

    if (status == PARE_OK)
        *out = ds;
    else
        pare_dataset_close(ds);
    return status;
}
