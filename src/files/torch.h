/* SPDX-License-Identifier: Apache-2.0 */
/* torch.h - what torch.save wrote: tensors as a pickle describes them, and the storages that hold their numbers */
#ifndef PARE_FILES_TORCH_H
#define PARE_FILES_TORCH_H

#include "base/arena.h"
#include "files/pickle.h"
#include "files/state.h"

/* The names that a pickle of weights may use. */
extern const pare_pickle_rules pare_torch_rules;

/* A run of numbers that tensors share. */
typedef struct pare_torch_storage {
    const char *key;   /* borrowed from the pickle     */
    pare_dtype  dtype; /* PARE_NO_DTYPE: bytes         */
    int64_t     bytes; /* as the pickle says           */
} pare_torch_storage;

/* A tensor as the pickle describes it; nothing of it is checked against the storage. */
typedef struct pare_torch_tensor {
    const char        *name; /* in the list's arena          */
    size_t             name_length;
    pare_torch_storage storage;
    pare_dtype         dtype;
    pare_shape         shape;
    int64_t            stride[PARE_MAX_RANK]; /* elements, >= 0 */
    int64_t            offset;                /* elements, >= 0 */
} pare_torch_tensor;

typedef struct pare_torch_list {
    pare_arena        *arena;
    pare_torch_tensor *tensors; /* release with pare_free */
    int                n, cap;
} pare_torch_list;

/* All tensors of a pickle under the names that pare/state.h tells. */
pare_status pare_torch_collect(const pare_pickle_value *root, pare_torch_list *out);

/* What a persistent value stands for. */
pare_status pare_torch_storage_of(const pare_pickle_value *persistent, pare_torch_storage *out);

/* The bytes of a storage; one reference for the caller. Called once for each key. */
typedef struct pare_torch_source {
    pare_status (*fetch)(void *context, const pare_torch_storage *storage, pare_buf **out);
    void  *context;
    size_t file_size;
} pare_torch_source;

/* Tensors of `root` into a state, with the bytes that `source` has. */
pare_status pare_torch_take(const pare_pickle_value *root, const pare_torch_source *source, pare_arena *arena,
                            pare_state *into);

#endif
