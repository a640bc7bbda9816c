/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - state dicts: the named weights of a network, from a file and to a file */
#ifndef PARE_STATE_H
#define PARE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include <pare/status.h>
#include <pare/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Names in an order, and a tensor for each: dense, without qparams. */
typedef struct pare_state pare_state;

PARE_API pare_status pare_state_create(pare_state **out);
PARE_API void        pare_state_destroy(pare_state *state); /* NULL is fine */

/*
 * Reads what the content says it is, whatever the name:
 *
 *   PyTorch             .pth, .pt, .bin: what torch.save wrote, as a zip or (before 1.6) without one
 *   safetensors         one file, or the index (model.safetensors.index.json) of several beside it
 *   NumPy               .npz
 *
 * Nothing in a PyTorch file is executed: only dicts, lists, numbers, text and tensors are taken, and a file that asks
 * for anything else is refused by the name of what it asks for. Of such a file
 *
 *   - a dict whose values hold no tensor directly but that has a dict "state_dict", "model_state_dict" or "model"
 *     (searched in this order) stands for that dict, again and again: a checkpoint's optimizer is left out;
 *   - dicts in dicts are joined by dots, lists by the number of the element: {"a": {"b": [t]}} is "a.b.0"; a lone
 *     tensor is called "tensor";
 *   - what is no tensor (epochs, names, None) is left out;
 *   - "module." (DataParallel) and "_orig_mod." (torch.compile) go away where every name begins with it.
 *
 * safetensors stay mapped while a tensor of them is in use; their bytes must not be written to. Release with
 * pare_state_destroy. Sentences name the file and the tensor.
 */
PARE_API pare_status pare_state_load(const char *path, pare_state **out);

/* True when the file's content begins as one of these formats does: what it is, not whether it is whole. */
PARE_API bool pare_state_claims(const char *path);

typedef struct pare_state_save_options {
    int64_t shard_bytes; /* .safetensors: at most so many bytes of tensors in a file, at least one tensor each: files
                            NAME-00001-of-00004.safetensors ... and NAME.safetensors.index.json; 0 = one file          */
} pare_state_save_options;

/*
 * Writes .safetensors or .npz by the ending of `path`, each file whole or not at all. Equal states give equal bytes.
 * Options may be NULL. An .npz takes twice the memory of the tensors for a moment.
 */
PARE_API pare_status pare_state_save(const pare_state *state, const char *path, const pare_state_save_options *options);

PARE_API int         pare_state_count(const pare_state *state);
PARE_API const char *pare_state_name(const pare_state *state, int index);

/* Valid until the next put. */
PARE_API const pare_tensor *pare_state_tensor(const pare_state *state, int index);
PARE_API const pare_tensor *pare_state_find(const pare_state *state, const char *name); /* NULL: not there */

/*
 * Adds a tensor, or replaces the one of that name in its place. A dense tensor with a `buf` shares its bytes; any other
 * is copied. Qparams are not kept.
 */
PARE_API pare_status pare_state_put(pare_state *state, const char *name, const pare_tensor *tensor);

/* Text that travels with the tensors: the __metadata__ of safetensors. An .npz has no place for it and is refused. */
PARE_API pare_status pare_state_set_meta(pare_state *state, const char *key, const char *text);
PARE_API const char *pare_state_meta(const pare_state *state, const char *key); /* NULL: not there      */
PARE_API const char *pare_state_meta_key(const pare_state *state, int index);   /* NULL past the last   */

#ifdef __cplusplus
}
#endif
#endif
