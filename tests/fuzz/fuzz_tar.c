/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tar.c - tar archives, walked through and opened as data sets of pictures
 *
 * Checksums are put right where the walk stops at one: nearly every changed header would end there.
 */
#include <pare/data.h>

#include "files/tar.h"
#include "fuzz.h"

enum { BLOCK = 512, SUM_AT = 148 };

/* Writes the sum of the header's bytes, its own field counted as spaces. False: it was right. */
static bool correct_sum(uint8_t *block)
{
    unsigned sum = 0;
    char     text[8];

    for (int i = 0; i < BLOCK; i++)
        sum += i >= SUM_AT && i < SUM_AT + 8 ? ' ' : block[i];
    snprintf(text, sizeof(text), "%06o", sum);
    text[7] = ' ';
    if (memcmp(block + SUM_AT, text, sizeof(text)) == 0)
        return false;
    memcpy(block + SUM_AT, text, sizeof(text));
    return true;
}

static void walk(fuzz_watch *w, uint8_t *bytes, size_t size)
{
    pare_tar       tar = pare_tar_of(bytes, size);
    pare_tar_entry entry;
    bool           more = true;

    while (more) {
        const pare_tar before = tar;

        if (fuzz_ok(w, pare_tar_next(&tar, &entry, &more))) {
            assert(tar.at <= size && tar.at >= before.at + more);
            assert(!more || (entry.offset <= size && entry.size <= size - entry.offset && strlen(entry.name) < size));
        } else {
            if (size - tar.at < BLOCK || !correct_sum(bytes + tar.at))
                return;
            tar = before;
            more = true;
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_watch     w = fuzz_begin();
    uint8_t *const copy = (uint8_t *)fuzz_text(bytes, size);
    pare_dataset  *ds;

    walk(&w, copy, size);
    fuzz_ok(&w, pare_dataset_open(fuzz_file("a.tar", copy, size), &(pare_data_options){ .width = 4 }, &ds));
    pare_dataset_close(ds);
    free(copy);
    fuzz_end(&w);
    return 0;
}
