/* SPDX-License-Identifier: Apache-2.0 */
/*
 * safetensors_write.c - writing safetensors, in one file or in several with an index
 *
 * The header names the tensors in the state's order. Their bytes lie behind it without holes, those of the largest
 * elements first, and the header is filled with spaces to a multiple of 64: every tensor is aligned as its type asks.
 */
#include "files/safetensors.h"

#include <string.h>

#include "base/status.h"

#if PARE_HAVE_JANSSON

#include <jansson.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/outfile.h"
#include "tensor/tensor.h"

/* The sizes of elements, in the order in which their tensors lie. */
static const size_t item_sizes[] = { 8, 4, 2, 1 };

enum { N_SIZES = sizeof(item_sizes) / sizeof(item_sizes[0]), HEAD = 8, ALIGN = 64 };

/* Which file each tensor goes to, and where it begins there. */
typedef struct place {
    int     shard;
    int64_t offset;
} place;

static int64_t bytes_of(const pare_state *s, int i)
{
    return pare_tensor_bytes(pare_state_tensor(s, i));
}

/* How many files there are. Tensors go to files in their order; a file ends before it becomes too large. */
static int divide(const pare_state *s, int64_t most, place *places)
{
    int64_t filled = 0;
    int     shard = 0;

    for (int i = 0; i < pare_state_count(s); i++) {
        if (most && filled && bytes_of(s, i) > most - filled) {
            shard++;
            filled = 0;
        }
        places[i].shard = shard;
        filled += bytes_of(s, i);
    }
    for (int k = 0; k <= shard; k++) {
        int64_t at = 0;

        for (int size = 0; size < N_SIZES; size++)
            for (int i = 0; i < pare_state_count(s); i++)
                if (places[i].shard == k && pare_dtype_size(pare_state_tensor(s, i)->dtype) == item_sizes[size]) {
                    places[i].offset = at;
                    at += bytes_of(s, i);
                }
    }
    return shard + 1;
}

static pare_status short_of(void)
{
    return pare_fail_memory(0, "a safetensors header");
}

static pare_status check(const pare_state *s)
{
    for (int i = 0; i < pare_state_count(s); i++) {
        const pare_tensor *const t = pare_state_tensor(s, i);
        const char *const        name = pare_state_name(s, i);
        json_t *const            text = json_string(name);

        json_decref(text);
        if (!text)
            return pare_fail(PARE_ERR_ARG, "tensor %d has a name that is no UTF-8 text", i);
        if (strcmp(name, "__metadata__") == 0)
            return pare_fail(PARE_ERR_ARG, "a tensor must not be called __metadata__ in safetensors");
        if (!pare_safetensors_type(t->dtype))
            return pare_fail(PARE_ERR_UNSUPPORTED, "'%s': safetensors has no %s", name, pare_dtype_name(t->dtype));
    }
    return PARE_OK;
}

static json_t *describe(const pare_tensor *t, int64_t offset)
{
    json_t *const shape = json_array();

    for (int i = 0; i < t->shape.rank; i++)
        if (json_array_append_new(shape, json_integer(t->shape.dim[i]))) {
            json_decref(shape);
            return NULL;
        }
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", pare_safetensors_type(t->dtype), "shape", shape, "data_offsets",
                     (json_int_t)offset, (json_int_t)(offset + pare_tensor_bytes(t)));
}

static json_t *meta_of(const pare_state *s)
{
    json_t *const meta = json_object();
    const char   *key;

    for (int i = 0; (key = pare_state_meta_key(s, i)); i++)
        if (json_object_set_new(meta, key, json_string(pare_state_meta(s, key)))) {
            json_decref(meta);
            return NULL;
        }
    return meta;
}

/* NULL: out of memory, or metadata that is no text. */
static json_t *header_of(const pare_state *s, const place *places, int shard)
{
    json_t *const header = json_object();
    int           bad = pare_state_meta_key(s, 0) ? json_object_set_new(header, "__metadata__", meta_of(s)) : 0;

    for (int i = 0; !bad && i < pare_state_count(s); i++)
        if (places[i].shard == shard)
            bad =
                json_object_set_new(header, pare_state_name(s, i), describe(pare_state_tensor(s, i), places[i].offset));
    if (!bad)
        return header;
    json_decref(header);
    return NULL;
}

static pare_status write_bytes(const pare_state *s, const place *places, int shard, pare_outfile *file)
{
    for (int size = 0; size < N_SIZES; size++)
        for (int i = 0; i < pare_state_count(s); i++)
            if (places[i].shard == shard && pare_dtype_size(pare_state_tensor(s, i)->dtype) == item_sizes[size])
                PARE_TRY(pare_outfile_write(file, pare_state_tensor(s, i)->data, (size_t)bytes_of(s, i)));
    return PARE_OK;
}

static pare_status write_shard(const pare_state *s, const place *places, int shard, const char *path)
{
    json_t *const header = header_of(s, places, shard);
    char *const   text = header ? json_dumps(header, JSON_COMPACT) : NULL;
    pare_outfile *file = NULL;
    pare_status   status;

    if (text) {
        const size_t length = (HEAD + strlen(text) + ALIGN - 1) / ALIGN * ALIGN - HEAD;
        uint8_t      head[HEAD];

        for (int i = 0; i < HEAD; i++)
            head[i] = (uint8_t)((uint64_t)length >> (8 * i));
        PARE_GOTO(pare_outfile_open(path, &file));
        PARE_GOTO(pare_outfile_write(file, head, HEAD));
        PARE_GOTO(pare_outfile_printf(file, "%s%*s", text, (int)(length - strlen(text)), ""));
        PARE_GOTO(write_bytes(s, places, shard, file));
        status = pare_outfile_commit(file);
        file = NULL;
    } else {
        status = header ? short_of() : pare_fail(PARE_ERR_ARG, "%s: metadata that is no UTF-8 text", path);
    }
out:
    pare_outfile_discard(file);
    free(text);
    json_decref(header);
    return status;
}

/* "model-00001-of-00004.safetensors" of "model.safetensors" */
static void name_shard(const char *path, int shard, int n, char *out, size_t size)
{
    snprintf(out, size, "%.*s-%05d-of-%05d.safetensors", (int)(strlen(path) - 12), path, shard + 1, n);
}

static pare_status write_index(const pare_state *s, const place *places, int n, const char *path, char *name,
                               size_t room)
{
    json_t *const map = json_object();
    json_int_t    total = 0;
    int           bad = 0;

    for (int i = 0; i < pare_state_count(s); i++) {
        name_shard(path, places[i].shard, n, name, room);
        const char *const slash = strrchr(name, '/');

        bad |= json_object_set_new(map, pare_state_name(s, i), json_string(slash ? slash + 1 : name));
        total += bytes_of(s, i);
    }
    json_t *const index = json_pack("{s:{s:I}, s:o}", "metadata", "total_size", total, "weight_map", map);
    char *const   text = bad || !index ? NULL : json_dumps(index, JSON_INDENT(2));
    pare_outfile *file;
    pare_status   status = text ? PARE_OK : short_of();

    snprintf(name, room, "%s.index.json", path);
    if (status == PARE_OK)
        status = pare_outfile_open(name, &file);
    if (status == PARE_OK) {
        status = pare_outfile_printf(file, "%s\n", text);
        if (status == PARE_OK)
            status = pare_outfile_commit(file);
        else
            pare_outfile_discard(file);
    }
    free(text);
    json_decref(index);
    return status;
}

/* The index is last: while it is not there, or is an old one, nobody takes the new files for whole. */
static pare_status write_all(const pare_state *s, place *places, const char *path, int64_t most)
{
    const size_t room = strlen(path) + 64;
    const int    n = divide(s, most, places);
    char *const  name = pare_malloc(room);
    pare_status  status = name ? PARE_OK : pare_fail_memory(room, "a path");

    if (status == PARE_OK && most == 0)
        status = write_shard(s, places, 0, path);
    for (int k = 0; status == PARE_OK && most && k < n; k++) {
        name_shard(path, k, n, name, room);
        status = write_shard(s, places, k, name);
    }
    if (status == PARE_OK && most)
        status = write_index(s, places, n, path, name, room);
    pare_free(name);
    return status;
}

pare_status pare_safetensors_write(const pare_state *state, const char *path, const pare_state_save_options *options)
{
    place *const places = pare_calloc((size_t)pare_state_count(state) + 1, sizeof(*places));
    pare_status  status = places ? check(state) : pare_fail_memory(0, "a safetensors file");

    if (status == PARE_OK && options->shard_bytes < 0)
        status = pare_fail(PARE_ERR_ARG, "files of %lld bytes", (long long)options->shard_bytes);
    if (status != PARE_OK)
        (void)pare_fail_in(status, "%s", path);
    else
        status = write_all(state, places, path, options->shard_bytes);
    pare_free(places);
    return status;
}

#else

pare_status pare_safetensors_write(const pare_state *state, const char *path, const pare_state_save_options *options)
{
    (void)state, (void)options;
    return pare_fail(PARE_ERR_UNSUPPORTED, "%s: safetensors, but pare was built without jansson", path);
}

#endif
