/* SPDX-License-Identifier: Apache-2.0 */
/* map.c - names to pointers: open addressing, linear probing, at most three quarters full */
#include "base/map.h"

#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

struct pare_map_slot {
    const char *key; /* NULL: free */
    void       *value;
};

/* FNV-1a, 32 bits. */
static uint32_t hash(const char *key)
{
    uint32_t h = 2166136261u;

    for (; *key; key++)
        h = (h ^ (uint8_t)*key) * 16777619u;
    return h;
}

/* The slot that holds `key`, or the free one where it belongs. There always is a free one. */
static struct pare_map_slot *find(const pare_map *map, const char *key)
{
    const uint32_t mask = (uint32_t)map->cap - 1;
    uint32_t       i = hash(key) & mask;

    while (map->slots[i].key && strcmp(map->slots[i].key, key))
        i = (i + 1) & mask;
    return &map->slots[i];
}

static bool grow(pare_map *map)
{
    pare_map larger = { .n = map->n, .cap = map->cap ? 2 * map->cap : 16 };

    if (map->cap > INT_MAX / 4)
        return false;
    larger.slots = pare_calloc((size_t)larger.cap, sizeof(*larger.slots));
    if (!larger.slots)
        return false;
    for (int i = 0; i < map->cap; i++)
        if (map->slots[i].key)
            *find(&larger, map->slots[i].key) = map->slots[i];
    pare_free(map->slots);
    *map = larger;
    return true;
}

bool pare_map_set(pare_map *map, const char *key, void *value)
{
    struct pare_map_slot *slot = map->cap ? find(map, key) : NULL;

    if (!slot || !slot->key) {
        if (map->n >= map->cap / 4 * 3) {
            if (!grow(map))
                return false;
            slot = find(map, key);
        }
        slot->key = key;
        map->n++;
    }
    slot->value = value;
    return true;
}

void *pare_map_get(const pare_map *map, const char *key)
{
    return map->cap ? find(map, key)->value : NULL;
}

void pare_map_free(pare_map *map)
{
    pare_free(map->slots);
    *map = (pare_map){ 0 };
}

enum { LONGEST = 127 }; /* longer names are compared with nothing */

/* Insertions, deletions and replacements that turn `a` into `b` (Wagner-Fischer, one row at a time). */
static int edit_distance(const char *a, const char *b)
{
    int       row[LONGEST + 1]; /* row[j]: distance of a's first i and b's first j characters */
    const int n = (int)strlen(b);

    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];

        row[0] = i;
        for (int j = 1; j <= n; j++) {
            const int replaced = diagonal + (a[i - 1] != b[j - 1]);
            const int shorter = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

            diagonal = row[j];
            row[j] = replaced < shorter ? replaced : shorter;
        }
    }
    return row[n];
}

const char *pare_nearest_name(const char *name, const char *const *candidates, int n)
{
    const size_t length = strlen(name);
    const char  *nearest = NULL;

    if (length > LONGEST)
        return NULL;

    /* Near means: at most one edit per three characters. */
    int best = (int)(length + 2) / 3 + 1;
    for (int i = 0; i < n; i++) {
        const int distance = strlen(candidates[i]) > LONGEST ? INT_MAX : edit_distance(name, candidates[i]);

        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
