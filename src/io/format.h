/* SPDX-License-Identifier: Apache-2.0 */
/* format.h - what a model file format is */
#ifndef PARE_IO_FORMAT_H
#define PARE_IO_FORMAT_H

#include <pare/io.h>

#include "graph/graph.h"

/* A model's bytes and where they came from. */
typedef struct pare_source {
    const char *name;   /* for messages: the path                                        */
    const char *folder; /* files beside it may be read from here; NULL: there are none    */
    pare_buf   *bytes;
} pare_source;

typedef struct pare_model_format {
    const char *name;   /* "onnx"                  */
    const char *about;  /* one line for listings   */
    const char *ending; /* of file names, ".onnx"  */
    /* True when the bytes can only be this format; they may be damaged further on. */
    bool (*detect)(const uint8_t *bytes, size_t size);
    /* The graph as the file says it, sorted, shapes inferred as far as they are known. Sentences name the source. */
    pare_status (*read)(const pare_source *source, pare_graph **out);
    /* NULL: this format is only read. */
    pare_status (*write)(const pare_graph *g, const char *path, const pare_save_options *options);
} pare_model_format;

#endif
