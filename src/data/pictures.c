/* SPDX-License-Identifier: Apache-2.0 */
/* pictures.c - the list of pictures in a folder or archive: order and labels */
#include "data/pictures.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "data/labels.h"

pare_status pare_pictures_add(pare_picture_list *list, const char *name, size_t offset, size_t size)
{
    if (!pare_grow(&list->items, &list->cap, list->n + 1, sizeof(*list->items)))
        return pare_fail_memory((size_t)(list->n + 1) * sizeof(*list->items), "a list of pictures");
    list->items[list->n++] = (pare_picture){ .name = name, .offset = offset, .size = size, .label = -1 };
    return PARE_OK;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const pare_picture *)a)->name, ((const pare_picture *)b)->name);
}

/* The pictures that the table names, in its order; the others are left out. */
static pare_status order_by_table(pare_picture_list *list, const char *path, const pare_label_table *table,
                                  pare_dataset *ds)
{
    pare_picture *const ordered = pare_calloc((size_t)table->n, sizeof(*ordered));

    if (!ordered)
        return pare_fail_memory((size_t)table->n * sizeof(*ordered), "a list of pictures");
    for (int i = 0; i < table->n; i++) {
        const pare_picture        key = { .name = table->rows[i].file };
        const pare_picture *const found =
            key.name && list->n ? bsearch(&key, list->items, (size_t)list->n, sizeof(key), by_name) : NULL;
        if (!found) {
            pare_free(ordered);
            return key.name ? pare_fail(PARE_ERR_DATA, "%s names '%s', which is not a picture in %s", path, key.name,
                                        ds->path)
                            : pare_fail(PARE_ERR_DATA, "%s has no column 'file'", path);
        }
        ordered[i] = *found;
        ordered[i].label = table->rows[i].label;
    }
    pare_free(list->items);
    *list = (pare_picture_list){ .items = ordered, .n = table->n, .cap = table->n };
    return PARE_OK;
}

/* The name of the folder that holds the picture: *n bytes, 0 at the top. */
static const char *folder_of(const char *name, size_t *n)
{
    const char *end = strrchr(name, '/');
    const char *start = end;

    while (start && start > name && start[-1] != '/')
        start--;
    *n = end ? (size_t)(end - start) : 0;
    return start;
}

static int compare_words(const char *a, size_t n, const char *b, size_t m)
{
    const int order = memcmp(a, b, n < m ? n : m);

    return order ? order : (n > m) - (n < m);
}

static int by_folder(const void *a, const void *b)
{
    size_t            n, m;
    const char *const x = folder_of(*(const char *const *)a, &n);
    const char *const y = folder_of(*(const char *const *)b, &m);

    return compare_words(n ? x : "", n, m ? y : "", m);
}

/* The number that a folder is called, or -1. */
static int32_t folder_number(const char *name)
{
    size_t      n;
    const char *text = folder_of(name, &n);
    int32_t     value = 0;

    if (n < 1 || n > 9)
        return -1;
    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        value = value * 10 + (text[i] - '0');
    }
    return value;
}

/* names: one picture per class, sorted by folder. */
static void label_by_rank(pare_picture_list *list, const char **names, int n_classes)
{
    bool numbers = true;

    for (int i = 0; i < n_classes; i++)
        numbers = numbers && folder_number(names[i]) >= 0;
    for (int i = 0; i < list->n; i++) {
        pare_picture *const p = &list->items[i];
        const char **const  at = bsearch(&p->name, names, (size_t)n_classes, sizeof(*names), by_folder);

        if (at)
            p->label = numbers ? folder_number(p->name) : (int32_t)(at - names);
    }
}

/* The folders are the classes, when there are several. Pictures at the top have no label. */
static pare_status label_by_folder(pare_picture_list *list)
{
    int          n = 0;
    const char **names = pare_calloc((size_t)list->n + 1, sizeof(*names));

    if (!names)
        return pare_fail_memory((size_t)list->n * sizeof(*names), "the names of classes");
    for (int i = 0; i < list->n; i++)
        if (strchr(list->items[i].name, '/'))
            names[n++] = list->items[i].name;
    qsort(names, (size_t)n, sizeof(*names), by_folder);

    int kept = 0;
    for (int i = 0; i < n; i++)
        if (kept == 0 || by_folder(&names[kept - 1], &names[i]) != 0)
            names[kept++] = names[i];
    if (kept > 1)
        label_by_rank(list, names, kept);
    pare_free(names);
    return PARE_OK;
}

static pare_status order_and_label(pare_picture_list *list, const char *table_path, const pare_data_options *options,
                                   pare_dataset *ds)
{
    pare_label_table table;
    bool             vww, none;

    qsort(list->items, (size_t)list->n, sizeof(*list->items), by_name);
    if (table_path) {
        PARE_TRY(pare_label_table_read(table_path, options, ds->arena, &table));

        const pare_status status = order_by_table(list, table_path, &table, ds);
        pare_label_table_free(&table);
        return status;
    }
    PARE_TRY(pare_label_rule(options, &vww, &none));
    if (vww)
        return pare_fail(PARE_ERR_ARG, "%s: label rule vww needs a .tsv of boxes", ds->path);
    if (options->split)
        return pare_fail(PARE_ERR_ARG, "%s: split '%s' needs a .tsv with a column 'split'", ds->path, options->split);
    return none ? PARE_OK : label_by_folder(list);
}

pare_status pare_pictures_finish(pare_picture_list *list, const char *beside, const pare_data_options *options,
                                 pare_dataset *ds)
{
    pare_status status = PARE_OK;

    if (list->n == 0)
        status = pare_fail(PARE_ERR_DATA, "%s: no .jpg or .png files in it", ds->path);
    else
        status = order_and_label(list, options->labels ? options->labels : beside, options, ds);
    if (status != PARE_OK) {
        pare_free(list->items);
        *list = (pare_picture_list){ 0 };
        return status;
    }
    ds->pictures = list->items;
    ds->total = list->n;
    return PARE_OK;
}
