/* SPDX-License-Identifier: Apache-2.0 */
/* prepare.h - from a decoded picture to the numbers a network wants */
#ifndef PARE_DATA_PREPARE_H
#define PARE_DATA_PREPARE_H

#include <pare/data.h>

#include "files/image.h"

typedef struct pare_prepare {
    int      width; /* 0: that of the picture */
    int      height;
    int      resize; /* crop: length of the shorter side; 0: not a crop */
    pare_fit fit;    /* never PARE_FIT_DEFAULT */
    bool     bgr;
    float    value[3][256]; /* of every byte, per output channel */
} pare_prepare;

/* Lays the options over their preset (or over `preset` when they name none, NULL: "raw") and checks them. */
pare_status pare_prepare_choose(const pare_data_options *options, const char *preset, pare_prepare *out);

/* The same in two steps: to the wanted size (that of the network's input), and from bytes to numbers. */
pare_status pare_prepare_fit(const pare_prepare *prepare, pare_image *picture);
void        pare_prepare_values(const pare_prepare *prepare, const pare_image *picture, float *out);

/* out: [3][height][width]. The picture is changed on the way (resized), but stays the caller's. */
pare_status pare_prepare_picture(const pare_prepare *prepare, pare_image *picture, float *out);

#endif
