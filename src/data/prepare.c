/* SPDX-License-Identifier: Apache-2.0 */
/* prepare.c - from a decoded picture to the numbers a network wants: size, channel order, scale */
#include "data/prepare.h"

#include <math.h>
#include <string.h>

#include "base/status.h"
#include "data/resize.h"

typedef struct preset {
    const char *name;
    const char *about;
    int         size;
    pare_fit    fit;
    bool        bgr;
    float       divisor;
    float       mean[3];
    float       std[3];
} preset;

static const preset presets[] = {
#define PARE_PRESET(name, about, size, fit, bgr, divisor, m0, m1, m2, s0, s1, s2) \
    { name, about, size, PARE_FIT_##fit, bgr, divisor, { m0, m1, m2 }, { s0, s1, s2 } },
#include "data/presets.def"
#undef PARE_PRESET
};
enum { N_PRESETS = sizeof(presets) / sizeof(presets[0]) };

const char *pare_data_preset_name(int i)
{
    return i >= 0 && i < N_PRESETS ? presets[i].name : NULL;
}

const char *pare_data_preset_about(int i)
{
    return i >= 0 && i < N_PRESETS ? presets[i].about : NULL;
}

static const preset *find_preset(const char *name)
{
    for (int i = 0; i < N_PRESETS; i++)
        if (strcmp(presets[i].name, name) == 0)
            return &presets[i];
    return NULL;
}

/* What every byte becomes. The order of the operations is the documented one: another would round differently. */
static pare_status fill_values(const pare_data_options *options, const preset *p, pare_prepare *out)
{
    const float divisor = options->divisor != 0 ? options->divisor : p->divisor;

    for (int c = 0; c < 3; c++) {
        const float mean = options->mean[c] != 0 ? options->mean[c] : p->mean[c];
        const float std = options->std[c] != 0 ? options->std[c] : p->std[c];

        if (!isfinite(divisor) || !isfinite(mean) || !isfinite(std) || divisor <= 0 || std <= 0)
            return pare_fail(PARE_ERR_ARG, "divisor and std must be positive and mean finite (channel %d: %g, %g, %g)",
                             c, (double)divisor, (double)std, (double)mean);
        for (int byte = 0; byte < 256; byte++)
            out->value[c][byte] = ((float)byte / divisor - mean) / std;
    }
    return PARE_OK;
}

static pare_status choose_size(const pare_data_options *options, const preset *p, pare_prepare *out)
{
    if (options->width < 0 || options->height < 0 || options->resize < 0 || options->width > PARE_IMAGE_MAX_SIDE ||
        options->height > PARE_IMAGE_MAX_SIDE || options->resize > PARE_IMAGE_MAX_SIDE)
        return pare_fail(PARE_ERR_ARG, "picture size %d x %d, resize %d: each must be at most %d, or 0 for the default",
                         options->width, options->height, options->resize, PARE_IMAGE_MAX_SIDE);
    if (options->height && !options->width)
        return pare_fail(PARE_ERR_ARG, "a picture height of %d without a width", options->height);

    out->width = options->width ? options->width : p->size;
    out->height = options->height ? options->height : out->width;
    out->fit = options->fit != PARE_FIT_DEFAULT ? options->fit : p->fit;
    if (out->fit == PARE_FIT_DEFAULT)
        out->fit = out->width ? PARE_FIT_CROP : PARE_FIT_NONE;
    if (out->fit != PARE_FIT_NONE && !out->width)
        return pare_fail(PARE_ERR_ARG, "crop and squash need a picture size");
    if (out->fit != PARE_FIT_CROP)
        return PARE_OK;

    const int side = out->width > out->height ? out->width : out->height;

    /* 256 for a net of 224, in this proportion for others: the usual margin around the middle; half to even. */
    out->resize = options->resize ? options->resize : (int)rint(side * 256 / 224.0);
    if (!options->resize && out->resize > PARE_IMAGE_MAX_SIDE)
        out->resize = side;
    if (out->resize < side)
        return pare_fail(PARE_ERR_ARG, "resize %d is less than the crop of %d x %d", out->resize, out->width,
                         out->height);
    return PARE_OK;
}

pare_status pare_prepare_choose(const pare_data_options *options, const char *preset_name, pare_prepare *out)
{
    const char   *name = options->preset ? options->preset : preset_name ? preset_name : "raw";
    const preset *p = find_preset(name);

    *out = (pare_prepare){ 0 };
    if (!p)
        return pare_fail(PARE_ERR_ARG, "unknown preset '%s' (imagenet-tf, imagenet-torch, cifar ...: see the list)",
                         name);
    out->bgr = options->bgr || p->bgr;
    PARE_TRY(choose_size(options, p, out));
    return fill_values(options, p, out);
}

/* Replaces the picture by itself at another size. */
static pare_status resize(pare_image *picture, int64_t width, int64_t height)
{
    pare_image resized;

    PARE_TRY(pare_resize_bilinear(picture, width, height, &resized));
    pare_image_free(picture);
    *picture = resized;
    return PARE_OK;
}

/* The shorter side to p->resize; the longer one in proportion, half to even. */
static pare_status resize_shorter(const pare_prepare *p, pare_image *picture)
{
    const int shorter = picture->width < picture->height ? picture->width : picture->height;

    if (shorter == p->resize)
        return PARE_OK;

    const double  factor = (double)p->resize / shorter;
    const int64_t width = (int64_t)rint(picture->width * factor);
    const int64_t height = (int64_t)rint(picture->height * factor);

    return resize(picture, width > p->resize ? width : p->resize, height > p->resize ? height : p->resize);
}

static pare_status fit_picture(const pare_prepare *p, pare_image *picture)
{
    if (!p->width || (picture->width == p->width && picture->height == p->height))
        return PARE_OK;
    if (p->fit == PARE_FIT_SQUASH)
        return resize(picture, p->width, p->height);
    if (p->fit == PARE_FIT_CROP)
        return resize_shorter(p, picture);
    return pare_fail(PARE_ERR_SHAPE, "a picture of %d x %d where all must be %d x %d; choose crop or squash",
                     picture->width, picture->height, p->width, p->height);
}

/* The middle width x height, moved to the front of the picture's own memory. */
static void crop_middle(pare_image *picture, int width, int height)
{
    const int    left = (picture->width - width) / 2, top = (picture->height - height) / 2;
    const size_t row = (size_t)width * 3;

    for (int y = 0; y < height; y++)
        memmove(picture->rgb + (size_t)y * row,
                picture->rgb + ((size_t)(top + y) * (size_t)picture->width + (size_t)left) * 3, row);
    picture->width = width;
    picture->height = height;
}

pare_status pare_prepare_fit(const pare_prepare *p, pare_image *picture)
{
    PARE_TRY(fit_picture(p, picture));
    if (p->width && (picture->width != p->width || picture->height != p->height))
        crop_middle(picture, p->width, p->height);
    return PARE_OK;
}

void pare_prepare_values(const pare_prepare *p, const pare_image *picture, float *out)
{
    const size_t plane = (size_t)picture->width * (size_t)picture->height;

    for (int c = 0; c < 3; c++) {
        const uint8_t *const in = picture->rgb + (p->bgr ? 2 - c : c);
        const float *const   value = p->value[c];
        float *const         to = out + (size_t)c * plane;

        for (size_t i = 0; i < plane; i++)
            to[i] = value[in[3 * i]];
    }
}

pare_status pare_prepare_picture(const pare_prepare *p, pare_image *picture, float *out)
{
    PARE_TRY(pare_prepare_fit(p, picture));
    pare_prepare_values(p, picture, out);
    return PARE_OK;
}
