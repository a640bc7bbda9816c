/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op_sample.h - turns the samples of ops ("f32[2,3] s64{1,0} axis=1", see ops/op.h) into calls with random inputs, and
 * lays tensors out in memory in all the ways that ops must take. For the generic tests.
 */
#ifndef PARE_TESTS_OP_SAMPLE_H
#define PARE_TESTS_OP_SAMPLE_H

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "ops/op.h"
#include "tensor/qparams.h"

enum { SAMPLE_INPUTS = 16, SAMPLE_ATTR_BYTES = 1024, SAMPLE_GUARD = 0xA5 };

typedef struct sample_call {
    pare_call          call;
    pare_tensor        in[SAMPLE_INPUTS], out[PARE_MAX_OUTPUTS];
    const pare_tensor *in_ptr[SAMPLE_INPUTS];
    pare_tensor       *out_ptr[PARE_MAX_OUTPUTS];
    bool               constant[SAMPLE_INPUTS];
    pare_qparams       q[SAMPLE_INPUTS];
    float              scale[SAMPLE_INPUTS];
    int32_t            zero[SAMPLE_INPUTS];
    char               text[16][64]; /* of string attributes */
    int                texts;
    bool               finite; /* no NaN, infinities or huge floats in the inputs */
    _Alignas(16) char attrs[SAMPLE_ATTR_BYTES];
} sample_call;

/* Ends the program: a sample that cannot be read is a mistake in the sample. */
static inline void sample_die(const char *sample, const char *at)
{
    fprintf(stderr, "sample cannot be read: '%s' at '%s'\n", sample, at);
    abort();
}

/* Random values with extremes among them: both ends and 0 of integers, zeros, huge and tiny floats, NaN, infinities. */
static inline void sample_fill(pare_tensor *t, pare_rng *rng, bool finite)
{
    static const float odd[] = { 0.0f, -0.0f, 1e-40f, -1.0f, -0.5f, 2.5f, 3e38f, INFINITY, -INFINITY, NAN };
    const int64_t      n = pare_shape_count(&t->shape);
    const int64_t      lo = pare_dtype_lo(t->dtype), hi = pare_dtype_hi(t->dtype);

    for (int64_t i = 0; i < n; i++) {
        const uint32_t dice = pare_rng_below(rng, 16);
        if (pare_dtype_kind(t->dtype) == PARE_KIND_FLOAT)
            pare_tensor_set_real(t, i,
                                 dice == 0 ? odd[pare_rng_below(rng, finite ? 6 : 10)] : pare_rng_uniform(rng, -3, 3));
        else if (dice < 3)
            pare_tensor_set_int(t, i, dice == 0 ? lo : dice == 1 ? hi : 0);
        else if (hi - 1 < 1000 && lo > -1000)
            pare_tensor_set_int(t, i, lo + (int64_t)pare_rng_below(rng, (uint32_t)(hi - lo + 1)));
        else
            pare_tensor_set_int(t, i, (int64_t)pare_rng_below(rng, 200) - (lo < 0 ? 100 : 0));
    }
}

static inline const char *sample_dims(const char *at, pare_shape *shape)
{
    char *end = (char *)(uintptr_t)at + 1;

    for (shape->rank = 0; *end != ']'; end += *end == ',')
        shape->dim[shape->rank++] = strtoll(end, &end, 10);
    return end + 1;
}

static inline const char *sample_list(const char *at, double *values, int *n)
{
    char *end = (char *)(uintptr_t)at + 1;

    for (*n = 0; *end != '}'; end += *end == ',')
        values[(*n)++] = strtod(end, &end);
    return end + 1;
}

static inline const char *sample_input(sample_call *s, const char *at, pare_rng *rng)
{
    const int    k = s->call.n_in++;
    pare_tensor *t = &s->in[k];
    pare_shape   shape = { .rank = 0 };
    double       values[64];
    char         name[8];
    int          n = -1, length = 0;

    if (*at == '?')
        return at + 1;
    s->in_ptr[k] = t;
    while (isalnum((unsigned char)at[length]) && length < 7)
        length++;
    snprintf(name, sizeof(name), "%.*s", length, at);
    at += length;
    if (*at == '[')
        at = sample_dims(at, &shape);
    if (*at == '{') {
        at = sample_list(at, values, &n);
        if (at[-1] == '}' && shape.rank == 0)
            shape = (pare_shape){ 1, { n } };
    } else if (*at == ':') {
        char *end;
        values[0] = strtod(at + 1, &end);
        n = 1;
        at = end;
    }
    *t = pare_tensor_of(pare_dtype_parse(name), shape);
    if (t->dtype == PARE_NO_DTYPE || pare_tensor_alloc(t) != PARE_OK)
        sample_die(name, at);
    s->constant[k] = n >= 0;
    for (int i = 0; i < n; i++)
        if (pare_dtype_kind(t->dtype) == PARE_KIND_FLOAT)
            pare_tensor_set_real(t, i, values[i]);
        else /* 2^63 - 1 is read as 2^63 */
            pare_tensor_set_int(t, i, values[i] >= 0x1p63 ? INT64_MAX : (int64_t)values[i]);
    if (n < 0)
        sample_fill(t, rng, s->finite);
    if (*at == '~') {
        char *end;
        s->scale[k] = strtof(at + 1, &end);
        s->zero[k] = (int32_t)strtol(end + 1, &end, 10);
        s->q[k] = (pare_qparams){ .scale = &s->scale[k], .zero = &s->zero[k], .n = 1 };
        t->q = &s->q[k];
        at = end;
    }
    return at;
}

static inline const char *sample_string(sample_call *s, const char *at, const char **out)
{
    char *const text = s->text[s->texts++];
    const bool  quoted = *at == '"';
    int         n = 0;

    at += quoted;
    while (*at && *at != '"' && *at != ' ' && n < 63)
        text[n++] = *at++;
    text[n] = '\0';
    *out = text;
    return at + quoted;
}

static inline const char *sample_attr(sample_call *s, const char *sample, const char *at)
{
    char        name[64];
    int         length = (int)strcspn(at, "=");
    const char *word;

    snprintf(name, sizeof(name), "%.*s", length, at);
    const pare_attr *const a = pare_attr_find(s->call.op, name);
    if (!a)
        sample_die(sample, at);
    void *const field = s->attrs + a->offset;
    char       *end = (char *)(uintptr_t)at + length + 1;
    switch (a->type) {
    case PARE_ATTR_INT:
        *(int64_t *)field = strtoll(end, &end, 10);
        break;
    case PARE_ATTR_FLOAT:
        *(float *)field = strtof(end, &end);
        break;
    case PARE_ATTR_STRING:
    case PARE_ATTR_STRINGS:
        return sample_string(s, end, (const char **)field);
    case PARE_ATTR_DTYPE:
        at = sample_string(s, end, &word);
        *(pare_dtype *)field = pare_dtype_parse(word);
        return at;
    case PARE_ATTR_FLOATS: {
        pare_floats *const list = field;
        for (list->n = 0, end++; *end != ']'; end += *end == ',')
            list->v[list->n++] = strtof(end, &end);
        end++;
        break;
    }
    case PARE_ATTR_INTS: {
        pare_ints *const list = field;
        for (list->n = 0, end++; *end != ']'; end += *end == ',')
            list->v[list->n++] = strtoll(end, &end, 10);
        end++;
        break;
    }
    default:
        sample_die(sample, at);
    }
    return end;
}

/* Fills `s` for the op; inputs own their bytes (sample_release). Outputs are empty tensors, all wanted. */
static inline void sample_read(sample_call *s, const pare_op *op, const char *sample, bool finite)
{
    pare_rng    rng = pare_rng_seed(0x5eed);
    const char *at = sample;

    memset(s, 0, sizeof(*s));
    s->finite = finite;
    s->call = (pare_call){ .op = op, .attrs = s->attrs, .in = s->in_ptr, .out = s->out_ptr };
    s->call.n_out = op->max_out <= 3 ? op->max_out : op->min_out;
    if (op->attrs_size > sizeof(s->attrs))
        sample_die(sample, op->name);
    pare_attrs_default(op, s->attrs);
    for (at += strspn(at, " "); *at; at += strspn(at, " ")) {
        const char *const word = at;
        if (!strncmp(at, "->", 2))
            s->call.n_out = (int)strtol(at + 2, (char **)(uintptr_t)&at, 10);
        else if (*at != '?' && strcspn(at, "=") < strcspn(at, " "))
            at = sample_attr(s, sample, at);
        else
            at = sample_input(s, at, &rng);
        if (at == word || (*at && *at != ' '))
            sample_die(sample, word);
    }
    for (int i = 0; i < s->call.n_out; i++)
        s->out_ptr[i] = &s->out[i];
}

static inline void sample_release(sample_call *s)
{
    for (int i = 0; i < s->call.n_in; i++)
        pare_tensor_release(&s->in[i]);
    for (int i = 0; i < s->call.n_out; i++)
        pare_tensor_release(&s->out[i]);
}

/* How a tensor lies in memory. Channels-last has a pixel stride of whole 64 bytes; it reverses the axes of matrices. */
typedef enum sample_layout {
    LAYOUT_DENSE,
    LAYOUT_CHANNELS_LAST,
    LAYOUT_PADDED,
    LAYOUT_SLICED,
    N_LAYOUTS,
} sample_layout;

static const char *const sample_layout_names[N_LAYOUTS] = { "dense", "channels-last", "padded", "sliced" };

/* An axis order, outermost first, and a stride for each: returns the elements it all takes. */
static inline int64_t sample_strides(pare_tensor *t, sample_layout layout)
{
    const int rank = t->shape.rank;
    int64_t   stride = layout == LAYOUT_SLICED ? 2 : 1;

    for (int place = rank - 1; place >= 0; place--) {
        int axis = place;
        if (layout == LAYOUT_CHANNELS_LAST && rank == 2)
            axis = 1 - place;
        else if (layout == LAYOUT_CHANNELS_LAST && rank > 2)
            axis = place == rank - 1 ? 1 : place ? place + 1 : 0;
        t->stride[axis] = stride;
        stride *= t->shape.dim[axis] > 0 ? t->shape.dim[axis] : 1;
        if (layout == LAYOUT_PADDED)
            stride += 3;
        if (layout == LAYOUT_CHANNELS_LAST && rank > 2 && place == rank - 1)
            stride = (stride + 63) / 64 * 64;
    }
    return stride;
}

/* A tensor like `t` in that layout, over bytes that are all SAMPLE_GUARD; free t.buf with pare_tensor_release. */
static inline pare_tensor sample_lay_out(const pare_tensor *t, sample_layout layout)
{
    pare_tensor   y = *t;
    const int64_t lead = layout == LAYOUT_SLICED ? 5 : 0;
    const int64_t size = (int64_t)pare_dtype_size(t->dtype);
    const int64_t total = size ? (sample_strides(&y, layout) + lead + 7) * size : pare_tensor_bytes(t) + 7;

    if (pare_buf_alloc((size_t)total, &y.buf) != PARE_OK)
        abort();
    memset(pare_buf_bytes(y.buf), SAMPLE_GUARD, (size_t)total);
    y.data = pare_buf_bytes(y.buf) + lead * size;
    return y;
}

/* Is every byte that belongs to no element still SAMPLE_GUARD? */
static inline bool sample_guarded(const pare_tensor *t)
{
    const int64_t  n = pare_shape_count(&t->shape);
    const size_t   total = pare_buf_size(t->buf), size = pare_dtype_size(t->dtype);
    uint8_t *const copy = malloc(total + 1);
    bool           whole = true;

    memcpy(copy, pare_buf_bytes(t->buf), total);
    for (int64_t i = 0; i < n && size; i++) {
        int64_t rest = i, offset = 0;
        for (int k = t->shape.rank - 1; k >= 0; k--) {
            offset += rest % t->shape.dim[k] * t->stride[k];
            rest /= t->shape.dim[k];
        }
        memset(copy + ((uint8_t *)t->data - pare_buf_bytes(t->buf)) + offset * (int64_t)size, SAMPLE_GUARD, size);
    }
    for (size_t i = 0; i < total && size; i++)
        whole = whole && copy[i] == SAMPLE_GUARD;
    free(copy);
    return whole;
}

/* The first element where two tensors of one dtype and shape differ in their bits, NaNs being all equal; -1: none. */
static inline int64_t sample_differ(const pare_tensor *a, const pare_tensor *b)
{
    const int64_t n = pare_shape_count(&a->shape);

    if (a->dtype != b->dtype || !pare_shape_equal(&a->shape, &b->shape))
        return 0;
    for (int64_t i = 0; i < n; i++) {
        if (pare_dtype_kind(a->dtype) != PARE_KIND_FLOAT) {
            if (pare_tensor_int(a, i) != pare_tensor_int(b, i))
                return i;
            continue;
        }
        const double x = pare_tensor_real(a, i), y = pare_tensor_real(b, i);
        if (x != y ? x == x || y == y : signbit(x) != signbit(y))
            return i;
    }
    return -1;
}

#endif
