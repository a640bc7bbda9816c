/* SPDX-License-Identifier: Apache-2.0 */
/* io.h - model files in and out */
#ifndef PARE_IO_H
#define PARE_IO_H

#include <stdbool.h>
#include <stddef.h>

#include <pare/graph.h>
#include <pare/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Reads a model. The format is recognised by content, then by the name's ending. The file stays mapped while weights
 * lie in it. The sentence of a failure names the file and the node or tensor. Release with pare_graph_destroy.
 */
PARE_API pare_status pare_graph_load(const char *path, pare_graph **out);

/* The same from bytes, which are copied. `name` stands in messages. Data outside of these bytes cannot be reached. */
PARE_API pare_status pare_graph_load_memory(const void *bytes, size_t size, const char *name, pare_graph **out);

typedef struct pare_save_options {
    int  opset;         /* ONNX operator set, 13 to 25; 0 = the smallest that can say it: 13, 21 when 4-bit, 16-bit or
                         * blocked quantization is in it, 25 with 2-bit                                             */
    bool external_data; /* weights in PATH.data beside the model; false = only when it would pass 2 GB              */
} pare_save_options;

/* Writes a model, whole or not at all, in the format of the name's ending. Equal graphs give equal bytes. */
PARE_API pare_status pare_graph_save(const pare_graph *g, const char *path, const pare_save_options *options);

#ifdef __cplusplus
}
#endif
#endif
