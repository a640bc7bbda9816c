/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_image.c - JPEG and PNG pictures
 *
 * Check sums of PNG chunks are put right first, else nearly every changed picture would be refused by them alone.
 * Pictures that say to have more than a million pixels are passed over: they take long and are only grey.
 */
#include "files/image.h"
#include "fuzz.h"

enum { MOST_PIXELS = 1 << 20 };

static uint32_t u32be(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* CRC-32, one bit at a time. */
static uint32_t crc32_of(const uint8_t *data, size_t n)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* A chunk is length, type, data, sum: 12 bytes around the data. */
static void correct_sums(uint8_t *png, size_t size)
{
    size_t at = 8;

    while (at < size && size - at >= 12 && u32be(png + at) <= size - at - 12) {
        const size_t   n = u32be(png + at);
        const uint32_t crc = crc32_of(png + at + 4, n + 4);

        for (int i = 0; i < 4; i++)
            png[at + 8 + n + (size_t)i] = (uint8_t)(crc >> (24 - 8 * i));
        at += n + 12;
    }
}

/* By the first header of a PNG, or by any frame header (FF C0 to FF CF) in a JPEG. */
static bool is_large(const uint8_t *bytes, size_t size)
{
    if (size >= 24 && bytes[0] == 0x89)
        return (uint64_t)u32be(bytes + 16) * u32be(bytes + 20) > MOST_PIXELS;
    for (size_t i = 0; i + 9 <= size; i++)
        if (bytes[i] == 0xff && bytes[i + 1] >> 4 == 0xc &&
            (u32be(bytes + i + 5) >> 16) * (u32be(bytes + i + 5) & 0xffff) > MOST_PIXELS)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_watch     w = fuzz_begin();
    uint8_t *const copy = malloc(size ? size : 1);
    pare_image     image;

    if (!copy)
        abort();
    if (size)
        memcpy(copy, bytes, size);
    if (size && copy[0] == 0x89)
        correct_sums(copy, size);
    if (!is_large(copy, size)) {
        if (fuzz_ok(&w, pare_image_read(copy, size, &image)))
            assert(image.width > 0 && image.height > 0 && image.rgb);
        else
            assert(!image.rgb);
        pare_image_free(&image);
    }
    free(copy);
    fuzz_end(&w);
    return 0;
}
