/* SPDX-License-Identifier: Apache-2.0 */
/* runner.c - the libc-only test runner of the lower floors */
#include "runner.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    FILL = 0xA5,
    MAX_PRINTED = 20, /* failures of one case; the rest are counted */
};

typedef struct options {
    const char *only;
    uint64_t    seed;
    bool        list;
} options;

bool runner_check(runner *r, bool ok, const char *file, int line, const char *format, ...)
{
    va_list args;

    r->checks++;
    if (ok)
        return true;
    r->failed++;
    if (r->failed > MAX_PRINTED)
        return false;

    printf("%s:%d: %s: ", file, line, r->name);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\nrerun: %s --only=%s --seed=0x%llx\n", r->program, r->name, (unsigned long long)r->seed);
    fflush(stdout);
    return false;
}

static bool parse(int argc, char **argv, options *o)
{
    for (int i = 1; i < argc; i++) {
        if (!strncmp(argv[i], "--only=", 7)) {
            o->only = argv[i] + 7;
        } else if (!strncmp(argv[i], "--seed=", 7)) {
            o->seed = strtoull(argv[i] + 7, NULL, 0);
        } else if (!strcmp(argv[i], "--list")) {
            o->list = true;
        } else {
            fprintf(stderr, "%s: unknown option %s; there are --only=PREFIX, --seed=N, --list\n", argv[0], argv[i]);
            return false;
        }
    }
    return true;
}

/* A case that checks nothing cannot fail, so it fails. */
static bool run_case(const char *program, const runner_case *c, uint64_t seed)
{
    runner r = { .program = program, .name = c->name, .seed = seed };

    c->run(&r);
    runner_check(&r, r.checks > 0, __FILE__, __LINE__, "made no check");
    printf("%s %s (%ld checks, %ld failed)\n", r.failed ? "FAIL" : "ok  ", c->name, r.checks, r.failed);
    fflush(stdout);
    return !r.failed;
}

int runner_main(int argc, char **argv, const runner_case *cases, int n)
{
    options o = { .only = "", .seed = 0x9e3779b97f4a7c15u };
    int     chosen = 0;
    int     failed = 0;

    if (!parse(argc, argv, &o))
        return 2;
    for (int i = 0; i < n; i++) {
        if (strncmp(cases[i].name, o.only, strlen(o.only)))
            continue;
        chosen++;
        if (o.list)
            puts(cases[i].name);
        else
            failed += !run_case(argv[0], &cases[i], o.seed);
    }
    if (!chosen) {
        fprintf(stderr, "%s: no case begins with \"%s\"\n", argv[0], o.only);
        return 2;
    }
    return failed ? 1 : 0;
}

typedef struct guarded {
    uint8_t *map; /* begins with a page nobody may touch and ends with one */
    size_t   page;
    size_t   size;  /* of the map                                            */
    uint8_t *begin; /* of the usable pages                                   */
    uint8_t *end;
    uint8_t *block; /* what the test gets                                    */
} guarded;

/* `size` bytes rounded up to `align` end at the second forbidden page; `map` may still be NULL to learn the size. */
static guarded layout(uint8_t *map, size_t size, size_t align)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const size_t room = (size + align - 1) / align * align;
    const size_t usable = (room + page - 1) / page * page;
    guarded      g = { .map = map, .page = page, .size = usable + 2 * page };

    if (map) {
        g.begin = map + page;
        g.end = g.begin + usable;
        g.block = g.end - room;
    }
    return g;
}

void *runner_guarded(size_t size, size_t align)
{
    guarded     g = layout(NULL, size, align);
    void *const map = mmap(NULL, g.size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (map == MAP_FAILED) {
        fprintf(stderr, "runner_guarded: no memory for %zu bytes\n", size);
        abort();
    }
    g = layout(map, size, align);
    if (g.begin < g.end) {
        if (mprotect(g.begin, (size_t)(g.end - g.begin), PROT_READ | PROT_WRITE))
            abort();
        memset(g.begin, FILL, (size_t)(g.end - g.begin));
    }
    return g.block;
}

static void check_fill(const uint8_t *begin, const uint8_t *end, const char *where)
{
    for (; begin < end; begin++)
        if (*begin != FILL) {
            fprintf(stderr, "runner_guarded_free: somebody wrote %s the block\n", where);
            abort();
        }
}

void runner_guarded_free(void *ptr, size_t size, size_t align)
{
    if (!ptr)
        return;

    /* Back from the block to the map: the block's offset in it depends on the sizes only. */
    const guarded  shape = layout(NULL, size, align);
    const size_t   room = (size + align - 1) / align * align;
    uint8_t *const map = (uint8_t *)ptr - (shape.size - shape.page - room);
    const guarded  g = layout(map, size, align);

    check_fill(g.begin, g.block, "in front of");
    check_fill(g.block + size, g.end, "behind");
    munmap(g.map, g.size);
}
