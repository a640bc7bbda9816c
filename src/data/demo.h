/* SPDX-License-Identifier: Apache-2.0 */
/* demo.h - pictures of ten shapes, computed: data that is always there and costs no download */
#ifndef PARE_DATA_DEMO_H
#define PARE_DATA_DEMO_H

#include <stdint.h>

enum { PARE_DEMO_SIDE = 32, PARE_DEMO_CLASSES = 10 };

typedef struct pare_demo_split {
    const char *name; /* "train", "test" */
    int         count;
    uint64_t    seed;
} pare_demo_split;

/* The two splits; NULL: no split of that name. */
const pare_demo_split *pare_demo_find(const char *name);

/* The label of picture `index`, and (unless rgb is NULL) its pixels [32][32][3]. The same on every machine. */
int pare_demo_draw(const pare_demo_split *split, int index, uint8_t *rgb);

/* "disc", "ring" ... */
const char *pare_demo_class(int label);

#endif
