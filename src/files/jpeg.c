/* SPDX-License-Identifier: Apache-2.0 */
/* jpeg.c - JPEG to RGB by libjpeg-turbo: exact integer DCT and smooth chroma upsampling, as Pillow decodes */
#include "files/image.h"

#include "base/alloc.h"
#include "base/status.h"

#ifdef PARE_HAVE_TURBOJPEG

#include <string.h>

#include <turbojpeg.h>

/*
 * Pillow's rule, so that accuracies agree with models trained through it: the file holds inverted CMYK (Adobe), and
 * each colour is (255 - k) minus its rounded product with the ink. cmyk: [n][4], rgb: [n][3].
 */
static void cmyk_to_rgb(const uint8_t *cmyk, size_t n, uint8_t *rgb)
{
    for (size_t i = 0; i < n; i++) {
        const int light = cmyk[4 * i + 3];

        for (int c = 0; c < 3; c++) {
            const int product = (255 - cmyk[4 * i + c]) * light + 128;
            const int value = light - (((product >> 8) + product) >> 8);

            rgb[3 * i + c] = (uint8_t)(value < 0 ? 0 : value);
        }
    }
}

/*
 * libjpeg fills a file that ends too early with grey and only warns. It keeps the text of its first warning alone, so
 * a file with an earlier, harmless one is also looked over for the marker that ends every complete file.
 */
static bool is_cut_short(tjhandle tj, const uint8_t *bytes, size_t size)
{
    if (strstr(tjGetErrorStr2(tj), "Premature end"))
        return true;
    for (size_t i = size; i >= 2; i--)
        if (bytes[i - 2] == 0xff && bytes[i - 1] == 0xd9)
            return false;
    return true;
}

static pare_status decompress(tjhandle tj, const uint8_t *bytes, size_t size, uint8_t *out, int format)
{
    int flags = TJFLAG_ACCURATEDCT;

#ifdef TJFLAG_LIMITSCANS
    flags |= TJFLAG_LIMITSCANS; /* a small file with thousands of scans would run for minutes */
#endif
    if (tjDecompress2(tj, bytes, (unsigned long)size, out, 0, 0, 0, format, flags) == 0)
        return PARE_OK;
    if (tjGetErrorCode(tj) == TJERR_FATAL)
        return pare_fail(PARE_ERR_DATA, "damaged JPEG (%s)", tjGetErrorStr2(tj));
    if (is_cut_short(tj, bytes, size))
        return pare_fail(PARE_ERR_DATA, "JPEG ends before its last pixel");
    return PARE_OK;
}

static pare_status decode(tjhandle tj, const uint8_t *bytes, size_t size, pare_image *out)
{
    int width = 0, height = 0, sampling = 0, space = -1;

    /* It also fails on unusual chroma sampling, after it set the size; decoding to RGB has no trouble with that. */
    if (tjDecompressHeader3(tj, bytes, (unsigned long)size, &width, &height, &sampling, &space) != 0 &&
        (width < 1 || height < 1))
        return pare_fail(PARE_ERR_DATA, "damaged JPEG (%s)", tjGetErrorStr2(tj));
    PARE_TRY(pare_image_alloc(width, height, out));
    if (space != TJCS_CMYK && space != TJCS_YCCK)
        return decompress(tj, bytes, size, out->rgb, TJPF_RGB);

    const size_t pixels = (size_t)width * (size_t)height;
    uint8_t     *cmyk = pare_malloc(pixels * 4);
    if (!cmyk)
        return pare_fail_memory(pixels * 4, "a CMYK picture");

    const pare_status status = decompress(tj, bytes, size, cmyk, TJPF_CMYK);
    if (status == PARE_OK)
        cmyk_to_rgb(cmyk, pixels, out->rgb);
    pare_free(cmyk);
    return status;
}

pare_status pare_jpeg_read(const uint8_t *bytes, size_t size, pare_image *out)
{
    *out = (pare_image){ 0 };

    tjhandle tj = tjInitDecompress();
    if (!tj)
        return pare_fail(PARE_ERR_MEMORY, "libjpeg-turbo does not start (%s)", tjGetErrorStr2(NULL));

    const pare_status status = decode(tj, bytes, size, out);

    tjDestroy(tj);
    if (status != PARE_OK)
        pare_image_free(out);
    return status;
}

#else

pare_status pare_jpeg_read(const uint8_t *bytes, size_t size, pare_image *out)
{
    (void)bytes;
    (void)size;
    *out = (pare_image){ 0 };
    return pare_fail(PARE_ERR_UNSUPPORTED, "JPEG picture, but pare was built without libjpeg-turbo");
}

#endif
