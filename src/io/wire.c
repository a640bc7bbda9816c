/* SPDX-License-Identifier: Apache-2.0 */
/* wire.c - protobuf fields, read and written */
#include "io/wire.h"

#include <assert.h>
#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

/* ------------------------------------------------------------------------------------------------------ reading */

bool pare_field_next(pare_cursor *message, pare_field *field)
{
    if (message->bad || pare_cursor_left(message) == 0)
        return false;

    const uint64_t tag = pare_cursor_varint(message);
    *field = (pare_field){ .number = (uint32_t)(tag >> 3), .type = (int)(tag & 7), .message = message };
    if (tag > UINT32_MAX || field->number == 0)
        message->bad = true;

    switch (field->type) {
    case PARE_WIRE_VARINT:
        field->value = pare_cursor_varint(message);
        break;
    case PARE_WIRE_64:
        field->value = pare_cursor_u64le(message);
        break;
    case PARE_WIRE_32:
        field->value = pare_cursor_u32le(message);
        break;
    case PARE_WIRE_BYTES: {
        const uint64_t size = pare_cursor_varint(message);
        if (size > pare_cursor_left(message))
            message->bad = true;
        else
            field->bytes = pare_cursor_sub(message, (size_t)size);
        break;
    }
    default: /* groups went out of use before ONNX came */
        message->bad = true;
    }
    return !message->bad;
}

static uint64_t read_number(pare_cursor *c, pare_wire_type type)
{
    switch (type) {
    case PARE_WIRE_64:
        return pare_cursor_u64le(c);
    case PARE_WIRE_32:
        return pare_cursor_u32le(c);
    default:
        return pare_cursor_varint(c);
    }
}

bool pare_field_number(pare_field *field, pare_wire_type type, uint64_t *value)
{
    if (field->type == PARE_WIRE_BYTES) {
        if (field->bytes.bad || pare_cursor_left(&field->bytes) == 0)
            return false;
        *value = read_number(&field->bytes, type);
        if (field->bytes.bad)
            field->message->bad = true;
        return !field->bytes.bad;
    }
    if (field->taken)
        return false;
    field->taken = true;
    if (field->type != (int)type) {
        field->message->bad = true;
        return false;
    }
    *value = field->value;
    return true;
}

int64_t pare_field_int(pare_field *field)
{
    if (field->type != PARE_WIRE_VARINT)
        field->message->bad = true;
    return (int64_t)field->value;
}

float pare_field_float(pare_field *field)
{
    const uint32_t bits = (uint32_t)field->value;
    float          value;

    if (field->type != PARE_WIRE_32)
        field->message->bad = true;
    memcpy(&value, &bits, sizeof(value));
    return value;
}

pare_cursor pare_field_bytes(pare_field *field)
{
    if (field->type == PARE_WIRE_BYTES)
        return field->bytes;
    field->message->bad = true;
    return pare_cursor_of("", 0);
}

char *pare_field_text(pare_field *field, pare_arena *arena)
{
    const pare_cursor c = pare_field_bytes(field);
    const size_t      size = pare_cursor_left(&c);

    if (field->message->bad || memchr(c.at, 0, size)) {
        field->message->bad = true;
        return NULL;
    }
    return pare_arena_strndup(arena, (const char *)c.at, size);
}

char *pare_field_name(pare_field *field, pare_arena *arena)
{
    char *const name = pare_field_text(field, arena);

    for (const char *s = name; s && *s; s++)
        if ((unsigned char)*s < ' ' || *s == 127) {
            field->message->bad = true;
            return NULL;
        }
    return name;
}

/* ------------------------------------------------------------------------------------------------------ writing */

static bool reserve(pare_wire *w, size_t more)
{
    if (w->failed || more > (size_t)(INT_MAX - w->size) || !pare_grow(&w->bytes, &w->cap, w->size + (int)more, 1))
        w->failed = true;
    return !w->failed;
}

static void put(pare_wire *w, const void *data, size_t size)
{
    if (size > 0 && reserve(w, size)) {
        memcpy(w->bytes + w->size, data, size);
        w->size += (int)size;
    }
}

static int encode_varint(uint8_t out[10], uint64_t value)
{
    int n = 0;

    for (; value >= 0x80; value >>= 7)
        out[n++] = (uint8_t)(value | 0x80);
    out[n++] = (uint8_t)value;
    return n;
}

static void put_varint(pare_wire *w, uint64_t value)
{
    uint8_t code[10];

    put(w, code, (size_t)encode_varint(code, value));
}

static void put_tag(pare_wire *w, int number, pare_wire_type type)
{
    put_varint(w, (uint64_t)number << 3 | (unsigned)type);
}

void pare_wire_begin(pare_wire *w, int number)
{
    assert(w->depth < PARE_WIRE_OPEN);
    put_tag(w, number, PARE_WIRE_BYTES);
    w->open[w->depth] = w->size;
    w->open_blobs[w->depth++] = w->n_blobs;
}

/* Puts the length in front of what was written since begin, which moves up by its one to ten bytes. */
void pare_wire_end(pare_wire *w)
{
    assert(w->depth > 0);
    const int at = w->open[--w->depth];
    uint64_t  length = 0;
    uint8_t   code[10];

    if (w->failed)
        return;
    length = (uint64_t)(w->size - at);
    for (int i = w->open_blobs[w->depth]; i < w->n_blobs; i++)
        length += w->blobs[i].size;
    const int n = encode_varint(code, length);
    if (!reserve(w, (size_t)n))
        return;
    memmove(w->bytes + at + n, w->bytes + at, (size_t)(w->size - at));
    memcpy(w->bytes + at, code, (size_t)n);
    w->size += n;
    for (int i = w->open_blobs[w->depth]; i < w->n_blobs; i++)
        w->blobs[i].at += (size_t)n;
}

void pare_wire_int(pare_wire *w, int number, int64_t value)
{
    put_tag(w, number, PARE_WIRE_VARINT);
    put_varint(w, (uint64_t)value);
}

void pare_wire_float(pare_wire *w, int number, float value)
{
    uint32_t bits;
    uint8_t  le[4];

    memcpy(&bits, &value, sizeof(bits));
    for (int i = 0; i < 4; i++)
        le[i] = (uint8_t)(bits >> 8 * i);
    put_tag(w, number, PARE_WIRE_32);
    put(w, le, sizeof(le));
}

void pare_wire_bytes(pare_wire *w, int number, const void *data, size_t size)
{
    put_tag(w, number, PARE_WIRE_BYTES);
    put_varint(w, size);
    put(w, data, size);
}

void pare_wire_text(pare_wire *w, int number, const char *text)
{
    pare_wire_bytes(w, number, text, strlen(text));
}

void pare_wire_blob_of(pare_wire *w, int number, const void *data, size_t size)
{
    put_tag(w, number, PARE_WIRE_BYTES);
    put_varint(w, size);
    if (w->failed || size == 0)
        return;
    if (!pare_grow(&w->blobs, &w->blobs_cap, w->n_blobs + 1, sizeof(*w->blobs))) {
        w->failed = true;
        return;
    }
    w->blobs[w->n_blobs++] = (pare_wire_blob){ .at = (size_t)w->size, .data = data, .size = size };
}

uint64_t pare_wire_size(const pare_wire *w)
{
    uint64_t size = (uint64_t)w->size;

    for (int i = 0; i < w->n_blobs; i++)
        size += w->blobs[i].size;
    return size;
}

pare_status pare_wire_flush(const pare_wire *w, pare_outfile *file)
{
    size_t at = 0;

    assert(w->depth == 0);
    if (w->failed)
        return pare_fail_memory((size_t)w->size, "a model file's nodes and names");
    for (int i = 0; i < w->n_blobs; i++) {
        PARE_TRY(pare_outfile_write(file, w->bytes + at, w->blobs[i].at - at));
        PARE_TRY(pare_outfile_write(file, w->blobs[i].data, w->blobs[i].size));
        at = w->blobs[i].at;
    }
    return w->size ? pare_outfile_write(file, w->bytes + at, (size_t)w->size - at) : PARE_OK;
}

void pare_wire_free(pare_wire *w)
{
    pare_free(w->bytes);
    pare_free(w->blobs);
    *w = (pare_wire){ 0 };
}
