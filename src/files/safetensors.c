/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safetensors.c - reading safetensors: the length of a header (u64), the header as JSON, the tensors' bytes
 *
 * {"__metadata__": {"key": "text"}, "NAME": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}, ...}
 */
#include "files/safetensors.h"

#include <string.h>

#include "base/cursor.h"
#include "base/status.h"
#include "tensor/tensor.h"

static const struct {
    pare_dtype  dtype;
    const char *type;
} types[] = {
#define PARE_SAFETENSORS_TYPE(dtype, type) { PARE_##dtype, type },
#include "files/safetensors.def"
#undef PARE_SAFETENSORS_TYPE
};

enum { N_TYPES = sizeof(types) / sizeof(types[0]), HEAD = 8, MAX_HEADER = 100000000 }; /* 100 MB: theirs */

const char *pare_safetensors_type(pare_dtype dtype)
{
    for (int i = 0; i < N_TYPES; i++)
        if (types[i].dtype == dtype)
            return types[i].type;
    return NULL;
}

pare_dtype pare_safetensors_dtype(const char *type)
{
    for (int i = 0; i < N_TYPES; i++)
        if (strcmp(types[i].type, type) == 0)
            return types[i].dtype;
    return PARE_NO_DTYPE;
}

/* The first byte of a header is its brace. */
static bool claims(const uint8_t *bytes, size_t size)
{
    pare_cursor    c = pare_cursor_of(bytes, size);
    const uint64_t n = pare_cursor_u64le(&c);

    return n > 1 && n <= MAX_HEADER && pare_cursor_u8(&c) == '{' && !c.bad;
}

#if PARE_HAVE_JANSSON

#include <stdlib.h>

#include <jansson.h>

#include "base/alloc.h"

/* Where a tensor's bytes lie. */
typedef struct span {
    size_t begin, end;
} span;

static pare_status parse(const char *text, size_t n, const char *what, json_t **out)
{
    json_error_t error;

    *out = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (!*out)
        return pare_fail(PARE_ERR_DATA, "damaged %s: %s (line %d)", what, error.text, error.line);
    if (json_is_object(*out))
        return PARE_OK;
    json_decref(*out);
    *out = NULL;
    return pare_fail(PARE_ERR_DATA, "damaged %s: no object", what);
}

/* Two numbers, first <= second <= size. */
static bool read_offsets(const json_t *v, size_t size, size_t *begin, size_t *end)
{
    const json_t *const a = json_array_get(v, 0), *const b = json_array_get(v, 1);

    if (json_array_size(v) != 2 || !json_is_integer(a) || !json_is_integer(b) || json_integer_value(a) < 0 ||
        json_integer_value(b) < json_integer_value(a) || (uint64_t)json_integer_value(b) > size)
        return false;
    *begin = (size_t)json_integer_value(a);
    *end = (size_t)json_integer_value(b);
    return true;
}

static pare_status read_shape(const json_t *v, pare_shape *out)
{
    if (!json_is_array(v))
        return pare_fail(PARE_ERR_DATA, "no shape");
    if (json_array_size(v) > PARE_MAX_RANK)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%zu dimensions; %d are the most", json_array_size(v), PARE_MAX_RANK);
    *out = (pare_shape){ .rank = (int)json_array_size(v) };
    for (int i = 0; i < out->rank; i++) {
        const json_t *const n = json_array_get(v, (size_t)i);

        if (!json_is_integer(n) || json_integer_value(n) < 0)
            return pare_fail(PARE_ERR_DATA, "a dimension that is no size");
        out->dim[i] = json_integer_value(n);
    }
    return PARE_OK;
}

/* `data` is where the offsets count from; *lies becomes where the tensor does. */
static pare_status read_tensor(const json_t *v, pare_buf *file, size_t data, pare_tensor *out, span *lies)
{
    const char *const type = json_string_value(json_object_get(v, "dtype"));
    const pare_dtype  dtype = type ? pare_safetensors_dtype(type) : PARE_NO_DTYPE;
    pare_shape        shape;
    size_t            begin = 0, end = 0;

    if (dtype == PARE_NO_DTYPE)
        return pare_fail(PARE_ERR_UNSUPPORTED, "element type '%.16s' is not known", type ? type : "");
    PARE_TRY(read_shape(json_object_get(v, "shape"), &shape));
    if (!read_offsets(json_object_get(v, "data_offsets"), pare_buf_size(file) - data, &begin, &end))
        return pare_fail(PARE_ERR_DATA, "its bytes lie outside of the file");

    const pare_tensor empty = pare_tensor_of(dtype, shape);

    if (pare_tensor_bytes(&empty) != (int64_t)(end - begin))
        return pare_fail(PARE_ERR_DATA, "its shape does not need the %zu bytes that it has", end - begin);
    *lies = (span){ begin, end };
    return pare_state_view(file, data + begin, dtype, &shape, out);
}

static pare_status read_meta(const json_t *v, pare_state *into)
{
    const char *key;
    json_t     *text;

    if (!json_is_object(v))
        return pare_fail(PARE_ERR_DATA, "__metadata__ is no object");
    json_object_foreach((json_t *)v, key, text)
    {
        if (!json_is_string(text))
            return pare_fail(PARE_ERR_DATA, "__metadata__ '%.80s' is no text", key);
        PARE_TRY(pare_state_set_meta(into, key, json_string_value(text)));
    }
    return PARE_OK;
}

static int by_place(const void *a, const void *b)
{
    const span *const s = a, *const t = b;

    return s->begin != t->begin ? (s->begin > t->begin) - (s->begin < t->begin) : (s->end > t->end) - (s->end < t->end);
}

/* Bytes of nobody are a place to hide things; the format knows neither holes nor tensors over each other. */
static pare_status check_places(span *spans, size_t n, size_t size)
{
    size_t at = 0, i = 0;

    qsort(spans, n, sizeof(*spans), by_place);
    while (i < n && spans[i].begin == at)
        at = spans[i++].end;
    if (i < n || at != size)
        return pare_fail(PARE_ERR_DATA, "tensors over each other, or a hole between them, at byte %zu of their %zu", at,
                         size);
    return PARE_OK;
}

/* The tensors of a header whose bytes begin at `data` of the file. spans: [json_object_size] */
static pare_status read_header(const json_t *header, pare_buf *file, size_t data, span *spans, pare_state *into)
{
    size_t      n = 0;
    const char *name;
    json_t     *v;
    pare_tensor tensor;

    json_object_foreach((json_t *)header, name, v)
    {
        if (strcmp(name, "__metadata__") == 0) {
            PARE_TRY(read_meta(v, into));
            continue;
        }
        const pare_status status = read_tensor(v, file, data, &tensor, &spans[n++]);

        if (status != PARE_OK)
            return pare_fail_in(status, "'%s'", name);
        PARE_TRY(pare_state_give(into, name, strlen(name), &tensor));
    }
    return check_places(spans, n, pare_buf_size(file) - data);
}

static pare_status read(pare_buf *file, const char *path, pare_state *into)
{
    const uint8_t *const bytes = pare_buf_bytes(file);
    const size_t         size = pare_buf_size(file);
    pare_cursor          c = pare_cursor_of(bytes, size);
    const uint64_t       length = pare_cursor_u64le(&c);
    json_t              *header;

    (void)path;
    if (size < HEAD || length > size - HEAD)
        return pare_fail(PARE_ERR_DATA, "safetensors file ends inside its header");
    PARE_TRY(parse((const char *)bytes + HEAD, (size_t)length, "safetensors header", &header));

    span *const spans = pare_calloc(json_object_size(header) + 1, sizeof(*spans));
    pare_status status = spans ? read_header(header, file, HEAD + (size_t)length, spans, into)
                               : pare_fail_memory(json_object_size(header) * sizeof(*spans), "a safetensors header");

    pare_free(spans);
    json_decref(header);
    return status;
}

#else

static pare_status read(pare_buf *file, const char *path, pare_state *into)
{
    (void)file, (void)path, (void)into;
    return pare_fail(PARE_ERR_UNSUPPORTED, "a safetensors file, but pare was built without jansson");
}

#endif

const pare_state_format pare_state_format_safetensors = {
    .name = "safetensors", .ending = ".safetensors", .claims = claims, .read = read, .write = pare_safetensors_write
};
