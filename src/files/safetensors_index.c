/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors_index.c - the index (model.safetensors.index.json) of weights in several safetensors files beside it */
#include "files/safetensors.h"

#include <string.h>

#include "base/status.h"

/* An index begins with a brace, maybe behind spaces. */
static bool claims(const uint8_t *bytes, size_t size)
{
    size_t i = 0;

    while (i < size && i < 64 && strchr(" \t\r\n", bytes[i]) && bytes[i])
        i++;
    return i < size && bytes[i] == '{';
}

#if PARE_HAVE_JANSSON

#include <jansson.h>

#include "base/alloc.h"
#include "base/map.h"

/* Files of an index lie beside it: no way leads out of its folder. */
static pare_status read_shard(const char *index, const char *name, pare_state *into)
{
    const char *const slash = strrchr(index, '/');
    const size_t      n = slash ? (size_t)(slash - index) + 1 : 0;
    char *const       path = pare_malloc(n + strlen(name) + 1);
    pare_buf         *file = NULL;
    pare_status       status;

    if (!path)
        return pare_fail_memory(n, "a path");
    memcpy(path, index, n);
    strcpy(path + n, name);
    status = strchr(name, '/') || name[0] == '.'
                 ? pare_fail(PARE_ERR_DATA, "the index names '%.80s', which does not lie beside it", name)
                 : pare_buf_map(path, &file);
    if (status == PARE_OK) {
        status = pare_state_format_safetensors.claims(pare_buf_bytes(file), pare_buf_size(file))
                     ? pare_state_format_safetensors.read(file, path, into)
                     : pare_fail(PARE_ERR_DATA, "no safetensors file");
        if (status != PARE_OK)
            (void)pare_fail_in(status, "%s", name);
    }
    pare_buf_unref(file);
    pare_free(path);
    return status;
}

/* {"metadata": {...}, "weight_map": {"NAME": "model-00001-of-00002.safetensors", ...}} */
static pare_status read(pare_buf *file, const char *path, pare_state *into)
{
    pare_map    seen = { 0 };
    json_t     *shard;
    const char *name;
    pare_status status;

    json_t *const index =
        json_loadb((const char *)pare_buf_bytes(file), pare_buf_size(file), JSON_REJECT_DUPLICATES, NULL);

    json_t *const map = json_object_get(index, "weight_map");

    status = json_is_object(map) ? PARE_OK : pare_fail(PARE_ERR_DATA, "JSON, but no index of safetensors");
    json_object_foreach(map, name, shard)
    {
        const char *const text = json_string_value(shard);

        if (!text)
            status = pare_fail(PARE_ERR_DATA, "'%.80s' is in no file", name);
        else if (!pare_map_get(&seen, text))
            status = pare_map_set(&seen, text, shard) ? read_shard(path, text, into) : pare_fail_memory(0, "an index");
        if (status == PARE_OK && !pare_state_find(into, name))
            status = pare_fail(PARE_ERR_DATA, "'%.80s' is not in %s, where it should be", name, text);
        if (status != PARE_OK)
            break;
    }
    pare_map_free(&seen);
    json_decref(index);
    return status;
}

#else

static pare_status read(pare_buf *file, const char *path, pare_state *into)
{
    (void)file, (void)path, (void)into;
    return pare_fail(PARE_ERR_UNSUPPORTED, "an index of safetensors, but pare was built without jansson");
}

#endif

const pare_state_format pare_state_format_safetensors_index = { .name = "safetensors index",
                                                                .claims = claims,
                                                                .read = read };
