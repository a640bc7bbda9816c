/* SPDX-License-Identifier: Apache-2.0 */
/* augment.h - training pictures varied at random, by a list such as "crop=4,flip,mixup=0.2" */
#ifndef PARE_DATA_AUGMENT_H
#define PARE_DATA_AUGMENT_H

#include <stdbool.h>

#include "base/rng.h"
#include "files/image.h"

enum { PARE_MAX_AUGMENTS = 8 };

/* Samples of one batch that are mixed with each other: x f32 [n][item], targets f32 [n][classes]. */
typedef struct pare_mixed {
    float  *x, *targets;
    int64_t item;
    int     classes, n;
    float  *spare; /* [max(item, classes)] */
} pare_mixed;

typedef struct pare_augmentation {
    const char *name, *about;
    float       usual, most;
    pare_status (*picture)(pare_image *picture, const pare_image *wanted, float number, pare_rng *rng);
    void (*batch)(const pare_mixed *m, float number, pare_rng *rng);
    bool from_original;
} pare_augmentation;

typedef struct pare_augment {
    struct {
        const pare_augmentation *what;
        float                    number;
    } steps[PARE_MAX_AUGMENTS];
    int  n;
    bool from_original; /* pictures as they are in the file */
    bool mixes;         /* labels become shares of classes  */
} pare_augment;

const pare_augmentation *pare_augmentation_at(int index); /* NULL past the end */

/* The list in words; NULL or "": nothing. PARE_ERR_ARG says what is wrong with it. */
pare_status pare_augment_parse(const char *text, pare_augment *out);

/* One picture, replaced by another of the size of `wanted`, whose pixels are not looked at. */
pare_status pare_augment_picture(const pare_augment *a, pare_image *picture, const pare_image *wanted, pare_rng *rng);
void        pare_augment_batch(const pare_augment *a, const pare_mixed *m, pare_rng *rng);

#endif
