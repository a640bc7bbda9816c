/* SPDX-License-Identifier: Apache-2.0 */
/* test_loader.c - batches: the same for a seed whatever the threads, whole epochs, variations, failures */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/hash.h"
#include "data/augment.h"
#include "data/batch.h"
#include "data_helpers.h"

#define OK(call)                                                     \
    do {                                                             \
        if ((call) != PARE_OK)                                       \
            fail_msg("%s:%d: %s", __FILE__, __LINE__, pare_error()); \
    } while (0)

static pare_loader *load(const pare_dataset *ds, pare_loader_options o)
{
    pare_loader *l = NULL;

    OK(pare_loader_create(ds, &o, &l));
    return l;
}

/* A fingerprint of the rest of the epoch that was started; *samples counts them. */
static uint64_t hash_epoch(pare_loader *l, const pare_dataset *ds, int classes, int64_t *samples)
{
    const pare_shape  item = pare_dataset_item(ds);
    const size_t      size = (size_t)pare_shape_count(&item) * (pare_dataset_dtype(ds) == PARE_s64 ? 8 : 4);
    uint64_t          hash = 0;
    const pare_batch *b;

    *samples = 0;
    for (;;) {
        OK(pare_loader_next(l, &b));
        if (!b)
            return hash;
        hash = pare_hash(hash, b->x, (size_t)b->count * size);
        hash = pare_hash(hash, b->labels, (size_t)b->count * sizeof(*b->labels));
        if (classes)
            hash = pare_hash(hash, b->targets, (size_t)b->count * (size_t)classes * sizeof(float));
        *samples += b->count;
    }
}

/* Threads, slots and a cache that is too small change nothing; seed and epoch change everything. */
static void test_same(void **state)
{
    const pare_loader_options o = {
        .batch = 48, .seed = 7, .shuffle = true, .augment = "crop=4,flip,jitter=0.3,mixup=0.4", .classes = 10
    };
    pare_dataset *const ds = open_ok("demo:train", &(pare_data_options){ .slice = "0:500" });
    uint64_t            want[2] = { 0 };
    int64_t             n;

    (void)state;
    for (int threads = 1; threads <= 4; threads++) {
        pare_loader_options each = o;

        each.threads = threads;
        each.cache_bytes = threads == 2 ? 100000 : 0;
        pare_loader *const l = load(ds, each);

        assert_int_equal(pare_loader_batches(l), 10);
        for (int epoch = 0; epoch < 2; epoch++) {
            pare_loader_start(l, epoch, 0);
            const uint64_t hash = hash_epoch(l, ds, 10, &n);

            assert_int_equal(n, 480);
            if (threads == 1)
                want[epoch] = hash;
            assert_true(hash == want[epoch]);
        }
        pare_loader_start(l, 0, 0); /* again, from the cache */
        assert_true(hash_epoch(l, ds, 10, &n) == want[0]);
        pare_loader_destroy(l);
    }
    assert_true(want[0] != want[1]);
    pare_loader_options other = o;

    other.seed = 8;
    pare_loader *const l = load(ds, other);
    pare_loader_start(l, 0, 0);
    assert_true(hash_epoch(l, ds, 10, &n) != want[0]);
    pare_loader_destroy(l);
    pare_dataset_close(ds);
}

/* Starting in the middle, and starting anew while threads are at work, gives what a whole epoch gives there. */
static void test_resume(void **state)
{
    const pare_loader_options o = { .batch = 16, .shuffle = true, .augment = "flip", .threads = 3 };
    pare_dataset *const       ds = open_ok("demo:train", &(pare_data_options){ .slice = "0:200" });
    pare_loader *const        l = load(ds, o);
    uint64_t                  hash[12];
    const pare_batch         *b;

    (void)state;
    OK(pare_loader_next(l, &b));
    assert_null(b); /* nothing was started */
    pare_loader_start(l, 3, 0);
    for (int i = 0; i < 12; i++) {
        OK(pare_loader_next(l, &b));
        assert_int_equal(b->index, i);
        hash[i] = pare_hash(0, b->x, 16 * 3072 * sizeof(float));
    }
    OK(pare_loader_next(l, &b));
    assert_null(b);
    for (int first = 11; first >= 0; first -= 4) {
        pare_loader_start(l, 3, first);
        for (int i = first; i < 12 && i < first + 3; i++) {
            OK(pare_loader_next(l, &b));
            assert_true(pare_hash(0, b->x, 16 * 3072 * sizeof(float)) == hash[i]);
        }
    }
    pare_loader_destroy(l);
    pare_dataset_close(ds);
}

/* Every sample once; a short last batch has zeros behind it. */
static void test_whole(void **state)
{
    float             x[23];
    int32_t           labels[23];
    bool              seen[23] = { false };
    const pare_batch *b;
    int               n = 0;

    (void)state;
    for (int i = 0; i < 23; i++)
        x[i] = (float)(labels[i] = i);
    write_file("whole.f32", x, sizeof(x));
    write_file("whole.labels", labels, sizeof(labels));
    pare_dataset *const ds = open_ok(in_folder("whole.f32"), &(pare_data_options){ .item = { 1, { 1 } } });
    pare_loader *const  l = load(ds, (pare_loader_options){ .batch = 5, .shuffle = true, .whole = true });

    pare_loader_start(l, 0, 0);
    for (;;) {
        OK(pare_loader_next(l, &b));
        if (!b)
            break;
        assert_int_equal(b->count, b->index < 4 ? 5 : 3);
        for (int i = 0; i < 5; i++) {
            const int at = (int)((const float *)b->x)[i];

            assert_int_equal(b->labels[i], at);
            if (i >= b->count) {
                assert_int_equal(at, 0);
                continue;
            }
            assert_false(seen[at]);
            seen[at] = true;
            n++;
        }
    }
    assert_int_equal(n, 23);
    pare_loader_destroy(l);
    pare_dataset_close(ds);
}

/* The shares of a batch, side by side, are the batch: mixed within groups, so that their number does not matter. */
static void test_shares(void **state)
{
    enum { BATCH = 32, ITEM = 3072 };
    pare_dataset *const ds = open_ok("demo:train", &(pare_data_options){ .slice = "0:128" });
    pare_loader_options o = { .batch = BATCH, .group = 8, .shuffle = true, .augment = "crop,mixup", .classes = 10 };
    pare_loader *const  whole = load(ds, o);
    const pare_batch   *a, *b;

    (void)state;
    for (int shares = 2; shares <= 4; shares *= 2)
        for (int share = 0; share < shares; share++) {
            const int n = BATCH / shares;

            o.shares = shares;
            o.share = share;
            pare_loader *const part = load(ds, o);

            pare_loader_start(whole, 1, 0);
            pare_loader_start(part, 1, 0);
            for (int i = 0; i < 4; i++) {
                OK(pare_loader_next(whole, &a));
                OK(pare_loader_next(part, &b));
                assert_int_equal(b->count, n);
                assert_memory_equal((const float *)a->x + share * n * ITEM, b->x, sizeof(float) * (size_t)(n * ITEM));
                assert_memory_equal(a->targets + share * n * 10, b->targets, sizeof(float) * (size_t)(n * 10));
            }
            pare_loader_destroy(part);
        }
    pare_loader_destroy(whole);
    pare_dataset_close(ds);
}

static pare_image picture_of(int w, int h)
{
    pare_image p;

    OK(pare_image_alloc(w, h, &p));
    for (int i = 0; i < w * h * 3; i++)
        p.rgb[i] = (uint8_t)(i * 7 + 1);
    return p;
}

static void vary(const char *list, pare_image *p, uint64_t seed)
{
    const pare_image wanted = { .width = 6, .height = 5 };
    pare_augment     a;
    pare_rng         rng = pare_rng_seed(seed);

    OK(pare_augment_parse(list, &a));
    OK(pare_augment_picture(&a, p, &wanted, &rng));
    assert_int_equal(p->width, 6);
    assert_int_equal(p->height, 5);
}

/* Every place of the window comes up, its pixels are the picture's, and outside is black. */
static void test_crop(void **state)
{
    bool places[9] = { false };

    (void)state;
    for (uint64_t seed = 0; seed < 200; seed++) {
        pare_image p = picture_of(6, 5), was = picture_of(6, 5);
        int        match = -1;

        vary("crop=1", &p, seed);
        for (int place = 0; place < 9; place++) {
            bool same = true;

            for (int y = 0; y < 5; y++)
                for (int x = 0; x < 18; x++) {
                    const int fx = x + 3 * (place % 3 - 1), fy = y + place / 3 - 1;
                    const int want = fx < 0 || fx >= 18 || fy < 0 || fy >= 5 ? 0 : was.rgb[fy * 18 + fx];

                    same &= p.rgb[y * 18 + x] == want;
                }
            match = same ? place : match;
        }
        assert_true(match >= 0);
        places[match] = true;
        pare_image_free(&p);
        pare_image_free(&was);
    }
    for (int i = 0; i < 9; i++)
        assert_true(places[i]);
}

static void test_flip(void **state)
{
    int flipped = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 400; seed++) {
        pare_image p = picture_of(6, 5), was = picture_of(6, 5);

        vary("flip", &p, seed);
        const bool turned = memcmp(p.rgb, was.rgb, 90) != 0;

        for (int i = 0; i < 90; i++)
            assert_int_equal(p.rgb[i], was.rgb[turned ? i / 18 * 18 + (5 - i % 18 / 3) * 3 + i % 3 : i]);
        flipped += turned;
        pare_image_free(&p);
        pare_image_free(&was);
    }
    assert_in_range(flipped, 150, 250);
}

/* Black and white stay what they are wherever the factors go; grey stays grey. */
static void test_jitter(void **state)
{
    bool changed = false;

    (void)state;
    for (uint64_t seed = 0; seed < 50; seed++) {
        pare_image p = picture_of(6, 5);

        for (int i = 0; i < 90; i++)
            p.rgb[i] = i < 45 ? 0 : 120;
        vary("jitter=1", &p, seed);
        for (int i = 0; i < 90; i++)
            assert_int_equal(p.rgb[i], p.rgb[i < 45 ? 0 : 89]);
        changed |= p.rgb[89] != 120;
        pare_image_free(&p);
    }
    assert_true(changed);
}

static void test_resized_crop(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 100; seed++) {
        pare_image p = picture_of(1 + (int)(seed % 40), 1 + (int)(seed * 7 % 50));

        vary("resized-crop", &p, seed);
        pare_image_free(&p);
    }
    pare_image p = picture_of(6, 5), was = picture_of(6, 5);
    int        same = 0;

    /* At full area only the picture itself fits, or, where the ratio misses, its middle square. */
    for (uint64_t seed = 0; seed < 20; seed++) {
        pare_image_free(&p);
        p = picture_of(6, 5);
        vary("resized-crop=1", &p, seed);
        same += memcmp(p.rgb, was.rgb, 90) == 0;
    }
    assert_in_range(same, 1, 19);
    pare_image_free(&p);
    pare_image_free(&was);
}

/* Each row is a blend of itself and the one before with one share, and so is its target. */
static void test_mixup(void **state)
{
    double spread = 0;

    (void)state;
    for (uint64_t seed = 0; seed < 300; seed++) {
        float            x[4] = { 0, 1, 2, 3 }, targets[8] = { 1, 0, 0, 1, 1, 0, 0, 1 }, spare[2];
        const pare_mixed m = { x, targets, 1, 2, 4, spare };
        pare_augment     a;
        pare_rng         rng = pare_rng_seed(seed);

        OK(pare_augment_parse("mixup=0.2", &a));
        pare_augment_batch(&a, &m, &rng);
        const float share = targets[0];

        assert_true(share >= 0 && share <= 1);
        for (int i = 0; i < 4; i++) {
            assert_true(fabsf(x[i] - (share * (float)i + (1 - share) * (float)(i ? i - 1 : 3))) < 1e-6f);
            assert_true(fabsf(targets[2 * i] + targets[2 * i + 1] - 1) < 1e-6f);
        }
        spread += ((double)share - 0.5) * ((double)share - 0.5);
    }
    /* Beta(a, a) has variance 1 / (4 (2a + 1)): 0.1786 for 0.2. */
    assert_true(fabs(spread / 300 - 0.1786) < 0.025);
}

static void refused(const char *path, pare_loader_options o, const char *word)
{
    pare_dataset *const ds = open_ok(path, strstr(path, ".f32") ? &(pare_data_options){ .item = { 1, { 1 } } } : NULL);
    const long          live = pare_alloc_live();
    pare_loader        *l;

    assert_int_not_equal(pare_loader_create(ds, &o, &l), PARE_OK);
    assert_null(l);
    assert_int_equal(pare_alloc_live(), live);
    if (!strstr(pare_error(), word))
        fail_msg("'%s' is not in: %s", word, pare_error());
    pare_dataset_close(ds);
}

static void test_refused(void **state)
{
    const float x[2] = { 0 };

    (void)state;
    write_file("few.f32", x, sizeof(x));
    refused("demo:test", (pare_loader_options){ .augment = "crp=4" }, "did you mean 'crop'");
    refused("demo:test", (pare_loader_options){ .augment = "flip=2" }, "at most 1");
    refused("demo:test", (pare_loader_options){ .augment = "flip=" }, "above 0");
    refused("demo:test", (pare_loader_options){ .augment = "flip=-1" }, "above 0");
    refused("demo:test", (pare_loader_options){ .augment = "flip,resized-crop" }, "first");
    refused("demo:test", (pare_loader_options){ .augment = "mixup" }, "classes");
    refused("demo:test", (pare_loader_options){ .batch = -1 }, "batches");
    refused("demo:test", (pare_loader_options){ .batch = 9, .shares = 2 }, "shares");
    refused("demo:test", (pare_loader_options){ .batch = 8, .group = 3 }, "groups");
    refused(in_folder("few.f32"), (pare_loader_options){ .augment = "flip" }, "for pictures");
}

/* A sample that cannot be used fails its own batch, with its name; the others come as always. */
static void test_bad_sample(void **state)
{
    const float       x[4] = { 0, 1, 2, 3 };
    const int32_t     labels[4] = { 0, 1, 5, 1 };
    const pare_batch *b;

    (void)state;
    write_file("bad.f32", x, sizeof(x));
    write_file("bad.labels", labels, sizeof(labels));
    pare_dataset *const ds = open_ok(in_folder("bad.f32"), &(pare_data_options){ .item = { 1, { 1 } } });
    pare_loader *const  l = load(ds, (pare_loader_options){ .batch = 1, .classes = 2, .threads = 2 });

    pare_loader_start(l, 0, 0);
    for (int i = 0; i < 4; i++)
        if (i == 2) {
            assert_int_equal(pare_loader_next(l, &b), PARE_ERR_DATA);
            assert_non_null(strstr(pare_error(), "bad.f32[2]"));
            assert_non_null(strstr(pare_error(), "label 5"));
        } else {
            OK(pare_loader_next(l, &b));
            assert_int_equal(b->labels[0], labels[i]);
        }
    pare_loader_destroy(l);
    pare_dataset_close(ds);
}

static void test_short_memory(void **state)
{
    pare_dataset *const ds = open_ok("demo:test", &(pare_data_options){ .slice = "0:64" });
    const long          live = pare_alloc_live();

    (void)state;
    for (long n = 1;; n++) {
        pare_loader      *l = NULL;
        const pare_batch *b = NULL;

        pare_alloc_fail_after(n);
        pare_status status =
            pare_loader_create(ds, &(pare_loader_options){ .batch = 16, .augment = "crop,mixup", .classes = 10 }, &l);
        if (status == PARE_OK) {
            pare_loader_start(l, 0, 0);
            do {
                status = pare_loader_next(l, &b);
            } while (status == PARE_OK && b);
        }
        pare_loader_destroy(l);
        pare_alloc_fail_after(0);
        assert_int_equal(pare_alloc_live(), live);
        if (status == PARE_OK)
            break;
        assert_int_equal(status, PARE_ERR_MEMORY);
    }
    pare_dataset_close(ds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same),    cmocka_unit_test(test_resume),       cmocka_unit_test(test_whole),
        cmocka_unit_test(test_shares),  cmocka_unit_test(test_crop),         cmocka_unit_test(test_flip),
        cmocka_unit_test(test_jitter),  cmocka_unit_test(test_resized_crop), cmocka_unit_test(test_mixup),
        cmocka_unit_test(test_refused), cmocka_unit_test(test_bad_sample),   cmocka_unit_test(test_short_memory),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
