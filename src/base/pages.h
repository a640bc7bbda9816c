/* SPDX-License-Identifier: Apache-2.0 */
/* pages.h - whole pages of memory: large bufs that nobody has touched yet, and mapped ones that may leave memory */
#ifndef PARE_BASE_PAGES_H
#define PARE_BASE_PAGES_H

#include <pare/buf.h>

/*
 * As pare_buf_alloc, but not zeroed: pages come with the first write. From 2 MB on it is aligned to 2 MB, and the system
 * is asked for huge pages.
 */
pare_status pare_buf_reserve(size_t size, pare_buf **out);

/* The pages of a window that is part of a mapped file need not stay in memory; they come back when they are read. */
void pare_buf_forget(const pare_buf *buf);

/* `size` bytes, 64-byte aligned, not zeroed, on huge pages from 2 MB on; released by pare_free_aligned. */
void *pare_malloc_pages(size_t size);

#endif
