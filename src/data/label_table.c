/* SPDX-License-Identifier: Apache-2.0 */
/* label_table.c - labels from a .tsv: lines cut at tabs, the first names the columns */
#include "data/labels.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cursor.h"
#include "base/status.h"

enum { MAX_COLUMNS = 64 };

typedef struct field {
    const char *text; /* not ended by a 0 */
    size_t      n;
} field;

/* Which columns of the table are of interest; -1: not there. */
typedef struct columns {
    int  file, label, split, w, h;
    bool is_boxes; /* several rows of one file are boxes in one picture */
} columns;

typedef struct reader {
    pare_cursor              in;
    const char              *path;
    long                     line;
    columns                  at;
    bool                     vww;
    bool                     none;
    const pare_data_options *options;
    pare_arena              *arena;
} reader;

/* The next line, cut at tabs; without its line end. Returns the number of fields, -1 at the end of the file. */
static int next_row(reader *r, field fields[MAX_COLUMNS])
{
    const size_t left = pare_cursor_left(&r->in);
    if (!left)
        return -1;

    const char *at = (const char *)r->in.at;
    const char *end = memchr(at, '\n', left);
    int         n = 0;

    (void)pare_cursor_bytes(&r->in, end ? (size_t)(end - at) + 1 : left);
    if (!end)
        end = at + left;
    if (end > at && end[-1] == '\r')
        end--;
    r->line++;
    while (n < MAX_COLUMNS) {
        const char *tab = memchr(at, '\t', (size_t)(end - at));
        const char *stop = tab ? tab : end;

        fields[n++] = (field){ at, (size_t)(stop - at) };
        if (!tab)
            break;
        at = tab + 1;
    }
    return n;
}

static bool field_is(field f, const char *text)
{
    return f.n == strlen(text) && memcmp(f.text, text, f.n) == 0;
}

static int find_column(const field *fields, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (field_is(fields[i], name))
            return i;
    return -1;
}

static bool parse_label(field f, int32_t *out)
{
    const bool negative = f.n && f.text[0] == '-';
    int32_t    value = 0;

    if (f.n - negative < 1 || f.n - negative > 9)
        return false;
    for (size_t i = negative; i < f.n; i++) {
        if (f.text[i] < '0' || f.text[i] > '9')
            return false;
        value = value * 10 + (f.text[i] - '0');
    }
    *out = negative ? -1 : value;
    return true;
}

/*
 * A number like 0.955609 or 1e-05; not strtod, which obeys the locale. Up to 15 digits the quotient of two exact
 * doubles is the nearest double to the decimal.
 */
static bool parse_real(field f, double *out)
{
    double value = 0, power = 1;
    bool   point = false, digits = false;
    size_t i = 0;

    for (; i < f.n && f.text[i] != 'e' && f.text[i] != 'E'; i++) {
        if (f.text[i] == '.' && !point) {
            point = true;
        } else if (f.text[i] >= '0' && f.text[i] <= '9') {
            value = value * 10 + (f.text[i] - '0');
            power = point ? power * 10 : power;
            digits = true;
        } else {
            return false;
        }
    }
    if (i < f.n) {
        int32_t exponent = 0;

        if (i + 2 >= f.n || f.text[i + 1] != '-' || !parse_label((field){ f.text + i + 2, f.n - i - 2 }, &exponent))
            return false;
        for (int32_t k = 0; k < exponent && power < 1e300; k++)
            power *= 10;
    }
    *out = value / power;
    return digits;
}

static pare_status fail_at(const reader *r, const char *what, field f)
{
    return pare_fail(PARE_ERR_DATA, "%s line %ld: %s '%.*s' is not a number", r->path, r->line, what,
                     f.n < 40 ? (int)f.n : 40, f.text);
}

static pare_status read_columns(reader *r)
{
    field     fields[MAX_COLUMNS];
    const int n = next_row(r, fields);

    r->at = (columns){
        .file = find_column(fields, n, "file"),
        .label = find_column(fields, n, "class"),
        .split = find_column(fields, n, "split"),
        .w = find_column(fields, n, "w"),
        .h = find_column(fields, n, "h"),
        .is_boxes = find_column(fields, n, "cx") >= 0,
    };
    if (r->options->split && r->at.split < 0)
        return pare_fail(PARE_ERR_DATA, "%s: no column 'split', so no split '%s'", r->path, r->options->split);
    if (r->vww && (r->at.label < 0 || r->at.w < 0 || r->at.h < 0))
        return pare_fail(PARE_ERR_DATA, "%s: label rule vww needs the columns class, w and h", r->path);
    if (r->at.file < 0 && r->at.label < 0)
        return pare_fail(PARE_ERR_DATA, "%s: the first line names neither a column 'file' nor 'class'", r->path);
    return PARE_OK;
}

/* The label that one row of the table gives. */
static pare_status row_label(const reader *r, const field *fields, int32_t *out)
{
    double w = 0, h = 0;

    *out = -1;
    if (r->none || r->at.label < 0)
        return PARE_OK;
    if (!parse_label(fields[r->at.label], out))
        return fail_at(r, "class", fields[r->at.label]);
    if (!r->vww) {
        if (r->at.is_boxes)
            *out = -1; /* the class of one box is not the class of the picture */
        return PARE_OK;
    }
    /* A picture without boxes has one row of class -1, whose other columns may be empty. */
    if (*out != 0) {
        *out = 0;
        return PARE_OK;
    }
    if (!parse_real(fields[r->at.w], &w))
        return fail_at(r, "w", fields[r->at.w]);
    if (!parse_real(fields[r->at.h], &h))
        return fail_at(r, "h", fields[r->at.h]);
    *out = w * h >= 0.005;
    return PARE_OK;
}

static pare_status add_row(const char *file, int32_t label, pare_label_table *out)
{
    void *const number = file ? pare_map_get(&out->by_file, file) : NULL;

    if (number) {
        pare_label_row *row = &out->rows[(intptr_t)number - 1];

        if (label > row->label)
            row->label = label;
        return PARE_OK;
    }
    if (!pare_grow(&out->rows, &out->cap, out->n + 1, sizeof(*out->rows)))
        return pare_fail_memory((size_t)(out->n + 1) * sizeof(*out->rows), "labels");
    out->rows[out->n++] = (pare_label_row){ file, label };
    if (file && !pare_map_set(&out->by_file, file, (void *)(intptr_t)out->n))
        return pare_fail_memory((size_t)out->n * sizeof(*out->rows), "labels");
    return PARE_OK;
}

static pare_status read_row(reader *r, const field *fields, int n, pare_label_table *out)
{
    const columns *at = &r->at;
    char          *file = NULL;
    int32_t        label = -1;

    if (n <= at->file || n <= at->label || n <= at->split || (r->vww && (n <= at->w || n <= at->h)))
        return pare_fail(PARE_ERR_DATA, "%s line %ld: %d columns, fewer than the first line names", r->path, r->line,
                         n);
    if (r->options->split && !field_is(fields[at->split], r->options->split))
        return PARE_OK;
    if (at->file >= 0) {
        field f = fields[at->file];

        if (f.n > 2 && memcmp(f.text, "./", 2) == 0)
            f = (field){ f.text + 2, f.n - 2 };
        file = pare_arena_strndup(r->arena, f.text, f.n);
        if (!file)
            return pare_fail_memory(f.n + 1, "the name of a picture");
    }
    PARE_TRY(row_label(r, fields, &label));
    return add_row(file, label, out);
}

static pare_status read_rows(reader *r, pare_label_table *out)
{
    field fields[MAX_COLUMNS];
    int   n;

    PARE_TRY(pare_label_rule(r->options, &r->vww, &r->none));
    PARE_TRY(read_columns(r));
    while ((n = next_row(r, fields)) >= 0) {
        if (n == 1 && fields[0].n == 0)
            continue; /* an empty line, usually the last */
        PARE_TRY(read_row(r, fields, n, out));
    }
    if (out->n == 0)
        return pare_fail(PARE_ERR_DATA, "%s: no rows%s%s", r->path, r->options->split ? " of split " : "",
                         r->options->split ? r->options->split : "");
    return PARE_OK;
}

pare_status pare_label_table_parse(const char *text, size_t size, const char *path, const pare_data_options *options,
                                   pare_arena *arena, pare_label_table *out)
{
    reader r = { .in = pare_cursor_of(text, size), .path = path, .options = options, .arena = arena };

    *out = (pare_label_table){ 0 };
    const pare_status status = read_rows(&r, out);
    if (status != PARE_OK)
        pare_label_table_free(out);
    return status;
}

pare_status pare_label_table_read(const char *path, const pare_data_options *options, pare_arena *arena,
                                  pare_label_table *out)
{
    pare_buf *bytes = NULL;

    *out = (pare_label_table){ 0 };
    PARE_TRY(pare_buf_map(path, &bytes));
    const pare_status status =
        pare_label_table_parse((const char *)pare_buf_bytes(bytes), pare_buf_size(bytes), path, options, arena, out);
    pare_buf_unref(bytes);
    return status;
}

void pare_label_table_free(pare_label_table *table)
{
    pare_free(table->rows);
    pare_map_free(&table->by_file);
    *table = (pare_label_table){ 0 };
}
