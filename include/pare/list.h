/* SPDX-License-Identifier: Apache-2.0 */
/* list.h - what this library has: ops, kernels, observers, presets, passes, modules, networks */
#ifndef PARE_LIST_H
#define PARE_LIST_H

#include <stdbool.h>

#include <pare/status.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pare_list_entry {
    const char *name;       /* static storage              */
    char        about[160]; /* one line, without full stop */
} pare_list_entry;

/* The names of the lists: "ops", "kernels" ...; NULL past the last. */
PARE_API const char *pare_list_name(int index);

/* Entry `index` of a list; false past its end, and for a list that is not there. */
PARE_API bool pare_list_at(const char *list, int index, pare_list_entry *entry);

/* Of words[n] the one that `word` was probably meant to be; NULL when none is near. */
PARE_API const char *pare_nearest(const char *word, const char *const *words, int n);

#ifdef __cplusplus
}
#endif
#endif
