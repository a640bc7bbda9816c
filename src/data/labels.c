/* SPDX-License-Identifier: Apache-2.0 */
/* labels.c - labels of numbered samples, from tables or plain arrays */
#include "data/labels.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

pare_status pare_label_rule(const pare_data_options *options, bool *vww, bool *none)
{
    const char *rule = options->label_rule ? options->label_rule : "class";

    *vww = strcmp(rule, "vww") == 0;
    *none = strcmp(rule, "none") == 0;
    if (!*vww && !*none && strcmp(rule, "class") != 0)
        return pare_fail(PARE_ERR_ARG, "unknown label rule '%s' (class, vww, none)", rule);
    return PARE_OK;
}

/* Rows of a table that are numbered like the samples. */
static pare_status labels_from_table(const char *path, const pare_data_options *options, int64_t total, int32_t *out)
{
    pare_label_table table;
    pare_arena      *arena = pare_arena_create();
    pare_status      status = PARE_OK;

    if (!arena)
        return pare_fail_memory(0, "labels");
    status = pare_label_table_read(path, options, arena, &table);
    if (status == PARE_OK && table.n != total)
        status = pare_fail(PARE_ERR_DATA, "%s: %d rows for %lld samples", path, table.n, (long long)total);
    for (int64_t i = 0; status == PARE_OK && i < total; i++)
        out[i] = table.rows[i].label;
    if (status == PARE_OK || table.rows)
        pare_label_table_free(&table);
    pare_arena_destroy(arena);
    return status;
}

static pare_status labels_from_array(const char *path, const pare_npy *array, int64_t total, int32_t *out)
{
    const bool wide = array->dtype == PARE_s64;

    if (array->dtype != PARE_s32 && !wide)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: labels are s32 or s64, not %s", path,
                         pare_dtype_name(array->dtype));
    if (array->shape.rank != 1 || array->shape.dim[0] != total)
        return pare_fail(PARE_ERR_DATA, "%s: %lld labels for %lld samples", path,
                         (long long)pare_shape_count(&array->shape), (long long)total);
    for (int64_t i = 0; i < total; i++) {
        int64_t value = 0;

        if (wide) {
            memcpy(&value, (const uint8_t *)array->data + 8 * i, 8);
        } else {
            int32_t narrow;
            memcpy(&narrow, (const uint8_t *)array->data + 4 * i, 4);
            value = narrow;
        }
        if (value < -1 || value > INT32_MAX)
            return pare_fail(PARE_ERR_DATA, "%s: label %lld of sample %lld", path, (long long)value, (long long)i);
        out[i] = (int32_t)value;
    }
    return PARE_OK;
}

static pare_status labels_from_file(const char *path, const pare_data_options *options, int64_t total, int32_t *out)
{
    pare_buf *bytes = NULL;
    pare_npy  array;

    if (pare_path_ends(path, ".tsv"))
        return labels_from_table(path, options, total, out);
    PARE_TRY(pare_buf_map(path, &bytes));

    const size_t size = pare_buf_size(bytes);
    pare_status  status = PARE_OK;

    if (pare_path_ends(path, ".npy")) {
        status = pare_npy_read(pare_buf_bytes(bytes), size, &array);
        if (status != PARE_OK)
            status = pare_fail_in(status, "%s", path);
    } else {
        array = (pare_npy){ PARE_s32, { .rank = 1, .dim = { (int64_t)(size / 4) } }, pare_buf_bytes(bytes) };
        if (size % 4)
            status = pare_fail(PARE_ERR_DATA, "%s: %zu bytes are not a whole number of int32", path, size);
    }
    if (status == PARE_OK)
        status = labels_from_array(path, &array, total, out);
    pare_buf_unref(bytes);
    return status;
}

pare_status pare_labels_read(const char *path, const pare_data_options *options, int64_t total, int32_t **out)
{
    *out = NULL;
    if (total == 0)
        return PARE_OK;

    int32_t *labels = pare_calloc((size_t)total, sizeof(*labels));
    if (!labels)
        return pare_fail_memory((size_t)total * sizeof(*labels), "labels");

    const pare_status status = labels_from_file(path, options, total, labels);
    if (status != PARE_OK) {
        pare_free(labels);
        return status;
    }
    *out = labels;
    return PARE_OK;
}
