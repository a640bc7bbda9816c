/* SPDX-License-Identifier: Apache-2.0 */
/* dataset.h - what a data set is made of, and what a kind of data set has to supply */
#ifndef PARE_DATA_DATASET_H
#define PARE_DATA_DATASET_H

#include <pare/buf.h>
#include <pare/data.h>

#include "base/arena.h"
#include "data/demo.h"
#include "data/prepare.h"
#include "files/image.h"
#include "files/npy.h"

/* One picture: in a folder (offset and size unused) or in a tar. */
typedef struct pare_picture {
    const char *name;   /* path below the folder, or in the tar; '/' between its parts */
    size_t      offset; /* of its bytes in the tar */
    size_t      size;
    int32_t     label; /* -1: none */
} pare_picture;

/*
 * A kind of data set: a row of sources.def. `open` fills the dataset's fields below; exactly one of `picture` and
 * `numbers` is not NULL. Reading is called from several threads at once. Sentences of `open` name the file; those of
 * `picture` and `numbers` need not, pare_dataset_read puts the sample's name in front.
 */
typedef struct pare_source {
    const char *name;
    const char *preset; /* used when the options name none; NULL: none */
    bool (*claims)(const char *path);
    pare_status (*open)(pare_dataset *ds, const pare_data_options *options);
    pare_status (*picture)(const pare_dataset *ds, int64_t sample, pare_image *out);
    pare_status (*numbers)(const pare_dataset *ds, int64_t sample, void *out);
} pare_source;

struct pare_dataset {
    const pare_source *source;
    const char        *path;
    pare_arena        *arena; /* path and names */
    pare_dtype         dtype;
    pare_shape         item;
    int64_t            total; /* samples before slicing */
    int64_t            count; /* samples kept           */
    int64_t           *kept;  /* [count] their numbers, or NULL: all */

    pare_buf              *bytes;    /* the file, mapped; NULL for folders and the demo */
    pare_picture          *pictures; /* [total], folders and tars; from pare_malloc     */
    const pare_demo_split *demo;
    pare_prepare           prepare; /* pictures only                                   */
    pare_npy               array;   /* .f32 and .npy: the first axis numbers samples   */
    int                    window;  /* tokens in a sample of a token file; 0: not one  */
    int32_t               *labels;  /* [total] for arrays, or NULL: none               */
};

/*
 * Sample `index` of a set of pictures as bytes: `fit`, of the size that the network wants, else as it is in the file.
 * The picture is the caller's, pare_image_free. Several threads may read one data set.
 */
pare_status pare_dataset_picture(const pare_dataset *ds, int64_t index, bool fit, pare_image *out);

/* True when `path` ends in `extension` (".tar"), in any case of letters. */
bool pare_path_ends(const char *path, const char *extension);

/* True for the names of pictures: .jpg, .jpeg, .png, not hidden. */
bool pare_path_is_picture(const char *path);

#endif
