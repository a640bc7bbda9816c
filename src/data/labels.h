/* SPDX-License-Identifier: Apache-2.0 */
/* labels.h - where the classes of samples come from */
#ifndef PARE_DATA_LABELS_H
#define PARE_DATA_LABELS_H

#include <pare/data.h>

#include "base/arena.h"
#include "base/map.h"
#include "data/dataset.h"

/* A .tsv of labels: its files in order, each once. */
typedef struct pare_label_row {
    const char *file;  /* NULL: the table has no column `file` */
    int32_t     label; /* -1: none */
} pare_label_row;

typedef struct pare_label_table {
    pare_label_row *rows;
    int             n;
    int             cap;
    pare_map        by_file; /* file -> number of its row + 1, as a pointer */
} pare_label_table;

/* Reads PATH under options' label_rule and split; names live in `arena`. Release with pare_label_table_free. */
pare_status pare_label_table_read(const char *path, const pare_data_options *options, pare_arena *arena,
                                  pare_label_table *out);

/* The same of `size` bytes in memory; `path` is for messages. */
pare_status pare_label_table_parse(const char *text, size_t size, const char *path, const pare_data_options *options,
                                   pare_arena *arena, pare_label_table *out);
void        pare_label_table_free(pare_label_table *table);

/* The labels of `total` numbered samples: .npy, .tsv, else raw int32. *out [total], from pare_malloc. */
pare_status pare_labels_read(const char *path, const pare_data_options *options, int64_t total, int32_t **out);

/* Checks the options' label rule; *vww and *none tell which it is ("class" when neither). */
pare_status pare_label_rule(const pare_data_options *options, bool *vww, bool *none);

#endif
