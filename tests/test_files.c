/* SPDX-License-Identifier: Apache-2.0 */
/* test_files.c - the file readers: what they read, and that damaged and cut files are errors, never crashes */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <pare/buf.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "files/image.h"
#include "files/npy.h"
#include "files/tar.h"
#include "files_helpers.h"
#include "golden/resize.h"

enum { N_PICTURES = sizeof(golden_pictures) / sizeof(golden_pictures[0]) };

/* Reads are given memory that ends where the file ends, so that a sanitizer sees one byte too many. */
typedef pare_status (*reader)(const uint8_t *data, size_t size);

static pare_status read_exact(reader read, const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);

    assert_non_null(copy);
    memcpy(copy, data, size);
    const pare_status status = read(copy, size);
    free(copy);
    return status;
}

static void refuse_every_cut(const char *name, reader read, const uint8_t *data, size_t size)
{
    assert_int_equal(read_exact(read, data, size), PARE_OK);
    for (size_t cut = 0; cut < size; cut++) {
        const long live = pare_alloc_live();

        if (read_exact(read, data, cut) == PARE_OK)
            fail_msg("%s: read although it was cut at byte %zu of %zu", name, cut, size);
        assert_true(strlen(pare_error()) > 0);
        assert_int_equal(pare_alloc_live(), live);
    }
}

/* Damage may go unnoticed (a pixel changes); it must not crash, hang or leak. */
static void survive_damage(reader read, const uint8_t *data, size_t size, int rounds)
{
    pare_rng   rng = pare_rng_seed(size);
    uint8_t   *copy = malloc(size);
    const long live = pare_alloc_live();

    assert_non_null(copy);
    for (int round = 0; round < rounds; round++) {
        memcpy(copy, data, size);
        for (uint32_t n = 1 + pare_rng_below(&rng, 4); n > 0; n--)
            copy[pare_rng_below(&rng, (uint32_t)size)] = (uint8_t)pare_rng_u64(&rng);
        (void)read_exact(read, copy, size);
        assert_int_equal(pare_alloc_live(), live);
    }
    free(copy);
}

/* Every allocation fails in turn: an error each time, nothing lost. */
static void survive_short_memory(reader read, const uint8_t *data, size_t size)
{
    const long  live = pare_alloc_live();
    pare_status status = PARE_ERR_MEMORY;

    for (long n = 1; status != PARE_OK && n < 1000; n++) {
        pare_alloc_fail_after(n);
        status = read(data, size);
        pare_alloc_fail_after(0);
        assert_int_equal(pare_alloc_live(), live);
    }
    assert_int_equal(status, PARE_OK);
}

/* ---- pictures ---- */

static pare_status read_picture(const uint8_t *data, size_t size)
{
    pare_image        image;
    const pare_status status = pare_image_read(data, size, &image);

    pare_image_free(&image);
    return status;
}

static bool can_read(const uint8_t *data, size_t size)
{
    return read_picture(data, size) == PARE_OK || !strstr(pare_error(), "built without");
}

static void test_pictures(void **state)
{
    (void)state;
    for (int i = 0; i < N_PICTURES; i++) {
        const size_t size = golden_pictures[i].size;
        pare_image   image;

        if (!can_read(golden_pictures[i].bytes, size)) {
            print_message("skipped %s: %s\n", golden_pictures[i].name, pare_error());
            continue;
        }
        if (pare_image_read(golden_pictures[i].bytes, size, &image) != PARE_OK)
            fail_msg("%s: %s", golden_pictures[i].name, pare_error());
        assert_int_equal(image.width, golden_pictures[i].width);
        assert_int_equal(image.height, golden_pictures[i].height);
        if (fnv(image.rgb, (size_t)image.width * (size_t)image.height * 3) != golden_pictures[i].hash)
            fail_msg("%s: other pixels than Pillow's", golden_pictures[i].name);
        pare_image_free(&image);

        refuse_every_cut(golden_pictures[i].name, read_picture, golden_pictures[i].bytes, size);
        survive_damage(read_picture, golden_pictures[i].bytes, size, 400);
        survive_short_memory(read_picture, golden_pictures[i].bytes, size);
    }
}

static void test_absurd_pictures(void **state)
{
    bytes      png = make_png(3, 2, 0);
    pare_image image;

    (void)state;
    assert_int_equal(pare_image_alloc(0, 5, &image), PARE_ERR_DATA);
    assert_int_equal(pare_image_alloc(PARE_IMAGE_MAX_SIDE + 1, 1, &image), PARE_ERR_UNSUPPORTED);
    assert_int_equal(pare_image_alloc(PARE_IMAGE_MAX_SIDE, PARE_IMAGE_MAX_SIDE, &image), PARE_ERR_UNSUPPORTED);
    assert_int_equal(pare_image_alloc(PARE_IMAGE_MAX_SIDE, 1, &image), PARE_OK);
    pare_image_free(&image);

    assert_int_equal(read_picture((const uint8_t *)"GIF89a", 6), PARE_ERR_DATA);
    assert_non_null(strstr(pare_error(), "not a JPEG or PNG"));
    assert_int_equal(read_picture(NULL, 0), PARE_ERR_DATA);

    /* Width 2^24: the header alone promises more than anybody wants. Its checksum is made good again. */
    if (can_read(png.at, png.n)) {
        bytes huge = { 0 };

        put(&huge, png.at, 8);
        put_png_chunk(&huge, "IHDR", (uint8_t[]){ 1, 0, 0, 0, 1, 0, 0, 0, 8, 2, 0, 0, 0 }, 13);
        put(&huge, png.at + 33, png.n - 33);
        assert_int_not_equal(read_picture(huge.at, huge.n), PARE_OK);
        free(huge.at);
    }
    /* A JPEG frame of 65500 x 65500, found behind the start-of-frame mark. */
    bytes jpeg = { 0 };
    put(&jpeg, golden_pictures[0].bytes, golden_pictures[0].size);
    for (size_t i = 0; i + 9 < jpeg.n; i++)
        if (jpeg.at[i] == 0xff && jpeg.at[i + 1] == 0xc0) {
            memcpy(jpeg.at + i + 5, (uint8_t[]){ 0xff, 0xdc, 0xff, 0xdc }, 4);
            break;
        }
    if (can_read(golden_pictures[0].bytes, golden_pictures[0].size)) {
        assert_int_equal(read_picture(jpeg.at, jpeg.n), PARE_ERR_UNSUPPORTED);
        assert_non_null(strstr(pare_error(), "65500"));
    }
    free(jpeg.at);
    free(png.at);
}

/* ---- tar ---- */

static pare_status read_tar(const uint8_t *data, size_t size)
{
    pare_tar       tar = pare_tar_of(data, size);
    bool           more = true;
    pare_tar_entry entry;
    uint64_t       sum = 0;

    while (more) {
        const pare_status status = pare_tar_next(&tar, &entry, &more);

        if (status != PARE_OK)
            return status;
        for (size_t i = 0; more && i < entry.size; i++)
            sum += data[entry.offset + i]; /* the promise: these bytes can be read */
    }
    return sum == UINT64_MAX ? PARE_ERR_DATA : PARE_OK;
}

/* All kinds of entries; the files are long.../n.bin, pre/fix.bin, b.bin (size in binary), pax é, plain. */
static bytes make_tar(const char *long_name)
{
    bytes t = { 0 };

    put_tar(&t, "folder/", '5', "", 0);
    put_tar(&t, "././@LongLink", 'L', long_name, strlen(long_name) + 1);
    put_tar(&t, "cut", '0', "one", 3);
    put_tar(&t, "link", '2', "", 0);

    const size_t prefixed = t.n;
    put_tar(&t, "fix.bin", '0', "two", 3);
    memcpy(t.at + prefixed + 345, "pre", 3);
    /* The three bytes add 'p' + 'r' + 'e' to the sum. */
    unsigned sum = (unsigned)strtoul((char *)t.at + prefixed + 148, NULL, 8) + 'p' + 'r' + 'e';
    snprintf((char *)t.at + prefixed + 148, 8, "%06o", sum);

    const size_t binary = t.n;
    put_tar(&t, "b.bin", '\0', "three", 5);
    sum = (unsigned)strtoul((char *)t.at + binary + 148, NULL, 8) + 0x80 + 5;
    for (int i = 0; i < 12; i++)
        sum -= t.at[binary + 124 + i];
    memcpy(t.at + binary + 124, "\x80\0\0\0\0\0\0\0\0\0\0\x05", 12);
    snprintf((char *)t.at + binary + 148, 8, "%06o", sum);

    put_tar(&t, "g", 'g', "19 comment=nothing\n", 19);
    put_tar(&t, "x", 'x', "15 path=pax \xc3\xa9\n10 size=4\n", 25);
    put_tar(&t, "ignored", '0', "four", 4);
    put_tar(&t, "plain", '0', "", 0);
    put_zeros(&t, 512);
    return t;
}

static void test_tar(void **state)
{
    char long_name[301];

    (void)state;
    memset(long_name, 'n', 300);
    long_name[150] = '/';
    long_name[300] = '\0';

    bytes          t = make_tar(long_name);
    const char    *names[] = { long_name, "pre/fix.bin", "b.bin", "pax \xc3\xa9", "plain" };
    const char    *data[] = { "one", "two", "three", "four", "" };
    pare_tar       tar = pare_tar_of(t.at, t.n);
    bool           more = false;
    pare_tar_entry entry;

    for (int i = 0; i < 5; i++) {
        assert_int_equal(pare_tar_next(&tar, &entry, &more), PARE_OK);
        assert_true(more);
        assert_string_equal(entry.name, names[i]);
        assert_int_equal(entry.size, strlen(data[i]));
        assert_memory_equal(t.at + entry.offset, data[i], entry.size);
    }
    assert_int_equal(pare_tar_next(&tar, &entry, &more), PARE_OK);
    assert_false(more);

    refuse_every_cut("tar", read_tar, t.at, t.n);
    survive_damage(read_tar, t.at, t.n, 4000);
    free(t.at);
}

static void test_tar_errors(void **state)
{
    bytes t = { 0 };

    (void)state;
    assert_int_equal(read_tar((const uint8_t *)"", 0), PARE_ERR_DATA);
    put_zeros(&t, 512);
    assert_int_equal(read_tar(t.at, t.n), PARE_OK); /* empty, but ended well */
    t.at[0] = 0x1f;
    t.at[1] = 0x8b;
    assert_int_equal(read_tar(t.at, t.n), PARE_ERR_UNSUPPORTED);
    assert_non_null(strstr(pare_error(), "gunzip"));
    t.at[0] = 'P';
    assert_int_equal(read_tar(t.at, t.n), PARE_ERR_DATA);
    assert_non_null(strstr(pare_error(), "not a tar"));

    /* A name of 4096 bytes is one too long; 4095 fit. */
    for (size_t n = PARE_TAR_MAX_NAME - 1; n <= PARE_TAR_MAX_NAME; n++) {
        char *name = malloc(n);
        assert_non_null(name);
        memset(name, 'a', n);
        t.n = 0;
        put_tar(&t, "l", 'L', name, n);
        put_tar(&t, "x", '0', "", 0);
        put_zeros(&t, 512);
        assert_int_equal(read_tar(t.at, t.n), n < PARE_TAR_MAX_NAME ? PARE_OK : PARE_ERR_UNSUPPORTED);
        free(name);
    }

    /* Sizes near 2^64 and damaged pax records. */
    static const char *const pax[] = { "29 size=18446744073709551615\n",
                                       "28 size=9223372036854775807\n",
                                       "99999999999999999999999 a=b\n",
                                       "5 a=b\n",
                                       "0 a=b\n",
                                       "6 a=b",
                                       "a",
                                       "9 size=x\n" };
    for (size_t i = 0; i < sizeof(pax) / sizeof(pax[0]); i++) {
        t.n = 0;
        put_tar(&t, "x", 'x', pax[i], strlen(pax[i]));
        put_tar(&t, "y", '0', "abc", 3);
        put_zeros(&t, 512);
        if (read_tar(t.at, t.n) == PARE_OK)
            fail_msg("pax record '%s' was taken", pax[i]);
    }
    free(t.at);
}

/* ---- npy ---- */

static pare_status read_npy(const uint8_t *data, size_t size)
{
    pare_npy          array;
    const pare_status status = pare_npy_read(data, size, &array);
    uint64_t          sum = 0;

    if (status != PARE_OK)
        return status;
    const size_t n = (size_t)pare_shape_count(&array.shape) * (size_t)pare_dtype_bits(array.dtype) / 8;
    for (size_t i = 0; i < n; i++)
        sum += ((const uint8_t *)array.data)[i];
    return sum == UINT64_MAX ? PARE_ERR_DATA : PARE_OK;
}

static bytes make_npy(int major, const char *dict, size_t data)
{
    bytes        b = { 0 };
    const size_t n = strlen(dict);

    put(&b, "\x93NUMPY", 6);
    put(&b, (uint8_t[]){ (uint8_t)major, 0, (uint8_t)n, (uint8_t)(n >> 8) }, 4);
    if (major > 1)
        put_zeros(&b, 2);
    put(&b, dict, n);
    for (size_t i = 0; i < data; i++)
        put(&b, &(uint8_t){ (uint8_t)(i * 37) }, 1);
    return b;
}

static void test_npy_reads(void **state)
{
    static const struct {
        int         major;
        const char *dict;
        size_t      data;
        pare_status want;
    } cases[] = {
        { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }\n", 24, PARE_OK },
        { 2, "{'shape': (5,), 'descr': '|u1', 'fortran_order': False}", 5, PARE_OK },
        { 3, "{\"descr\":\"<i8\",\"fortran_order\":False,\"shape\":()}", 8, PARE_OK },
        { 1, "{'descr': '<i4', 'fortran_order': True, 'shape': (3,)}", 12, PARE_OK },
        { 1, "{'descr': '<f4', 'fortran_order': True, 'shape': (3, 1)}", 12, PARE_ERR_UNSUPPORTED },
        { 1, "{'descr': '>f4', 'fortran_order': False, 'shape': (3,)}", 12, PARE_ERR_UNSUPPORTED },
        { 1, "{'descr': '<c8', 'fortran_order': False, 'shape': (3,)}", 24, PARE_ERR_UNSUPPORTED },
        { 1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}", 24, PARE_ERR_UNSUPPORTED },
        { 4, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}", 24, PARE_ERR_UNSUPPORTED },
        { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", 4, PARE_ERR_UNSUPPORTED },
        { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", 24, PARE_ERR_DATA },
        { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296, 16)}", 24, PARE_ERR_DATA },
        { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (999999999999999999999,)}", 24, PARE_ERR_DATA },
        { 1, "{'descr': '<f4', 'fortran_order': False}", 24, PARE_ERR_DATA },
        { 1, "{'descr': '<f4', 'fortran_order': False, 'shape': (3,), 'x': 1}", 24, PARE_ERR_DATA },
        { 1, "", 24, PARE_ERR_DATA },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        bytes b = make_npy(cases[i].major, cases[i].dict, cases[i].data);

        if (read_exact(read_npy, b.at, b.n) != cases[i].want)
            fail_msg("%s: not as expected (%s)", cases[i].dict, pare_error());
        if (cases[i].want == PARE_OK) {
            refuse_every_cut(cases[i].dict, read_npy, b.at, b.n);
            survive_damage(read_npy, b.at, b.n, 4000);
        }
        free(b.at);
    }
    assert_int_equal(read_npy((const uint8_t *)"PK\3\4", 4), PARE_ERR_DATA);
}

static void test_npy_round_trip(void **state)
{
    static const pare_dtype dtypes[] = { PARE_f32, PARE_f64, PARE_f16, PARE_u8,  PARE_s8,  PARE_u16,
                                         PARE_s16, PARE_u32, PARE_s32, PARE_u64, PARE_s64, PARE_bool };
    static const pare_shape shapes[] = {
        { .rank = 0 },
        { .rank = 1, .dim = { 7 } },
        { .rank = 1, .dim = { 0 } },
        { .rank = 3, .dim = { 2, 3, 4 } },
        { .rank = 8, .dim = { 1, 2, 1, 2, 1, 2, 1, 2 } },
    };
    uint8_t data[24 * 8];
    char    path[] = "/tmp/pare_test_XXXXXX";

    (void)state;
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 73 + 5);
    for (size_t t = 0; t < sizeof(dtypes) / sizeof(dtypes[0]); t++)
        for (size_t s = 0; s < sizeof(shapes) / sizeof(shapes[0]); s++) {
            const pare_npy array = { dtypes[t], shapes[s], data };
            const size_t   n = (size_t)pare_shape_count(&shapes[s]) * (size_t)pare_dtype_bits(dtypes[t]) / 8;
            pare_npy       back;
            pare_buf      *buf = NULL;

            assert_int_equal(pare_npy_write(path, &array), PARE_OK);
            assert_int_equal(pare_buf_map(path, &buf), PARE_OK);
            assert_int_equal(pare_npy_read(pare_buf_bytes(buf), pare_buf_size(buf), &back), PARE_OK);
            assert_int_equal(back.dtype, dtypes[t]);
            assert_true(pare_shape_equal(&back.shape, &shapes[s]));
            assert_int_equal(((const uint8_t *)back.data - pare_buf_bytes(buf)) % 64, 0);
            assert_memory_equal(back.data, data, n);
            pare_buf_unref(buf);
        }
    unlink(path);
    assert_int_equal(pare_npy_write(path, &(pare_npy){ PARE_s4, shapes[1], data }), PARE_ERR_UNSUPPORTED);
    assert_int_equal(pare_npy_write("/nowhere/at/all.npy", &(pare_npy){ PARE_u8, shapes[1], data }), PARE_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pictures),  cmocka_unit_test(test_absurd_pictures),
        cmocka_unit_test(test_tar),       cmocka_unit_test(test_tar_errors),
        cmocka_unit_test(test_npy_reads), cmocka_unit_test(test_npy_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
