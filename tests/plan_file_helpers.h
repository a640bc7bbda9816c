/* SPDX-License-Identifier: Apache-2.0 */
/* plan_file_helpers.h - a plan file in a folder of its own */
#ifndef PARE_TESTS_PLAN_FILE_HELPERS_H
#define PARE_TESTS_PLAN_FILE_HELPERS_H

#include "plan_helpers.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/pare-plan-XXXXXX", path[64];

static inline int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof(path), "%s/zoo.plan", folder);
    return 0;
}

static inline int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

static inline uint8_t *read_file(size_t *size)
{
    FILE *const f = fopen(path, "rb");
    struct stat info;

    assert_non_null(f);
    assert_int_equal(stat(path, &info), 0);
    *size = (size_t)info.st_size;
    uint8_t *const bytes = malloc(*size);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, f), *size);
    fclose(f);
    return bytes;
}

static inline void write_file(const void *bytes, size_t size)
{
    FILE *const f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    fclose(f);
}

/* Compiles with the file and checks the outputs, and what was said about the file. NULL: it was used. */
static inline void compile_with(const pare_graph *g, pare_compile_options o, const char *misfit)
{
    results want = expected(g, o.batch);

    o.plan_file = path;
    pare_plan *const  plan = compile(g, o);
    const char *const said = pare_plan_misfit(plan);

    if (!misfit != !said || (misfit && !strstr(said, misfit)))
        fail_msg("said \"%s\", not \"%s\"", said ? said : "used", misfit ? misfit : "used");
    assert_int_equal(pare_store_is_filled(plan->store), !misfit);
    check_plan(plan, &want, misfit ? misfit : "used");
    pare_plan_destroy(plan);
    drop(&want);
}

#endif
