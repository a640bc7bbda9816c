/* SPDX-License-Identifier: Apache-2.0 */
/* convert_nodes.c - Q and DQ nodes with their constants */
#include "base/status.h"
#include "flow/convert.h"
#include "passes/qdq.h"

static pare_status add_const(pare_graph *g, const char *name, pare_dtype dtype, pare_shape shape, const void *data,
                             pare_value **out)
{
    pare_tensor t = pare_tensor_of(dtype, shape);

    t.data = (void *)(uintptr_t)data;
    return pare_graph_add_const(g, name, &t, out);
}

/* "name_suffix" in the graph's arena. */
const char *pare_convert_name(pare_graph *g, const char *name, const char *suffix)
{
    const char *s = pare_arena_printf(g->arena, "%s_%s", name, suffix);

    return s ? s : suffix;
}

pare_status pare_convert_zeros(pare_graph *g, pare_dtype dtype, pare_shape shape, int32_t value, pare_value **out)
{
    const int64_t     n = pare_shape_count(&shape);
    const char *const name = shape.rank ? pare_arena_printf(g->arena, "zero_%d_x%lld", value, (long long)n)
                                        : pare_arena_printf(g->arena, "zero_%d", value);
    pare_value *const old = name ? pare_graph_find(g, name) : NULL;
    pare_tensor       t = pare_tensor_of(dtype, shape);

    *out = old;
    if (old && pare_value_is_const(old) && old->t.dtype == dtype && pare_shape_equal(&old->t.shape, &shape) &&
        pare_tensor_int(&old->t, 0) == value)
        return PARE_OK;
    PARE_TRY(pare_tensor_alloc(&t));
    for (int64_t i = 0; i < n; i++)
        pare_tensor_set_int(&t, i, value);
    const pare_status status = pare_graph_add_const(g, name, &t, out);

    pare_tensor_release(&t);
    return status;
}

/* Scalars when q has no axis. Names are short: small models are half names otherwise. */
pare_status pare_convert_q_inputs(pare_graph *g, const pare_qparams *q, pare_dtype dtype, pare_q_inputs *out)
{
    const pare_shape shape = q->axis < 0 ? pare_shape_of(0, NULL) : pare_shape_of(1, (const int64_t[]){ q->n });

    *out = (pare_q_inputs){ .axis = q->axis };
    PARE_TRY(add_const(g, "s", PARE_f32, shape, q->scale, &out->scale));
    return q->zero ? pare_convert_zeros(g, dtype, shape, q->zero[0], &out->zero) : PARE_OK;
}

pare_status pare_convert_q_node(pare_graph *g, const pare_op *op, pare_value *from, pare_value *to,
                                const pare_q_inputs *q, pare_node *before)
{
    pare_value *in[3] = { from, q->scale, q->zero };
    pare_node  *made;

    PARE_TRY(pare_graph_add_node(g, op, NULL, q->zero ? 3 : 2, in, 1, &to, before, &made));
    if (q->axis >= 0)
        pare_node_set_i(made, "axis", q->axis);
    return PARE_OK;
}

/* The codes are named after what they stand for. */
pare_status pare_convert_constant(pare_graph *g, const pare_value *like, const pare_tensor *integers,
                                  const pare_qparams *q, pare_node *before, pare_value **real)
{
    pare_value   *codes;
    pare_q_inputs in;

    PARE_TRY(pare_graph_add_const(g, pare_convert_name(g, like->name, "q"), integers, &codes));
    PARE_TRY(pare_graph_add_value(g, "d", real));
    (*real)->t = pare_tensor_of(PARE_f32, integers->shape);
    (*real)->has_shape = true;
    PARE_TRY(pare_convert_q_inputs(g, q, integers->dtype, &in));
    return pare_convert_q_node(g, &pare_op_dequantize_linear, codes, *real, &in, before);
}
