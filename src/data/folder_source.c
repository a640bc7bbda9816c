/* SPDX-License-Identifier: Apache-2.0 */
/* folder_source.c - pictures as files: a folder of them, or one */
#include "data/dataset.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/status.h"
#include "data/pictures.h"

/* Class folders are one deep, splits two; a link that leads back to its parent would never end. */
enum { MAX_DEPTH = 16 };

static bool is_folder(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static bool claims_picture(const char *path)
{
    return pare_path_is_picture(path) && !is_folder(path);
}

static pare_status scan(pare_dataset *ds, const char *below, int depth, pare_picture_list *list);

/* One entry of folder `below`: a picture joins the list, a folder is scanned in turn. */
static pare_status scan_entry(pare_dataset *ds, DIR *dir, const char *below, const char *name, int depth,
                              pare_picture_list *list)
{
    struct stat st;

    if (name[0] == '.' || fstatat(dirfd(dir), name, &st, 0) != 0)
        return PARE_OK; /* hidden, or a link to nothing */
    if (!S_ISDIR(st.st_mode) && !pare_path_is_picture(name))
        return PARE_OK;

    const char *path = pare_arena_printf(ds->arena, "%s%s%s", below, name, S_ISDIR(st.st_mode) ? "/" : "");
    if (!path)
        return pare_fail_memory(strlen(below) + strlen(name), "the name of a file");
    return S_ISDIR(st.st_mode) ? scan(ds, path, depth + 1, list) : pare_pictures_add(list, path, 0, 0);
}

/* Adds what is in and under folder `below` of the data set ("" or "a/b/"). */
static pare_status scan(pare_dataset *ds, const char *below, int depth, pare_picture_list *list)
{
    const struct dirent *entry;
    pare_status          status = PARE_OK;

    if (depth > MAX_DEPTH)
        return pare_fail(PARE_ERR_UNSUPPORTED, "%s/%s: folders more than %d deep", ds->path, below, MAX_DEPTH);

    const char *path = pare_arena_printf(ds->arena, "%s/%s", ds->path, below);
    if (!path)
        return pare_fail_memory(strlen(below), "the name of a folder");

    DIR *dir = opendir(path);
    if (!dir)
        return pare_fail(PARE_ERR_IO, "%s: %s", path, strerror(errno));
    while (status == PARE_OK && (entry = readdir(dir)))
        status = scan_entry(ds, dir, below, entry->d_name, depth, list);
    closedir(dir);
    return status;
}

static pare_status open_folder(pare_dataset *ds, const pare_data_options *options)
{
    pare_picture_list list = { 0 };
    const pare_status status = scan(ds, "", 0, &list);

    if (status != PARE_OK) {
        pare_free(list.items);
        return status;
    }
    return pare_pictures_finish(&list, NULL, options, ds);
}

static pare_status read_file(const char *path, pare_image *out)
{
    pare_buf *bytes = NULL;

    PARE_TRY(pare_buf_map(path, &bytes));
    const pare_status status = pare_image_read(pare_buf_bytes(bytes), pare_buf_size(bytes), out);
    pare_buf_unref(bytes);
    return status;
}

static pare_status picture_in_folder(const pare_dataset *ds, int64_t sample, pare_image *out)
{
    const char *const name = ds->pictures[sample].name;
    const size_t      size = strlen(ds->path) + 1 + strlen(name) + 1;
    char *const       path = pare_malloc(size);

    if (!path)
        return pare_fail_memory(size, "the name of a file");
    snprintf(path, size, "%s/%s", ds->path, name);
    const pare_status status = read_file(path, out);
    pare_free(path);
    return status;
}

static pare_status open_picture(pare_dataset *ds, const pare_data_options *options)
{
    (void)options;
    ds->total = 1;
    return PARE_OK;
}

static pare_status one_picture(const pare_dataset *ds, int64_t sample, pare_image *out)
{
    (void)sample;
    return read_file(ds->path, out);
}

const pare_source pare_source_folder = {
    .name = "folder",
    .claims = is_folder,
    .open = open_folder,
    .picture = picture_in_folder,
};

const pare_source pare_source_picture = {
    .name = "picture",
    .claims = claims_picture,
    .open = open_picture,
    .picture = one_picture,
};
