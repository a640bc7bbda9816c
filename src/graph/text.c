/* SPDX-License-Identifier: Apache-2.0 */
/* text.c - reading the text IR word by word */
#include "graph/text.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/status.h"

enum { MAX_SEEDED = 1 << 24 }; /* elements of a constant made from a seed */

bool pare_text_is_bare(char c)
{
    return isalnum((unsigned char)c) || (c && strchr("_./:-", c));
}

pare_status pare_text_fail(const pare_text *t, const char *format, ...)
{
    char    sentence[256];
    va_list args;

    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    return pare_fail(PARE_ERR_DATA, "line %d: %s", t->line, sentence);
}

static void skip(pare_text *t)
{
    for (;; t->at++) {
        if (*t->at == '#')
            t->at += strcspn(t->at, "\n");
        if (*t->at == '\n')
            t->line++;
        else if (!isspace((unsigned char)*t->at))
            return;
    }
}

bool pare_text_try(pare_text *t, const char *mark)
{
    const size_t n = strlen(mark);

    skip(t);
    if (strncmp(t->at, mark, n) != 0)
        return false;
    t->at += n;
    return true;
}

pare_status pare_text_expect(pare_text *t, const char *mark)
{
    if (pare_text_try(t, mark))
        return PARE_OK;
    return pare_text_fail(t, "'%s' expected before '%.*s'", mark, (int)strcspn(t->at, "\n"), t->at);
}

bool pare_text_end(pare_text *t)
{
    skip(t);
    return *t->at == '\0';
}

static pare_status no_memory(void)
{
    return pare_fail_memory(sizeof(pare_tensor), "a graph's text");
}

bool pare_text_word(pare_text *t, const char **word)
{
    size_t n = 0;

    skip(t);
    while (isalnum((unsigned char)t->at[n]) || t->at[n] == '_')
        n++;
    *word = n > 0 ? pare_arena_strndup(t->arena, t->at, n) : NULL;
    if (!*word)
        return false;
    t->at += n;
    return true;
}

pare_status pare_text_string(pare_text *t, const char **string)
{
    PARE_TRY(pare_text_expect(t, "\""));

    char *const copy = pare_arena_alloc(t->arena, strlen(t->at) < 4096 ? strlen(t->at) + 1 : 4096);
    int         n = 0;

    if (!copy)
        return no_memory();
    for (; *t->at != '"'; t->at++) {
        char     c = *t->at;
        unsigned hex;
        int      used = 0;

        if (c == '\0' || n == 4095)
            return pare_text_fail(t, "a string has no end");
        if (c == '\n')
            t->line++;
        if (c == '\\') {
            c = *++t->at;
            if (c == 'x' && sscanf(t->at + 1, "%2x%n", &hex, &used) == 1) {
                c = (char)hex;
                t->at += used;
            } else if (c != '"' && c != '\\') {
                return pare_text_fail(t, "a string has an unknown escape");
            }
        }
        copy[n++] = c;
    }
    t->at++;
    *string = copy;
    return PARE_OK;
}

pare_status pare_text_name(pare_text *t, const char **name)
{
    size_t n = 0;

    if (*t->at == '"')
        return pare_text_string(t, name);
    while (pare_text_is_bare(t->at[n]))
        n++;
    if (n == 0)
        return pare_text_fail(t, "a name expected before '%.*s'", (int)strcspn(t->at, "\n"), t->at);
    *name = pare_arena_strndup(t->arena, t->at, n);
    t->at += n;
    return *name ? PARE_OK : no_memory();
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

pare_status pare_text_int(pare_text *t, int64_t *value)
{
    char *end;

    skip(t);
    errno = 0;
    *value = strtoll(t->at, &end, 0);
    if (end == t->at || errno)
        return pare_text_fail(t, "a whole number expected before '%.*s'", (int)strcspn(t->at, "\n"), t->at);
    t->at = end;
    return PARE_OK;
}

pare_status pare_text_real(pare_text *t, double *value)
{
    char *end;

    skip(t);
    *value = strtod(t->at, &end);
    if (end == t->at)
        return pare_text_fail(t, "a number expected before '%.*s'", (int)strcspn(t->at, "\n"), t->at);
    t->at = end;
    return PARE_OK;
}

pare_status pare_text_ints(pare_text *t, int64_t *values, int max, int *n)
{
    *n = 0;
    PARE_TRY(pare_text_expect(t, "["));
    if (pare_text_try(t, "]"))
        return PARE_OK;
    do {
        if (*n == max)
            return pare_text_fail(t, "a list has more than %d entries", max);
        PARE_TRY(pare_text_int(t, &values[(*n)++]));
    } while (pare_text_try(t, ","));
    return pare_text_expect(t, "]");
}

/* ---------------------------------------------------------------------------------------------------------- tensors */

static pare_status parse_dim(pare_text *t, int64_t *dim, const char **name)
{
    skip(t);
    *dim = PARE_DIM_ANY;
    if (isdigit((unsigned char)*t->at)) {
        PARE_TRY(pare_text_int(t, dim));
        return PARE_OK;
    }
    if (!name)
        return pare_text_fail(t, "every dimension must be a number here");
    return pare_text_try(t, "?") ? PARE_OK : pare_text_name(t, name);
}

pare_status pare_text_type(pare_text *t, pare_tensor *type, bool *has_shape, const char **dim_name)
{
    pare_shape  shape = { .rank = 0 };
    const char *word;

    if (!pare_text_word(t, &word) || pare_dtype_parse(word) == PARE_NO_DTYPE)
        return pare_text_fail(t, "a dtype expected before '%.*s'", (int)strcspn(t->at, "\n"), t->at);
    *has_shape = pare_text_try(t, "[");
    if (*has_shape && !pare_text_try(t, "]")) {
        do {
            if (shape.rank == PARE_MAX_RANK)
                return pare_text_fail(t, "more than %d dimensions", PARE_MAX_RANK);
            PARE_TRY(parse_dim(t, &shape.dim[shape.rank], dim_name ? &dim_name[shape.rank] : NULL));
            shape.rank++;
        } while (pare_text_try(t, ","));
        PARE_TRY(pare_text_expect(t, "]"));
    }
    *type = pare_tensor_of(pare_dtype_parse(word), shape);
    return PARE_OK;
}

/* Normal for floats; for integers uniform over the dtype's range, of wide types over -1000 .. 1000. */
static void fill(pare_tensor *t, uint64_t seed)
{
    const int64_t count = pare_shape_count(&t->shape);
    const bool    wide = pare_dtype_bits(t->dtype) > 16;
    const int64_t lo = wide ? (pare_dtype_lo(t->dtype) < 0 ? -1000 : 0) : pare_dtype_lo(t->dtype);
    const int64_t hi = wide ? 1000 : pare_dtype_hi(t->dtype);
    pare_rng      rng = pare_rng_seed(seed);

    for (int64_t i = 0; i < count; i++) {
        if (pare_dtype_kind(t->dtype) == PARE_KIND_FLOAT)
            pare_tensor_set_real(t, i, (double)pare_rng_normal(&rng));
        else
            pare_tensor_set_int(t, i, lo + pare_rng_below(&rng, (uint32_t)(hi - lo + 1)));
    }
}

static pare_status parse_elements(pare_text *t, pare_tensor *tensor)
{
    const int64_t count = pare_shape_count(&tensor->shape);
    const bool    real = pare_dtype_kind(tensor->dtype) == PARE_KIND_FLOAT;

    PARE_TRY(pare_text_expect(t, "{"));
    for (int64_t i = 0; i < count; i++) {
        double  x;
        int64_t whole;

        if (i > 0)
            PARE_TRY(pare_text_expect(t, ","));
        if (real) {
            PARE_TRY(pare_text_real(t, &x));
            pare_tensor_set_real(tensor, i, x);
        } else {
            PARE_TRY(pare_text_int(t, &whole));
            pare_tensor_set_int(tensor, i, whole);
        }
    }
    return pare_text_expect(t, "}");
}

/* Memory is taken for what is there: a short text does not ask for gigabytes. */
static pare_status check_count(pare_text *t, const pare_tensor *tensor, bool seeded)
{
    const int64_t count = pare_shape_count(&tensor->shape);

    if (seeded && count > MAX_SEEDED)
        return pare_text_fail(t, "more than %d numbers from a seed", MAX_SEEDED);
    if (!seeded && count > 0 && strnlen(t->at, (size_t)count) < (size_t)count)
        return pare_text_fail(t, "the text ends before the last of %" PRId64 " numbers", count);
    return PARE_OK;
}

pare_status pare_text_data(pare_text *t, pare_tensor *tensor)
{
    int64_t seed;

    if (pare_text_try(t, "hash="))
        return pare_text_fail(t, "the values of this constant were not written out");
    const bool seeded = pare_text_try(t, "seed=");

    PARE_TRY(check_count(t, tensor, seeded));
    PARE_TRY(pare_tensor_alloc(tensor));
    if (!seeded)
        return parse_elements(t, tensor);
    PARE_TRY(pare_text_int(t, &seed));
    fill(tensor, (uint64_t)seed);
    return PARE_OK;
}

/* One number or a list of at most 16, all of which parse as real; *n says how many. */
static pare_status parse_reals(pare_text *t, double *values, int *n)
{
    *n = 0;
    if (!pare_text_try(t, "[")) {
        *n = 1;
        return pare_text_real(t, values);
    }
    do {
        if (*n == PARE_TEXT_MAX_ITEMS)
            return pare_text_fail(t, "a list has more than %d entries", PARE_TEXT_MAX_ITEMS);
        PARE_TRY(pare_text_real(t, &values[(*n)++]));
    } while (pare_text_try(t, ","));
    return pare_text_expect(t, "]");
}

static pare_status parse_float_list(pare_text *t, int want, float **out, int *n)
{
    double values[PARE_TEXT_MAX_ITEMS];

    PARE_TRY(parse_reals(t, values, n));
    if (want && *n != want)
        return pare_text_fail(t, "%d scales, but %d offsets", want, *n);
    *out = pare_arena_alloc(t->arena, (size_t)*n * sizeof(**out));
    for (int i = 0; *out && i < *n; i++)
        (*out)[i] = (float)values[i];
    return *out ? PARE_OK : no_memory();
}

static pare_status parse_zeros(pare_text *t, pare_qparams *q)
{
    double   values[PARE_TEXT_MAX_ITEMS];
    int      n;
    int32_t *zero;

    PARE_TRY(parse_reals(t, values, &n));
    if (n != q->n)
        return pare_text_fail(t, "%d scales, but %d zero points", q->n, n);
    zero = pare_arena_alloc(t->arena, (size_t)n * sizeof(*zero));
    for (int i = 0; zero && i < n; i++) {
        if (!(values[i] >= INT32_MIN && values[i] <= INT32_MAX))
            return pare_text_fail(t, "a zero point is no 32-bit number");
        zero[i] = (int32_t)values[i];
    }
    q->zero = zero;
    return zero ? PARE_OK : no_memory();
}

pare_status pare_text_qparams(pare_text *t, const pare_qparams **out)
{
    pare_qparams *const q = pare_arena_alloc(t->arena, sizeof(*q));
    float              *list;
    int64_t             number;
    int                 n;

    if (!q)
        return no_memory();
    PARE_TRY(pare_text_expect(t, "("));
    if (pare_text_try(t, "n="))
        return pare_text_fail(t, "these scales were not written out");
    PARE_TRY(parse_float_list(t, 0, &list, &q->n));
    q->scale = list;
    while (pare_text_try(t, ",")) {
        if (pare_text_try(t, "axis=")) {
            PARE_TRY(pare_text_int(t, &number));
            q->axis = (int)number;
        } else if (pare_text_try(t, "block=")) {
            PARE_TRY(pare_text_int(t, &number));
            q->block = (int)number;
        } else if (pare_text_try(t, "offset=")) {
            PARE_TRY(parse_float_list(t, q->n, &list, &n));
            q->offset = list;
        } else {
            PARE_TRY(parse_zeros(t, q));
        }
    }
    *out = q;
    return pare_text_expect(t, ")");
}
