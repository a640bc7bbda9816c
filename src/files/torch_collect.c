/* SPDX-License-Identifier: Apache-2.0 */
/* torch_collect.c - a pickled dict of PyTorch as a flat list of named tensors */
#include "files/torch.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "tensor/tensor.h"

typedef pare_pickle_value value;

/* Values may contain themselves, so a walk ends by these; a name is at most a line long. */
enum { MAX_DEPTH = 64, MAX_VISITS = 1 << 20, MAX_NAME = 1024 };

static const pare_pickle_global globals[] = {
    { "collections.OrderedDict", PARE_PICKLE_MAKES_DICT },
    { "torch._utils._rebuild_tensor", PARE_PICKLE_CALLED },
    { "torch._utils._rebuild_tensor_v2", PARE_PICKLE_CALLED },
    { "torch._utils._rebuild_tensor_v3", PARE_PICKLE_CALLED },
    { "torch._utils._rebuild_parameter", PARE_PICKLE_CALLED },
    { "torch.Size", PARE_PICKLE_CALLED },
    { "torch.device", PARE_PICKLE_CALLED },
#define PARE_TORCH_TYPE(dtype, storage, name) { storage, PARE_PICKLE_NAMED }, { name, PARE_PICKLE_NAMED },
#include "files/torch_types.def"
#undef PARE_TORCH_TYPE
    { "torch.storage.UntypedStorage", PARE_PICKLE_NAMED },
};

const pare_pickle_rules pare_torch_rules = { globals, sizeof(globals) / sizeof(globals[0]) };

static const struct {
    pare_dtype  dtype;
    const char *storage, *name;
} types[] = {
#define PARE_TORCH_TYPE(dtype, storage, name) { PARE_##dtype, storage, name },
#include "files/torch_types.def"
#undef PARE_TORCH_TYPE
};

enum { N_TYPES = sizeof(types) / sizeof(types[0]) };

typedef struct walk {
    pare_torch_list *list;
    char             name[MAX_NAME];
    int              visits;
} walk;

static pare_status damaged(const char *what)
{
    return pare_fail(PARE_ERR_DATA, "damaged PyTorch file: %s", what);
}

/* ('storage', torch.FloatStorage, '0', 'cpu', 64), and None behind it before PyTorch 1.6 */
pare_status pare_torch_storage_of(const pare_pickle_value *persistent, pare_torch_storage *out)
{
    const value *const id = persistent->items[0];

    *out = (pare_torch_storage){ 0 };
    if (id->kind != PARE_PICKLE_TUPLE || id->n < 5 || id->items[0]->kind != PARE_PICKLE_TEXT ||
        strcmp(id->items[0]->text, "storage") != 0 || id->items[2]->kind != PARE_PICKLE_TEXT ||
        id->items[4]->kind != PARE_PICKLE_INT)
        return damaged("a storage is not described as it should be");
    if (id->n > 5 && id->items[5]->kind != PARE_PICKLE_NONE)
        return pare_fail(PARE_ERR_UNSUPPORTED, "views of storages, which PyTorch before 0.4 wrote; save it again");

    const int64_t count = id->items[4]->integer;
    int64_t       size = pare_pickle_is(id->items[1], "torch.storage.UntypedStorage");

    for (int i = 0; i < N_TYPES; i++)
        if (pare_pickle_is(id->items[1], types[i].storage)) {
            out->dtype = types[i].dtype;
            size = (int64_t)pare_dtype_size(types[i].dtype);
        }
    out->key = id->items[2]->text;
    if (!size)
        return damaged("a storage without a type");
    if (count < 0 || __builtin_mul_overflow(count, size, &out->bytes))
        return damaged("a storage of an absurd size");
    return PARE_OK;
}

/* A tuple of `n` sizes or strides; n < 0: any number. */
static pare_status read_sizes(const value *v, int n, int *rank, int64_t *out)
{
    if (v->kind != PARE_PICKLE_TUPLE || (n >= 0 && v->n != n))
        return damaged("a shape or its strides are no tuple");
    if (v->n > PARE_MAX_RANK)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%d dimensions; %d are the most", v->n, PARE_MAX_RANK);
    for (int i = 0; i < v->n; i++) {
        if (v->items[i]->kind != PARE_PICKLE_INT || v->items[i]->integer < 0)
            return damaged("a size or stride is no number, or negative");
        out[i] = v->items[i]->integer;
    }
    *rank = v->n;
    return PARE_OK;
}

/* (storage, offset, sizes, strides ...), and the dtype as the seventh for v3 */
static pare_status read_tensor(const value *args, bool typed, pare_torch_tensor *t)
{
    if (args->n < (typed ? 7 : 4) || args->items[0]->kind != PARE_PICKLE_PERSISTENT ||
        args->items[1]->kind != PARE_PICKLE_INT || args->items[1]->integer < 0)
        return damaged("a tensor is not described as it should be");
    PARE_TRY(pare_torch_storage_of(args->items[0], &t->storage));
    t->offset = args->items[1]->integer;
    PARE_TRY(read_sizes(args->items[2], -1, &t->shape.rank, t->shape.dim));
    PARE_TRY(read_sizes(args->items[3], t->shape.rank, &t->shape.rank, t->stride));
    t->dtype = t->storage.dtype;
    for (int i = 0; typed && i < N_TYPES; i++)
        if (pare_pickle_is(args->items[6], types[i].name))
            t->dtype = types[i].dtype;
    return t->dtype == PARE_NO_DTYPE ? damaged("a tensor without a type") : PARE_OK;
}

static pare_status add_tensor(walk *w, const value *args, bool typed, size_t length)
{
    pare_torch_list *const list = w->list;
    const char *const      name = length ? w->name : "tensor";

    if (!pare_grow(&list->tensors, &list->cap, list->n + 1, sizeof(*list->tensors)))
        return pare_fail_memory(sizeof(*list->tensors), "a list of tensors");

    pare_torch_tensor *const t = &list->tensors[list->n];

    *t = (pare_torch_tensor){ .name_length = length ? length : strlen(name) };
    t->name = pare_arena_strndup(list->arena, name, t->name_length);
    if (!t->name)
        return pare_fail_memory(length, "a name");
    const pare_status status = read_tensor(args, typed, t);
    if (status != PARE_OK)
        return pare_fail_in(status, "'%s'", t->name);
    list->n++;
    return PARE_OK;
}

/* The name so far, a dot and a key; how long it is then, or 0 when the key can be in no name. */
static size_t lengthen(walk *w, size_t length, const value *key, int64_t number)
{
    char         text[32];
    const char  *part = text;
    const size_t dot = length > 0;
    size_t       n;

    if (key && key->kind == PARE_PICKLE_TEXT) {
        part = key->text;
        n = (size_t)key->n;
    } else if (!key || key->kind == PARE_PICKLE_INT) {
        n = (size_t)snprintf(text, sizeof(text), "%lld", (long long)(key ? key->integer : number));
    } else {
        return 0;
    }
    if (n + dot == 0 || n >= MAX_NAME - 1 - length)
        return 0;
    if (dot)
        w->name[length] = '.';
    memcpy(w->name + length + dot, part, n);
    w->name[length + dot + n] = '\0';
    return length + dot + n;
}

static pare_status visit(walk *w, const value *v, size_t length, int depth)
{
    if (++w->visits > MAX_VISITS || depth > MAX_DEPTH)
        return pare_fail(PARE_ERR_UNSUPPORTED, "more than %d values, or dicts in dicts more than %d deep", MAX_VISITS,
                         MAX_DEPTH);
    if (v->kind == PARE_PICKLE_CALL) {
        const char *const  what = v->items[0]->text;
        const value *const args = v->items[1];

        if (strncmp(what, "torch._utils._rebuild_tensor", 28) == 0)
            return add_tensor(w, args, strcmp(what, "torch._utils._rebuild_tensor_v3") == 0, length);
        if (strcmp(what, "torch._utils._rebuild_parameter") == 0 && args->n > 0)
            return visit(w, args->items[0], length, depth + 1);
        return PARE_OK;
    }

    const bool is_dict = v->kind == PARE_PICKLE_DICT;
    const int  step = 1 + is_dict;

    if (!is_dict && v->kind != PARE_PICKLE_LIST && v->kind != PARE_PICKLE_TUPLE)
        return PARE_OK;
    for (int i = 0; i < v->n; i += step) {
        const value *const item = v->items[i + step - 1];
        const size_t       longer = lengthen(w, length, is_dict ? v->items[i] : NULL, i);

        if (longer)
            PARE_TRY(visit(w, item, longer, depth + 1));
        else if (item->kind == PARE_PICKLE_CALL || item->kind == PARE_PICKLE_DICT)
            return pare_fail(PARE_ERR_UNSUPPORTED,
                             "a key that is neither text nor a number, is empty, or makes a name of %d bytes",
                             MAX_NAME);
    }
    return PARE_OK;
}

/* The dict in a checkpoint that holds the weights: see pare/state.h. */
static const value *unwrap(const value *v)
{
    static const char *const wrappers[] = { "state_dict", "model_state_dict", "model" };
    const value             *inner = NULL;

    for (int depth = 0; depth < MAX_DEPTH && v->kind == PARE_PICKLE_DICT; depth++, v = inner) {
        for (int i = 1; i < v->n; i += 2)
            if (v->items[i]->kind == PARE_PICKLE_CALL &&
                strncmp(v->items[i]->items[0]->text, "torch._utils._rebuild", 21) == 0)
                return v;
        inner = NULL;
        for (int i = 0; i < 3 && !inner; i++) {
            inner = pare_pickle_get(v, wrappers[i]);
            if (inner && inner->kind != PARE_PICKLE_DICT)
                inner = NULL;
        }
        if (!inner)
            return v;
    }
    return v;
}

pare_status pare_torch_collect(const pare_pickle_value *root, pare_torch_list *out)
{
    walk w = { .list = out };

    return visit(&w, unwrap(root), 0, 0);
}
