/* SPDX-License-Identifier: Apache-2.0 */
/* onnx_info.c - ValueInfoProto: name, element type and shape of an input or output */
#include "base/status.h"
#include "io/onnx.h"
#include "tensor/tensor.h"

/* The refused kinds of TypeProto by name. */
static const char *type_name(uint32_t field)
{
    switch (field) {
    case ONNX_TYPE_SEQUENCE:
        return "a sequence";
    case ONNX_TYPE_MAP:
        return "a map";
    case ONNX_TYPE_SPARSE:
        return "a sparse tensor";
    case ONNX_TYPE_OPTIONAL:
        return "an optional";
    default:
        return NULL;
    }
}

/* -1 as a size is how some exporters write "any". */
static void parse_dim(pare_onnx *file, pare_field *dim, int64_t *value, const char **name)
{
    pare_cursor message = pare_field_bytes(dim);
    pare_field  f;

    *value = PARE_DIM_ANY;
    while (pare_field_next(&message, &f)) {
        if (f.number == ONNX_DIM_VALUE)
            *value = pare_field_int(&f);
        else if (f.number == ONNX_DIM_PARAM)
            *name = pare_onnx_name(file, &f);
    }
    if (message.bad)
        dim->message->bad = true;
}

static pare_status parse_shape(pare_onnx *file, pare_cursor message, pare_onnx_info *info)
{
    pare_field f;

    info->has_shape = true;
    while (pare_field_next(&message, &f)) {
        if (f.number != ONNX_SHAPE_DIM)
            continue;
        if (info->shape.rank == PARE_MAX_RANK)
            return pare_fail(PARE_ERR_UNSUPPORTED, "value '%s' has more than %d dimensions", info->name, PARE_MAX_RANK);
        const int i = info->shape.rank++;
        parse_dim(file, &f, &info->shape.dim[i], &info->dim_name[i]);
        if (info->shape.dim[i] < PARE_DIM_ANY)
            return pare_fail(PARE_ERR_DATA, "value '%s' has the dimension %lld", info->name,
                             (long long)info->shape.dim[i]);
        if (info->dim_name[i] && !info->dim_name[i][0])
            info->dim_name[i] = NULL;
    }
    if (message.bad)
        return pare_fail(PARE_ERR_DATA, "the shape of value '%s' is damaged", info->name);

    pare_shape fixed = info->shape;
    for (int i = 0; i < fixed.rank; i++)
        if (fixed.dim[i] == PARE_DIM_ANY)
            fixed.dim[i] = 1;
    const pare_tensor t = pare_tensor_of(info->dtype, fixed);
    if (pare_shape_count(&fixed) < 0 || (info->dtype != PARE_NO_DTYPE && pare_tensor_bytes(&t) < 0))
        return pare_fail(PARE_ERR_DATA, "value '%s' has an absurd size", info->name);
    return PARE_OK;
}

static pare_status parse_tensor_type(pare_onnx *file, pare_cursor message, pare_onnx_info *info)
{
    pare_cursor shape = pare_cursor_of("", 0);
    bool        shaped = false;
    int64_t     elem = 0;
    pare_field  f;

    while (pare_field_next(&message, &f)) {
        if (f.number == ONNX_TENSOR_TYPE_ELEM)
            elem = pare_field_int(&f);
        else if (f.number == ONNX_TENSOR_TYPE_SHAPE) {
            shape = pare_field_bytes(&f);
            shaped = true;
        }
    }
    if (message.bad)
        return pare_fail(PARE_ERR_DATA, "the type of value '%s' is damaged", info->name);
    info->dtype = pare_dtype_from_onnx(elem);
    if (elem != 0 && info->dtype == PARE_NO_DTYPE)
        return pare_fail(PARE_ERR_UNSUPPORTED, "value '%s' has the ONNX element type %lld%s, which is not supported",
                         info->name, (long long)elem, elem == 8 ? " (string)" : "");
    return shaped ? parse_shape(file, shape, info) : PARE_OK;
}

pare_status pare_onnx_parse_info(pare_onnx *file, pare_cursor message, pare_onnx_info *out)
{
    pare_cursor type = pare_cursor_of("", 0);
    pare_field  f;

    *out = (pare_onnx_info){ .name = "" };
    while (pare_field_next(&message, &f)) {
        if (f.number == ONNX_VALUE_NAME)
            out->name = pare_onnx_name(file, &f);
        else if (f.number == ONNX_VALUE_TYPE)
            type = pare_field_bytes(&f);
    }
    if (message.bad)
        return pare_fail(PARE_ERR_DATA, "an input or output is damaged");
    if (!out->name[0])
        return pare_fail(PARE_ERR_DATA, "an input or output has no name");

    while (pare_field_next(&type, &f)) {
        if (f.number == ONNX_TYPE_TENSOR)
            PARE_TRY(parse_tensor_type(file, pare_field_bytes(&f), out));
        else if (type_name(f.number))
            return pare_fail(PARE_ERR_UNSUPPORTED, "value '%s' is %s; only dense tensors are supported", out->name,
                             type_name(f.number));
    }
    return type.bad ? pare_fail(PARE_ERR_DATA, "the type of value '%s' is damaged", out->name) : PARE_OK;
}
