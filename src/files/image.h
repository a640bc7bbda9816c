/* SPDX-License-Identifier: Apache-2.0 */
/* image.h - compressed pictures to 8-bit RGB */
#ifndef PARE_FILES_IMAGE_H
#define PARE_FILES_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include <pare/status.h>

/* Limits for hostile files: larger pictures are refused before memory is taken for them. */
enum { PARE_IMAGE_MAX_SIDE = 1 << 14, PARE_IMAGE_MAX_BYTES = 1 << 28 };

typedef struct pare_image {
    int      width;
    int      height;
    uint8_t *rgb; /* [height][width][3], from pare_malloc */
} pare_image;

/*
 * Decodes the picture of `size` bytes by its first bytes (JPEG or PNG). Grey becomes three equal channels, alpha is
 * dropped, 16-bit samples keep their high byte; CMYK is converted as Pillow does. The sentence of an error does not
 * name the file: the caller puts it in front with pare_fail_in.
 */
pare_status pare_image_read(const uint8_t *bytes, size_t size, pare_image *out);
pare_status pare_jpeg_read(const uint8_t *bytes, size_t size, pare_image *out);
pare_status pare_png_read(const uint8_t *bytes, size_t size, pare_image *out);
void        pare_image_free(pare_image *image); /* a zeroed struct is fine */

/* Checks the limits and gives *out memory for width x height pixels. */
pare_status pare_image_alloc(int64_t width, int64_t height, pare_image *out);

#endif
