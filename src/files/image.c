/* SPDX-License-Identifier: Apache-2.0 */
/* image.c - which decoder a picture needs, and memory for what comes out */
#include "files/image.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

pare_status pare_image_alloc(int64_t width, int64_t height, pare_image *out)
{
    if (width < 1 || height < 1)
        return pare_fail(PARE_ERR_DATA, "picture without pixels (%lld x %lld)", (long long)width, (long long)height);
    if (width > PARE_IMAGE_MAX_SIDE || height > PARE_IMAGE_MAX_SIDE || width * height * 3 > PARE_IMAGE_MAX_BYTES)
        return pare_fail(PARE_ERR_UNSUPPORTED,
                         "picture of %lld x %lld pixels; the limit is %d a side and %d MiB in all", (long long)width,
                         (long long)height, PARE_IMAGE_MAX_SIDE, PARE_IMAGE_MAX_BYTES >> 20);

    const size_t bytes = (size_t)(width * height * 3);

    out->width = (int)width;
    out->height = (int)height;
    out->rgb = pare_malloc(bytes);
    return out->rgb ? PARE_OK : pare_fail_memory(bytes, "a picture");
}

void pare_image_free(pare_image *image)
{
    pare_free(image->rgb);
    *image = (pare_image){ 0 };
}

pare_status pare_image_read(const uint8_t *bytes, size_t size, pare_image *out)
{
    static const uint8_t jpeg[] = { 0xff, 0xd8, 0xff };
    static const uint8_t png[] = { 0x89, 'P', 'N', 'G' };

    *out = (pare_image){ 0 };
    if (size >= sizeof(jpeg) && memcmp(bytes, jpeg, sizeof(jpeg)) == 0)
        return pare_jpeg_read(bytes, size, out);
    if (size >= sizeof(png) && memcmp(bytes, png, sizeof(png)) == 0)
        return pare_png_read(bytes, size, out);
    return pare_fail(PARE_ERR_DATA, "not a JPEG or PNG picture");
}
