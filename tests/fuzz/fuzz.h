/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h - what every fuzz target checks and needs: a refusal says why, nothing stays allocated, bytes as a file */
#ifndef PARE_TESTS_FUZZ_H
#define PARE_TESTS_FUZZ_H

#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/status.h"

/* The whole of a target; libFuzzer or mutations.c calls it. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

typedef struct fuzz_watch {
    long          live;
    unsigned long sentences;
} fuzz_watch;

static inline fuzz_watch fuzz_begin(void)
{
    return (fuzz_watch){ pare_alloc_live(), pare_error_count() };
}

/* True when the status is OK; else there must be a sentence since the last question. */
static inline bool fuzz_ok(fuzz_watch *w, pare_status status)
{
    assert(status == PARE_OK || (pare_error_count() > w->sentences && pare_error()[0]));
    w->sentences = pare_error_count();
    return status == PARE_OK;
}

static inline void fuzz_end(const fuzz_watch *w)
{
    assert(pare_alloc_live() == w->live);
    (void)w;
}

/* A copy with a final 0, of exactly that size so that a sanitizer sees reads behind it; released with free. */
static inline char *fuzz_text(const uint8_t *bytes, size_t size)
{
    char *const text = malloc(size + 1);

    if (!text)
        abort();
    if (size)
        memcpy(text, bytes, size);
    text[size] = '\0';
    return text;
}

static char fuzz_folder[] = "/tmp/pare_fuzz_XXXXXX", fuzz_path[sizeof(fuzz_folder) + 32];

static inline void fuzz_remove(void)
{
    unlink(fuzz_path);
    rmdir(fuzz_folder);
}

/* The path of a file of that content whose last part is NAME, always the same one. It lies in memory. */
static inline const char *fuzz_file(const char *name, const uint8_t *bytes, size_t size)
{
    static int fd = -1;
    char       real[64];

    if (fd < 0) {
        fd = memfd_create(name, 0);
        snprintf(real, sizeof(real), "/proc/self/fd/%d", fd);
        if (fd < 0 || !mkdtemp(fuzz_folder))
            abort();
        snprintf(fuzz_path, sizeof(fuzz_path), "%s/%s", fuzz_folder, name);
        if (symlink(real, fuzz_path) || atexit(fuzz_remove))
            abort();
    }
    if (ftruncate(fd, 0) || pwrite(fd, bytes, size, 0) != (ssize_t)size)
        abort();
    return fuzz_path;
}

#endif
