/* SPDX-License-Identifier: Apache-2.0 */
/* outfile.c - files that appear whole or not at all */
#include "base/outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/status.h"

struct pare_outfile {
    FILE *stream;
    char *path;      /* the target, links resolved                             */
    char *temporary; /* NULL: a device or pipe, written directly               */
};

static pare_status fail_io(const char *path, const char *what)
{
    return pare_fail(PARE_ERR_IO, "%s: %s: %s", path, what, strerror(errno));
}

/* A link is replaced at its end, not at its beginning. The caller frees the result. */
static char *resolved(const char *path)
{
    char *const real = realpath(path, NULL);
    char *const copy = pare_strdup(real ? real : path);

    free(real);
    return copy;
}

static char *temporary_name(const char *path)
{
    static atomic_uint counter;
    const size_t       size = strlen(path) + 40;
    char *const        name = pare_malloc(size);

    if (name)
        snprintf(name, size, "%s.tmp.%ld.%u", path, (long)getpid(), atomic_fetch_add(&counter, 1));
    return name;
}

static void release(pare_outfile *file)
{
    if (file->stream)
        fclose(file->stream);
    pare_free(file->temporary);
    pare_free(file->path);
    pare_free(file);
}

/* A temporary of that name can only be left over from a dead process with our number. */
static pare_status open_temporary(pare_outfile *file, const struct stat *old)
{
    file->temporary = temporary_name(file->path);
    if (!file->temporary)
        return pare_fail_memory(strlen(file->path), "a file name");
    unlink(file->temporary);

    const int fd = open(file->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return fail_io(file->path, "cannot be created (is its folder there and writable?)");
    if ((old && fchmod(fd, old->st_mode & 0777)) || !(file->stream = fdopen(fd, "wb"))) {
        close(fd);
        unlink(file->temporary);
        return fail_io(file->path, "cannot be created");
    }
    return PARE_OK;
}

static pare_status open_target(pare_outfile *file)
{
    struct stat old;
    const bool  exists = !stat(file->path, &old);

    if (exists && S_ISDIR(old.st_mode))
        return pare_fail(PARE_ERR_IO, "%s: is a folder; name a file in it", file->path);
    if (!exists || S_ISREG(old.st_mode))
        return open_temporary(file, exists ? &old : NULL);

    file->stream = fopen(file->path, "wb");
    return file->stream ? PARE_OK : fail_io(file->path, "cannot be opened");
}

pare_status pare_outfile_open(const char *path, pare_outfile **out)
{
    pare_outfile *const file = pare_calloc(1, sizeof(*file));

    *out = NULL;
    if (!file)
        return pare_fail_memory(sizeof(*file), "an output file");

    file->path = resolved(path);
    pare_status status = file->path ? open_target(file) : pare_fail_memory(strlen(path), "a file name");
    if (status == PARE_OK)
        *out = file;
    else
        release(file);
    return status;
}

pare_status pare_outfile_write(pare_outfile *file, const void *bytes, size_t size)
{
    if (size > 0 && fwrite(bytes, 1, size, file->stream) != size) /* no bytes may be NULL */
        return fail_io(file->path, "cannot be written");
    return PARE_OK;
}

pare_status pare_outfile_printf(pare_outfile *file, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    const int n = vfprintf(file->stream, format, args);
    va_end(args);
    return n < 0 ? fail_io(file->path, "cannot be written") : PARE_OK;
}

/* An earlier write that failed and was not looked at still counts: ferror remembers it. */
static bool finish(pare_outfile *file)
{
    bool ok = !ferror(file->stream) && !fflush(file->stream);

    if (ok && file->temporary)
        ok = !fsync(fileno(file->stream));
    if (fclose(file->stream))
        ok = false;
    file->stream = NULL;
    return ok && (!file->temporary || !rename(file->temporary, file->path));
}

pare_status pare_outfile_commit(pare_outfile *file)
{
    pare_status status = PARE_OK;

    if (!finish(file)) {
        status = fail_io(file->path, "cannot be written");
        if (file->temporary)
            unlink(file->temporary);
    }
    release(file);
    return status;
}

void pare_outfile_discard(pare_outfile *file)
{
    if (!file)
        return;
    if (file->temporary)
        unlink(file->temporary);
    release(file);
}
