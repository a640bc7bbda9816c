/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - the formats of state dicts: what pare_state_load and pare_state_save choose from */
#ifndef PARE_FILES_STATE_H
#define PARE_FILES_STATE_H

#include <stdbool.h>

#include <pare/state.h>

/* A format: a row of states.def. Sentences of `read` need not name the file, those of `write` do. */
typedef struct pare_state_format {
    const char *name;
    const char *ending; /* of what it writes, ".npz" */
    bool (*claims)(const uint8_t *bytes, size_t size);
    /* Puts the file's tensors into an empty state; `file` is mapped, `path` leads to files beside it. */
    pare_status (*read)(pare_buf *file, const char *path, pare_state *into);
    pare_status (*write)(const pare_state *state, const char *path, const pare_state_save_options *options);
} pare_state_format;

/*
 * Puts `tensor`, which must have a buf, and gives its reference over: it is dropped on failure too. `name` has `length`
 * bytes; one with a 0 in it is refused.
 */
pare_status pare_state_give(pare_state *state, const char *name, size_t length, pare_tensor *tensor);

/* A dense tensor over bytes in `file`; a copy of them when they do not lie as the dtype must. They must be inside. */
pare_status pare_state_view(pare_buf *file, size_t offset, pare_dtype dtype, const pare_shape *shape, pare_tensor *out);

/* Takes `prefix` from all names when all have it and more; true when it did. */
pare_status pare_state_strip(pare_state *state, const char *prefix, bool *changed);

#endif
