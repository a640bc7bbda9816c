/* SPDX-License-Identifier: Apache-2.0 */
/*
 * demo_dump.c - writes the computed pictures as raw bytes, for tools/train_demo.py; not installed
 *
 * usage: demo_dump train|test OUT.u8
 *
 * OUT.u8 gets [n][32][32][3] bytes, RGB; OUT.u8.labels gets [n] int32. Build it with the library:
 * cc -Iinclude tools/demo_dump.c -o demo_dump -lpare
 */
#include <stdio.h>
#include <stdlib.h>

#include <pare/data.h>

enum { SIDE = 32, PIXELS = SIDE * SIDE };

static int fail(const char *why)
{
    fprintf(stderr, "demo_dump: %s\n", why);
    return 1;
}

static bool write_sample(const pare_dataset *ds, int64_t i, FILE *pictures, FILE *labels)
{
    static float   planes[3][PIXELS];
    static uint8_t rgb[PIXELS][3];
    int            label;

    if (pare_dataset_read(ds, i, planes, &label) != PARE_OK)
        return false;
    for (int p = 0; p < PIXELS; p++)
        for (int c = 0; c < 3; c++)
            rgb[p][c] = (uint8_t)planes[c][p];
    return fwrite(rgb, sizeof(rgb), 1, pictures) == 1 && fwrite(&(int32_t){ label }, 4, 1, labels) == 1;
}

int main(int argc, char **argv)
{
    char          path[4096];
    pare_dataset *ds = NULL;

    if (argc != 3)
        return fail("usage: demo_dump train|test OUT.u8");
    snprintf(path, sizeof(path), "demo:%s", argv[1]);
    if (pare_dataset_open(path, &(pare_data_options){ .preset = "raw" }, &ds) != PARE_OK)
        return fail(pare_error());

    FILE *pictures = fopen(argv[2], "wb");
    snprintf(path, sizeof(path), "%s.labels", argv[2]);
    FILE *labels = fopen(path, "wb");
    if (!pictures || !labels)
        return fail("the output cannot be opened");
    for (int64_t i = 0; i < pare_dataset_count(ds); i++)
        if (!write_sample(ds, i, pictures, labels))
            return fail(pare_error()[0] ? pare_error() : "writing failed");
    if (fclose(pictures) || fclose(labels))
        return fail("writing failed");
    pare_dataset_close(ds);
    return 0;
}
