/* SPDX-License-Identifier: Apache-2.0 */
/* tensor_io.h - one tensor from a file and to a file */
#ifndef PARE_TENSOR_IO_H
#define PARE_TENSOR_IO_H

#include <pare/status.h>
#include <pare/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Reads NAME.npy, or with any other ending raw little-endian numbers of t's dtype. *t says what is wanted (see
 * pare_tensor_of; PARE_NO_DTYPE and rank 0 take whatever a .npy holds). A dimension that is PARE_DIM_ANY comes from the
 * file; of several in a raw file the last one does, the others are 1. Release with pare_tensor_release.
 */
PARE_API pare_status pare_tensor_load(const char *path, pare_tensor *t);

/* Writes a .npy file, whole or not at all; any strides. */
PARE_API pare_status pare_tensor_save(const pare_tensor *t, const char *path);

#ifdef __cplusplus
}
#endif
#endif
