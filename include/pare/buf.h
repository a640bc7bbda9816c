/* SPDX-License-Identifier: Apache-2.0 */
/* buf.h - counted bytes: weights, mapped files, packed weights shared by plans */
#ifndef PARE_BUF_H
#define PARE_BUF_H

#include <stddef.h>
#include <stdint.h>

#include <pare/status.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Thread-safe reference count. Whoever holds a reference may read; writing is up to the owner. */
typedef struct pare_buf pare_buf;

/* `size` zeroed bytes, 64-byte aligned, with 64 more readable bytes behind them. One reference. */
PARE_API pare_status pare_buf_alloc(size_t size, pare_buf **out);

/* The whole file, mapped read-only. One reference. Errors name the file. */
PARE_API pare_status pare_buf_map(const char *path, pare_buf **out);

/* A window of `parent`, which it keeps alive. Offset and size must lie inside. One reference. */
PARE_API pare_status pare_buf_slice(pare_buf *parent, size_t offset, size_t size, pare_buf **out);

PARE_API pare_buf *pare_buf_ref(pare_buf *buf);   /* returns its argument; NULL is fine        */
PARE_API void      pare_buf_unref(pare_buf *buf); /* the last one frees or unmaps; NULL is fine */

PARE_API uint8_t *pare_buf_bytes(const pare_buf *buf); /* read-only when mapped */
PARE_API size_t   pare_buf_size(const pare_buf *buf);

#ifdef __cplusplus
}
#endif
#endif
