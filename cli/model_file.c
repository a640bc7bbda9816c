/* SPDX-License-Identifier: Apache-2.0 */
/* model_file.c - what the commands need to know about files */
#include "model_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "say.h"

static int64_t size_of(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

int64_t pare_model_file_size(const char *path)
{
    char          data[4096];
    const int64_t size = size_of(path);

    if (snprintf(data, sizeof(data), "%s.data", path) >= (int)sizeof(data) || size_of(data) < 0)
        return size;
    return size + size_of(data);
}

int pare_model_file_check_output(const char *path, const char *from)
{
    const char *const slash = strrchr(path, '/');
    char              folder[4096];
    struct stat       st, source;

    if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return pare_say_failed("%s: is a folder, not a file to write", path);
    if (stat(path, &st) == 0 && stat(from, &source) == 0 && st.st_dev == source.st_dev && st.st_ino == source.st_ino)
        return pare_say_usage("%s: is the float model itself; give --output another name", path);
    snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    if (access(folder, W_OK | X_OK) != 0)
        return pare_say_failed("%s: cannot be written: %s", path, strerror(errno));
    return 0;
}
