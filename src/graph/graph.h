/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph.h - the IR: nodes (op + attributes) on values (dtype, shape, qparams, format, name).
 *
 * The graph owns nodes, values and names in one arena, which its bodies share. Nodes form a list in execution order. A
 * value is a graph input, a constant (t.data set) or an output of its producer. Names are keys: a rewrite keeps the
 * name of the value it stands for. Bodies (If) are graphs with a parent, whose nodes may read the parent's values
 * directly.
 */
#ifndef PARE_GRAPH_GRAPH_H
#define PARE_GRAPH_GRAPH_H

#include <pare/graph.h>

#include "base/arena.h"
#include "base/map.h"
#include "ops/op.h"

typedef struct pare_node  pare_node;
typedef struct pare_value pare_value;

/* How a value lies in memory when planned; chosen by passes/choose_layout. */
typedef enum pare_format {
    PARE_DENSE,         /* row-major in logical order                                                         */
    PARE_CHANNELS_LAST, /* N, spatial ..., C; pixel stride a multiple of 64 bytes (32 when 8-bit with C <= 32) */
} pare_format;

struct pare_value {
    const char *name;      /* unique in the graph and its bodies                                       */
    pare_tensor t;         /* dtype (PARE_NO_DTYPE: unknown), shape, data when constant, q when quantized */
    bool        has_shape; /* t.shape is known (dims may be PARE_DIM_ANY)                              */
    const char *dim_name[PARE_MAX_RANK]; /* of symbolic dims, for input and output; NULL: none          */
    pare_node  *producer;                /* NULL: graph input or constant                                            */
    int         n_uses;                  /* node inputs (bodies' too) and graph outputs that read it                 */
    bool        is_input;
    pare_format format;
    int         halo[2][2]; /* [spatial axis h, w][before, after]: pixels around the image, channels-last only */
    pare_value *home;       /* its bytes are this value's channels from home_channel on; NULL: memory of its own */
    int64_t     home_channel;
    pare_graph *graph; /* the graph that owns it                                                   */
    int         id;    /* dense number, for tables indexed by value: see pare_graph_number         */
    int         mark;  /* scratch of one walk over the graph; means nothing outside it             */
    pare_value *next;  /* all values of the graph, in order of creation                            */
};

struct pare_node {
    const pare_op *op;
    const char    *name;  /* unique; made from the first output's name when the file gives none */
    void          *attrs; /* op->attrs_size bytes                                               */
    pare_value   **in;    /* [n_in]; NULL: left out                                             */
    pare_value   **out;   /* [n_out]; NULL: not wanted                                          */
    int            n_in, n_out;
    pare_node     *prev, *next;
    pare_graph    *graph; /* NULL once removed                                                  */
    int            mark;  /* scratch of one walk over the graph; means nothing outside it       */
    const char    *note;  /* why a pass left it in float, for reports; NULL: nothing to say     */
};

struct pare_graph {
    pare_arena  *arena;
    const char  *name;
    const char  *file; /* where it came from, for messages; NULL: built by hand */
    pare_node   *first, *last;
    pare_value  *values, *values_tail;
    pare_value **inputs;  /* [n_inputs]  */
    pare_value **outputs; /* [n_outputs] */
    int          n_inputs, n_outputs;
    int          inputs_cap, outputs_cap;
    int          n_values; /* after pare_graph_number: ids are 0 .. n_values-1, bodies included in their own */
    pare_graph  *parent;   /* of a body */
    pare_graph  *bodies;   /* of the outermost graph: all bodies below it, by next_body */
    pare_graph  *next_body;
    pare_map     names; /* of the outermost graph: value names, bodies' included     */
    pare_map     node_names;
    int          serial; /* next number for a value without a name                    */
    const char **meta;   /* [2 * n_meta] key, value: metadata_props of the file */
    int          n_meta, meta_cap;
    int          opset; /* of the default domain it was read with; 0: built by hand */
};

/* ------------------------------------------------------------------------------------------------------- build */

pare_status pare_graph_create(const char *name, pare_graph **out);
pare_status pare_graph_create_body(pare_graph *parent, const char *name, pare_graph **out); /* dies with the parent */

/* A new value without producer. The name is copied; a taken or empty one gets a number behind it. */
pare_status pare_graph_add_value(pare_graph *g, const char *name, pare_value **out);
pare_status pare_graph_add_input(pare_graph *g, const char *name, pare_dtype dtype, const pare_shape *shape,
                                 pare_value **out); /* NULL shape: not known, not even the rank */
pare_status pare_value_set_input(pare_value *v, pare_dtype dtype, const pare_shape *shape); /* the same of one there */
/* Takes a reference to t->buf (or copies the bytes into a new one when t->buf is NULL) and t->q's content. */
pare_status pare_graph_add_const(pare_graph *g, const char *name, const pare_tensor *t, pare_value **out);
pare_status pare_graph_add_output(pare_graph *g, pare_value *v);
pare_status pare_graph_set_file(pare_graph *g, const char *file);
pare_graph *pare_graph_outermost(const pare_graph *g);              /* itself, or of a body the graph all around it */
pare_value *pare_graph_find(const pare_graph *g, const char *name); /* looks in parents too; NULL: none */
pare_status pare_graph_add_meta(pare_graph *g, const char *key, const char *value);
const char *pare_graph_meta(const pare_graph *g, const char *key); /* NULL: none */

/*
 * A node with default attributes, put before `before` (NULL: at the end). in[] and out[] are copied; outputs may be
 * NULL (not wanted) and must have no producer yet.
 */
pare_status pare_graph_add_node(pare_graph *g, const pare_op *op, const char *name, int n_in, pare_value *const *in,
                                int n_out, pare_value *const *out, pare_node *before, pare_node **result);

/* For the functions of this floor. A dense tensor that keeps its bytes alive itself: shares t->buf where it can, else
 * copies; and an arena copy of a name, with a number behind it where `map` has it already (NULL: out of memory). */
pare_status pare_graph_keep_tensor(pare_graph *g, const pare_tensor *t, pare_tensor *out);
const char *pare_graph_free_name(pare_graph *g, const pare_map *map, const char *name);

/* Attributes by name: assert that the op's table has it with this type (i: INT or DTYPE, s: STRING or STRINGS). */
void        pare_node_set_i(pare_node *n, const char *attr, int64_t value);
void        pare_node_set_f(pare_node *n, const char *attr, float value);
void        pare_node_set_ints(pare_node *n, const char *attr, int count, const int64_t *values);
void        pare_node_set_floats(pare_node *n, const char *attr, int count, const float *values);
void        pare_node_set_graph(pare_node *n, const char *attr, pare_graph *body); /* a body of n->graph          */
pare_status pare_node_set_s(pare_node *n, const char *attr, const char *value);    /* copied                      */
pare_status pare_node_set_tensor(pare_node *n, const char *attr, const pare_tensor *t); /* as pare_graph_add_const   */
int64_t     pare_node_i(const pare_node *n, const char *attr);
float       pare_node_f(const pare_node *n, const char *attr);
const char *pare_node_s(const pare_node *n, const char *attr);
const pare_ints *pare_node_ints(const pare_node *n, const char *attr);
pare_graph      *pare_node_graph(const pare_node *n, const char *attr);
pare_graph      *pare_node_body(const pare_node *n, int index); /* the index-th body that is there; NULL past the end */

/* -------------------------------------------------------------------------------------------------------- edit */

void        pare_node_set_in(pare_node *n, int index, pare_value *v); /* keeps n_uses right; v may be NULL         */
pare_status pare_node_add_in(pare_node *n, pare_value *v);            /* one more input at the end                 */
void pare_graph_replace_uses(pare_graph *g, pare_value *from, pare_value *to); /* node inputs and graph outputs    */
void pare_graph_remove_node(pare_node *n); /* its outputs lose their producer           */
/* Takes out a node: readers of out[0] read in[0] instead; nobody may read its other outputs. Where out[0] is a graph
 * output (whose name must stay) the value of in[0] is renamed to it, or false when that is impossible (it is a graph
 * input, a constant or another output) and nothing is changed. */
bool pare_graph_bypass(pare_node *n);
/* As bypass, and in[0]'s value now stands for out[0]: it takes over the name. For fusing n into its producer. */
bool pare_graph_absorb(pare_node *n);
/* Gives input `index` a new constant in place of the old one, whose name it takes when nobody else reads the old. */
pare_status pare_node_replace_const(pare_node *n, int index, const pare_tensor *t);
/* The value (without producer by now) becomes a constant. Takes t like pare_graph_add_const. */
pare_status pare_value_set_const(pare_value *v, const pare_tensor *t);
/* Drops values that nobody makes or reads, constants first of all. Graph inputs stay. */
void pare_graph_sweep(pare_graph *g);
/* Moves nodes and values of a body of node n out in front of n, into its graph. The body is left empty. */
void pare_graph_unpack_body(pare_node *n, pare_graph *body);
/* Gives n the attributes of a node of the same op, of any graph; bodies are copied with it. */
pare_status pare_node_copy_attrs(const pare_node *from, pare_node *n);
/* Swaps the op of a node: new default attributes, same inputs and outputs. */
pare_status pare_node_become(pare_node *n, const pare_op *op);
pare_status pare_value_set_q(pare_value *v, const pare_qparams *q); /* copied into the arena; NULL clears        */
void        pare_graph_swap_names(pare_value *a, pare_value *b);

/* -------------------------------------------------------------------------------------------------------- walk */

bool       pare_value_is_const(const pare_value *v);
bool       pare_value_is_output(const pare_value *v); /* one of its graph's outputs                */
pare_node *pare_value_only_user(const pare_value *v); /* NULL unless exactly one node and no output*/
/* Calls fn for each node input that reads v (bodies included); stops when fn returns false. */
void pare_value_each_user(const pare_value *v, bool (*fn)(pare_node *n, int input, void *arg), void *arg);
int  pare_graph_n_nodes(const pare_graph *g);
bool pare_value_visible(const pare_value *v, const pare_graph *g); /* v is of g or of a graph around it          */
/* A call of the node on its values' tensors: in[] points to them; out[] to tensors of the call's own, which start with
 * the values' dtype and qparams. One heap block, pare_free. NULL: out of memory, reported. */
pare_call *pare_node_call(const pare_node *n);
/* Numbers values 0..n-1 (id, n_values). */
void pare_graph_number(pare_graph *g);

/* --------------------------------------------------------------------------------------------- whole-graph work */

/* A deep copy that shares constant bytes. */
pare_status pare_graph_clone(const pare_graph *g, pare_graph **out);
/* Puts nodes into execution order; PARE_ERR_DATA names a node on a cycle or an input nobody makes. */
pare_status pare_graph_sort(pare_graph *g);
/*
 * Infers dtype and shape of every value, front to back. With `strict` every shape must come out fixed, else
 * PARE_ERR_DYNAMIC names the node; without, values whose shape is not yet known keep has_shape == false.
 * Bodies are inferred too. The sentence names file, node and tensor.
 */
pare_status pare_graph_infer(pare_graph *g, bool strict);
/* Everything that must hold between passes: order, uses, names, attribute ranges, dtypes. */
pare_status pare_graph_verify(const pare_graph *g);
/* Text IR (docs/ARCHITECTURE.md); print appends to a growing heap string (pare_free). Constants of up to 16
 * elements are written out, larger ones as dtype, shape and a hash. */
pare_status pare_graph_print(const pare_graph *g, char **text);
pare_status pare_graph_parse(const char *text, pare_graph **out);
/* Sets attributes as they are written there: "strides=[2,2] group=3"; NULL: none. The sentence names the op. */
pare_status pare_node_parse_attrs(pare_node *n, const char *text);

#endif
