/* SPDX-License-Identifier: Apache-2.0 */
/*
 * onnx_external.c - tensor data in files beside the model.
 *
 * A model is input from strangers: a location may only be a relative path to a file inside the model's folder, also
 * after symbolic links are followed.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "io/onnx.h"

static bool is_inside_by_name(const char *location)
{
    if (location[0] == '\0' || location[0] == '/' || strchr(location, '\\'))
        return false;
    for (const char *part = location; part; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0'))
            return false;
    }
    return true;
}

static bool is_inside(const char *folder, const char *path)
{
    const size_t n = strlen(folder);

    return strncmp(folder, path, n) == 0 && (path[n] == '/' || (n == 1 && path[1] != '\0'));
}

static pare_status map_real(pare_onnx *file, const char *location, char folder[PATH_MAX], pare_buf **out)
{
    const char *const path = pare_arena_printf(file->arena, "%s/%s", file->source->folder, location);
    char              real[PATH_MAX];

    if (!path)
        return pare_fail_memory(strlen(location), "a file name");
    if (!realpath(file->source->folder, folder) || !realpath(path, real))
        return pare_fail(PARE_ERR_IO, "its data file %s: %s", path, strerror(errno));
    if (!is_inside(folder, real))
        return pare_fail(PARE_ERR_DATA,
                         "its data file %s is a link out of the model's folder; put the file itself there", path);
    return pare_buf_map(real, out);
}

static pare_status map_file(pare_onnx *file, const char *location, pare_buf **out)
{
    char folder[PATH_MAX];

    for (pare_onnx_external *e = file->externals; e; e = e->next)
        if (strcmp(e->location, location) == 0) {
            *out = e->bytes;
            return PARE_OK;
        }
    if (!file->source->folder)
        return pare_fail(PARE_ERR_DATA, "its data is in the file '%s', but the model was not read from a folder",
                         location);
    if (!is_inside_by_name(location))
        return pare_fail(PARE_ERR_DATA, "its data file '%s' is not a plain relative path inside the model's folder",
                         location);

    pare_onnx_external *const e = pare_arena_alloc(file->arena, sizeof(*e));
    if (!e)
        return pare_fail_memory(sizeof(*e), "an external file");
    PARE_TRY(map_real(file, location, folder, &e->bytes));
    e->location = location;
    e->next = file->externals;
    file->externals = e;
    *out = e->bytes;
    return PARE_OK;
}

pare_status pare_onnx_read_external(pare_onnx *file, const pare_onnx_place *place, size_t size, pare_buf **out)
{
    pare_buf *bytes;

    PARE_TRY(map_file(file, place->location, &bytes));

    const uint64_t room = pare_buf_size(bytes);
    if (place->offset < 0 || (uint64_t)place->offset > room || size > room - (uint64_t)place->offset)
        return pare_fail(PARE_ERR_DATA, "its %zu bytes at offset %lld lie outside of '%s', which has %llu bytes", size,
                         (long long)place->offset, place->location, (unsigned long long)room);
    if (place->length != -1 && (place->length < 0 || (uint64_t)place->length != size))
        return pare_fail(PARE_ERR_DATA, "it needs %zu bytes but its entry in '%s' has the length %lld", size,
                         place->location, (long long)place->length);
    return pare_buf_slice(bytes, (size_t)place->offset, size, out);
}
