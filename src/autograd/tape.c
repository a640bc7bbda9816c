/* SPDX-License-Identifier: Apache-2.0 */
/* tape.c - what rules do: nodes and constants at the end of the graph, sums of gradients */
#include "autograd/tape.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

enum { NAME_BYTES = 256, ATTRS_BYTES = 256 };

pare_tape_entry *pare_tape_entry_of(const pare_tape *t, const pare_value *v)
{
    return v && v->id >= 0 && v->id < t->n && t->entries[v->id].value == v ? &t->entries[v->id] : NULL;
}

pare_value *pare_tape_grad(pare_tape *t, const pare_value *v)
{
    const pare_tape_entry *const e = pare_tape_entry_of(t, v);

    return e ? e->grad : NULL;
}

bool pare_tape_wants(const pare_tape *t, const pare_value *v)
{
    const pare_tape_entry *const e = pare_tape_entry_of(t, v);

    return e && e->wanted;
}

pare_status pare_tape_give(pare_tape *t, pare_value *v, pare_value *grad)
{
    pare_tape_entry *const e = pare_tape_entry_of(t, v);

    if (!e || !e->wanted || !grad)
        return PARE_OK;
    assert(pare_shape_equal(&v->t.shape, &grad->t.shape));
    if (!e->grad) {
        e->grad = grad;
        return PARE_OK;
    }
    return pare_tape_binary(t, "add", e->grad, grad, &e->grad);
}

pare_status pare_tape_refuse(const pare_node *n, const char *why)
{
    return pare_fail(PARE_ERR_UNSUPPORTED, "the gradient of %s %s", n->op->name, why);
}

/* ------------------------------------------------------------------------------------------------------------ nodes */

static size_t attr_size(pare_attr_type type)
{
    switch (type) {
    case PARE_ATTR_INT:
        return sizeof(int64_t);
    case PARE_ATTR_FLOAT:
        return sizeof(float);
    case PARE_ATTR_STRING:
    case PARE_ATTR_STRINGS:
        return sizeof(const char *);
    case PARE_ATTR_INTS:
        return sizeof(pare_ints);
    case PARE_ATTR_FLOATS:
        return sizeof(pare_floats);
    case PARE_ATTR_DTYPE:
        return sizeof(pare_dtype);
    case PARE_ATTR_TENSOR: /* these own what they point to */
    case PARE_ATTR_GRAPH:
        break;
    }
    return 0;
}

/* Clamps stay behind: they belong to the forward result. */
static void copy_attrs(pare_node *to, const pare_node *from)
{
    for (const pare_attr *a = from->op->attrs; a && a->name; a++) {
        const pare_attr *const same = pare_attr_find(to->op, a->name);

        if (same && same->type == a->type && strncmp(a->name, "clamp_", 6) != 0)
            memcpy((char *)to->attrs + same->offset, (const char *)from->attrs + a->offset, attr_size(a->type));
    }
}

static pare_status infer_outputs(pare_node *n)
{
    pare_call *const call = pare_node_call(n);
    pare_status      status;

    if (!call)
        return PARE_ERR_MEMORY;
    status = pare_op_infer(call);
    for (int i = 0; i < n->n_out && status == PARE_OK; i++)
        if (n->out[i]) {
            n->out[i]->t = pare_tensor_of(call->out[i]->dtype, call->out[i]->shape);
            n->out[i]->has_shape = true;
        }
    pare_free(call);
    return status;
}

/* Names say for which node something is: "grad/layer1.conv". */
static const char *name_of(const pare_tape *t, char name[NAME_BYTES])
{
    snprintf(name, NAME_BYTES, "grad/%s", t->at ? t->at->name : "loss");
    return name;
}

/* A value that no walk takes for one of those that were there before. */
static pare_status new_value(pare_tape *t, pare_value **out)
{
    char name[NAME_BYTES];

    PARE_TRY(pare_graph_add_value(t->g, name_of(t, name), out));
    (*out)->id = -1;
    return PARE_OK;
}

static pare_status make_node(pare_tape *t, const pare_node *like, const char *op, const char *attrs, int n_in,
                             pare_value *const in[], int n_out, pare_value *out[], pare_node **made)
{
    const pare_op *const descriptor = pare_op_find(op);
    pare_value          *fresh[PARE_MAX_OUTPUTS]; /* out[] may be in[] */
    pare_node           *n;

    assert(descriptor && n_out <= PARE_MAX_OUTPUTS);
    for (int i = 0; i < n_out; i++)
        PARE_TRY(new_value(t, &fresh[i]));
    PARE_TRY(pare_graph_add_node(t->g, descriptor, NULL, n_in, in, n_out, fresh, NULL, &n));
    memcpy(out, fresh, (size_t)n_out * sizeof(*out));
    if (like)
        copy_attrs(n, like);
    if (attrs)
        PARE_TRY(pare_node_parse_attrs(n, attrs));
    if (made)
        *made = n;
    return infer_outputs(n);
}

pare_status pare_tape_node(pare_tape *t, const char *op, const char *attrs, int n_in, pare_value *const in[], int n_out,
                           pare_value *out[], pare_node **made)
{
    return make_node(t, NULL, op, attrs, n_in, in, n_out, out, made);
}

pare_status pare_tape_like(pare_tape *t, const pare_node *like, const char *op, const char *attrs, int n_in,
                           pare_value *const in[], pare_value **out)
{
    return make_node(t, like, op, attrs, n_in, in, 1, out, NULL);
}

pare_status pare_tape_like_all(pare_tape *t, const pare_node *like, const char *op, int n_in, pare_value *const in[],
                               int n_out, pare_value *out[])
{
    return make_node(t, like, op, NULL, n_in, in, n_out, out, NULL);
}

pare_status pare_tape_unary(pare_tape *t, const char *op, pare_value *x, pare_value **out)
{
    return pare_tape_like(t, NULL, op, NULL, 1, &x, out);
}

pare_status pare_tape_binary(pare_tape *t, const char *op, pare_value *a, pare_value *b, pare_value **out)
{
    return pare_tape_like(t, NULL, op, NULL, 2, (pare_value *const[]){ a, b }, out);
}

/* -------------------------------------------------------------------------------------------------------- constants */

pare_status pare_tape_const(pare_tape *t, const pare_tensor *tensor, pare_value **out)
{
    char name[NAME_BYTES];

    PARE_TRY(pare_graph_add_const(t->g, name_of(t, name), tensor, out));
    (*out)->id = -1;
    return PARE_OK;
}

pare_status pare_tape_ints(pare_tape *t, int n, const int64_t *values, pare_value **out)
{
    const int64_t dim = n;
    int64_t       copy[PARE_MAX_INTS] = { 0 };
    pare_tensor   tensor = pare_tensor_of(PARE_s64, pare_shape_of(1, &dim));

    assert(n <= PARE_MAX_INTS);
    memcpy(copy, values, (size_t)n * sizeof(*values));
    tensor.data = copy;
    return pare_tape_const(t, &tensor, out);
}

pare_status pare_tape_float(pare_tape *t, float value, pare_value **out)
{
    return pare_tape_full(t, &(pare_shape){ .rank = 0 }, value, out);
}

pare_status pare_tape_full(pare_tape *t, const pare_shape *shape, float value, pare_value **out)
{
    pare_tensor tensor = pare_tensor_of(PARE_f32, *shape);
    pare_status status;

    PARE_TRY(pare_tensor_alloc(&tensor));
    for (int64_t i = 0; i < pare_shape_count(shape); i++)
        ((float *)tensor.data)[i] = value;
    status = pare_tape_const(t, &tensor, out);
    pare_tensor_release(&tensor);
    return status;
}

/* ----------------------------------------------------------------------------------------------------------- shapes */

void pare_tape_list(char *text, size_t size, const char *name, int n, const int64_t *values)
{
    size_t at = strlen(text);

    at += (size_t)snprintf(text + at, size - at, "%s=[", name);
    for (int i = 0; i < n; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%lld", i ? "," : "", (long long)values[i]);
    at += (size_t)snprintf(text + at, size - at, "] ");
    assert(at < size);
}

pare_status pare_tape_reshape(pare_tape *t, pare_value *x, const pare_shape *shape, pare_value **out)
{
    pare_value *dims;

    *out = x;
    if (pare_shape_equal(&x->t.shape, shape))
        return PARE_OK;
    PARE_TRY(pare_tape_ints(t, shape->rank, shape->dim, &dims));
    return pare_tape_like(t, NULL, "reshape", "allowzero=1", 2, (pare_value *const[]){ x, dims }, out);
}

pare_status pare_tape_transpose(pare_tape *t, pare_value *x, const int *perm, pare_value **out)
{
    int64_t list[PARE_MAX_RANK];
    char    text[ATTRS_BYTES] = "";

    for (int i = 0; i < x->t.shape.rank; i++)
        list[i] = perm[i];
    pare_tape_list(text, sizeof(text), "perm", x->t.shape.rank, list);
    return pare_tape_like(t, NULL, "transpose", text, 1, &x, out);
}

/* Whether what stays is one row of numbers behind all that is summed up: [rows, columns]. */
static bool is_rows(const pare_shape *from, const bool gone[PARE_MAX_RANK], pare_shape *matrix)
{
    int64_t size[2] = { 1, 1 };

    for (int i = 0; i < from->rank; i++) {
        if (from->dim[i] != 1 && gone[i] && size[1] != 1)
            return false;
        size[gone[i] ? 0 : 1] *= from->dim[i];
    }
    *matrix = pare_shape_of(2, size);
    return size[1] > 1;
}

/* Whether exactly axis 1 stays: a number per channel. */
static bool is_channels(const pare_shape *from, const bool gone[PARE_MAX_RANK])
{
    for (int i = 0; i < from->rank; i++)
        if (from->dim[i] != 1 && gone[i] == (i == 1))
            return false;
    return from->rank >= 3 && from->dim[1] > 1;
}

pare_status pare_tape_unbroadcast(pare_tape *t, pare_value *grad, const pare_shape *shape, pare_value **out)
{
    const pare_shape *const from = &grad->t.shape;
    const int               lead = from->rank - shape->rank;
    bool                    gone[PARE_MAX_RANK];
    int64_t                 axes[PARE_MAX_RANK];
    int                     n = 0;
    pare_shape              matrix;
    pare_value             *list;

    for (int i = 0; i < from->rank; i++) {
        const int64_t kept = i < lead ? 1 : shape->dim[i - lead];

        gone[i] = kept == 1 && from->dim[i] != 1;
        if (gone[i])
            axes[n++] = i;
    }
    if (n > 0 && (is_channels(from, gone) || is_rows(from, gone, &matrix))) {
        if (!is_channels(from, gone))
            PARE_TRY(pare_tape_reshape(t, grad, &matrix, &grad));
        PARE_TRY(pare_tape_unary(t, "channel_sums", grad, &grad));
        return pare_tape_reshape(t, grad, shape, out);
    }
    if (n > 0) {
        PARE_TRY(pare_tape_ints(t, n, axes, &list));
        PARE_TRY(pare_tape_binary(t, "reduce_sum", grad, list, &grad));
    }
    return pare_tape_reshape(t, grad, shape, out);
}
