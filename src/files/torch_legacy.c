/* SPDX-License-Identifier: Apache-2.0 */
/*
 * torch_legacy.c - PyTorch's format before 1.6: five pickles (magic number, version, system, object, keys of storages),
 * then for each key the number of its elements (s64) and the elements
 */
#include "files/torch.h"

#include <string.h>

#include "base/alloc.h"
#include "base/cursor.h"
#include "base/map.h"
#include "base/status.h"
#include "tensor/tensor.h"

static const uint8_t magic[] = { 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19 };

enum { VERSION = 1001 };

typedef struct chunk {
    size_t offset, size; /* of the elements in the file */
} chunk;

typedef struct reader {
    pare_buf   *file;
    pare_cursor in;
    pare_arena *arena;
    pare_map    chunks; /* key -> chunk */
} reader;

static pare_status next_pickle(reader *r, pare_pickle *out)
{
    PARE_TRY(pare_pickle_read(r->in.at, pare_cursor_left(&r->in), &pare_torch_rules, r->arena, out));
    (void)pare_cursor_bytes(&r->in, out->used);
    return PARE_OK;
}

/* The three pickles in front. */
static pare_status read_head(reader *r)
{
    const pare_pickle_value *little;
    pare_pickle              p;

    PARE_TRY(next_pickle(r, &p));
    if (p.root->kind != PARE_PICKLE_LONG || p.root->n != sizeof(magic) || memcmp(p.root->text, magic, sizeof(magic)))
        return pare_fail(PARE_ERR_UNSUPPORTED, "a pickle, but not what torch.save writes");
    PARE_TRY(next_pickle(r, &p));
    if (p.root->kind != PARE_PICKLE_INT || p.root->integer != VERSION)
        return pare_fail(PARE_ERR_UNSUPPORTED, "a PyTorch file of an unknown version; %d is known", VERSION);
    PARE_TRY(next_pickle(r, &p));
    little = pare_pickle_get(p.root, "little_endian");
    if (little && little->kind == PARE_PICKLE_BOOL && !little->integer)
        return pare_fail(PARE_ERR_UNSUPPORTED, "written on a big-endian machine");
    return PARE_OK;
}

/* How large the elements of every key are. */
static pare_status map_items(const pare_pickle *object, pare_map *items)
{
    for (const pare_pickle_value *v = object->persistent; v; v = v->items[1]) {
        pare_torch_storage s;

        PARE_TRY(pare_torch_storage_of(v, &s));
        if (!pare_map_set(items, s.key, (void *)(intptr_t)(s.dtype ? pare_dtype_size(s.dtype) : 1)))
            return pare_fail_memory(0, "the keys of storages");
    }
    return PARE_OK;
}

/* Walks over the elements behind the pickles. */
static pare_status find_chunks(reader *r, const pare_map *items)
{
    pare_pickle keys;

    PARE_TRY(next_pickle(r, &keys));
    if (keys.root->kind != PARE_PICKLE_LIST)
        return pare_fail(PARE_ERR_DATA, "damaged PyTorch file: no list of storages");
    for (int i = 0; i < keys.root->n; i++) {
        const pare_pickle_value *const key = keys.root->items[i];
        const size_t   item = key->kind == PARE_PICKLE_TEXT ? (size_t)(intptr_t)pare_map_get(items, key->text) : 0;
        const uint64_t count = pare_cursor_u64le(&r->in);
        chunk *const   c = pare_arena_alloc(r->arena, sizeof(*c));

        if (!c)
            return pare_fail_memory(sizeof(*c), "the list of storages");
        if (!item)
            return pare_fail(PARE_ERR_DATA, "damaged PyTorch file: a storage that no tensor names");
        if (r->in.bad || count > pare_cursor_left(&r->in) / item)
            return pare_fail(PARE_ERR_DATA, "PyTorch file ends inside storage '%.40s'", key->text);
        *c = (chunk){ (size_t)(r->in.at - r->in.begin), (size_t)count * item };
        (void)pare_cursor_bytes(&r->in, c->size);
        if (!pare_map_set(&r->chunks, key->text, c))
            return pare_fail_memory(sizeof(*c), "the list of storages");
    }
    return PARE_OK;
}

/* Pickles have any length, so elements seldom lie where their type must: 64 suits all. */
static pare_status fetch(void *context, const pare_torch_storage *wanted, pare_buf **out)
{
    const reader *const r = context;
    const chunk *const  c = pare_map_get(&r->chunks, wanted->key);

    *out = NULL;
    if (!c)
        return pare_fail(PARE_ERR_DATA, "damaged PyTorch file: storage '%.40s' is not there", wanted->key);
    PARE_TRY(pare_buf_alloc(c->size, out));
    memcpy(pare_buf_bytes(*out), r->in.begin + c->offset, c->size);
    return PARE_OK;
}

static pare_status read(pare_buf *file, const char *path, pare_state *into)
{
    reader r = { file, pare_cursor_of(pare_buf_bytes(file), pare_buf_size(file)), pare_arena_create(), { 0 } };
    const pare_torch_source source = { fetch, &r, pare_buf_size(file) };
    pare_map                items = { 0 };
    pare_pickle             object;
    pare_status             status;

    (void)path;
    if (!r.arena)
        return pare_fail_memory(0, "a pickle");
    PARE_GOTO(read_head(&r));
    PARE_GOTO(next_pickle(&r, &object));
    PARE_GOTO(map_items(&object, &items));
    PARE_GOTO(find_chunks(&r, &items));
    status = pare_torch_take(object.root, &source, r.arena, into);
out:
    pare_map_free(&items);
    pare_map_free(&r.chunks);
    pare_arena_destroy(r.arena);
    return status;
}

/* Any pickle, so that one which is not PyTorch's is refused for what it is: protocol 2 and above have a mark in front;
 * the older ones end with STOP and, when they call something, begin with its name. */
static bool claims(const uint8_t *bytes, size_t size)
{
    if (size < 2)
        return false;
    return bytes[0] == 0x80 ? bytes[1] <= 5 : strchr("c(", bytes[0]) && bytes[0] && bytes[size - 1] == '.';
}

const pare_state_format pare_state_format_torch_legacy = { .name = "PyTorch before 1.6",
                                                           .claims = claims,
                                                           .read = read };
