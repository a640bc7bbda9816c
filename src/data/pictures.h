/* SPDX-License-Identifier: Apache-2.0 */
/* pictures.h - the list of pictures in a folder or archive: order and labels */
#ifndef PARE_DATA_PICTURES_H
#define PARE_DATA_PICTURES_H

#include "data/dataset.h"

typedef struct pare_picture_list {
    pare_picture *items;
    int           n;
    int           cap;
} pare_picture_list;

/* Adds a picture. The name lives as long as the data set. */
pare_status pare_pictures_add(pare_picture_list *list, const char *name, size_t offset, size_t size);

/*
 * Sorts the list, chooses and labels its pictures by options->labels, else by the table `beside` (NULL: there is none),
 * else by the folders, and hands it to the data set, or frees it on failure.
 */
pare_status pare_pictures_finish(pare_picture_list *list, const char *beside, const pare_data_options *options,
                                 pare_dataset *ds);

#endif
