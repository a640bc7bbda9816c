/* SPDX-License-Identifier: Apache-2.0 */
/* channel_images.h - tensors [N, C, spatial ...] as the images of kernels/channels_f32, for batch normalization */
#ifndef PARE_OPS_CHANNEL_IMAGES_H
#define PARE_OPS_CHANNEL_IMAGES_H

#include "kernels/channels_f32/channels_f32.h"
#include "ops/op.h"

/* Whether it lies as those kernels want it: rank 2 to 4, the channels of a pixel side by side. */
bool pare_has_pixels(const pare_tensor *t);

int64_t pare_n_pixels(const pare_shape *shape); /* of one image */

/* Lines of an image, and where line `line`, counted over images, begins. */
int    pare_image_lines(const pare_tensor *t);
float *pare_image_at(const pare_tensor *t, long line);

/* An image of t's size whose operands are still to be set. */
pare_channels_f32_image pare_image_of(const pare_tensor *t);
void                    pare_image_set_x(pare_channels_f32_image *im, const pare_tensor *t, long line);
void                    pare_image_set_dy(pare_channels_f32_image *im, const pare_tensor *t, long line);
void                    pare_image_set_y(pare_channels_f32_image *im, const pare_tensor *t, long line);

/* One channel of one image of any tensor, pixels in row-major order, to or from line[pixels]. */
void pare_channel_get(const pare_tensor *t, int64_t n, int64_t c, float *line);
void pare_channel_put(const pare_tensor *t, int64_t n, int64_t c, const float *line);

/* The version that a step uses. */
const pare_channels_f32_kernel *pare_channels_kernel(const pare_step *step);

/* An operand of which part `part` of `parts` touches whole images, or lines of images. */
pare_span pare_span_images(const pare_tensor *t, int part, int parts);
pare_span pare_span_lines(const pare_tensor *t, int part, int parts);

/* For infer: input `input` is f32 with one number per channel of in[x]. */
pare_status pare_call_per_channel(const pare_call *call, int x, int input);
/* Channels: dim 1, or 1 where there is no such axis. */
int64_t pare_n_channels(const pare_shape *shape);

#endif
