/* SPDX-License-Identifier: Apache-2.0 */
/* map.h - names to pointers (open addressing, insertion only) */
#ifndef PARE_BASE_MAP_H
#define PARE_BASE_MAP_H

#include <stdbool.h>

/* Keys are borrowed: they must outlive the map. A zeroed struct is an empty map. */
typedef struct pare_map {
    struct pare_map_slot *slots;
    int                   n;   /* names stored         */
    int                   cap; /* slots, a power of two */
} pare_map;

bool  pare_map_set(pare_map *map, const char *key, void *value); /* replaces; false: out of memory */
void *pare_map_get(const pare_map *map, const char *key);        /* NULL: not there                */
void  pare_map_free(pare_map *map);                              /* the table, not the values      */

/* The candidate closest to `name` by edit distance, or NULL when none is near: for "did you mean". */
const char *pare_nearest_name(const char *name, const char *const *candidates, int n);

#endif
