/* SPDX-License-Identifier: Apache-2.0 */
/*
 * autograd.h - gradients as nodes: what computes d loss / d value is appended to the graph as ordinary ops
 *
 * The nodes of the graph are walked from the loss back; the rule of each op (rules.def) appends what its inputs'
 * gradients are, given that of its output. So a training step is one graph, which is planned and run like any other.
 */
#ifndef PARE_AUTOGRAD_AUTOGRAD_H
#define PARE_AUTOGRAD_AUTOGRAD_H

#include "graph/graph.h"

typedef struct pare_tape pare_tape;

/*
 * Appends to g nodes that compute d loss / d wrt[i], loss one float. grads[i]: its value, NULL where the loss does not
 * depend on it. All shapes must be fixed. PARE_ERR_UNSUPPORTED names a node on the way whose op has no rule.
 */
pare_status pare_autograd(pare_graph *g, pare_value *loss, int n, pare_value *const wrt[], pare_value *grads[]);

/* The rule of an op: appends nodes and gives gradients to n's inputs. NULL: there is none. */
typedef pare_status pare_grad_rule(pare_tape *t, pare_node *n);
pare_grad_rule     *pare_grad_find(const pare_op *op);

/* --------------------------------------------------------------------------------------------------- for the rules */

/* The summed gradient of an output of a node; NULL: none flows. */
pare_value *pare_tape_grad(pare_tape *t, const pare_value *v);

/* Whether v lies between wrt and the loss, so that somebody wants its gradient. A NULL v does not. */
bool pare_tape_wants(const pare_tape *t, const pare_value *v);

/* Adds a contribution to v's gradient, of v's shape; the sum is in the order of the calls. Not wanted: nothing. */
pare_status pare_tape_give(pare_tape *t, pare_value *v, pare_value *grad);

/*
 * A node of op `op` (found by name) at the end of the graph, attributes by the text of the IR ("strides=[2,2] axis=1")
 * or NULL. Its outputs, out[n_out], are new values whose dtype and shape are inferred at once.
 */
pare_status pare_tape_node(pare_tape *t, const char *op, const char *attrs, int n_in, pare_value *const in[], int n_out,
                           pare_value *out[], pare_node **made);

/* The same with one output, after the attributes of `like` that the new op has too were copied (NULL: none). */
pare_status pare_tape_like(pare_tape *t, const pare_node *like, const char *op, const char *attrs, int n_in,
                           pare_value *const in[], pare_value **out);

/* And with several outputs. */
pare_status pare_tape_like_all(pare_tape *t, const pare_node *like, const char *op, int n_in, pare_value *const in[],
                               int n_out, pare_value *out[]);

/* One output of one and of two inputs, default attributes. */
pare_status pare_tape_unary(pare_tape *t, const char *op, pare_value *x, pare_value **out);
pare_status pare_tape_binary(pare_tape *t, const char *op, pare_value *a, pare_value *b, pare_value **out);

/* Constants: any, a list of at most PARE_MAX_INTS integers, one float, floats of one value in any shape. */
pare_status pare_tape_const(pare_tape *t, const pare_tensor *tensor, pare_value **out);
pare_status pare_tape_ints(pare_tape *t, int n, const int64_t *values, pare_value **out);
pare_status pare_tape_float(pare_tape *t, float value, pare_value **out);
pare_status pare_tape_full(pare_tape *t, const pare_shape *shape, float value, pare_value **out);

/* x in another shape; x itself where it has it. */
pare_status pare_tape_reshape(pare_tape *t, pare_value *x, const pare_shape *shape, pare_value **out);
/* x with its axes in another order, perm[rank]. */
pare_status pare_tape_transpose(pare_tape *t, pare_value *x, const int *perm, pare_value **out);
/* What broadcasting x to grad's shape gives back to x: the sum over the repeated axes. */
pare_status pare_tape_unbroadcast(pare_tape *t, pare_value *grad, const pare_shape *shape, pare_value **out);

/* A list as the text of an attribute, "name=[1,2] ", appended to text[size], which holds a string. */
void pare_tape_list(char *text, size_t size, const char *name, int n, const int64_t *values);

/* Refuses: "the gradient of OP ..." (PARE_ERR_UNSUPPORTED, with the node's name around it). */
pare_status pare_tape_refuse(const pare_node *n, const char *why);

#endif
