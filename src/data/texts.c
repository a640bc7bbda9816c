/* SPDX-License-Identifier: Apache-2.0 */
/* texts.c - labelled sentences from a .tsv, and as rows of numbers */
#include <pare/tokenizer.h>

#include <limits.h>
#include <string.h>

#include <pare/buf.h>

#include "base/alloc.h"
#include "base/status.h"
#include "data/tokenizer.h"

enum { MAX_COLUMNS = 64, MAX_LABEL = 999999, MAX_LENGTH = 1 << 20 };

typedef struct row {
    const char *text; /* in the file */
    size_t      n;
    int         label; /* -1: none */
} row;

struct pare_texts {
    char     *path;
    pare_buf *file;
    row      *rows;
    int       n, cap;
    int       classes;
};

/* The columns that matter; -1: not there. */
typedef struct columns {
    int n, text, label;
} columns;

static bool is(const char *field, size_t n, const char *word)
{
    return strlen(word) == n && memcmp(field, word, n) == 0;
}

/* Cuts a line into fields: how many there are, of which MAX_COLUMNS are written. */
static int cut(const char *line, size_t n, const char *fields[MAX_COLUMNS], size_t sizes[MAX_COLUMNS])
{
    int count = 0;

    for (size_t at = 0; at <= n; count++) {
        const char *const tab = memchr(line + at, '\t', n - at);
        const size_t      size = tab ? (size_t)(tab - line) - at : n - at;

        if (count < MAX_COLUMNS) {
            fields[count] = line + at;
            sizes[count] = size;
        }
        at += size + 1;
    }
    return count;
}

static pare_status read_head(const char *line, size_t n, columns *c)
{
    const char *fields[MAX_COLUMNS];
    size_t      sizes[MAX_COLUMNS];

    *c = (columns){ cut(line, n, fields, sizes), -1, -1 };
    for (int i = 0; i < c->n && i < MAX_COLUMNS; i++) {
        if (is(fields[i], sizes[i], "sentence") || is(fields[i], sizes[i], "text"))
            c->text = i;
        if (is(fields[i], sizes[i], "label") || is(fields[i], sizes[i], "class"))
            c->label = i;
    }
    return c->text < 0 ? pare_fail(PARE_ERR_DATA, "the first line names no column 'sentence' or 'text'") : PARE_OK;
}

static bool read_label(const char *field, size_t n, int *label)
{
    *label = 0;
    for (size_t i = 0; i < n; i++) {
        if (field[i] < '0' || field[i] > '9' || *label > MAX_LABEL / 10)
            return false;
        *label = *label * 10 + (field[i] - '0');
    }
    return n > 0;
}

static pare_status add_row(pare_texts *t, const columns *c, const char *line, size_t n, long number)
{
    const char *fields[MAX_COLUMNS];
    size_t      sizes[MAX_COLUMNS];
    const int   count = cut(line, n, fields, sizes);
    int         label = -1;

    if (count != c->n)
        return pare_fail(PARE_ERR_DATA, "line %ld has %d columns, the first line %d", number, count, c->n);
    if (c->label >= 0 && !read_label(fields[c->label], sizes[c->label], &label))
        return pare_fail(PARE_ERR_DATA, "line %ld: '%.*s' is no label; numbers from 0 to %d are", number,
                         (int)(sizes[c->label] < 20 ? sizes[c->label] : 20), fields[c->label], MAX_LABEL);
    if (t->n == INT_MAX || !pare_grow(&t->rows, &t->cap, t->n + 1, sizeof(*t->rows)))
        return pare_fail_memory(sizeof(*t->rows), "sentences");
    t->rows[t->n++] = (row){ fields[c->text], sizes[c->text], label };
    if (label >= t->classes)
        t->classes = label + 1;
    return PARE_OK;
}

static pare_status parse(pare_texts *t, const char *text, size_t size)
{
    columns c = { 0, -1, -1 };
    long    number = 1;

    if (size >= 2 && memcmp(text, "\x1f\x8b", 2) == 0)
        return pare_fail(PARE_ERR_UNSUPPORTED, "compressed; unpack it with gunzip");
    if (!size)
        return pare_fail(PARE_ERR_DATA, "an empty table");
    for (size_t at = 0, n; at < size; at += n + 1, number++) {
        const char *const line = text + at, *const end = memchr(line, '\n', size - at);

        n = end ? (size_t)(end - line) : size - at;

        const size_t used = n && line[n - 1] == '\r' ? n - 1 : n;

        if (number == 1)
            PARE_TRY(read_head(line, used, &c));
        else if (used)
            PARE_TRY(add_row(t, &c, line, used, number));
    }
    return PARE_OK;
}

pare_status pare_texts_load(const char *path, pare_texts **out)
{
    pare_texts *const t = pare_calloc(1, sizeof(*t));
    pare_status       status;

    *out = NULL;
    if (!t)
        return pare_fail_memory(sizeof(*t), "sentences");
    t->path = pare_strdup(path);
    PARE_GOTO(t->path ? pare_buf_map(path, &t->file) : pare_fail_memory(strlen(path), "a path"));
    status = parse(t, (const char *)pare_buf_bytes(t->file), pare_buf_size(t->file));
    if (status != PARE_OK)
        (void)pare_fail_in(status, "%s", path);
out:
    if (status == PARE_OK)
        *out = t;
    else
        pare_texts_destroy(t);
    return status;
}

void pare_texts_destroy(pare_texts *texts)
{
    if (!texts)
        return;
    pare_buf_unref(texts->file);
    pare_free(texts->rows);
    pare_free(texts->path);
    pare_free(texts);
}

const char *pare_texts_path(const pare_texts *texts)
{
    return texts->path;
}

int64_t pare_texts_count(const pare_texts *texts)
{
    return texts->n;
}

int pare_texts_classes(const pare_texts *texts)
{
    return texts->classes;
}

const char *pare_texts_at(const pare_texts *texts, int64_t index, size_t *size)
{
    *size = texts->rows[index].n;
    return texts->rows[index].text;
}

int pare_texts_label(const pare_texts *texts, int64_t index)
{
    return texts->rows[index].label;
}

static const char *one(const void *context, int64_t i, size_t *size)
{
    return pare_texts_at(context, i, size);
}

pare_status pare_tokenizer_train_texts(const pare_texts *texts, const pare_tokenizer_options *options,
                                       pare_tokenizer **out)
{
    return pare_tokenizer_train_from(texts->n, one, texts, options, out);
}

/* What the longest text needs, with its two marks. */
static int64_t longest(const pare_texts *texts, const pare_tokenizer *tokenizer)
{
    int64_t most = 0;

    for (int i = 0; i < texts->n; i++) {
        const int64_t n = pare_tokenizer_pieces(tokenizer, texts->rows[i].text, texts->rows[i].n, NULL, 0);

        most = n > most ? n : most;
    }
    return most + 2;
}

pare_status pare_texts_encode(const pare_texts *texts, const pare_tokenizer *tokenizer, int length, pare_tensor *ids,
                              pare_tensor *mask)
{
    const int64_t    n = length ? length : longest(texts, tokenizer);
    const pare_shape shape = pare_shape_of(2, (int64_t[]){ texts->n, n });
    pare_status      status;

    *ids = pare_tensor_of(PARE_s64, shape);
    if (mask)
        *mask = *ids;
    if (n < 2 || n > MAX_LENGTH)
        return pare_fail(PARE_ERR_ARG, "texts of %lld pieces; 2 to %d are possible", (long long)n, MAX_LENGTH);
    PARE_TRY(pare_tensor_alloc(ids));
    status = mask ? pare_tensor_alloc(mask) : PARE_OK;
    if (status != PARE_OK) {
        pare_tensor_release(ids);
        return status;
    }
    for (int i = 0; i < texts->n; i++) {
        int64_t *const at = (int64_t *)ids->data + i * n;
        const int      used = pare_tokenizer_encode(tokenizer, texts->rows[i].text, texts->rows[i].n, at, (int)n);

        for (int k = 0; mask && k < used; k++)
            ((int64_t *)mask->data)[i * n + k] = 1;
    }
    return PARE_OK;
}
