/* SPDX-License-Identifier: Apache-2.0 */
/* variables.c - what calls start from: inputs, parameters and constants of a record */
#include <stdio.h>

#include "base/status.h"
#include "nn/record.h"

enum { SETTING_MAX = 16 }; /* elements of a constant whose numbers choose the plan: shapes, axes, bounds */

pare_var *pare_record_add(pare_record *r, const pare_tensor *t, pare_value *value)
{
    pare_var *const v = pare_arena_alloc(r->arena, sizeof(*v));

    if (!v) {
        pare_record_fail(r, pare_fail_memory(sizeof(*v), "a variable"));
        return NULL;
    }
    *v = (pare_var){ .record = r, .t = *t, .value = value, .next = r->vars };
    r->vars = v;
    return v;
}

/* Bytes that stay: those of t->buf, or a copy. Without data only dtype and shape. */
static pare_status keep(const pare_tensor *t, bool share, pare_tensor *out)
{
    *out = pare_tensor_of(t->dtype, t->shape);
    if (!t->data)
        return PARE_OK;
    if (share && t->buf && pare_tensor_is_dense(t)) {
        out->buf = pare_buf_ref(t->buf);
        out->data = t->data;
        return PARE_OK;
    }
    PARE_TRY(pare_tensor_alloc(out));
    pare_tensor_copy(out, t);
    return PARE_OK;
}

static pare_var *fail(pare_record *r, pare_status status)
{
    pare_record_fail(r, status);
    return NULL;
}

pare_var *pare_record_input(pare_record *r, const char *name, const pare_tensor *t)
{
    pare_tensor kept;
    pare_value *value = NULL;
    pare_status status;

    if (r->status != PARE_OK)
        return NULL;
    if (pare_record_runs(r) && !t->data)
        return fail(r, pare_fail(PARE_ERR_ARG, "input '%s' has no numbers, and the record is to run", name));
    status = keep(t, false, &kept);
    if (status == PARE_OK && r->g)
        status = pare_graph_add_input(r->g, name, t->dtype, &t->shape, &value);
    if (status == PARE_OK && value && t->shape.rank > 0 && t->shape.dim[0] == PARE_DIM_ANY)
        value->dim_name[0] = "N";
    if (status == PARE_OK)
        return pare_record_add(r, &kept, value);
    pare_tensor_release(&kept);
    return fail(r, status);
}

static pare_var *add_const(pare_record *r, const char *name, const pare_tensor *t, bool share)
{
    pare_tensor kept;
    pare_value *value = NULL;
    pare_status status;

    if (!t->data)
        return fail(
            r, pare_fail(PARE_ERR_ARG, "%s '%s' has no numbers", name ? "parameter" : "constant", name ? name : ""));
    status = keep(t, share, &kept);
    if (status == PARE_OK && r->g)
        status = pare_graph_add_const(r->g, name, &kept, &value);
    if (status == PARE_OK)
        return pare_record_add(r, &kept, value);
    pare_tensor_release(&kept);
    return fail(r, status);
}

/* Bytes and name together: modules of two trees may have parameters of one name. */
pare_var *pare_record_param(pare_record *r, const char *name, const pare_tensor *t)
{
    char full[PARE_PATH], key[PARE_PATH + 32];

    if (r->status != PARE_OK)
        return NULL;
    pare_record_name(r, name, full);
    snprintf(key, sizeof(key), "%s %p", full, t->data);
    pare_var *v = pare_map_get(&r->params, key);
    if (v)
        return v;
    v = add_const(r, full, t, true);
    const char *const kept = v ? pare_arena_strdup(r->arena, key) : NULL;
    if (v && (!kept || !pare_map_set(&r->params, kept, v)))
        return fail(r, pare_fail_memory(sizeof(full), "a parameter"));
    return v;
}

pare_var *pare_record_const(pare_record *r, const pare_tensor *t)
{
    pare_var *const v = r->status == PARE_OK ? add_const(r, NULL, t, false) : NULL;

    if (v)
        v->setting = pare_shape_count(&v->t.shape) <= SETTING_MAX;
    return v;
}

const pare_tensor *pare_var_tensor(const pare_var *v)
{
    return v && v->t.data ? &v->t : NULL;
}

pare_shape pare_var_shape(const pare_var *v)
{
    return v ? v->t.shape : (pare_shape){ .rank = 0 };
}

pare_dtype pare_var_dtype(const pare_var *v)
{
    return v ? v->t.dtype : PARE_NO_DTYPE;
}
