/* SPDX-License-Identifier: Apache-2.0 */
/* files_helpers.h - small files made in memory, for test_files.c and test_data.c */
#ifndef PARE_TESTS_FILES_HELPERS_H
#define PARE_TESTS_FILES_HELPERS_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Growing bytes; tests stop on the spot when memory is short. */
typedef struct bytes {
    uint8_t *at;
    size_t   n;
} bytes;

static inline void put(bytes *b, const void *data, size_t n)
{
    b->at = realloc(b->at, b->n + n + 1);
    if (!b->at)
        abort();
    if (n)
        memcpy(b->at + b->n, data, n);
    b->n += n;
}

static inline void put_zeros(bytes *b, size_t n)
{
    for (size_t i = 0; i < n; i++)
        put(b, "", 1);
}

static inline uint64_t fnv(const uint8_t *data, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ data[i]) * 0x100000001b3u;
    return h;
}

/* rgb: [h][w][3]; the formula of tests/golden/resize_make.py, moved on by `shift`. */
static inline void pattern(int w, int h, int shift, uint8_t *rgb)
{
    for (int y = 0; y < h; y++)
        for (int x = 0; x < w; x++)
            for (int c = 0; c < 3; c++)
                *rgb++ = (uint8_t)(x * 7 + y * 13 + c * 29 + x * y % 31 * 5 + (x / 3 + y / 5) % 2 * 90 + shift);
}

/* A 512-byte ustar header; its checksum is last because it covers the rest. */
static inline void put_tar_header(bytes *b, const char *name, char type, size_t size)
{
    char     h[512] = { 0 };
    unsigned sum = 0;

    snprintf(h, 100, "%s", name);
    memcpy(h + 100, "0000644\0000000000\0000000000", 23);
    snprintf(h + 124, 12, "%011o", (unsigned)size);
    memcpy(h + 136, "00000000000\0        ", 20);
    h[156] = type;
    memcpy(h + 257, "ustar\00000", 8);
    for (int i = 0; i < 512; i++)
        sum += (uint8_t)h[i];
    snprintf(h + 148, 8, "%06o", sum);
    put(b, h, sizeof(h));
}

static inline void put_tar(bytes *b, const char *name, char type, const void *data, size_t size)
{
    put_tar_header(b, name, type, size);
    put(b, data, size);
    put_zeros(b, (512 - size % 512) % 512);
}

static inline void put_u32be(bytes *b, uint32_t v)
{
    put(b, (uint8_t[]){ (uint8_t)(v >> 24), (uint8_t)(v >> 16), (uint8_t)(v >> 8), (uint8_t)v }, 4);
}

/* CRC-32 of PNG and zlib, one bit at a time. */
static inline uint32_t crc32_of(const uint8_t *data, size_t n)
{
    uint32_t crc = 0xffffffffu;

    for (size_t i = 0; i < n; i++) {
        crc ^= data[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static inline void put_png_chunk(bytes *b, const char *type, const uint8_t *data, size_t n)
{
    put_u32be(b, (uint32_t)n);
    const size_t start = b->n;
    put(b, type, 4);
    put(b, data, n);
    put_u32be(b, crc32_of(b->at + start, n + 4));
}

/* A PNG of the pattern, not compressed: small enough for one stored deflate block (65535 bytes). */
static inline bytes make_png(int w, int h, int shift)
{
    bytes    png = { 0 }, raw = { 0 }, zip = { 0 };
    uint8_t *rgb = malloc((size_t)w * (size_t)h * 3);
    uint32_t a = 1, s = 0;

    if (!rgb)
        abort();
    pattern(w, h, shift, rgb);
    for (int y = 0; y < h; y++) {
        put(&raw, "", 1); /* filter: none */
        put(&raw, rgb + (size_t)y * (size_t)w * 3, (size_t)w * 3);
    }
    for (size_t i = 0; i < raw.n; i++) {
        a = (a + raw.at[i]) % 65521; /* Adler-32 */
        s = (s + a) % 65521;
    }
    put(&zip,
        (uint8_t[]){ 0x78, 0x01, 0x01, (uint8_t)raw.n, (uint8_t)(raw.n >> 8), (uint8_t)~raw.n, (uint8_t)(~raw.n >> 8) },
        7);
    put(&zip, raw.at, raw.n);
    put_u32be(&zip, s << 16 | a);

    put(&png, "\x89PNG\r\n\x1a\n", 8);
    put_png_chunk(
        &png, "IHDR",
        (uint8_t[]){ 0, 0, (uint8_t)(w >> 8), (uint8_t)w, 0, 0, (uint8_t)(h >> 8), (uint8_t)h, 8, 2, 0, 0, 0 }, 13);
    put_png_chunk(&png, "IDAT", zip.at, zip.n);
    put_png_chunk(&png, "IEND", NULL, 0);
    free(rgb);
    free(raw.at);
    free(zip.at);
    return png;
}

#endif
