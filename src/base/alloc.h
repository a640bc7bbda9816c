/* SPDX-License-Identifier: Apache-2.0 */
/* alloc.h - the one door to the heap, so that tests can make any allocation fail */
#ifndef PARE_BASE_ALLOC_H
#define PARE_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* As their libc namesakes; NULL when memory is short or the test hook says so. pare_free(NULL) is fine. */
void *pare_malloc(size_t size);
void *pare_calloc(size_t count, size_t size); /* NULL on overflow of count * size */
void *pare_realloc(void *ptr, size_t size);
void  pare_free(void *ptr);
char *pare_strdup(const char *s);

/* 64-byte aligned, zeroed; released by pare_free_aligned. */
void *pare_malloc_aligned(size_t size);
void  pare_free_aligned(void *ptr);

/*
 * Makes room for `need` items of `item` bytes in *items (grows by doubling, new room is zeroed).
 * False when memory is short; *items and *cap are then unchanged.
 */
bool pare_grow(void *items, int *cap, int need, size_t item);

/* Test hook: the n-th allocation from now fails, and every one after it; 0 switches the hook off. */
void pare_alloc_fail_after(long n);

/* Test hook: allocations made minus released by this process. */
long pare_alloc_live(void);

#endif
