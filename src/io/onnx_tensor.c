/* SPDX-License-Identifier: Apache-2.0 */
/* onnx_tensor.c - TensorProto to tensor: raw, typed and external data of every numeric type */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/pages.h"
#include "base/status.h"
#include "io/onnx.h"
#include "tensor/tensor.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "raw tensor data is little-endian and used where it lies"
#endif

enum { ONNX_STRING = 8, MAX_ELEMENTS_PER_BYTE = 4 }; /* the densest typed data: four 2-bit values in one int32 */

/* What a TensorProto says about itself; its typed data is read in a second walk. */
typedef struct header {
    const char     *name;
    int64_t         type;
    pare_shape      shape;
    pare_cursor     raw;
    bool            has_raw, is_external, too_deep, misplaced;
    pare_onnx_place place;
} header;

static void read_place(pare_onnx *file, pare_field *entry, header *h)
{
    pare_cursor message = pare_field_bytes(entry);
    pare_field  f;
    const char *key = "", *value = "";

    while (pare_field_next(&message, &f)) {
        if (f.number == ONNX_ENTRY_KEY)
            key = pare_onnx_name(file, &f);
        else if (f.number == ONNX_ENTRY_VALUE)
            value = pare_onnx_name(file, &f);
    }
    if (message.bad) {
        entry->message->bad = true;
        return;
    }
    char *end = NULL;
    if (strcmp(key, "location") == 0)
        h->place.location = value;
    else if (strcmp(key, "offset") == 0)
        h->place.offset = strtoll(value, &end, 10);
    else if (strcmp(key, "length") == 0)
        h->place.length = strtoll(value, &end, 10);
    if (end && (*end || end == value))
        h->misplaced = true;
}

static void read_dims(pare_field *f, header *h)
{
    uint64_t dim;

    while (pare_field_number(f, PARE_WIRE_VARINT, &dim)) {
        if (h->shape.rank == PARE_MAX_RANK) {
            h->too_deep = true;
            return;
        }
        h->shape.dim[h->shape.rank++] = (int64_t)dim;
    }
}

static pare_status read_header(pare_onnx *file, pare_cursor message, header *h)
{
    pare_field f;

    *h = (header){ .name = "", .place = { .length = -1 } };
    while (pare_field_next(&message, &f)) {
        switch (f.number) {
        case ONNX_TENSOR_NAME:
            h->name = pare_onnx_name(file, &f);
            break;
        case ONNX_TENSOR_TYPE:
            h->type = pare_field_int(&f);
            break;
        case ONNX_TENSOR_DIMS:
            read_dims(&f, h);
            break;
        case ONNX_TENSOR_RAW:
            h->raw = pare_field_bytes(&f);
            h->has_raw = true;
            break;
        case ONNX_TENSOR_LOCATION:
            h->is_external = pare_field_int(&f) == 1;
            break;
        case ONNX_TENSOR_EXTERNAL:
            read_place(file, &f, h);
            break;
        }
    }
    if (message.bad)
        return pare_fail(PARE_ERR_DATA, "a tensor's record is damaged");
    if (h->misplaced)
        return pare_fail(PARE_ERR_DATA, "tensor '%s': the offset or length of its data is no number", h->name);
    if (h->too_deep)
        return pare_fail(PARE_ERR_UNSUPPORTED, "tensor '%s' has more than %d dimensions", h->name, PARE_MAX_RANK);
    return PARE_OK;
}

static pare_status describe(const header *h, pare_tensor *t)
{
    const pare_dtype dtype = pare_dtype_from_onnx(h->type);

    if (h->type == ONNX_STRING)
        return pare_fail(PARE_ERR_UNSUPPORTED, "tensor '%s' holds strings; only numbers and bool are supported",
                         h->name);
    if (dtype == PARE_NO_DTYPE)
        return pare_fail(h->type ? PARE_ERR_UNSUPPORTED : PARE_ERR_DATA,
                         "tensor '%s' has the ONNX element type %lld, which this library does not know", h->name,
                         (long long)h->type);
    for (int i = 0; i < h->shape.rank; i++)
        if (h->shape.dim[i] < 0)
            return pare_fail(PARE_ERR_DATA, "tensor '%s' has the dimension %lld", h->name, (long long)h->shape.dim[i]);
    *t = pare_tensor_of(dtype, h->shape);
    if (pare_tensor_bytes(t) < 0)
        return pare_fail(PARE_ERR_DATA, "tensor '%s' has an absurd size", h->name);
    return PARE_OK;
}

/* What was copied need not stay in memory a second time. */
static pare_status forget(pare_buf *buf, const uint8_t *bytes, size_t size)
{
    pare_buf *window;

    PARE_TRY(pare_buf_slice(buf, (size_t)(bytes - pare_buf_bytes(buf)), size, &window));
    pare_buf_forget(window);
    pare_buf_unref(window);
    return PARE_OK;
}

/* Bytes that lie in `buf`: shared when aligned for the type, else copied. Bool is copied so that it is 0 or 1. */
static pare_status take_bytes(pare_tensor *t, pare_buf *buf, const uint8_t *bytes)
{
    const size_t size = (size_t)pare_tensor_bytes(t);
    const size_t align = pare_dtype_size(t->dtype) > 1 ? pare_dtype_size(t->dtype) : 1;

    if (t->dtype != PARE_bool && (uintptr_t)bytes % align == 0 && size > 0) {
        PARE_TRY(pare_buf_slice(buf, (size_t)(bytes - pare_buf_bytes(buf)), size, &t->buf));
        t->data = pare_buf_bytes(t->buf);
        return PARE_OK;
    }
    PARE_TRY(pare_tensor_alloc(t));
    if (t->dtype == PARE_bool)
        for (size_t i = 0; i < size; i++)
            ((uint8_t *)t->data)[i] = bytes[i] != 0;
    else if (size > 0)
        memcpy(t->data, bytes, size);
    return forget(buf, bytes, size);
}

/* How a type is stored when its data is not raw: the field, the wire type and how many elements share one number. */
typedef struct storage {
    uint32_t       field;
    pare_wire_type wire;
    int            elements;
} storage;

static storage storage_of(pare_dtype dtype)
{
    const int bits = pare_dtype_bits(dtype);

    switch (dtype) {
    case PARE_f32:
        return (storage){ ONNX_TENSOR_FLOATS, PARE_WIRE_32, 1 };
    case PARE_f64:
        return (storage){ ONNX_TENSOR_DOUBLES, PARE_WIRE_64, 1 };
    case PARE_s64:
        return (storage){ ONNX_TENSOR_INT64S, PARE_WIRE_VARINT, 1 };
    case PARE_u32:
    case PARE_u64:
        return (storage){ ONNX_TENSOR_UINT64S, PARE_WIRE_VARINT, 1 };
    default: /* everything smaller, and the bits of 16-bit floats, is in int32_data */
        return (storage){ ONNX_TENSOR_INT32S, PARE_WIRE_VARINT, bits < 8 ? 8 / bits : 1 };
    }
}

/* Stores one number of the file: the element's bits, or a byte of packed ones. False: it does not fit the type. */
static bool store(pare_tensor *t, int64_t index, uint64_t number)
{
    const int     bits = pare_dtype_bits(t->dtype);
    const int64_t as = (int64_t)number;

    if (t->dtype == PARE_bool) {
        ((uint8_t *)t->data)[index] = number != 0;
        return true;
    }
    if (bits < 8) {
        ((uint8_t *)t->data)[index] = (uint8_t)number;
        return as >= -128 && as <= 255;
    }
    memcpy((uint8_t *)t->data + index * (bits / 8), &number, (size_t)bits / 8);
    if (pare_dtype_kind(t->dtype) == PARE_KIND_FLOAT)
        return bits > 16 || (as >= 0 && as <= 65535);
    return bits == 64 || (as >= pare_dtype_lo(t->dtype) && as <= pare_dtype_hi(t->dtype));
}

static pare_status take_typed(pare_tensor *t, pare_cursor message, const char *name)
{
    const storage kind = storage_of(t->dtype);
    const int64_t count = pare_shape_count(&t->shape);
    const int64_t numbers = (count + kind.elements - 1) / kind.elements;
    int64_t       n = 0;
    uint64_t      number;
    pare_field    f;

    /* Before memory is asked for: data this large cannot be in a message this short. */
    if (count > (int64_t)pare_cursor_left(&message) * MAX_ELEMENTS_PER_BYTE)
        return pare_fail(PARE_ERR_DATA, "tensor '%s' has %lld elements but no data for them", name, (long long)count);
    PARE_TRY(pare_tensor_alloc(t));
    while (pare_field_next(&message, &f)) {
        if (f.number != kind.field)
            continue;
        while (pare_field_number(&f, kind.wire, &number)) {
            if (n < numbers && !store(t, n, number))
                return pare_fail(PARE_ERR_DATA, "tensor '%s' holds a number that does not fit %s", name,
                                 pare_dtype_name(t->dtype));
            n++;
        }
    }
    if (message.bad)
        return pare_fail(PARE_ERR_DATA, "the data of tensor '%s' is damaged", name);
    if (n != numbers)
        return pare_fail(PARE_ERR_DATA, "tensor '%s' needs %lld numbers and has %lld", name, (long long)numbers,
                         (long long)n);
    return PARE_OK;
}

static pare_status take_raw(pare_onnx *file, const header *h, pare_tensor *t)
{
    const size_t size = pare_cursor_left(&h->raw);

    if ((int64_t)size != pare_tensor_bytes(t))
        return pare_fail(PARE_ERR_DATA, "tensor '%s' needs %lld bytes and has %zu", h->name,
                         (long long)pare_tensor_bytes(t), size);
    return take_bytes(t, file->source->bytes, h->raw.at);
}

static pare_status take_external(pare_onnx *file, const header *h, pare_tensor *t)
{
    pare_buf *buf = NULL;

    if (!h->place.location)
        return pare_fail(PARE_ERR_DATA, "tensor '%s' is in another file but does not say in which", h->name);
    const pare_status found = pare_onnx_read_external(file, &h->place, (size_t)pare_tensor_bytes(t), &buf);
    if (found != PARE_OK)
        return pare_fail_in(found, "tensor '%s'", h->name);
    const pare_status status = take_bytes(t, buf, pare_buf_bytes(buf));
    pare_buf_unref(buf);
    return status;
}

pare_status pare_onnx_read_tensor(pare_onnx *file, pare_cursor message, pare_tensor *out, const char **name)
{
    header h;

    PARE_TRY(read_header(file, message, &h));
    PARE_TRY(describe(&h, out));
    *name = h.name;

    pare_status status;
    if (h.is_external)
        status = take_external(file, &h, out);
    else if (h.has_raw)
        status = take_raw(file, &h, out);
    else
        status = take_typed(out, message, h.name);
    if (status != PARE_OK)
        pare_tensor_release(out);
    return status;
}
