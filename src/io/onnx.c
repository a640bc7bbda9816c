/* SPDX-License-Identifier: Apache-2.0 */
/* onnx.c - the descriptor of the ONNX format */
#include "io/onnx.h"

/*
 * ONNX files have no magic number. The top level must be made of fields that a ModelProto has, and a graph must be
 * among them; a file cut off inside the graph is still recognised, so that the reader can say so.
 */
static bool detect(const uint8_t *bytes, size_t size)
{
    enum { LAST_FIELD = 26 };
    pare_cursor c = pare_cursor_of(bytes, size);

    while (!c.bad && pare_cursor_left(&c) > 0) {
        const uint64_t tag = pare_cursor_varint(&c), number = tag >> 3;
        if (number == ONNX_MODEL_GRAPH && (tag & 7) == PARE_WIRE_BYTES)
            return true;
        if (number == 0 || number > LAST_FIELD || ((tag & 7) != PARE_WIRE_VARINT && (tag & 7) != PARE_WIRE_BYTES))
            return false;
        const uint64_t value = pare_cursor_varint(&c);
        if ((tag & 7) == PARE_WIRE_BYTES)
            pare_cursor_bytes(&c, value <= pare_cursor_left(&c) ? (size_t)value : pare_cursor_left(&c) + 1);
    }
    return false;
}

const pare_model_format pare_model_format_onnx = {
    .name = "onnx",
    .about = "ONNX, operator sets 7 to 25",
    .ending = ".onnx",
    .detect = detect,
    .read = pare_onnx_read,
    .write = pare_onnx_write,
};
