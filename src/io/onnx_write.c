/* SPDX-License-Identifier: Apache-2.0 */
/* onnx_write.c - a graph as ModelProto: values, initializers, and the file or two files that hold them */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "io/onnx.h"
#include "tensor/tensor.h"

enum {
    OUTSIDE_FROM = 1024, /* bytes; smaller tensors stay in the model */
    OUTSIDE_ALIGN = 64,
};

/* Protobuf ends at 2 GB; 64 MB of it are left to nodes and names. */
static const uint64_t inline_limit = ((uint64_t)1 << 31) - ((uint64_t)1 << 26);

/* ----------------------------------------------------------------------------------------------------- tensors */

/* The tensor's bytes in row-major order: its own, or a copy that the writer keeps. */
static pare_status dense_bytes(pare_onnx_writer *w, const pare_tensor *t, const void **bytes)
{
    *bytes = t->data;
    if (pare_tensor_is_dense(t))
        return PARE_OK;
    if (!pare_grow(&w->copies, &w->copies_cap, w->n_copies + 1, sizeof(*w->copies)))
        return pare_fail_memory(sizeof(*w->copies), "a tensor");
    pare_tensor *const copy = &w->copies[w->n_copies];
    *copy = pare_tensor_of(t->dtype, t->shape);
    PARE_TRY(pare_tensor_alloc(copy));
    w->n_copies++;
    pare_tensor_copy(copy, t);
    *bytes = copy->data;
    return PARE_OK;
}

static void write_entry(pare_wire *wire, int field, const char *key, const char *value)
{
    pare_wire_begin(wire, field);
    pare_wire_text(wire, ONNX_ENTRY_KEY, key);
    pare_wire_text(wire, ONNX_ENTRY_VALUE, value);
    pare_wire_end(wire);
}

static pare_status put_outside(pare_onnx_writer *w, const void *bytes, size_t size)
{
    char           text[24];
    const uint64_t at = (w->data_size + OUTSIDE_ALIGN - 1) / OUTSIDE_ALIGN * OUTSIDE_ALIGN;

    if (!pare_grow(&w->outside, &w->outside_cap, w->n_outside + 1, sizeof(*w->outside)))
        return pare_fail_memory(sizeof(*w->outside), "a tensor");
    w->outside[w->n_outside++] = (pare_wire_blob){ .at = (size_t)at, .data = bytes, .size = size };
    w->data_size = at + size;
    write_entry(&w->wire, ONNX_TENSOR_EXTERNAL, "location", w->data_name);
    snprintf(text, sizeof(text), "%" PRIu64, at);
    write_entry(&w->wire, ONNX_TENSOR_EXTERNAL, "offset", text);
    snprintf(text, sizeof(text), "%zu", size);
    write_entry(&w->wire, ONNX_TENSOR_EXTERNAL, "length", text);
    pare_wire_int(&w->wire, ONNX_TENSOR_LOCATION, 1);
    return PARE_OK;
}

pare_status pare_onnx_write_tensor(pare_onnx_writer *w, int field, const char *name, const pare_tensor *t)
{
    const int64_t size = pare_tensor_bytes(t);
    const void   *bytes;

    if (size < 0 || (size > 0 && !t->data))
        return pare_fail(PARE_ERR_DATA, "tensor '%s' has no data to write", name ? name : "");
    PARE_TRY(dense_bytes(w, t, &bytes));
    pare_wire_begin(&w->wire, field);
    for (int i = 0; i < t->shape.rank; i++)
        pare_wire_int(&w->wire, ONNX_TENSOR_DIMS, t->shape.dim[i]);
    pare_wire_int(&w->wire, ONNX_TENSOR_TYPE, pare_dtype_to_onnx(t->dtype));
    if (name)
        pare_wire_text(&w->wire, ONNX_TENSOR_NAME, name);
    if (w->data_name && size >= OUTSIDE_FROM)
        PARE_TRY(put_outside(w, bytes, (size_t)size));
    else
        pare_wire_blob_of(&w->wire, ONNX_TENSOR_RAW, bytes, (size_t)size);
    pare_wire_end(&w->wire);
    return PARE_OK;
}

/* ------------------------------------------------------------------------------------------------------- graphs */

static void write_info(pare_wire *wire, int field, const pare_value *v)
{
    pare_wire_begin(wire, field);
    pare_wire_text(wire, ONNX_VALUE_NAME, v->name);
    if (v->t.dtype != PARE_NO_DTYPE) {
        pare_wire_begin(wire, ONNX_VALUE_TYPE);
        pare_wire_begin(wire, ONNX_TYPE_TENSOR);
        pare_wire_int(wire, ONNX_TENSOR_TYPE_ELEM, pare_dtype_to_onnx(v->t.dtype));
        if (v->has_shape || pare_value_is_const(v)) {
            pare_wire_begin(wire, ONNX_TENSOR_TYPE_SHAPE);
            for (int i = 0; i < v->t.shape.rank; i++) {
                pare_wire_begin(wire, ONNX_SHAPE_DIM);
                if (v->t.shape.dim[i] != PARE_DIM_ANY)
                    pare_wire_int(wire, ONNX_DIM_VALUE, v->t.shape.dim[i]);
                else if (v->dim_name[i])
                    pare_wire_text(wire, ONNX_DIM_PARAM, v->dim_name[i]);
                pare_wire_end(wire);
            }
            pare_wire_end(wire);
        }
        pare_wire_end(wire);
        pare_wire_end(wire);
    }
    pare_wire_end(wire);
}

/* Notes which values the file will read: constants nobody reads, or that become attributes, are left out. */
static bool note_reads(pare_onnx_writer *w, const pare_graph *g)
{
    bool ok = true;

    for (const pare_node *n = g->first; n && ok; n = n->next) {
        for (int i = 0; i < n->n_in; i++)
            if (n->in[i] && !(n->op->onnx && pare_onnx_as_attribute(n, i, w->opset)))
                ok &= pare_map_set(&w->read, n->in[i]->name, n->in[i]);
        for (const pare_attr *a = n->op->attrs; a && a->name; a++)
            if (a->type == PARE_ATTR_GRAPH && !pare_onnx_attr_is_default(a, n->attrs))
                ok &= note_reads(w, *(struct pare_graph *const *)((const char *)n->attrs + a->offset));
    }
    for (int i = 0; i < g->n_outputs; i++)
        ok &= pare_map_set(&w->read, g->outputs[i]->name, g->outputs[i]);
    return ok;
}

pare_status pare_onnx_write_graph(pare_onnx_writer *w, const pare_graph *g)
{
    if (w->wire.depth >= PARE_WIRE_DEPTH)
        return pare_fail(PARE_ERR_UNSUPPORTED, "graph '%s': bodies are nested too deeply to be written", g->name);
    for (const pare_node *n = g->first; n; n = n->next)
        PARE_TRY(pare_onnx_write_node(w, n));
    pare_wire_text(&w->wire, ONNX_GRAPH_NAME, g->name && g->name[0] ? g->name : "graph");
    for (const pare_value *v = g->values; v; v = v->next)
        if (pare_value_is_const(v) && pare_map_get(&w->read, v->name) == v)
            PARE_TRY(pare_onnx_write_tensor(w, ONNX_GRAPH_INITIALIZER, v->name, &v->t));
    for (int i = 0; i < g->n_inputs; i++)
        write_info(&w->wire, ONNX_GRAPH_INPUT, g->inputs[i]);
    for (int i = 0; i < g->n_outputs; i++) {
        if (!g->parent && g->outputs[i]->t.dtype == PARE_NO_DTYPE)
            return pare_fail(PARE_ERR_SHAPE, "output '%s' has no element type; infer shapes before saving",
                             g->outputs[i]->name);
        write_info(&w->wire, ONNX_GRAPH_OUTPUT, g->outputs[i]);
    }
    return PARE_OK;
}

static pare_status write_model(pare_onnx_writer *w, const pare_graph *g)
{
    pare_wire *const wire = &w->wire;

    if (!note_reads(w, g))
        return pare_fail_memory(1, "a name");
    pare_wire_int(wire, ONNX_MODEL_IR_VERSION, pare_onnx_ir_version(w->opset));
    pare_wire_text(wire, ONNX_MODEL_PRODUCER, "pare");
    pare_wire_text(wire, ONNX_MODEL_PRODUCER_VERSION, pare_version());
    pare_wire_begin(wire, ONNX_MODEL_GRAPH);
    PARE_TRY(pare_onnx_write_graph(w, g));
    pare_wire_end(wire);
    pare_wire_begin(wire, ONNX_MODEL_OPSET);
    pare_wire_text(wire, ONNX_OPSET_DOMAIN, "");
    pare_wire_int(wire, ONNX_OPSET_VERSION, w->opset);
    pare_wire_end(wire);
    for (int i = 0; i < g->n_meta; i++)
        write_entry(wire, ONNX_MODEL_META, g->meta[2 * i], g->meta[2 * i + 1]);
    return PARE_OK;
}

/* -------------------------------------------------------------------------------------------------------- files */

static pare_status write_outside(const pare_onnx_writer *w, pare_outfile *file)
{
    static const char gap[OUTSIDE_ALIGN];
    size_t            at = 0;

    for (int i = 0; i < w->n_outside; i++) {
        PARE_TRY(pare_outfile_write(file, gap, w->outside[i].at - at));
        PARE_TRY(pare_outfile_write(file, w->outside[i].data, w->outside[i].size));
        at = w->outside[i].at + w->outside[i].size;
    }
    return PARE_OK;
}

/* The data goes into place before the model that names it. */
static pare_status write_files(const pare_onnx_writer *w, const char *path)
{
    pare_outfile *model = NULL, *data = NULL;
    pare_status   status;

    if (pare_wire_size(&w->wire) > INT32_MAX)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s: the model would pass 2 GB, the limit of ONNX files", path);
    PARE_GOTO(pare_outfile_open(path, &model));
    PARE_GOTO(pare_wire_flush(&w->wire, model));
    if (w->n_outside > 0) {
        char *const data_path = pare_arena_printf(w->arena, "%s.data", path);
        if (!data_path) {
            status = pare_fail_memory(strlen(path), "a file name");
            goto out;
        }
        PARE_GOTO(pare_outfile_open(data_path, &data));
        PARE_GOTO(write_outside(w, data));
        status = pare_outfile_commit(data);
        data = NULL;
        if (status != PARE_OK)
            goto out;
    }
    status = pare_outfile_commit(model);
    model = NULL;
out:
    pare_outfile_discard(data);
    pare_outfile_discard(model);
    return status;
}

static uint64_t constant_bytes(const pare_graph *g)
{
    uint64_t sum = 0;

    for (const pare_value *v = g->values; v; v = v->next)
        if (pare_value_is_const(v) && v->n_uses > 0)
            sum += (uint64_t)pare_tensor_bytes(&v->t);
    return sum;
}

static pare_status choose_opset(const pare_graph *g, const pare_save_options *options, int *opset)
{
    const pare_node *why;
    const int        needed = pare_onnx_since(g, &why);

    *opset = options->opset ? options->opset : needed;
    if (*opset < PARE_ONNX_FIRST || *opset > PARE_ONNX_NEWEST)
        return pare_fail(PARE_ERR_ARG, "operator set %d was asked for; sets %d to %d are written", *opset,
                         PARE_ONNX_FIRST, PARE_ONNX_NEWEST);
    if (*opset < needed)
        return pare_fail(PARE_ERR_ARG, "node '%s' (%s) needs operator set %d, but %d was asked for", why->name,
                         why->op->onnx, needed, *opset);
    return PARE_OK;
}

static void release(pare_onnx_writer *w)
{
    for (int i = 0; i < w->n_copies; i++)
        pare_tensor_release(&w->copies[i]);
    pare_free(w->copies);
    pare_free(w->outside);
    pare_map_free(&w->read);
    pare_wire_free(&w->wire);
    pare_arena_destroy(w->arena);
}

pare_status pare_onnx_write(const pare_graph *g, const char *path, const pare_save_options *options)
{
    pare_onnx_writer  w = { .arena = pare_arena_create() };
    const char *const slash = strrchr(path, '/');
    pare_status       status;

    if (!w.arena)
        return pare_fail_memory(1, "a model");
    if (options->external_data || constant_bytes(g) > inline_limit) {
        w.data_name = pare_arena_printf(w.arena, "%s.data", slash ? slash + 1 : path);
        if (!w.data_name) {
            status = pare_fail_memory(strlen(path), "a file name");
            goto out;
        }
    }
    status = choose_opset(g, options, &w.opset);
    if (status == PARE_OK)
        status = write_model(&w, g);
    if (status != PARE_OK) {
        pare_fail_in(status, "%s", path);
        goto out;
    }
    status = write_files(&w, path);
out:
    release(&w);
    return status;
}
