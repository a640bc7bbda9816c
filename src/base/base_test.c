/* SPDX-License-Identifier: Apache-2.0 */
/* base_test.c - the ground floor: failures, memory, readers, names, files, random numbers */
#include "runner.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pare/buf.h>

#include "base/alloc.h"
#include "base/arena.h"
#include "base/cursor.h"
#include "base/map.h"
#include "base/outfile.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/status.h"

static void says_what_failed(runner *r)
{
    const unsigned long before = pare_error_count();

    CHECK(r, pare_fail(PARE_ERR_DATA, "tensor %d", 7) == PARE_ERR_DATA, "status lost");
    CHECK(r, !strcmp(pare_error(), "tensor 7"), "got \"%s\"", pare_error());
    CHECK(r, pare_fail_in(PARE_ERR_DATA, "%s", "a.onnx") == PARE_ERR_DATA, "status lost");
    CHECK(r, !strcmp(pare_error(), "a.onnx: tensor 7"), "got \"%s\"", pare_error());
    CHECK(r, pare_fail(PARE_ERR_IO, "again: %s", pare_error()) == PARE_ERR_IO, "status lost");
    CHECK(r, !strcmp(pare_error(), "again: a.onnx: tensor 7"), "own sentence as argument: \"%s\"", pare_error());
    pare_error_set(pare_error());
    CHECK(r, !strcmp(pare_error(), "again: a.onnx: tensor 7"), "set to itself: \"%s\"", pare_error());
    CHECK(r, pare_fail_memory(12, "x") == PARE_ERR_MEMORY && strstr(pare_error(), "(12 bytes for x)"), "memory");
    CHECK(r, pare_error_count() == before + 5, "counted %lu", pare_error_count() - before);
    CHECK(r, !strcmp(pare_status_name(PARE_ERR_SHAPE), "shape"), "shape");
    CHECK(r, !strcmp(pare_status_name((pare_status)99), "unknown"), "99");
    CHECK(r, strlen(pare_version()) >= 5, "version \"%s\"", pare_version());
}

static void cuts_long_sentences(runner *r)
{
    char *const text = pare_malloc(5000);

    memset(text, 'x', 4999);
    text[4999] = 0;
    pare_fail(PARE_ERR_ARG, "%s", text);
    CHECK(r, strlen(pare_error()) == PARE_SENTENCE_SIZE - 1, "length %zu", strlen(pare_error()));
    pare_fail_in(PARE_ERR_ARG, "who");
    CHECK(r, !strncmp(pare_error(), "who: xxx", 8), "who was lost");
    CHECK(r, strlen(pare_error()) == PARE_SENTENCE_SIZE - 1, "length %zu", strlen(pare_error()));
    pare_fail_in(PARE_ERR_ARG, "%s", text);
    CHECK(r, strlen(pare_error()) == PARE_SENTENCE_SIZE - 1, "length %zu", strlen(pare_error()));
    pare_error_set(text);
    CHECK(r, strlen(pare_error()) == PARE_SENTENCE_SIZE - 1, "length %zu", strlen(pare_error()));
    pare_free(text);
}

static void fails_allocations_on_demand(runner *r)
{
    const long live = pare_alloc_live();

    pare_alloc_fail_after(2);
    void *const first = pare_malloc(0);
    CHECK(r, first, "the first is to work, even of 0 bytes");
    CHECK(r, !pare_malloc(1) && !pare_calloc(1, 1) && !pare_realloc(NULL, 1), "the second and later are to fail");
    CHECK(r, !pare_malloc_aligned(1) && !pare_strdup("x"), "the second and later are to fail");
    CHECK(r, !pare_realloc(first, 100), "growing fails too");
    pare_alloc_fail_after(0);
    CHECK(r, pare_alloc_live() == live + 1, "live %ld", pare_alloc_live() - live);
    pare_free(first);
    pare_free(NULL);
    CHECK(r, !pare_calloc(SIZE_MAX, 2), "overflow is to fail");

    uint8_t *const aligned = pare_malloc_aligned(100);
    CHECK(r, (uintptr_t)aligned % 64 == 0 && aligned[0] == 0 && aligned[99] == 0, "64-byte aligned and zero");
    pare_free_aligned(aligned);
    CHECK(r, pare_alloc_live() == live, "live %ld", pare_alloc_live() - live);
}

static void grows_arrays(runner *r)
{
    int *items = NULL, cap = 0;
    bool zero = true;

    for (int i = 0; i < 1000; i++) {
        CHECK(r, pare_grow(&items, &cap, i + 1, sizeof(*items)), "item %d", i);
        items[i] = i;
        for (int j = i + 1; j < cap; j++)
            zero = zero && items[j] == 0;
    }
    CHECK(r, zero, "new room is to be zero");
    CHECK(r, items[0] == 0 && items[999] == 999 && cap >= 1000 && cap < 4000, "cap %d", cap);

    int *const old = items;
    const int  old_cap = cap;
    pare_alloc_fail_after(1);
    CHECK(r, !pare_grow(&items, &cap, 100000, sizeof(*items)), "is to fail");
    pare_alloc_fail_after(0);
    CHECK(r, items == old && cap == old_cap, "a failure changes nothing");
    CHECK(r, !pare_grow(&items, &cap, INT32_MAX, SIZE_MAX / 1024), "overflow is to fail");
    CHECK(r, items == old && cap == old_cap, "a failure changes nothing");
    pare_free(items);
}

static void arena_keeps_everything(runner *r)
{
    const long        live = pare_alloc_live();
    pare_arena *const arena = pare_arena_create();
    pare_rng          rng = pare_rng_seed(r->seed);
    enum { N = 2000 };
    static uint8_t *blocks[N];
    static size_t   sizes[N];

    for (int i = 0; i < N; i++) {
        sizes[i] = i == 7 ? 0 : i == 77 ? 1000000 : pare_rng_below(&rng, i % 50 ? 100 : 20000);
        blocks[i] = pare_arena_alloc(arena, sizes[i]);
        CHECK(r, blocks[i] && (uintptr_t)blocks[i] % 16 == 0, "block %d", i);
        for (size_t j = 0; j < sizes[i]; j++)
            if (blocks[i][j])
                CHECK(r, false, "block %d is not zero at %zu", i, j);
        if (sizes[i])
            memset(blocks[i], i & 255, sizes[i]);
    }
    for (int i = 0; i < N; i++)
        for (size_t j = 0; j < sizes[i]; j++)
            if (blocks[i][j] != (i & 255))
                CHECK(r, false, "block %d was overwritten at %zu", i, j);

    CHECK(r, !strcmp(pare_arena_strdup(arena, ""), ""), "empty");
    CHECK(r, !strcmp(pare_arena_strndup(arena, "abcdef", 3), "abc"), "strndup");
    CHECK(r, !strcmp(pare_arena_strndup(arena, "ab", 9), "ab"), "strndup past the end");
    CHECK(r, !strcmp(pare_arena_printf(arena, "%s_%d", "conv", 12), "conv_12"), "printf");
    CHECK(r, !pare_arena_alloc(arena, SIZE_MAX), "overflow is to fail");
    pare_alloc_fail_after(1);
    CHECK(r, !pare_arena_alloc(arena, 1 << 20) && !pare_arena_create(), "is to fail");
    pare_alloc_fail_after(0);
    pare_arena_destroy(arena);
    pare_arena_destroy(NULL);
    CHECK(r, pare_alloc_live() == live, "live %ld", pare_alloc_live() - live);
}

static void cursor_stops_at_the_end(runner *r)
{
    uint8_t *const bytes = runner_guarded(15, 1);
    for (int i = 0; i < 15; i++)
        bytes[i] = (uint8_t)(i + 1);

    pare_cursor c = pare_cursor_of(bytes, 15);
    CHECK(r, pare_cursor_u8(&c) == 1, "u8");
    CHECK(r, pare_cursor_u16le(&c) == 0x0302, "u16");
    CHECK(r, pare_cursor_u32le(&c) == 0x07060504, "u32");
    CHECK(r, pare_cursor_u64le(&c) == 0x0f0e0d0c0b0a0908, "u64");
    CHECK(r, !c.bad && pare_cursor_left(&c) == 0, "exactly at the end");
    CHECK(r, pare_cursor_bytes(&c, 0) == bytes + 15 && !c.bad, "no bytes at the end are fine");
    CHECK(r, pare_cursor_u8(&c) == 0 && c.bad, "past the end");
    CHECK(r, !pare_cursor_bytes(&c, 0) && pare_cursor_left(&c) == 0, "bad is sticky");

    c = pare_cursor_of(bytes, 3);
    CHECK(r, pare_cursor_u32le(&c) == 0 && c.bad && c.at == bytes, "half a number is none");
    c = pare_cursor_of(bytes, 3);
    CHECK(r, !pare_cursor_bytes(&c, SIZE_MAX) && c.bad, "a huge length");
    c = pare_cursor_of(bytes, 10);
    pare_cursor sub = pare_cursor_sub(&c, 4);
    CHECK(r, pare_cursor_left(&sub) == 4 && pare_cursor_left(&c) == 6, "sub");
    CHECK(r, pare_cursor_u64le(&sub) == 0 && sub.bad && !c.bad, "sub ends before its parent");
    sub = pare_cursor_sub(&c, 7);
    CHECK(r, sub.bad && c.bad && pare_cursor_left(&sub) == 0, "a sub that does not fit");
    c = pare_cursor_of(NULL, 0);
    CHECK(r, pare_cursor_left(&c) == 0 && pare_cursor_u8(&c) == 0 && c.bad, "an empty cursor");
    runner_guarded_free(bytes, 15, 1);
}

static void varint_knows_its_limits(runner *r)
{
    static const struct {
        const char *bytes;
        int         n;
        uint64_t    value;
        bool        bad;
    } rows[] = {
        { "\x00", 1, 0, false },
        { "\x7f", 1, 127, false },
        { "\x80\x01", 2, 128, false },
        { "\x80\x00", 2, 0, false }, /* longer than needed is still a number */
        { "\xac\x02", 2, 300, false },
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10, UINT64_MAX, false },
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 10, 0, true },     /* 65 bits  */
        { "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 11, 0, true }, /* 11 bytes */
        { "\x80", 1, 0, true },                                          /* cut off  */
        { "", 0, 0, true },
    };

    for (int i = 0; i < (int)(sizeof(rows) / sizeof(rows[0])); i++) {
        uint8_t *const bytes = runner_guarded((size_t)rows[i].n, 1);
        memcpy(bytes, rows[i].bytes, (size_t)rows[i].n);
        pare_cursor    c = pare_cursor_of(bytes, (size_t)rows[i].n);
        const uint64_t value = pare_cursor_varint(&c);

        CHECK(r, value == rows[i].value && c.bad == rows[i].bad, "row %d: got %llu, bad %d", i,
              (unsigned long long)value, c.bad);
        runner_guarded_free(bytes, (size_t)rows[i].n, 1);
    }
}

/* A folder of this test's own; the caller removes it. */
static const char *new_folder(char *path, size_t size)
{
    const char *const tmp = getenv("TMPDIR");

    snprintf(path, size, "%s/pare-base-test-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(path)) {
        perror(path);
        exit(2);
    }
    return path;
}

static void write_file(const char *path, const char *text)
{
    FILE *const f = fopen(path, "wb");

    if (!f || fputs(text, f) < 0 || fclose(f)) {
        perror(path);
        exit(2);
    }
}

static bool holds(const char *path, const char *text)
{
    pare_buf *buf;

    if (pare_buf_map(path, &buf) != PARE_OK)
        return false;
    const bool same = pare_buf_size(buf) == strlen(text) && !memcmp(pare_buf_bytes(buf), text, strlen(text));
    pare_buf_unref(buf);
    return same;
}

static void buf_counts_owners(runner *r)
{
    const long live = pare_alloc_live();
    pare_buf  *buf, *window, *inner;

    CHECK(r, pare_buf_alloc(100, &buf) == PARE_OK && pare_buf_size(buf) == 100, "alloc");
    bool zero = (uintptr_t)pare_buf_bytes(buf) % 64 == 0;
    for (int i = 0; i < 164; i++)
        zero = zero && pare_buf_bytes(buf)[i] == 0;
    CHECK(r, zero, "aligned, zero, and 64 bytes more can be read");
    pare_buf_bytes(buf)[42] = 7;

    CHECK(r, pare_buf_slice(buf, 101, 0, &window) == PARE_ERR_ARG && !window, "offset outside");
    CHECK(r, pare_buf_slice(buf, 1, 100, &window) == PARE_ERR_ARG && !window, "end outside");
    CHECK(r, pare_buf_slice(buf, 1, SIZE_MAX, &window) == PARE_ERR_ARG && !window, "overflow");
    CHECK(r, pare_buf_slice(buf, 100, 0, &window) == PARE_OK, "empty at the end");
    pare_buf_unref(window);
    CHECK(r, pare_buf_slice(buf, 40, 10, &window) == PARE_OK && pare_buf_bytes(window)[2] == 7, "window");
    CHECK(r, pare_buf_slice(window, 2, 1, &inner) == PARE_OK && pare_buf_size(inner) == 1, "window of a window");
    CHECK(r, pare_buf_ref(buf) == buf && !pare_buf_ref(NULL), "ref returns its argument");
    pare_buf_unref(buf);
    pare_buf_unref(buf);
    pare_buf_unref(window);
    CHECK(r, pare_buf_bytes(inner)[0] == 7, "the innermost window keeps the bytes");
    pare_buf_unref(inner);
    pare_buf_unref(NULL);

    CHECK(r, pare_buf_alloc(SIZE_MAX, &buf) == PARE_ERR_MEMORY && !buf, "too large");
    for (int n = 1; n <= 2; n++) {
        pare_alloc_fail_after(n);
        CHECK(r, pare_buf_alloc(8, &buf) == PARE_ERR_MEMORY && !buf, "allocation %d fails", n);
        pare_alloc_fail_after(0);
    }
    CHECK(r, pare_alloc_live() == live, "live %ld", pare_alloc_live() - live);
}

static void buf_maps_files(runner *r)
{
    char      folder[200], path[240];
    pare_buf *buf;

    snprintf(path, sizeof(path), "%s/a", new_folder(folder, sizeof(folder)));
    CHECK(r, pare_buf_map(path, &buf) == PARE_ERR_IO && !buf, "not there yet");
    CHECK(r, strstr(pare_error(), path), "the sentence names the file: %s", pare_error());
    CHECK(r, pare_buf_map(folder, &buf) == PARE_ERR_IO && !buf, "a folder");
    CHECK(r, mkfifo(path, 0600) == 0 && pare_buf_map(path, &buf) == PARE_ERR_IO && !buf, "a pipe");
    unlink(path);
    write_file(path, "");
    CHECK(r, pare_buf_map(path, &buf) == PARE_OK && pare_buf_size(buf) == 0 && pare_buf_bytes(buf), "an empty file");
    pare_buf_unref(buf);
    write_file(path, "hello");
    CHECK(r, pare_buf_map(path, &buf) == PARE_OK && pare_buf_size(buf) == 5, "a file");
    unlink(path);
    CHECK(r, !memcmp(pare_buf_bytes(buf), "hello", 5), "the bytes outlive the name");
    pare_buf_unref(buf);
    rmdir(folder);
}

static void map_finds_names(runner *r)
{
    enum { N = 5000 };
    pare_map          map = { 0 };
    pare_arena *const arena = pare_arena_create();
    static int        values[N];

    CHECK(r, !pare_map_get(&map, "x"), "an empty map");
    for (int i = 0; i < N; i++)
        CHECK(r, pare_map_set(&map, pare_arena_printf(arena, "value_%d", i), &values[i]), "set %d", i);
    CHECK(r, map.n == N, "n %d", map.n);
    for (int i = 0; i < N; i++) {
        char key[32];
        snprintf(key, sizeof(key), "value_%d", i);
        CHECK(r, pare_map_get(&map, key) == &values[i], "get %s", key);
    }
    CHECK(r, !pare_map_get(&map, "value_") && !pare_map_get(&map, ""), "names that are not there");
    CHECK(r, pare_map_set(&map, "value_3", &values[9]) && pare_map_get(&map, "value_3") == &values[9], "replaces");
    CHECK(r, map.n == N, "n %d", map.n);
    pare_map_free(&map);
    CHECK(r, map.n == 0 && !pare_map_get(&map, "value_3"), "freed is empty");
    pare_alloc_fail_after(1);
    CHECK(r, !pare_map_set(&map, "a", values) && map.n == 0, "is to fail");
    pare_alloc_fail_after(0);
    pare_arena_destroy(arena);
}

static void nearest_name_is_near(runner *r)
{
    static const char *const names[] = { "minmax", "histogram", "percentile", "mse", "kl" };
    char                     huge[1000];

    memset(huge, 'm', 999);
    huge[999] = 0;
    CHECK(r, pare_nearest_name("minmx", names, 5) == names[0], "minmx");
    CHECK(r, pare_nearest_name("histogramm", names, 5) == names[1], "histogramm");
    CHECK(r, pare_nearest_name("precentile", names, 5) == names[2], "precentile");
    CHECK(r, pare_nearest_name("mse", names, 5) == names[3], "mse");
    CHECK(r, !pare_nearest_name("banana", names, 5), "banana");
    CHECK(r, !pare_nearest_name("", names, 5) && !pare_nearest_name("x", names, 0), "nothing to compare");
    CHECK(r, !pare_nearest_name(huge, names, 5), "a huge name");
}

static void outfile_is_whole_or_not_there(runner *r)
{
    char          folder[200], path[240], link_path[240], missing[260];
    pare_outfile *f;
    struct stat   info;

    new_folder(folder, sizeof(folder));
    snprintf(path, sizeof(path), "%s/out", folder);
    snprintf(link_path, sizeof(link_path), "%s/link", folder);
    snprintf(missing, sizeof(missing), "%s/no/such/out", folder);

    CHECK(r, pare_outfile_open(path, &f) == PARE_OK, "open: %s", pare_error());
    CHECK(r, pare_outfile_write(f, "abc", 3) == PARE_OK && access(path, F_OK) != 0, "not there before commit");
    CHECK(r, pare_outfile_write(f, NULL, 0) == PARE_OK, "nothing: %s", pare_error());
    CHECK(r, pare_outfile_printf(f, "%d", 42) == PARE_OK && pare_outfile_commit(f) == PARE_OK, "commit");
    CHECK(r, holds(path, "abc42"), "content");

    CHECK(r, pare_outfile_open(path, &f) == PARE_OK && pare_outfile_write(f, "x", 1) == PARE_OK, "again");
    pare_outfile_discard(f);
    pare_outfile_discard(NULL);
    CHECK(r, holds(path, "abc42"), "a discarded file changes nothing");

    CHECK(r, chmod(path, 0640) == 0 && symlink("out", link_path) == 0, "link");
    CHECK(r, pare_outfile_open(link_path, &f) == PARE_OK && pare_outfile_write(f, "via", 3) == PARE_OK, "open link");
    CHECK(r, pare_outfile_commit(f) == PARE_OK && holds(path, "via"), "written through the link");
    CHECK(r, lstat(link_path, &info) == 0 && S_ISLNK(info.st_mode), "the link is still one");
    CHECK(r, stat(path, &info) == 0 && (info.st_mode & 0777) == 0640, "mode %o", info.st_mode & 0777u);

    CHECK(r, pare_outfile_open(missing, &f) == PARE_ERR_IO && !f && strstr(pare_error(), missing), "no such folder");
    CHECK(r, pare_outfile_open(folder, &f) == PARE_ERR_IO && !f, "a folder");
    if (geteuid() != 0) { /* root may write everywhere */
        CHECK(r, chmod(folder, 0500) == 0 && pare_outfile_open(path, &f) == PARE_ERR_IO && !f, "read-only folder");
        chmod(folder, 0700);
    }
    for (int n = 1; n <= 3; n++) {
        pare_alloc_fail_after(n);
        CHECK(r, pare_outfile_open(path, &f) == PARE_ERR_MEMORY && !f, "allocation %d fails", n);
        pare_alloc_fail_after(0);
    }
    CHECK(r, unlink(path) == 0 && unlink(link_path) == 0 && rmdir(folder) == 0, "nothing else is left behind");
}

static void outfile_reports_a_full_disk(runner *r)
{
    pare_outfile *f;

    if (!CHECK(r, pare_outfile_open("/dev/full", &f) == PARE_OK, "devices are written directly: %s", pare_error()))
        return;
    pare_outfile_printf(f, "x");
    CHECK(r, pare_outfile_commit(f) == PARE_ERR_IO && strstr(pare_error(), "/dev/full"), "got \"%s\"", pare_error());
    CHECK(r, access("/dev/full", F_OK) == 0, "the device stays");
}

static void rng_is_the_published_one(runner *r)
{
    pare_rng  rng = pare_rng_seed(1234567); /* first outputs as printed with the reference implementation */
    bool      inside = true;
    int       hits[7] = { 0 };
    double    sum = 0, squares = 0;
    const int n = 100000;

    CHECK(r, pare_rng_u64(&rng) == 6457827717110365317u, "first");
    CHECK(r, pare_rng_u64(&rng) == 3203168211198807973u, "second");
    for (int i = 0; i < n; i++) {
        const float u = pare_rng_f32(&rng), v = pare_rng_uniform(&rng, -3, 5), x = pare_rng_normal(&rng);

        inside = inside && u >= 0 && u < 1 && v >= -3 && v <= 5 && fabsf(x) <= 6;
        hits[pare_rng_below(&rng, 7)]++;
        sum += x;
        squares += (double)x * x;
    }
    CHECK(r, inside, "out of range");
    CHECK(r, fabs(sum / n) < 0.02 && fabs(squares / n - 1) < 0.02, "mean %g, variance %g", sum / n, squares / n);
    for (int i = 0; i < 7; i++)
        CHECK(r, abs(hits[i] - n / 7) < 600, "below: %d came %d times", i, hits[i]);
    CHECK(r, pare_rng_below(&rng, 1) == 0, "below 1");
}

static bool stop_at_two(void *user, const char *what, long done, long total)
{
    *(long *)user += total;
    return what[0] == 'w' && done < 2;
}

static void progress_can_stop(runner *r)
{
    long                calls = 0;
    const pare_progress progress = { stop_at_two, &calls };

    CHECK(r, pare_progress_step(NULL, "work", 1, 2) == PARE_OK, "nobody watches");
    CHECK(r, pare_progress_step(&progress, "work", 1, 10) == PARE_OK && calls == 10, "goes on");
    CHECK(r, pare_progress_step(&progress, "work", 2, 10) == PARE_ERR_CANCELLED && calls == 20, "stops");
}

int main(int argc, char **argv)
{
    static const runner_case cases[] = {
        { "says_what_failed", says_what_failed },
        { "cuts_long_sentences", cuts_long_sentences },
        { "fails_allocations_on_demand", fails_allocations_on_demand },
        { "grows_arrays", grows_arrays },
        { "arena_keeps_everything", arena_keeps_everything },
        { "cursor_stops_at_the_end", cursor_stops_at_the_end },
        { "varint_knows_its_limits", varint_knows_its_limits },
        { "buf_counts_owners", buf_counts_owners },
        { "buf_maps_files", buf_maps_files },
        { "map_finds_names", map_finds_names },
        { "nearest_name_is_near", nearest_name_is_near },
        { "outfile_is_whole_or_not_there", outfile_is_whole_or_not_there },
        { "outfile_reports_a_full_disk", outfile_reports_a_full_disk },
        { "rng_is_the_published_one", rng_is_the_published_one },
        { "progress_can_stop", progress_can_stop },
    };
    return runner_main(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
