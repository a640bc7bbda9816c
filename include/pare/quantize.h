/* SPDX-License-Identifier: Apache-2.0 */
/* quantize.h - post-training quantization: which layers, how, with which data */
#ifndef PARE_QUANTIZE_H
#define PARE_QUANTIZE_H

#include <stdbool.h>

#include <pare/data.h>
#include <pare/graph.h>
#include <pare/pool.h>
#include <pare/progress.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum pare_qmode {
    PARE_QMODE_DEFAULT = 0, /* what the weaker rules say; in the end: auto                                       */
    PARE_QMODE_AUTO,        /* static for models with convolutions, dynamic for Linear and recurrent ones         */
    PARE_QMODE_STATIC,      /* activations get fixed scales from calibration data                                 */
    PARE_QMODE_DYNAMIC,     /* activations get a scale per row at run time; no data needed                        */
    PARE_QMODE_FLOAT,       /* left as it is                                                                      */
} pare_qmode;

/* What one weight scale covers. */
typedef enum pare_granularity {
    PARE_GRANULARITY_DEFAULT = 0, /* what the weaker rules say; in the end: per channel */
    PARE_PER_CHANNEL,             /* one output channel                                 */
    PARE_PER_TENSOR,              /* all weights of the layer                           */
} pare_granularity;

/* Settings of one layer; zero means "as the weaker rules say", and in the end the default that is named here. */
typedef struct pare_qconfig {
    pare_qmode  mode;
    const char *observer;    /* of activations, a name of `pare list observers`; default "histogram" */
    int         weight_bits; /* 2 .. 8; default 8                                                     */
    int activation_bits; /* 2 .. 8, of what a layer with weights reads; default 8. A value that others read, too, stays
                            at 8 bits, and the layer gets a coarser form of it */
    pare_granularity granularity; /* of weights; default per output channel                                */
    const char      *reason;      /* why the mode, for the report; default "a rule keeps it in float"      */
} pare_qconfig;

typedef enum pare_rule_kind { PARE_RULE_GLOBAL, PARE_RULE_OP, PARE_RULE_GLOB, PARE_RULE_NAME } pare_rule_kind;

typedef struct pare_rule {
    pare_rule_kind kind;
    const char    *pattern; /* op type ("conv"), glob over node names, or node name; ignored for GLOBAL */
    pare_qconfig   config;
} pare_rule;

typedef struct pare_mapping {
    const pare_rule *rules;
    int              n;
} pare_mapping;

typedef struct pare_quantize_options {
    pare_mapping         mapping;
    const pare_dataset  *calibration; /* needed for static layers; read one sample at a time       */
    int                  samples;     /* at most this many of it; 0 = 200                           */
    const char          *target;      /* "onnx" (default) or "onnxruntime"                          */
    const char          *cache;       /* calibration file: read when it fits, written after; or NULL */
    pare_pool           *pool;        /* NULL: one thread                                            */
    const pare_progress *progress;    /* NULL: silent                                                */
} pare_quantize_options;

/* What was done to one layer. Strings live as long as the result. */
typedef struct pare_layer_report {
    const char *name, *op;
    pare_qmode  mode;        /* STATIC, DYNAMIC or FLOAT                                  */
    const char *reason;      /* why it was left in float; "" otherwise                    */
    int         weight_bits; /* 0: no weights                                             */
    bool        per_channel;
} pare_layer_report;

typedef struct pare_quantize_result pare_quantize_result;

/*
 * Quantizes a float graph: `graph` is not changed, *out is the Q/DQ form, ready to save or to compile: release it with
 * pare_graph_destroy. `result` may be NULL; else pare_quantize_result_destroy it. Errors name file, node and tensor.
 */
PARE_API pare_status pare_quantize(const pare_graph *graph, const pare_quantize_options *options, pare_graph **out,
                                   pare_quantize_result **result);

/* What auto chose, "static" or "dynamic", and why. Strings live as long as the result. */
PARE_API const char *pare_quantize_result_mode(const pare_quantize_result *r);
PARE_API const char *pare_quantize_result_reason(const pare_quantize_result *r);

/* How many layers there are, in execution order, and layer `index` of them. */
PARE_API int                      pare_quantize_result_layers(const pare_quantize_result *r);
PARE_API const pare_layer_report *pare_quantize_result_layer(const pare_quantize_result *r, int index);

PARE_API void pare_quantize_result_destroy(pare_quantize_result *r); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
