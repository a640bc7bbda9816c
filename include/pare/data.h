/* SPDX-License-Identifier: Apache-2.0 */
/* data.h - data sets: numbered samples, decoded and preprocessed one at a time */
#ifndef PARE_DATA_H
#define PARE_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pare/status.h>
#include <pare/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What a path may be:
 *
 *   demo:train, demo:test   the built-in pictures: 4000 and 1000 of ten classes, computed from their number
 *   FOLDER                  .jpg, .jpeg and .png files below it, sorted by path
 *   NAME.tar                the same inside a tar; NAME.tsv beside it, if there, gives order and labels
 *   NAME.jpg, NAME.png      one picture
 *   NAME.f32                raw little-endian float32; `item` gives the shape of one sample
 *   NAME.npy                the first axis numbers the samples; s64 stays s64, every other type becomes f32
 *   NAME.u16                token ids, cut into windows of `window`; a sample is s64 [window]
 *
 * Labels of pictures come from `labels`, else from the .tsv beside a tar, else from the name of the folder that holds
 * the picture: when all those names are decimal numbers the number is the label, else the rank of the name in byte
 * order; one folder alone gives no labels. A .tsv has a first line of column names; `file` names the picture and sets
 * the order, `class` is the label. Several rows of one file (a list of boxes: column `cx`) make one sample, which has a
 * label only under a `label_rule`. Labels of numbers come from `labels` or from NAME.labels (raw int32) beside the
 * file. The label of a token window is the token that follows it, so every window has one.
 */
typedef struct pare_dataset pare_dataset;

typedef enum pare_fit {
    PARE_FIT_DEFAULT = 0, /* as the preset says; without one: crop when a size is given, else none      */
    PARE_FIT_CROP = 1,    /* shorter side to `resize`, then the middle width x height                   */
    PARE_FIT_SQUASH = 2,  /* width x height, whatever the aspect ratio                                  */
    PARE_FIT_NONE = 3,    /* as it is: every picture must have the same size (width x height, if given) */
} pare_fit;

/*
 * Zero means default everywhere: as the preset says, or without a preset the value in brackets.
 * A picture that already has the wanted size is never resized. Pixel values are computed in float32, one rounding
 * after each operation: value = ((float)byte / divisor - mean[c]) / std[c], c in the order of the output channels.
 * A crop first brings the shorter side to `resize`; 0 means the longer of width and height times 256 / 224, rounded.
 * Label rule "class" takes the column `class`; "vww" is 1 where a person box (class 0) covers at least 0.5 % of the
 * picture, else 0; "none" leaves the samples without labels.
 */
typedef struct pare_data_options {
    const char *preset;      /* name from presets.def (NULL: "demo" for demo:, "raw" for other pictures) */
    int         width;       /* of a prepared picture, pixels (0: that of the first picture)             */
    int         height;      /* (0: width)                                                               */
    pare_fit    fit;         /* (0: crop when a size is given, else none)                                */
    int         resize;      /* crop: length of the shorter side before cropping                         */
    bool        bgr;         /* channel order blue, green, red (false: red, green, blue)                 */
    float       divisor;     /* (0: 1)                                                                   */
    float       mean[3];     /* per output channel (0)                                                   */
    float       std[3];      /* per output channel (0: 1)                                                */
    pare_shape  item;        /* .f32: shape of one sample, without the batch (rank 0: an error)          */
    int         window;      /* .u16: tokens in a window (0: 256)                                        */
    const char *labels;      /* file of labels: .tsv, .npy, or raw int32 (NULL: see above)               */
    const char *label_rule;  /* "class", "vww" or "none" (NULL: "class")                                 */
    bool        need_labels; /* true: opening fails when samples have no labels                          */
    const char *split;       /* rows of the .tsv whose column `split` has this value (NULL: all rows)    */
    const char *slice;       /* START:STOP:STEP, as in Python with STEP > 0: samples to keep (NULL: all) */
    const char *without;     /* START:STOP:STEP: samples to leave out, numbered before slicing (NULL: none) */
} pare_data_options;

/*
 * Options may be NULL; nothing of them is kept. Holds an index (name, place and label, about 100 bytes a sample), not
 * the samples. Opening a set of pictures decodes one of them when the options do not say the size.
 */
PARE_API pare_status pare_dataset_open(const char *path, const pare_data_options *options, pare_dataset **out);
PARE_API void        pare_dataset_close(pare_dataset *dataset); /* NULL is fine */

PARE_API int64_t    pare_dataset_count(const pare_dataset *dataset);
PARE_API pare_dtype pare_dataset_dtype(const pare_dataset *dataset); /* PARE_f32 or PARE_s64                     */
PARE_API pare_shape pare_dataset_item(const pare_dataset *dataset);  /* of one sample: pictures 3, height, width */
PARE_API bool       pare_dataset_has_labels(const pare_dataset *dataset);

/*
 * Sample `index` of 0 .. count-1 into out: pare_dataset_item's elements, dense, of pare_dataset_dtype. *label (may be
 * NULL) becomes its label, -1: none. Several threads may read one data set. Errors name the file and the entry in it.
 */
PARE_API pare_status pare_dataset_read(const pare_dataset *dataset, int64_t index, void *out, int *label);

/* The label alone, without decoding the sample. */
PARE_API int pare_dataset_label(const pare_dataset *dataset, int64_t index);

/* Writes the sample's name ("0/0001.jpg", "kws.f32[12]") into text, cut to `size` bytes with the final 0. */
PARE_API void pare_dataset_name(const pare_dataset *dataset, int64_t index, char *text, size_t size);

/* The presets in order; NULL past the last. */
PARE_API const char *pare_data_preset_name(int i);
PARE_API const char *pare_data_preset_about(int i);

#ifdef __cplusplus
}
#endif
#endif
