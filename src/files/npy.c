/* SPDX-License-Identifier: Apache-2.0 */
/* npy.c - NumPy's .npy files: a magic, a version, a Python dict as text, then the bytes */
#include "files/npy.h"

#include <stdio.h>
#include <string.h>

#include "base/cursor.h"
#include "base/outfile.h"
#include "base/status.h"
#include "tensor/tensor.h"

/* The dtypes both sides know; NumPy's name without the byte order. */
static const struct {
    const char *descr;
    pare_dtype  dtype;
} types[] = {
    { "f4", PARE_f32 }, { "f8", PARE_f64 }, { "f2", PARE_f16 }, { "u1", PARE_u8 },
    { "i1", PARE_s8 },  { "u2", PARE_u16 }, { "i2", PARE_s16 }, { "u4", PARE_u32 },
    { "i4", PARE_s32 }, { "u8", PARE_u64 }, { "i8", PARE_s64 }, { "b1", PARE_bool },
};
enum { N_TYPES = sizeof(types) / sizeof(types[0]) };

static void skip_space(pare_cursor *c)
{
    while (pare_cursor_left(c) && (*c->at == ' ' || *c->at == '\n'))
        c->at++;
}

/* True, and past it, when the next byte that is not a space is `wanted`. */
static bool accept(pare_cursor *c, char wanted)
{
    skip_space(c);
    if (!pare_cursor_left(c) || *c->at != (uint8_t)wanted)
        return false;
    c->at++;
    return true;
}

/* A quoted word of at most size - 1 bytes. */
static bool parse_word(pare_cursor *c, char *text, size_t size)
{
    skip_space(c);

    const char quote = (char)pare_cursor_u8(c);
    size_t     n = 0;

    if (quote != '\'' && quote != '"')
        return false;
    while (n + 1 < size && pare_cursor_left(c) && *c->at != (uint8_t)quote)
        text[n++] = (char)*c->at++;
    text[n] = '\0';
    return accept(c, quote);
}

/* "(3, 224, 224)", "(7,)" or "()" */
static pare_status parse_shape(pare_cursor *c, pare_shape *shape)
{
    if (!accept(c, '('))
        return pare_fail(PARE_ERR_DATA, "npy: the shape is not a tuple");
    while (!accept(c, ')')) {
        int64_t value = 0;
        int     digits = 0;

        if (shape->rank == PARE_MAX_RANK)
            return pare_fail(PARE_ERR_UNSUPPORTED, "npy: more than %d dimensions", PARE_MAX_RANK);
        skip_space(c);
        for (; pare_cursor_left(c) && *c->at >= '0' && *c->at <= '9' && digits < 18; digits++)
            value = value * 10 + (*c->at++ - '0');
        if (digits == 0)
            return pare_fail(PARE_ERR_DATA, "npy: a dimension is not a number");
        shape->dim[shape->rank++] = value;
        if (!accept(c, ',') && (!pare_cursor_left(c) || *c->at != ')'))
            return pare_fail(PARE_ERR_DATA, "npy: damaged shape");
    }
    return PARE_OK;
}

static pare_status parse_descr(const char *descr, pare_dtype *out)
{
    const char order = descr[0];

    for (int i = 0; i < N_TYPES; i++)
        if (order && strcmp(descr + 1, types[i].descr) == 0) {
            if (order == '>' && descr[2] != '1')
                return pare_fail(PARE_ERR_UNSUPPORTED, "npy: big-endian '%s'; save it with astype('<%s')", descr,
                                 types[i].descr);
            *out = types[i].dtype;
            return PARE_OK;
        }
    return pare_fail(PARE_ERR_UNSUPPORTED, "npy: element type '%.16s'; f2 f4 f8, i1 to i8, u1 to u8 and b1 are known",
                     descr);
}

/* {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), } in any order */
static pare_status parse_dict(pare_cursor *c, pare_npy *out, bool *fortran)
{
    char key[16], descr[24] = "";
    bool shaped = false;

    if (!accept(c, '{'))
        return pare_fail(PARE_ERR_DATA, "npy: the header is not a dict");
    while (!accept(c, '}')) {
        if (!parse_word(c, key, sizeof(key)) || !accept(c, ':'))
            return pare_fail(PARE_ERR_DATA, "npy: damaged header");
        if (strcmp(key, "descr") == 0) {
            if (!parse_word(c, descr, sizeof(descr)))
                return pare_fail(PARE_ERR_UNSUPPORTED, "npy: a structured element type; save plain numbers");
        } else if (strcmp(key, "shape") == 0 && !shaped) {
            PARE_TRY(parse_shape(c, &out->shape));
            shaped = true;
        } else if (strcmp(key, "fortran_order") == 0) {
            skip_space(c);
            *fortran = pare_cursor_left(c) && *c->at == 'T';
            (void)pare_cursor_bytes(c, *fortran ? 4 : 5); /* True, False */
        } else {
            return pare_fail(PARE_ERR_DATA, "npy: unexpected '%s' in the header", key);
        }
        if (!accept(c, ',') && (!pare_cursor_left(c) || *c->at != '}'))
            return pare_fail(PARE_ERR_DATA, "npy: damaged header");
    }
    if (!shaped || !descr[0])
        return pare_fail(PARE_ERR_DATA, "npy: header without shape or element type");
    return parse_descr(descr, &out->dtype);
}

pare_status pare_npy_read_any(const uint8_t *bytes, size_t size, pare_npy *out, bool *column_major)
{
    static const uint8_t magic[] = { 0x93, 'N', 'U', 'M', 'P', 'Y' };
    pare_cursor          c = pare_cursor_of(bytes, size);

    *out = (pare_npy){ 0 };
    *column_major = false;

    const uint8_t *const start = pare_cursor_bytes(&c, sizeof(magic));
    if (!start || memcmp(start, magic, sizeof(magic)) != 0)
        return pare_fail(PARE_ERR_DATA, "not a .npy file");

    const int major = pare_cursor_u8(&c);
    (void)pare_cursor_u8(&c); /* the minor version changes nothing */
    if (major < 1 || major > 3)
        return pare_fail(PARE_ERR_UNSUPPORTED, "npy: version %d; 1 to 3 are known", major);

    const size_t length = major == 1 ? pare_cursor_u16le(&c) : pare_cursor_u32le(&c);
    pare_cursor  header = pare_cursor_sub(&c, length);
    if (c.bad)
        return pare_fail(PARE_ERR_DATA, "npy: file ends inside the header");
    PARE_TRY(parse_dict(&header, out, column_major));
    *column_major = *column_major && out->shape.rank > 1; /* a vector has one order */

    const int64_t count = pare_shape_count(&out->shape);
    const int64_t item = pare_dtype_bits(out->dtype) / 8;
    if (count < 0 || count > (int64_t)(pare_cursor_left(&c) / (size_t)item))
        return pare_fail(PARE_ERR_DATA, "npy: file ends inside the array");
    out->data = c.at;
    return PARE_OK;
}

pare_status pare_npy_read(const uint8_t *bytes, size_t size, pare_npy *out)
{
    bool column_major;

    PARE_TRY(pare_npy_read_any(bytes, size, out, &column_major));
    if (column_major)
        return pare_fail(PARE_ERR_UNSUPPORTED, "npy: column-major array; save it with numpy.ascontiguousarray");
    return PARE_OK;
}

pare_status pare_npy_head(pare_dtype dtype, const pare_shape *shape, char head[PARE_NPY_HEAD], size_t *size)
{
    const char *descr = NULL;
    char        dict[PARE_NPY_HEAD - 64];
    int         n = 0;

    for (int i = 0; i < N_TYPES; i++)
        if (types[i].dtype == dtype)
            descr = types[i].descr;
    if (!descr)
        return pare_fail(PARE_ERR_UNSUPPORTED, ".npy has no %s", pare_dtype_name(dtype));
    if (pare_shape_count(shape) < 0)
        return pare_fail(PARE_ERR_SHAPE, "the shape of the array is not fixed");

    n += snprintf(dict + n, sizeof(dict) - (size_t)n, "{'descr': '%c%s', 'fortran_order': False, 'shape': (",
                  descr[1] == '1' ? '|' : '<', descr);
    for (int i = 0; i < shape->rank; i++)
        n += snprintf(dict + n, sizeof(dict) - (size_t)n, "%s%lld%s", i ? " " : "", (long long)shape->dim[i],
                      i + 1 < shape->rank || i == 0 ? "," : "");
    n += snprintf(dict + n, sizeof(dict) - (size_t)n, "), }");

    /* The dict is filled with spaces and a newline so that the array starts at a multiple of 64. */
    const int length = (10 + n + 1 + 63) / 64 * 64 - 10;

    memcpy(head, "\x93NUMPY\1\0", 8);
    head[8] = (char)(length & 255);
    head[9] = (char)(length >> 8);
    snprintf(head + 10, PARE_NPY_HEAD - 10, "%-*s\n", length - 1, dict);
    *size = (size_t)length + 10;
    return PARE_OK;
}

pare_status pare_npy_write(const char *path, const pare_npy *array)
{
    char          head[PARE_NPY_HEAD];
    size_t        size;
    pare_outfile *file = NULL;
    pare_status   status = pare_npy_head(array->dtype, &array->shape, head, &size);

    if (status != PARE_OK)
        return pare_fail_in(status, "%s", path);
    PARE_TRY(pare_outfile_open(path, &file));
    PARE_GOTO(pare_outfile_write(file, head, size));
    PARE_GOTO(
        pare_outfile_write(file, array->data, (size_t)pare_shape_count(&array->shape) * pare_dtype_size(array->dtype)));
    return pare_outfile_commit(file);
out:
    pare_outfile_discard(file);
    return status;
}
