/* SPDX-License-Identifier: Apache-2.0 */
/* safetensors.h - the parts of safetensors that its reader and its writer share */
#ifndef PARE_FILES_SAFETENSORS_H
#define PARE_FILES_SAFETENSORS_H

#include "files/state.h"

const char *pare_safetensors_type(pare_dtype dtype); /* "F32"; NULL: it has no such type */
pare_dtype  pare_safetensors_dtype(const char *type);

/* One file; the index reads several by it. */
extern const pare_state_format pare_state_format_safetensors;

pare_status pare_safetensors_write(const pare_state *state, const char *path, const pare_state_save_options *options);

#endif
