/* SPDX-License-Identifier: Apache-2.0 */
/* augment.c - ways to vary training pictures, and lists of them */
#include "data/augment.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "base/math.h"
#include "base/math_pow.h"
#include "base/status.h"
#include "data/resize.h"

/* ---------------------------------------------------------------------------------------------------- one picture */

static void replace(pare_image *picture, pare_image with)
{
    pare_image_free(picture);
    *picture = with;
}

/* The part of `from` whose upper left corner is (left, top), at the size of `to`; black outside. */
static void cut(const pare_image *from, int left, int top, pare_image *to)
{
    const int first = left < 0 ? -left : 0, end = from->width - left < to->width ? from->width - left : to->width;

    memset(to->rgb, 0, (size_t)to->width * (size_t)to->height * 3);
    for (int y = 0; y < to->height; y++)
        if (y + top >= 0 && y + top < from->height && end > first)
            memcpy(to->rgb + ((size_t)y * (size_t)to->width + (size_t)first) * 3,
                   from->rgb + ((size_t)(y + top) * (size_t)from->width + (size_t)(left + first)) * 3,
                   (size_t)(end - first) * 3);
}

static pare_status crop(pare_image *picture, const pare_image *wanted, float number, pare_rng *rng)
{
    const uint32_t ways = 2 * (uint32_t)number + 1;
    const int      left = (int)pare_rng_below(rng, ways) - (int)number;
    const int      top = (int)pare_rng_below(rng, ways) - (int)number;
    pare_image     moved;

    (void)wanted;
    PARE_TRY(pare_image_alloc(picture->width, picture->height, &moved));
    cut(picture, left, top, &moved);
    replace(picture, moved);
    return PARE_OK;
}

static pare_status flip(pare_image *picture, const pare_image *wanted, float number, pare_rng *rng)
{
    (void)wanted;
    if (pare_rng_f32(rng) >= number)
        return PARE_OK;
    for (int y = 0; y < picture->height; y++) {
        uint8_t *left = picture->rgb + (size_t)y * (size_t)picture->width * 3, *right = left + 3 * (picture->width - 1);

        for (; left < right; left += 3, right -= 3)
            for (int c = 0; c < 3; c++) {
                const uint8_t byte = left[c];

                left[c] = right[c];
                right[c] = byte;
            }
    }
    return PARE_OK;
}

static uint8_t clip_byte(float x)
{
    return x <= 0 ? 0 : x >= 255 ? 255 : (uint8_t)x;
}

/* Pillow's luma, 16 fraction bits. */
static int grey_of(const uint8_t *rgb)
{
    return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16;
}

/* Brightness, then contrast, then colour: away from (factor > 1) or towards black, the mean grey, the own grey. */
static pare_status jitter(pare_image *picture, const pare_image *wanted, float number, pare_rng *rng)
{
    const size_t n = (size_t)picture->width * (size_t)picture->height;
    float        factor[3];
    int64_t      sum = 0;

    (void)wanted;
    for (int i = 0; i < 3; i++)
        factor[i] = pare_rng_uniform(rng, 1 - number, 1 + number);
    for (size_t i = 0; i < n; i++) {
        uint8_t *const p = picture->rgb + 3 * i;

        for (int c = 0; c < 3; c++)
            p[c] = clip_byte(factor[0] * p[c]);
        sum += grey_of(p);
    }
    const float mean = (float)(int)((double)sum / (double)n + 0.5);

    for (size_t i = 0; i < n; i++) {
        uint8_t *const p = picture->rgb + 3 * i;

        for (int c = 0; c < 3; c++)
            p[c] = clip_byte(mean + factor[1] * (p[c] - mean));
        const float grey = (float)grey_of(p);

        for (int c = 0; c < 3; c++)
            p[c] = clip_byte(grey + factor[2] * (p[c] - grey));
    }
    return PARE_OK;
}

/* RandomResizedCrop: area from `number` to all, aspect ratio from 3/4 to 4/3; after ten misses the middle square. */
static pare_status resized_crop(pare_image *picture, const pare_image *wanted, float number, pare_rng *rng)
{
    const int  shorter = picture->width < picture->height ? picture->width : picture->height;
    int        w = shorter, h = shorter;
    int        left = (picture->width - w) / 2, top = (picture->height - h) / 2;
    pare_image part, resized;

    for (int tries = 0; tries < 10; tries++) {
        const float area = pare_rng_uniform(rng, number, 1) * (float)picture->width * (float)picture->height;
        const float ratio = pare_expf(pare_rng_uniform(rng, -0.28768207f, 0.28768207f)); /* ln 4/3 */
        const int width = (int)pare_rintf(pare_sqrtf(area * ratio)), height = (int)pare_rintf(pare_sqrtf(area / ratio));

        if (width < 1 || height < 1 || width > picture->width || height > picture->height)
            continue;
        w = width;
        h = height;
        left = (int)pare_rng_below(rng, (uint32_t)(picture->width - w + 1));
        top = (int)pare_rng_below(rng, (uint32_t)(picture->height - h + 1));
        break;
    }
    PARE_TRY(pare_image_alloc(w, h, &part));
    cut(picture, left, top, &part);

    const pare_status status = pare_resize_bilinear(&part, wanted->width, wanted->height, &resized);

    pare_image_free(&part);
    if (status == PARE_OK)
        replace(picture, resized);
    return status;
}

/* -------------------------------------------------------------------------------------------------------- a batch */

/* Beta(a, a) by Joehnk's rule: u^(1/a) / (u^(1/a) + v^(1/a)) where the sum is at most 1. */
static float beta(float a, pare_rng *rng)
{
    for (int tries = 0; tries < 1000; tries++) {
        const float x = pare_powf(pare_rng_f32(rng), 1 / a), y = pare_powf(pare_rng_f32(rng), 1 / a);

        if (x + y <= 1 && x + y > 0)
            return x / (x + y);
    }
    return 0.5f; /* a large a, where nearly everything is near the middle */
}

/* Row i becomes share * row i + (1 - share) * row i - 1, the first with the last. */
static void blend_rows(float *rows, int n, int64_t width, float share, float *last)
{
    memcpy(last, rows + (n - 1) * width, (size_t)width * sizeof(*rows));
    for (int i = n - 1; i >= 0; i--) {
        float *const       row = rows + i * width;
        const float *const before = i ? row - width : last;

        for (int64_t k = 0; k < width; k++)
            row[k] = share * row[k] + (1 - share) * before[k];
    }
}

static void mixup(const pare_mixed *m, float number, pare_rng *rng)
{
    const float share = beta(number, rng);

    blend_rows(m->x, m->n, m->item, share, m->spare);
    blend_rows(m->targets, m->n, m->classes, share, m->spare);
}

/* ---------------------------------------------------------------------------------------------------------- lists */

static const pare_augmentation augmentations[] = {
#define PARE_AUGMENT(name, about, usual, most, picture, batch, from_original) \
    { name, about, usual, most, picture, batch, from_original },
#include "data/augment.def"
#undef PARE_AUGMENT
};

enum { N_AUGMENTATIONS = sizeof(augmentations) / sizeof(augmentations[0]) };

const pare_augmentation *pare_augmentation_at(int index)
{
    return index >= 0 && index < N_AUGMENTATIONS ? &augmentations[index] : NULL;
}

static pare_status find(const char *word, size_t length, const pare_augmentation **out)
{
    const char *names[N_AUGMENTATIONS], *near;
    char        text[32];

    for (int i = 0; i < N_AUGMENTATIONS; i++) {
        *out = &augmentations[i];
        names[i] = (*out)->name;
        if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0)
            return PARE_OK;
    }
    snprintf(text, sizeof(text), "%.*s", (int)length, word);
    near = pare_nearest_name(text, names, N_AUGMENTATIONS);
    return pare_fail(PARE_ERR_ARG, "unknown augmentation '%s'%s%s%s", text, near ? "; did you mean '" : "",
                     near ? near : "", near ? "'?" : "");
}

/* "4" or "0.25", as far as `end`; not strtod, which obeys the locale. False: something else. */
static bool number_of(const char *text, const char *end, float *out)
{
    double value = 0, below = 0;

    for (; text < end; text++) {
        if (*text == '.' && below == 0) {
            below = 1;
        } else if (*text >= '0' && *text <= '9') {
            value = value * 10 + (*text - '0');
            below *= 10;
        } else {
            return false;
        }
    }
    *out = (float)(below > 1 ? value / below : value);
    return true;
}

pare_status pare_augment_parse(const char *text, pare_augment *out)
{
    *out = (pare_augment){ 0 };
    for (const char *at = text; at && *at;) {
        const size_t             length = strcspn(at, ","), name = strcspn(at, "=,");
        const pare_augmentation *what;
        float                    number;

        PARE_TRY(find(at, name, &what));
        number = what->usual;
        if (name < length && (name + 1 == length || !number_of(at + name + 1, at + length, &number) || !(number > 0) ||
                              number > what->most))
            return pare_fail(PARE_ERR_ARG, "augmentation '%.*s': the number must be above 0 and at most %g",
                             (int)length, at, (double)what->most);
        if (out->n == PARE_MAX_AUGMENTS)
            return pare_fail(PARE_ERR_ARG, "more than %d augmentations", PARE_MAX_AUGMENTS);
        if (what->from_original && out->n > 0)
            return pare_fail(PARE_ERR_ARG, "augmentation %s must be the first", what->name);
        out->steps[out->n].what = what;
        out->steps[out->n++].number = number;
        out->from_original |= what->from_original;
        out->mixes |= what->batch != NULL;
        at += length + (at[length] == ',');
    }
    return PARE_OK;
}

pare_status pare_augment_picture(const pare_augment *a, pare_image *picture, const pare_image *wanted, pare_rng *rng)
{
    for (int i = 0; i < a->n; i++)
        if (a->steps[i].what->picture)
            PARE_TRY(a->steps[i].what->picture(picture, wanted, a->steps[i].number, rng));
    return PARE_OK;
}

void pare_augment_batch(const pare_augment *a, const pare_mixed *m, pare_rng *rng)
{
    for (int i = 0; i < a->n; i++)
        if (a->steps[i].what->batch)
            a->steps[i].what->batch(m, a->steps[i].number, rng);
}
