/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pickle.h - Python pickles, protocols 0 to 5, as plain values
 *
 * A pickle is a program for a small machine; two of its instructions call any function by name. Here names are taken
 * from a list only, and a call becomes a value that says what was called with what: nothing is executed. Everything
 * that could make another object (INST, NEWOBJ, persistent text, extension codes) is refused by name.
 */
#ifndef PARE_FILES_PICKLE_H
#define PARE_FILES_PICKLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pare/status.h>

#include "base/arena.h"

typedef enum pare_pickle_kind {
    PARE_PICKLE_NONE,
    PARE_PICKLE_BOOL,
    PARE_PICKLE_INT,
    PARE_PICKLE_LONG, /* an integer of more than 64 bits: its bytes, lowest first, in `text`     */
    PARE_PICKLE_FLOAT,
    PARE_PICKLE_TEXT,
    PARE_PICKLE_BYTES,
    PARE_PICKLE_GLOBAL, /* "module.name" in `text`; on the list                                  */
    PARE_PICKLE_LIST,   /* lists and sets                                                        */
    PARE_PICKLE_TUPLE,
    PARE_PICKLE_DICT,       /* items: key, value, key, value ...; a key may come twice           */
    PARE_PICKLE_CALL,       /* items: the global, a tuple of arguments                           */
    PARE_PICKLE_PERSISTENT, /* items: what identifies an object outside of the pickle, and the previous
                               value of this kind, or NULL                                        */
} pare_pickle_kind;

/* Values may be shared and even contain themselves: whoever walks them counts. */
typedef struct pare_pickle_value {
    pare_pickle_kind kind;
    int              n, cap; /* items; bytes of text without the final 0 */
    union {
        int64_t                    integer;
        double                     real;
        const char                *text;
        struct pare_pickle_value **items;
    };
} pare_pickle_value;

/* What a name on the list is good for. */
typedef enum pare_pickle_use {
    PARE_PICKLE_NAMED,     /* it may stand there: a type             */
    PARE_PICKLE_CALLED,    /* calling it gives a value of kind CALL  */
    PARE_PICKLE_MAKES_DICT /* calling it gives a dict                */
} pare_pickle_use;

typedef struct pare_pickle_global {
    const char     *name; /* "module.name" */
    pare_pickle_use use;
} pare_pickle_global;

typedef struct pare_pickle_rules {
    const pare_pickle_global *globals;
    int                       n;
} pare_pickle_rules;

typedef struct pare_pickle {
    pare_pickle_value *root;
    pare_pickle_value *persistent; /* the last value of that kind, or NULL */
    size_t             used;       /* bytes of the pickle                  */
} pare_pickle;

/*
 * Reads one pickle from the front of `bytes`. Values live in `arena`; their memory is at most 100 times the pickle,
 * which itself may have 64 MiB. Sentences do not name the file.
 */
pare_status pare_pickle_read(const uint8_t *bytes, size_t size, const pare_pickle_rules *rules, pare_arena *arena,
                             pare_pickle *out);

/* The value of a key that is text, the last one if it comes twice; NULL: not there, or no dict. */
const pare_pickle_value *pare_pickle_get(const pare_pickle_value *dict, const char *key);

/* True when `v` is the global of that name. */
bool pare_pickle_is(const pare_pickle_value *v, const char *global);

#endif
