/* SPDX-License-Identifier: Apache-2.0 */
/* resize.h - pictures to another size */
#ifndef PARE_DATA_RESIZE_H
#define PARE_DATA_RESIZE_H

#include "files/image.h"

/*
 * Bilinear with antialiasing (a triangle as wide as one output pixel), byte for byte what Pillow's
 * Image.resize(size, BILINEAR) gives. `out` gets memory of its own; `in` is not changed.
 */
pare_status pare_resize_bilinear(const pare_image *in, int64_t width, int64_t height, pare_image *out);

#endif
