/* SPDX-License-Identifier: Apache-2.0 */
/* op.c - the list of operations, their attribute defaults, and the checked way to infer and to run one */
#include "ops/op.h"

#include <assert.h>
#include <string.h>

#include "base/status.h"

#define PARE_OP(name) extern const pare_op pare_op_##name;
#include "ops/ops.def"
#undef PARE_OP

static const pare_op *const ops[] = {
#define PARE_OP(name) &pare_op_##name,
#include "ops/ops.def"
#undef PARE_OP
};

enum { N_OPS = sizeof(ops) / sizeof(ops[0]) };

const pare_op *pare_op_at(int index)
{
    return index >= 0 && index < N_OPS ? ops[index] : NULL;
}

const pare_op *pare_op_find(const char *name)
{
    for (int i = 0; i < N_OPS; i++)
        if (!strcmp(ops[i]->name, name))
            return ops[i];
    return NULL;
}

const pare_op *pare_op_find_onnx(const char *onnx_type)
{
    for (int i = 0; i < N_OPS; i++)
        if (ops[i]->onnx && !strcmp(ops[i]->onnx, onnx_type))
            return ops[i];
    return NULL;
}

int pare_step_choose(pare_step *step, int n)
{
    step->n_choices = n > 1 ? n - 1 : n;
    return step->choice < step->n_choices ? step->choice : step->n_choices - 1;
}

void pare_attrs_default(const pare_op *op, void *attrs)
{
    if (op->attrs_size)
        memset(attrs, 0, op->attrs_size);
    for (const pare_attr *a = op->attrs; a && a->name; a++) {
        void *const field = (char *)attrs + a->offset;
        switch (a->type) {
        case PARE_ATTR_INT:
            *(int64_t *)field = a->i;
            break;
        case PARE_ATTR_FLOAT:
            *(float *)field = a->f;
            break;
        case PARE_ATTR_STRING:
        case PARE_ATTR_STRINGS:
            *(const char **)field = a->s;
            break;
        case PARE_ATTR_DTYPE:
            *(pare_dtype *)field = (pare_dtype)a->i;
            break;
        case PARE_ATTR_INTS:
        case PARE_ATTR_FLOATS:
        case PARE_ATTR_TENSOR:
        case PARE_ATTR_GRAPH:
            break; /* zero: not given */
        }
    }
}

const pare_attr *pare_attr_find(const pare_op *op, const char *name)
{
    for (const pare_attr *a = op->attrs; a && a->name; a++)
        if (!strcmp(a->name, name))
            return a;
    return NULL;
}

pare_status pare_op_bad_dtype(const pare_call *call, int input)
{
    return pare_fail(PARE_ERR_UNSUPPORTED, "dtype %s of input %d is not supported here",
                     pare_dtype_name(call->in[input]->dtype), input);
}

pare_status pare_op_needs_value(const pare_call *call, int input, const char *what)
{
    (void)call;
    return pare_fail(PARE_ERR_DYNAMIC,
                     "the shape of the result depends on the value of input %d (%s), which is not "
                     "a constant",
                     input, what);
}

static pare_status check_counts(const pare_call *call)
{
    const pare_op *const op = call->op;

    if (call->n_in < op->min_in || (op->max_in >= 0 && call->n_in > op->max_in))
        return pare_fail(PARE_ERR_SHAPE, "%d inputs given, between %d and %d expected", call->n_in, op->min_in,
                         op->max_in);
    if (call->n_out < op->min_out || call->n_out > op->max_out)
        return pare_fail(PARE_ERR_SHAPE, "%d outputs given, between %d and %d expected", call->n_out, op->min_out,
                         op->max_out);
    for (int i = 0; i < call->n_in; i++) {
        if (!call->in[i] && i < op->min_in)
            return pare_fail(PARE_ERR_SHAPE, "input %d is left out but required", i);
        if (call->in[i] && call->in[i]->dtype == PARE_NO_DTYPE)
            return pare_fail(PARE_ERR_SHAPE, "the dtype of input %d is not known", i);
    }
    return PARE_OK;
}

pare_status pare_op_infer(const pare_call *call)
{
    pare_status status = check_counts(call);

    if (status == PARE_OK && !call->op->infer)
        status = pare_fail(PARE_ERR_DYNAMIC, "the results are those of its bodies; the graph infers them");
    if (status == PARE_OK)
        status = call->op->infer(call);
    return status == PARE_OK ? PARE_OK : pare_fail_in(status, "%s", call->op->name);
}

static pare_status alloc_output(pare_tensor *t)
{
    const pare_qparams *const q = t->q;

    if (pare_shape_count(&t->shape) < 0)
        return pare_fail(PARE_ERR_DYNAMIC, "the shape of the result is not fixed");
    *t = pare_tensor_of(t->dtype, t->shape);
    t->q = q;
    return pare_tensor_alloc(t);
}

pare_status pare_op_eval(const pare_call *call)
{
    pare_status status;

    for (int i = 0; i < call->n_out; i++)
        if (call->out[i])
            *call->out[i] = (pare_tensor){ .dtype = PARE_NO_DTYPE, .q = call->out[i]->q }; /* integer ops read it */
    PARE_TRY(pare_op_infer(call));

    status = call->op->forward ? PARE_OK : pare_fail(PARE_ERR_UNSUPPORTED, "runs only inside a graph");
    for (int i = 0; status == PARE_OK && i < call->n_out; i++)
        if (call->out[i])
            status = alloc_output(call->out[i]);
    if (status == PARE_OK)
        status = call->op->forward(call);
    if (status == PARE_OK)
        return PARE_OK;

    for (int i = 0; i < call->n_out; i++)
        if (call->out[i])
            pare_tensor_release(call->out[i]);
    return pare_fail_in(status, "%s", call->op->name);
}
