/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nn.h - calling operations from C: at once, or recorded as a graph, or both
 *
 *     pare_record *r;
 *     pare_record_create(&(pare_record_options){ .mode = PARE_RECORD }, &r);
 *     pare_var *x = pare_record_input(r, "x", &shape);
 *     pare_var *y = pare_relu(r, pare_conv(r, x, pare_record_param(r, "w", &w), NULL, NULL));
 *     status = pare_record_graph(r, 1, &y, &graph);
 *
 * A record keeps its first failure: later calls do nothing and return NULL, so that a network is written as formulas
 * and checked once (pare_record_status; pare_record_graph returns it too). An optional variable that is left out is
 * NULL. Calls that are arguments of one call are made in an order that C leaves open: results do not depend on it, but
 * the order of nodes in a recorded graph does. Every call runs on the same kernels as a planned model: it is a plan of
 * one node, made once per operation, attributes and shapes. A record is used by one thread at a time.
 */
#ifndef PARE_NN_H
#define PARE_NN_H

#include <stdbool.h>
#include <stdint.h>

#include <pare/graph.h>
#include <pare/pool.h>
#include <pare/status.h>
#include <pare/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pare_record pare_record;

/* A tensor of a record: its numbers where the record runs, its place in the graph where it records. The record owns
 * it. */
typedef struct pare_var pare_var;

typedef enum pare_record_mode {
    PARE_RUN = 0,        /* every call is computed at once                                       */
    PARE_RECORD,         /* every call becomes a node; inputs may have open dimensions           */
    PARE_RUN_AND_RECORD, /* both                                                                 */
} pare_record_mode;

/* Zero means default. */
typedef struct pare_record_options {
    pare_record_mode mode;
    bool             training; /* dropout becomes a node, and networks give their auxiliary outputs; false: inference */
    pare_pool       *pool;     /* for running; the caller's; NULL: one thread. Results do not depend on it           */
} pare_record_options;

/* Options may be NULL. */
PARE_API pare_status pare_record_create(const pare_record_options *options, pare_record **out);
PARE_API void        pare_record_destroy(pare_record *r); /* NULL is fine */

/* Forgets variables, nodes and the failure. What was planned stays, so the next round of the same calls only runs. */
PARE_API pare_status pare_record_clear(pare_record *r);

/* The first failure; its sentence is set as pare_error() again. */
PARE_API pare_status pare_record_status(const pare_record *r);

/*
 * What the calls start from. Names are made unique. An input: what differs from run to run; its numbers are copied. In
 * a record that only records, t->data may be NULL and dimensions PARE_DIM_ANY. A parameter: weights, which become a
 * constant of the graph and share the bytes of t->buf (which must not be written to while the record or the graph is
 * there; bytes without a buf are copied); asking for the same name and bytes again gives the same variable. A
 * constant: numbers that belong to the program, like the new shape of a reshape, copied.
 */
PARE_API pare_var *pare_record_input(pare_record *r, const char *name, const pare_tensor *t);
PARE_API pare_var *pare_record_param(pare_record *r, const char *name, const pare_tensor *t);
PARE_API pare_var *pare_record_const(pare_record *r, const pare_tensor *t);
PARE_API pare_var *pare_record_ints(pare_record *r, int n, const int64_t *values); /* s64[n]                       */
PARE_API pare_var *pare_record_float(pare_record *r, float value);                 /* f32, one element of no shape */

/* NULL where there are no numbers (the record only records, or v is NULL). Valid until the record is cleared. */
PARE_API const pare_tensor *pare_var_tensor(const pare_var *v);
PARE_API pare_shape         pare_var_shape(const pare_var *v); /* may have open dimensions; NULL v: rank 0 */
PARE_API pare_dtype         pare_var_dtype(const pare_var *v);

/*
 * Any operation of `pare list ops` by name, with attributes as the text IR has them ("strides=[2,2] pads=[1,1,1,1]";
 * NULL: the defaults). in[i] NULL: left out. out[n_out] are all set, to NULL after a failure.
 */
PARE_API pare_status pare_op_call(pare_record *r, const char *op, int n_in, pare_var *const in[], int n_out,
                                  pare_var *out[], const char *attrs);

/* The same with one output, which is returned; attributes by printf. */
PARE_API pare_var *pare_apply(pare_record *r, const char *op, int n_in, pare_var *const in[], const char *attrs, ...)
#if defined(__GNUC__)
    __attribute__((format(printf, 5, 6)))
#endif
    ;

/* What was recorded up to outputs[n], as a graph of its own: pare_graph_destroy it. Calls that do not matter are
 * left out. */
PARE_API pare_status pare_record_graph(pare_record *r, int n, pare_var *const outputs[], pare_graph **out);

/*
 * The record walked backwards: grads[i] becomes d loss / d wrt[i], of its shape, as nodes behind what was recorded;
 * NULL where the loss does not depend on it. loss is one float, and all shapes are fixed. Where the record runs, the
 * numbers are computed, too; that plans the whole each time, so that training goes through a trainer.
 * PARE_ERR_UNSUPPORTED names an operation without a gradient.
 */
PARE_API pare_status pare_record_gradients(pare_record *r, pare_var *loss, int n, pare_var *const wrt[],
                                           pare_var *grads[]);

/* ----------------------------------------------------------------------------------------------------- common calls */

PARE_API pare_var *pare_unary(pare_record *r, const char *op, pare_var *x); /* "relu", "sigmoid", "gelu" ...     */
PARE_API pare_var *pare_binary(pare_record *r, const char *op, pare_var *a, pare_var *b); /* "add", "mul" ...        */
PARE_API pare_var *pare_relu(pare_record *r, pare_var *x);
PARE_API pare_var *pare_add(pare_record *r, pare_var *a, pare_var *b);
PARE_API pare_var *pare_mul(pare_record *r, pare_var *a, pare_var *b);
PARE_API pare_var *pare_clip(pare_record *r, pare_var *x, float lo, float hi);

/* Zero means default. Lists are per spatial axis; a convolution takes as many as the weights have. */
typedef struct pare_window_options {
    int  kernel[3];       /* pools only                                        */
    int  stride[3];       /* 0 = 1; pools: 0 = kernel                          */
    int  padding[3];      /* on both sides                                     */
    int  dilation[3];     /* 0 = 1                                             */
    int  groups;          /* convolutions only; 0 = 1                          */
    bool ceil_mode;       /* pools: a last window that is not full counts too  */
    bool without_padding; /* average pools divide by the pixels that are there; false: by the whole window */
} pare_window_options;

/* x [N,C,spatial...], weight [OC,C/groups,kernel...], bias [OC] or NULL. Options may be NULL. */
PARE_API pare_var *pare_conv(pare_record *r, pare_var *x, pare_var *weight, pare_var *bias,
                             const pare_window_options *options);
PARE_API pare_var *pare_max_pool(pare_record *r, pare_var *x, const pare_window_options *options);
PARE_API pare_var *pare_average_pool(pare_record *r, pare_var *x, const pare_window_options *options);
PARE_API pare_var *pare_global_average_pool(pare_record *r, pare_var *x); /* [N,C,1...] */

/* x [..., in], weight [out, in] as PyTorch has it, bias [out] or NULL: [..., out]. */
PARE_API pare_var *pare_linear(pare_record *r, pare_var *x, pare_var *weight, pare_var *bias);
PARE_API pare_var *pare_matmul(pare_record *r, pare_var *a, pare_var *b);
PARE_API pare_var *pare_softmax(pare_record *r, pare_var *x, int axis);

/* Moves. In a shape 0 keeps the dimension of x and -1 is what is left. */
PARE_API pare_var *pare_reshape(pare_record *r, pare_var *x, int rank, const int64_t *dims);
PARE_API pare_var *pare_flatten(pare_record *r, pare_var *x, int axis); /* [before axis, rest] */
PARE_API pare_var *pare_transpose(pare_record *r, pare_var *x, int rank, const int *perm);
PARE_API pare_var *pare_concat(pare_record *r, int n, pare_var *const in[], int axis);
PARE_API pare_var *pare_slice(pare_record *r, pare_var *x, int axis, int64_t start, int64_t end, int64_t step);
PARE_API pare_var *pare_gather(pare_record *r, pare_var *table, pare_var *ids, int axis);
PARE_API pare_var *pare_mean(pare_record *r, pare_var *x, int n, const int64_t *axes, bool keep);

/* While training a node that drops with probability p; otherwise x itself. */
PARE_API pare_var *pare_dropout(pare_record *r, pare_var *x, float p);

#ifdef __cplusplus
}
#endif
#endif
