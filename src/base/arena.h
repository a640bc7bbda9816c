/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - many small things that live and die together */
#ifndef PARE_BASE_ARENA_H
#define PARE_BASE_ARENA_H

#include <stddef.h>

typedef struct pare_arena pare_arena;

pare_arena *pare_arena_create(void); /* NULL: out of memory */
void        pare_arena_destroy(pare_arena *arena);

/* Zeroed, 16-byte aligned, lives as long as the arena. NULL: out of memory. */
void *pare_arena_alloc(pare_arena *arena, size_t size);
char *pare_arena_strdup(pare_arena *arena, const char *s);
char *pare_arena_strndup(pare_arena *arena, const char *s, size_t n);
char *pare_arena_printf(pare_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
