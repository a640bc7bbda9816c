/* SPDX-License-Identifier: Apache-2.0 */
/* data_helpers.h - data sets in a folder of their own, for the tests of src/data; comes after cmocka.h */
#ifndef PARE_TESTS_DATA_HELPERS_H
#define PARE_TESTS_DATA_HELPERS_H

#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pare/data.h>

#include "base/alloc.h"
#include "files_helpers.h"

static char folder[] = "/tmp/pare_data_XXXXXX"; /* everything these tests write */

/* "FOLDER/name"; the last four stay valid. */
static inline const char *in_folder(const char *name)
{
    static char text[4][512];
    static int  turn;

    turn = (turn + 1) % 4;
    snprintf(text[turn], sizeof(text[turn]), "%s/%s", folder, name);
    return text[turn];
}

/* Writes a file and the folders on the way. */
static inline void write_file(const char *name, const void *data, size_t n)
{
    char path[512];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(path, 0777);
        *p = '/';
    }
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_true(n == 0 || fwrite(data, n, 1, f) == 1);
    assert_int_equal(fclose(f), 0);
}

static inline void write_text(const char *name, const char *text)
{
    write_file(name, text, strlen(text));
}

static inline void write_png(const char *name, int w, int h, int shift)
{
    bytes png = make_png(w, h, shift);

    write_file(name, png.at, png.n);
    free(png.at);
}

static inline pare_dataset *open_ok(const char *path, const pare_data_options *options)
{
    pare_dataset *ds = NULL;

    if (pare_dataset_open(path, options, &ds) != PARE_OK)
        fail_msg("%s", pare_error());
    return ds;
}

/* Opening fails, and the sentence has all the words (separated by '|') in it. */
static inline void open_fails(const char *path, const pare_data_options *options, pare_status want, const char *words)
{
    pare_dataset     *ds = NULL;
    const long        live = pare_alloc_live();
    const pare_status status = pare_dataset_open(path, options, &ds);
    char              list[256];

    if (status != want)
        fail_msg("%s: status %d, not %d (%s)", path, status, want, pare_error());
    assert_null(ds);
    assert_int_equal(pare_alloc_live(), live);
    snprintf(list, sizeof(list), "%s", words);
    for (char *word = strtok(list, "|"); word; word = strtok(NULL, "|"))
        if (!strstr(pare_error(), word))
            fail_msg("'%s' is not in: %s", word, pare_error());
}

/* Names and labels of all samples, in order: "a.png 0, b.png 1". */
static inline void check_list(const char *path, const pare_data_options *options, const char *want)
{
    pare_dataset *ds = open_ok(path, options);
    char          got[1024] = "", name[64];

    for (int64_t i = 0; i < pare_dataset_count(ds); i++) {
        pare_dataset_name(ds, i, name, sizeof(name));
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%s %d", i ? ", " : "", name,
                 pare_dataset_label(ds, i));
    }
    assert_string_equal(got, want);
    pare_dataset_close(ds);
}

/* Skips the test where the library was built without libpng. */
static inline void need_png(void)
{
    pare_dataset *ds = NULL;

    write_png("png/a.png", 1, 1, 0);
    if (pare_dataset_open(in_folder("png"), NULL, &ds) != PARE_OK && strstr(pare_error(), "built without"))
        skip();
    assert_non_null(ds);
    pare_dataset_close(ds);
}

static inline int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static inline int remove_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

#endif
