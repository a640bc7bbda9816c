/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onnx.h - ONNX inside this folder: the parts of its messages that become graphs, and who makes what of them.
 *
 * Reading goes: wire.c -> onnx_parse.c (a node as the file says it) -> onnx_upgrade.c (the same in the newest
 * operator set) -> onnx_node.c (op descriptor and attribute table) -> onnx_read.c (the graph). Writing is
 * onnx_write.c (model, values), onnx_write_node.c (nodes) and onnx_since.c (which operator set that takes).
 */
#ifndef PARE_IO_ONNX_H
#define PARE_IO_ONNX_H

#include "base/arena.h"
#include "base/map.h"
#include "graph/graph.h"
#include "io/format.h"
#include "io/wire.h"

enum {
    PARE_ONNX_OLDEST = 7,  /* read                                                                        */
    PARE_ONNX_NEWEST = 25, /* read; after 21 came new types and ops, but no op of ours changed its meaning */
    PARE_ONNX_FIRST = 13,  /* written                                                                     */
};

/* Field numbers of onnx.proto. */
enum {
    ONNX_MODEL_IR_VERSION = 1,
    ONNX_MODEL_PRODUCER = 2,
    ONNX_MODEL_PRODUCER_VERSION = 3,
    ONNX_MODEL_GRAPH = 7,
    ONNX_MODEL_OPSET = 8,
    ONNX_MODEL_META = 14,
    ONNX_MODEL_FUNCTION = 25,

    ONNX_OPSET_DOMAIN = 1,
    ONNX_OPSET_VERSION = 2,

    ONNX_FUNCTION_NAME = 1,

    ONNX_ENTRY_KEY = 1,
    ONNX_ENTRY_VALUE = 2,

    ONNX_GRAPH_NODE = 1,
    ONNX_GRAPH_NAME = 2,
    ONNX_GRAPH_INITIALIZER = 5,
    ONNX_GRAPH_INPUT = 11,
    ONNX_GRAPH_OUTPUT = 12,
    ONNX_GRAPH_SPARSE = 15,

    ONNX_NODE_INPUT = 1,
    ONNX_NODE_OUTPUT = 2,
    ONNX_NODE_NAME = 3,
    ONNX_NODE_TYPE = 4,
    ONNX_NODE_ATTRIBUTE = 5,
    ONNX_NODE_DOMAIN = 7,

    ONNX_ATTR_NAME = 1,
    ONNX_ATTR_F = 2,
    ONNX_ATTR_I = 3,
    ONNX_ATTR_S = 4,
    ONNX_ATTR_T = 5,
    ONNX_ATTR_G = 6,
    ONNX_ATTR_FLOATS = 7,
    ONNX_ATTR_INTS = 8,
    ONNX_ATTR_STRINGS = 9,
    ONNX_ATTR_TYPE = 20,
    ONNX_ATTR_REF = 21,

    ONNX_TENSOR_DIMS = 1,
    ONNX_TENSOR_TYPE = 2,
    ONNX_TENSOR_FLOATS = 4,
    ONNX_TENSOR_INT32S = 5,
    ONNX_TENSOR_STRINGS = 6,
    ONNX_TENSOR_INT64S = 7,
    ONNX_TENSOR_NAME = 8,
    ONNX_TENSOR_RAW = 9,
    ONNX_TENSOR_DOUBLES = 10,
    ONNX_TENSOR_UINT64S = 11,
    ONNX_TENSOR_EXTERNAL = 13,
    ONNX_TENSOR_LOCATION = 14,

    ONNX_VALUE_NAME = 1,
    ONNX_VALUE_TYPE = 2,
    ONNX_TYPE_TENSOR = 1,
    ONNX_TYPE_SEQUENCE = 4,
    ONNX_TYPE_MAP = 5,
    ONNX_TYPE_SPARSE = 8,
    ONNX_TYPE_OPTIONAL = 9,
    ONNX_TENSOR_TYPE_ELEM = 1,
    ONNX_TENSOR_TYPE_SHAPE = 2,
    ONNX_SHAPE_DIM = 1,
    ONNX_DIM_VALUE = 1,
    ONNX_DIM_PARAM = 2,
};

/* AttributeProto.type */
typedef enum pare_onnx_kind {
    ONNX_KIND_NONE,
    ONNX_KIND_FLOAT,
    ONNX_KIND_INT,
    ONNX_KIND_STRING,
    ONNX_KIND_TENSOR,
    ONNX_KIND_GRAPH,
    ONNX_KIND_FLOATS,
    ONNX_KIND_INTS,
    ONNX_KIND_STRINGS, /* the rest is refused */
} pare_onnx_kind;

/* ------------------------------------------------------------------------------------------- reading one file */

/* A file that tensors name; mapped once. */
typedef struct pare_onnx_external {
    const char                *location;
    pare_buf                  *bytes;
    struct pare_onnx_external *next;
} pare_onnx_external;

/* A node that can be finished only when shapes are known (Softmax before opset 13). */
typedef struct pare_onnx_late {
    pare_node             *node;
    struct pare_onnx_late *next;
} pare_onnx_late;

/* What the file declares of an output. */
typedef struct pare_onnx_hint {
    pare_value            *value;
    bool                   has_shape;
    pare_shape             shape;
    const char            *dim_name[PARE_MAX_RANK];
    struct pare_onnx_hint *next;
} pare_onnx_hint;

typedef struct pare_onnx {
    const pare_source  *source;
    pare_arena         *arena; /* what dies with the reading                                       */
    int                 opset;
    int                 depth;     /* messages we are inside of                                        */
    bool                no_memory; /* something is called damaged because there was no room for it        */
    pare_map            functions; /* names of the model's local functions, to name them when refused  */
    pare_map            dropped;   /* outputs only training has -> the node's op type                  */
    pare_onnx_external *externals;
    pare_onnx_late     *late;
    pare_onnx_hint     *hints;
} pare_onnx;

/* Names of one graph of the file, and those around it. */
typedef struct pare_onnx_scope {
    pare_onnx                    *file;
    pare_graph                   *g;
    pare_map                      values; /* name in the file -> pare_value  */
    pare_map                      listed; /* outputs so far                  */
    const struct pare_onnx_scope *outer;
} pare_onnx_scope;

pare_value *pare_onnx_lookup(const pare_onnx_scope *scope, const char *name); /* NULL: nobody makes it */

/* ModelProto to graph, and back: the descriptor's read and write. */
pare_status pare_onnx_read(const pare_source *source, pare_graph **out);
pare_status pare_onnx_write(const pare_graph *g, const char *path, const pare_save_options *options);

/* Reads a GraphProto into an empty graph (onnx_read.c); bodies come back here. */
pare_status pare_onnx_read_graph(pare_onnx *file, pare_cursor message, pare_graph *g, const pare_onnx_scope *outer);

/* ---------------------------------------------------------------------------------------------- a node, parsed */

typedef struct pare_onnx_attr {
    const char            *name;
    pare_onnx_kind         kind;
    int64_t                i;
    float                  f;
    const char            *s; /* STRING; STRINGS joined by commas */
    int64_t               *ints;
    float                 *floats;
    int                    n;       /* of ints or floats */
    pare_cursor            message; /* TENSOR, GRAPH */
    struct pare_onnx_attr *next;
} pare_onnx_attr;

/* Either a name of the file ("": left out) or a constant that an upgrade made out of an attribute. */
typedef struct pare_onnx_input {
    const char        *name;
    const pare_tensor *made; /* in the file's arena          */
    const char        *stem; /* what to call it: "axes"      */
} pare_onnx_input;

enum { PARE_ONNX_SPARE_INPUTS = 4 }; /* room behind in[] for upgrades */

typedef struct pare_onnx_node {
    const char            *name;   /* "" when the file gives none          */
    const char            *type;   /* "Conv"                               */
    const char            *domain; /* "" is ONNX's own                     */
    const char            *label;  /* "node 'conv1' (Conv)" for messages   */
    pare_onnx_input       *in;     /* [n_in + PARE_ONNX_SPARE_INPUTS]      */
    const char           **out;    /* [n_out]                              */
    int                    n_in, n_out;
    pare_onnx_attr        *attrs;
    bool                   coerced; /* softmax of the 2-D view at `axis`   */
    struct pare_onnx_node *next;
} pare_onnx_node;

/* Text of a field in the arena; "" and the message's `bad` when damaged. A name has no control characters. */
const char *pare_onnx_text(pare_onnx *file, pare_field *f);
const char *pare_onnx_name(pare_onnx *file, pare_field *f);

pare_status     pare_onnx_parse_node(pare_onnx *file, pare_cursor message, pare_onnx_node **out);
pare_onnx_attr *pare_onnx_attr_find(const pare_onnx_node *n, const char *name); /* NULL: not given */
void            pare_onnx_attr_drop(pare_onnx_node *n, const char *name);

/* A ValueInfoProto. */
typedef struct pare_onnx_info {
    const char *name;
    pare_dtype  dtype; /* PARE_NO_DTYPE: no type given */
    bool        has_shape;
    pare_shape  shape;
    const char *dim_name[PARE_MAX_RANK];
} pare_onnx_info;

pare_status pare_onnx_parse_info(pare_onnx *file, pare_cursor message, pare_onnx_info *out);

/* Lifts a node to the newest operator set (onnx_upgrade.c). `scope` holds the constants known so far. */
pare_status pare_onnx_upgrade(pare_onnx_scope *scope, pare_onnx_node *n);
/* Finishes what needed shapes; *changed: they must be inferred again. */
pare_status pare_onnx_upgrade_late(pare_onnx *file, bool *changed);

/* Adds the node to scope->g (onnx_node.c); its outputs are there already. */
pare_status pare_onnx_build_node(pare_onnx_scope *scope, pare_onnx_node *n);

/* ---------------------------------------------------------------------------------------------------- tensors */

/*
 * A TensorProto in any of its forms (onnx_tensor.c). Raw data is shared with the file when it is aligned for its type.
 * Release with pare_tensor_release. `name` is in the arena, "" when there is none.
 */
pare_status pare_onnx_read_tensor(pare_onnx *file, pare_cursor message, pare_tensor *out, const char **name);

typedef struct pare_onnx_place {
    const char *location;
    int64_t     offset, length; /* length -1: not given */
} pare_onnx_place;

/* The bytes a tensor of `size` bytes has in another file (onnx_external.c); one reference. */
pare_status pare_onnx_read_external(pare_onnx *file, const pare_onnx_place *place, size_t size, pare_buf **out);

/* ---------------------------------------------------------------------------------------------------- writing */

typedef struct pare_onnx_writer {
    pare_wire       wire;
    pare_arena     *arena; /* names that only the file has                                   */
    int             opset;
    pare_map        read;   /* names of the values that the written nodes and outputs read    */
    pare_tensor    *copies; /* dense ones of strided constants, until the file is out         */
    int             n_copies, copies_cap;
    const char     *data_name; /* of the file with the large tensors; NULL: everything is inline */
    uint64_t        data_size; /* planned for it so far                                          */
    pare_wire_blob *outside;   /* its tensors; `at` is the offset                                */
    int             n_outside, outside_cap;
} pare_onnx_writer;

/* The smallest operator set that can say this node, or graph with its bodies; *why names the node. (onnx_since.c) */
int pare_onnx_since_node(const pare_node *n);
int pare_onnx_since(const pare_graph *g, const pare_node **why);
/* Input `index` of a node is written as an attribute of this name at this operator set; NULL: as an input. */
const char *pare_onnx_as_attribute(const pare_node *n, int index, int opset);
/* The operator set's IR version. */
int  pare_onnx_ir_version(int opset);
bool pare_onnx_attr_is_default(const pare_attr *attr, const void *attrs);
/* The attribute has no default in ONNX and is always written. */
bool pare_onnx_is_required(const pare_op *op, const pare_attr *attr);

pare_status pare_onnx_write_graph(pare_onnx_writer *w, const pare_graph *g); /* the fields of a GraphProto  */
pare_status pare_onnx_write_node(pare_onnx_writer *w, const pare_node *n);   /* NodeProtos, one or two      */
pare_status pare_onnx_write_tensor(pare_onnx_writer *w, int field, const char *name, const pare_tensor *t);

#endif
