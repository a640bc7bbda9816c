/* SPDX-License-Identifier: Apache-2.0 */
/* onnx_model.c - ModelProto to a graph: operator set, metadata, then order and shapes */
#include <string.h>

#include "base/status.h"
#include "io/onnx.h"

typedef struct model {
    pare_cursor graph;
    bool        has_graph;
} model;

static pare_status read_opset(pare_onnx *file, pare_field *entry)
{
    pare_cursor message = pare_field_bytes(entry);
    const char *domain = "";
    int64_t     version = 0;
    pare_field  f;

    while (pare_field_next(&message, &f)) {
        if (f.number == ONNX_OPSET_DOMAIN)
            domain = pare_onnx_name(file, &f);
        else if (f.number == ONNX_OPSET_VERSION)
            version = pare_field_int(&f);
    }
    if (message.bad)
        return pare_fail(PARE_ERR_DATA, "an operator set's record is damaged");
    if (domain[0] && strcmp(domain, "ai.onnx") != 0)
        return PARE_OK; /* refused when a node uses it */
    if (version < PARE_ONNX_OLDEST || version > PARE_ONNX_NEWEST)
        return pare_fail(PARE_ERR_UNSUPPORTED, "the model uses ONNX operator set %lld; sets %d to %d are read",
                         (long long)version, PARE_ONNX_OLDEST, PARE_ONNX_NEWEST);
    file->opset = (int)version;
    return PARE_OK;
}

static pare_status read_meta(pare_onnx *file, pare_field *entry, pare_graph *g)
{
    pare_cursor message = pare_field_bytes(entry);
    const char *key = "", *value = "";
    pare_field  f;

    while (pare_field_next(&message, &f)) {
        if (f.number == ONNX_ENTRY_KEY)
            key = pare_onnx_text(file, &f);
        else if (f.number == ONNX_ENTRY_VALUE)
            value = pare_onnx_text(file, &f);
    }
    if (message.bad)
        return pare_fail(PARE_ERR_DATA, "the metadata is damaged");
    return pare_graph_add_meta(g, key, value);
}

static pare_status read_function(pare_onnx *file, pare_field *function)
{
    pare_cursor message = pare_field_bytes(function);
    pare_field  f;
    const char *name = NULL;

    while (pare_field_next(&message, &f))
        if (f.number == ONNX_FUNCTION_NAME)
            name = pare_onnx_name(file, &f);
    if (message.bad || !name)
        return pare_fail(PARE_ERR_DATA, "a local function is damaged");
    return pare_map_set(&file->functions, name, file) ? PARE_OK : pare_fail_memory(strlen(name), "a name");
}

static pare_status read_model(pare_onnx *file, pare_graph *g, model *m)
{
    pare_cursor message = pare_cursor_of(pare_buf_bytes(file->source->bytes), pare_buf_size(file->source->bytes));
    pare_field  f;

    *m = (model){ .has_graph = false };
    while (pare_field_next(&message, &f)) {
        if (f.number == ONNX_MODEL_OPSET)
            PARE_TRY(read_opset(file, &f));
        else if (f.number == ONNX_MODEL_META)
            PARE_TRY(read_meta(file, &f, g));
        else if (f.number == ONNX_MODEL_FUNCTION)
            PARE_TRY(read_function(file, &f));
        else if (f.number == ONNX_MODEL_GRAPH) {
            m->graph = pare_field_bytes(&f);
            m->has_graph = true;
        }
    }
    if (message.bad)
        return pare_fail(PARE_ERR_DATA, "the file is damaged, cut off or no ONNX model");
    if (!m->has_graph)
        return pare_fail(PARE_ERR_DATA, "there is no graph in it");
    g->opset = file->opset;
    return PARE_OK;
}

/* Everything that the file says, before order and shapes are worked out. */
static pare_status read_parts(pare_onnx *file, pare_graph *g)
{
    model m;

    file->depth = 1;
    PARE_TRY(read_model(file, g, &m));
    PARE_TRY(pare_graph_set_file(g, file->source->name));
    return pare_onnx_read_graph(file, m.graph, g, NULL);
}

/* Where inference found no shape the declared one stands; where it found one that is not fixed, the declared names. */
static pare_status apply_hints(const pare_onnx *file, pare_graph *g)
{
    for (const pare_onnx_hint *h = file->hints; h; h = h->next) {
        pare_value *const v = h->value;
        if (!v->has_shape && h->has_shape && v->t.dtype != PARE_NO_DTYPE) {
            v->t = pare_tensor_of(v->t.dtype, h->shape);
            v->has_shape = true;
        }
        for (int i = 0; v->t.shape.rank == h->shape.rank && i < h->shape.rank; i++)
            if (h->dim_name[i] && v->t.shape.dim[i] == PARE_DIM_ANY &&
                !(v->dim_name[i] = pare_arena_strdup(g->arena, h->dim_name[i])))
                return pare_fail_memory(strlen(h->dim_name[i]), "a name");
    }
    return PARE_OK;
}

static pare_status finish(pare_onnx *file, pare_graph *g)
{
    pare_status status;
    bool        changed = false;

    PARE_TRY(pare_graph_sort(g));
    PARE_TRY(pare_graph_infer(g, false));
    PARE_TRY(pare_onnx_upgrade_late(file, &changed));
    if (changed)
        PARE_TRY(pare_graph_infer(g, false));
    PARE_TRY(apply_hints(file, g));
    status = pare_graph_verify(g); /* the last word: no file may make a graph that passes cannot trust */
    return status == PARE_OK ? PARE_OK : pare_fail_in(status, "%s", file->source->name);
}

static void close_file(pare_onnx *file)
{
    for (pare_onnx_external *e = file->externals; e; e = e->next)
        pare_buf_unref(e->bytes);
    pare_map_free(&file->functions);
    pare_map_free(&file->dropped);
    pare_arena_destroy(file->arena);
}

pare_status pare_onnx_read(const pare_source *source, pare_graph **out)
{
    pare_onnx   file = { .source = source, .arena = pare_arena_create() };
    pare_graph *g = NULL;
    pare_status status;

    if (!file.arena)
        return pare_fail_memory(1, "a model");
    PARE_GOTO(pare_graph_create("graph", &g));
    status = read_parts(&file, g);
    if (status == PARE_ERR_DATA && file.no_memory)
        status = pare_fail_memory(1, "names");
    if (status != PARE_OK)
        pare_fail_in(status, "%s", source->name);
    else
        status = finish(&file, g);
out:
    close_file(&file);
    if (status != PARE_OK)
        pare_graph_destroy(g);
    else
        *out = g;
    return status;
}
