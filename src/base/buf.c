/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c - counted bytes: allocated, mapped from a file, or a window of another buf */
#include <pare/buf.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/pages.h"
#include "base/status.h"

enum { TAIL = 64 }; /* readable bytes behind allocated ones: kernels may load a whole vector at the end */

typedef enum kind { ALLOCATED, MAPPED, WINDOW } kind;

struct pare_buf {
    uint8_t    *bytes;
    size_t      size;
    pare_buf   *parent; /* of a window */
    kind        source;
    atomic_uint refs;
};

static pare_status new_buf(kind of, pare_buf **out)
{
    pare_buf *const buf = pare_calloc(1, sizeof(*buf));

    *out = buf;
    if (!buf)
        return pare_fail_memory(sizeof(*buf), "a buffer");
    buf->source = of;
    atomic_init(&buf->refs, 1);
    return PARE_OK;
}

pare_status pare_buf_alloc(size_t size, pare_buf **out)
{
    *out = NULL;
    if (size > SIZE_MAX - TAIL)
        return pare_fail_memory(size, "a buffer");

    pare_buf *buf;
    PARE_TRY(new_buf(ALLOCATED, &buf));
    buf->size = size;
    buf->bytes = pare_malloc_aligned(size + TAIL);
    if (!buf->bytes) {
        pare_free(buf);
        return pare_fail_memory(size, "a buffer");
    }
    *out = buf;
    return PARE_OK;
}

pare_status pare_buf_reserve(size_t size, pare_buf **out)
{
    *out = NULL;
    if (size > SIZE_MAX - TAIL)
        return pare_fail_memory(size, "a buffer");

    pare_buf *buf;
    PARE_TRY(new_buf(ALLOCATED, &buf));
    buf->size = size;
    buf->bytes = pare_malloc_pages(size + TAIL);
    if (!buf->bytes) {
        pare_free(buf);
        return pare_fail_memory(size, "a buffer");
    }
    *out = buf;
    return PARE_OK;
}

/* An empty file cannot be mapped; it stays without bytes of its own. */
static pare_status map_file(int fd, const char *path, pare_buf *buf)
{
    struct stat info;

    if (fstat(fd, &info))
        return pare_fail(PARE_ERR_IO, "%s: cannot be read: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return pare_fail(PARE_ERR_IO, "%s: is a folder, pipe or device; a regular file is needed", path);
    if (!info.st_size)
        return PARE_OK;

    void *const bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return pare_fail(PARE_ERR_IO, "%s: cannot be mapped: %s", path, strerror(errno));
    buf->bytes = bytes;
    buf->size = (size_t)info.st_size;
    return PARE_OK;
}

pare_status pare_buf_map(const char *path, pare_buf **out)
{
    pare_buf *buf;

    *out = NULL;
    PARE_TRY(new_buf(MAPPED, &buf));

    const int   fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* opening a pipe must not wait */
    pare_status status =
        fd < 0 ? pare_fail(PARE_ERR_IO, "%s: cannot be opened: %s", path, strerror(errno)) : map_file(fd, path, buf);
    if (fd >= 0)
        close(fd);
    if (status == PARE_OK)
        *out = buf;
    else
        pare_free(buf);
    return status;
}

pare_status pare_buf_slice(pare_buf *parent, size_t offset, size_t size, pare_buf **out)
{
    pare_buf *buf;

    *out = NULL;
    if (offset > parent->size || size > parent->size - offset)
        return pare_fail(PARE_ERR_ARG, "bytes %zu + %zu lie outside a buffer of %zu bytes", offset, size, parent->size);
    PARE_TRY(new_buf(WINDOW, &buf));
    buf->parent = pare_buf_ref(parent);
    buf->bytes = parent->bytes ? parent->bytes + offset : NULL;
    buf->size = size;
    *out = buf;
    return PARE_OK;
}

pare_buf *pare_buf_ref(pare_buf *buf)
{
    if (buf)
        atomic_fetch_add_explicit(&buf->refs, 1, memory_order_relaxed);
    return buf;
}

void pare_buf_unref(pare_buf *buf)
{
    /* Walks up: the last window of a parent may hold the parent's last reference. */
    while (buf && atomic_fetch_sub_explicit(&buf->refs, 1, memory_order_acq_rel) == 1) {
        pare_buf *const parent = buf->parent;

        if (buf->source == ALLOCATED)
            pare_free_aligned(buf->bytes);
        else if (buf->source == MAPPED && buf->bytes)
            munmap(buf->bytes, buf->size);
        pare_free(buf);
        buf = parent;
    }
}

void pare_buf_forget(const pare_buf *buf)
{
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    const uintptr_t begin = ((uintptr_t)buf->bytes + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)buf->bytes + buf->size) / page * page;
    const pare_buf *root = buf;

    while (root->parent)
        root = root->parent;
    /* Of a private mapping that is only read, this drops nothing but the place in memory. */
    if (root->source == MAPPED && begin < end)
        madvise((void *)begin, end - begin, MADV_DONTNEED);
}

uint8_t *pare_buf_bytes(const pare_buf *buf)
{
    static uint8_t nothing[1]; /* of an empty file: never NULL, never read */

    return buf->bytes ? buf->bytes : nothing;
}

size_t pare_buf_size(const pare_buf *buf)
{
    return buf->size;
}
