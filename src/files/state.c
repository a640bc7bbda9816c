/* SPDX-License-Identifier: Apache-2.0 */
/* state.c - state dicts: the container, and which format a file is in */
#include "files/state.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/map.h"
#include "base/status.h"
#include "tensor/tensor.h"

#define PARE_STATE_FORMAT(name) extern const pare_state_format pare_state_format_##name;
#include "files/states.def"
#undef PARE_STATE_FORMAT

static const pare_state_format *const formats[] = {
#define PARE_STATE_FORMAT(name) &pare_state_format_##name,
#include "files/states.def"
#undef PARE_STATE_FORMAT
};

enum { N_FORMATS = sizeof(formats) / sizeof(formats[0]) };

typedef struct entry {
    const char *name;
    pare_tensor tensor;
} entry;

typedef struct note {
    const char *key;
    const char *text;
} note;

struct pare_state {
    pare_arena *arena; /* names and texts                           */
    entry      *entries;
    int         n, cap;
    pare_map    by_name; /* name -> number of its entry + 1, as a pointer */
    note       *notes;
    int         n_notes, cap_notes;
};

pare_status pare_state_create(pare_state **out)
{
    pare_state *const s = pare_calloc(1, sizeof(*s));

    *out = NULL;
    if (s)
        s->arena = pare_arena_create();
    if (!s || !s->arena) {
        pare_free(s);
        return pare_fail_memory(sizeof(*s), "a state");
    }
    *out = s;
    return PARE_OK;
}

void pare_state_destroy(pare_state *state)
{
    if (!state)
        return;
    for (int i = 0; i < state->n; i++)
        pare_tensor_release(&state->entries[i].tensor);
    pare_free(state->entries);
    pare_free(state->notes);
    pare_map_free(&state->by_name);
    pare_arena_destroy(state->arena);
    pare_free(state);
}

int pare_state_count(const pare_state *state)
{
    return state->n;
}

const char *pare_state_name(const pare_state *state, int index)
{
    return state->entries[index].name;
}

const pare_tensor *pare_state_tensor(const pare_state *state, int index)
{
    return &state->entries[index].tensor;
}

const pare_tensor *pare_state_find(const pare_state *state, const char *name)
{
    const intptr_t number = (intptr_t)pare_map_get(&state->by_name, name);

    return number ? &state->entries[number - 1].tensor : NULL;
}

/* A new entry at the end, without a tensor. */
static pare_status add(pare_state *s, const char *name)
{
    char *const copy = pare_arena_strdup(s->arena, name);

    if (!copy || !pare_grow(&s->entries, &s->cap, s->n + 1, sizeof(*s->entries)) ||
        !pare_map_set(&s->by_name, copy, (void *)(intptr_t)(s->n + 1)))
        return pare_fail_memory(strlen(name), "a name");
    s->entries[s->n++] = (entry){ .name = copy };
    return PARE_OK;
}

pare_status pare_state_give(pare_state *state, const char *name, size_t length, pare_tensor *tensor)
{
    pare_status status = PARE_OK;

    if (memchr(name, 0, length))
        status = pare_fail(PARE_ERR_DATA, "'%s': a name with a zero byte in it", name);
    else if (!pare_map_get(&state->by_name, name))
        status = add(state, name);
    if (status != PARE_OK) {
        pare_tensor_release(tensor);
        return status;
    }
    entry *const e = &state->entries[(intptr_t)pare_map_get(&state->by_name, name) - 1];

    pare_tensor_release(&e->tensor);
    e->tensor = *tensor;
    e->tensor.q = NULL;
    *tensor = (pare_tensor){ 0 };
    return PARE_OK;
}

pare_status pare_state_put(pare_state *state, const char *name, const pare_tensor *tensor)
{
    pare_tensor mine = *tensor;

    if (!tensor->data || pare_tensor_bytes(tensor) < 0)
        return pare_fail(PARE_ERR_ARG, "tensor '%s' has no data or no fixed shape", name);
    if (tensor->buf && pare_tensor_is_dense(tensor)) {
        (void)pare_buf_ref(mine.buf);
    } else {
        mine = pare_tensor_of(tensor->dtype, tensor->shape);
        PARE_TRY(pare_tensor_alloc(&mine));
        pare_tensor_copy(&mine, tensor);
    }
    return pare_state_give(state, name, strlen(name), &mine);
}

pare_status pare_state_view(pare_buf *file, size_t offset, pare_dtype dtype, const pare_shape *shape, pare_tensor *out)
{
    uint8_t *const at = pare_buf_bytes(file) + offset;

    *out = pare_tensor_of(dtype, *shape);
    if ((uintptr_t)at % pare_dtype_size(dtype) == 0) {
        out->data = at;
        out->buf = pare_buf_ref(file);
        return PARE_OK;
    }
    PARE_TRY(pare_tensor_alloc(out));
    memcpy(out->data, at, (size_t)pare_tensor_bytes(out));
    return PARE_OK;
}

pare_status pare_state_strip(pare_state *state, const char *prefix, bool *changed)
{
    const size_t n = strlen(prefix);

    *changed = false;
    for (int i = 0; i < state->n; i++)
        if (strncmp(state->entries[i].name, prefix, n) != 0 || !state->entries[i].name[n])
            return PARE_OK;
    pare_map_free(&state->by_name);
    state->by_name = (pare_map){ 0 };
    for (int i = 0; i < state->n; i++) {
        state->entries[i].name += n;
        if (!pare_map_set(&state->by_name, state->entries[i].name, (void *)(intptr_t)(i + 1)))
            return pare_fail_memory(n, "a name");
    }
    *changed = state->n > 0;
    return PARE_OK;
}

pare_status pare_state_set_meta(pare_state *state, const char *key, const char *text)
{
    char *const mine = pare_arena_strdup(state->arena, text);
    int         i = 0;

    while (i < state->n_notes && strcmp(state->notes[i].key, key) != 0)
        i++;
    char *const name = pare_arena_strdup(state->arena, key);

    if (!mine || !name || !pare_grow(&state->notes, &state->cap_notes, i + 1, sizeof(*state->notes)))
        return pare_fail_memory(strlen(text), "metadata");
    state->notes[i] = (note){ name, mine };
    state->n_notes += i == state->n_notes;
    return PARE_OK;
}

const char *pare_state_meta_key(const pare_state *state, int index)
{
    return index >= 0 && index < state->n_notes ? state->notes[index].key : NULL;
}

const char *pare_state_meta(const pare_state *state, const char *key)
{
    for (int i = 0; i < state->n_notes; i++)
        if (strcmp(state->notes[i].key, key) == 0)
            return state->notes[i].text;
    return NULL;
}

static const pare_state_format *format_of(const pare_buf *file)
{
    for (int i = 0; i < N_FORMATS; i++)
        if (formats[i]->claims(pare_buf_bytes(file), pare_buf_size(file)))
            return formats[i];
    return NULL;
}

bool pare_state_claims(const char *path)
{
    pare_buf *file;

    if (pare_buf_map(path, &file) != PARE_OK)
        return false;

    const bool known = format_of(file) != NULL;

    pare_buf_unref(file);
    return known;
}

static pare_status read_any(pare_buf *file, const char *path, pare_state *into)
{
    const pare_state_format *const format = format_of(file);

    if (format)
        return format->read(file, path, into);
    return pare_fail(PARE_ERR_DATA, "no file of weights; PyTorch (.pth, .pt), .safetensors and .npz are known");
}

pare_status pare_state_load(const char *path, pare_state **out)
{
    pare_state *s = NULL;
    pare_buf   *file;
    pare_status status;

    *out = NULL;
    PARE_TRY(pare_buf_map(path, &file));
    PARE_GOTO(pare_state_create(&s));
    status = read_any(file, path, s);
    if (status != PARE_OK)
        (void)pare_fail_in(status, "%s", path);
out:
    pare_buf_unref(file);
    if (status == PARE_OK)
        *out = s;
    else
        pare_state_destroy(s);
    return status;
}

pare_status pare_state_save(const pare_state *state, const char *path, const pare_state_save_options *options)
{
    static const pare_state_save_options none = { 0 };
    const size_t                         n = strlen(path);

    for (int i = 0; i < N_FORMATS; i++) {
        const size_t m = formats[i]->ending ? strlen(formats[i]->ending) : 0;

        if (m && n > m && strcmp(path + n - m, formats[i]->ending) == 0)
            return formats[i]->write(state, path, options ? options : &none);
    }
    return pare_fail(PARE_ERR_ARG, "%s: weights are written as .safetensors or .npz; end the name with one of them",
                     path);
}
