/* SPDX-License-Identifier: Apache-2.0 */
/* tar_source.c - pictures in a tar archive, read in place */
#include "data/dataset.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/status.h"
#include "data/pictures.h"
#include "files/tar.h"

static bool claims(const char *path)
{
    return pare_path_ends(path, ".tar");
}

static pare_status list_entries(pare_dataset *ds, pare_picture_list *list)
{
    pare_tar       tar = pare_tar_of(pare_buf_bytes(ds->bytes), pare_buf_size(ds->bytes));
    pare_tar_entry entry;
    bool           more = true;

    for (;;) {
        const pare_status status = pare_tar_next(&tar, &entry, &more);

        if (status != PARE_OK)
            return pare_fail_in(status, "%s", ds->path);
        if (!more)
            return PARE_OK;
        if (!pare_path_is_picture(entry.name))
            continue;

        const char *name = pare_arena_strdup(ds->arena, entry.name + (strncmp(entry.name, "./", 2) ? 0 : 2));
        if (!name)
            return pare_fail_memory(strlen(entry.name), "the name of a picture");
        PARE_TRY(pare_pictures_add(list, name, entry.offset, entry.size));
    }
}

static pare_status open_tar(pare_dataset *ds, const pare_data_options *options)
{
    const int         stem = (int)(strlen(ds->path) - strlen(".tar"));
    pare_picture_list list = { 0 };
    const char *const tsv = pare_arena_printf(ds->arena, "%.*s.tsv", stem, ds->path);

    if (!tsv)
        return pare_fail_memory(strlen(ds->path), "the name of a table");
    PARE_TRY(pare_buf_map(ds->path, &ds->bytes));

    const pare_status status = list_entries(ds, &list);
    if (status != PARE_OK) {
        pare_free(list.items);
        return status;
    }
    return pare_pictures_finish(&list, access(tsv, F_OK) == 0 ? tsv : NULL, options, ds);
}

static pare_status picture(const pare_dataset *ds, int64_t sample, pare_image *out)
{
    const pare_picture *p = &ds->pictures[sample];

    return pare_image_read(pare_buf_bytes(ds->bytes) + p->offset, p->size, out);
}

const pare_source pare_source_tar = {
    .name = "tar",
    .claims = claims,
    .open = open_tar,
    .picture = picture,
};
