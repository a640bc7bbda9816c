/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c - many small things that live and die together: a list of blocks, each handed out from its front */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum {
    ALIGN = 16,
    BLOCK = 16 * 1024, /* usual block; one graph of a hundred nodes fits two or three */
};

typedef struct block {
    struct block *next;
    size_t        used;
    size_t        size;
    alignas(ALIGN) unsigned char bytes[];
} block;

struct pare_arena {
    block *blocks; /* the newest usual block is first */
};

pare_arena *pare_arena_create(void)
{
    return pare_calloc(1, sizeof(pare_arena));
}

void pare_arena_destroy(pare_arena *arena)
{
    if (!arena)
        return;
    for (block *b = arena->blocks, *next; b; b = next) {
        next = b->next;
        pare_free(b);
    }
    pare_free(arena);
}

/* A large thing gets a block of its own behind the first, which stays open for small ones. */
static block *add_block(pare_arena *arena, size_t size)
{
    const size_t room = size > BLOCK / 4 ? size : BLOCK;
    block *const b = pare_calloc(1, sizeof(block) + room);

    if (!b)
        return NULL;
    b->size = room;
    if (room != BLOCK && arena->blocks) {
        b->next = arena->blocks->next;
        arena->blocks->next = b;
    } else {
        b->next = arena->blocks;
        arena->blocks = b;
    }
    return b;
}

void *pare_arena_alloc(pare_arena *arena, size_t size)
{
    if (size > SIZE_MAX / 2)
        return NULL;
    size = (size + ALIGN - 1) / ALIGN * ALIGN;

    block *b = arena->blocks;
    if (!b || b->size - b->used < size)
        b = add_block(arena, size);
    if (!b)
        return NULL;

    void *const ptr = b->bytes + b->used;
    b->used += size;
    return ptr;
}

char *pare_arena_strdup(pare_arena *arena, const char *s)
{
    return pare_arena_strndup(arena, s, strlen(s));
}

char *pare_arena_strndup(pare_arena *arena, const char *s, size_t n)
{
    const size_t length = strnlen(s, n);
    char *const  copy = pare_arena_alloc(arena, length + 1);

    return copy ? memcpy(copy, s, length) : NULL; /* the arena's bytes are zero, so the end is there */
}

char *pare_arena_printf(pare_arena *arena, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    const int n = vsnprintf(NULL, 0, format, args);
    va_end(args);

    char *const text = n < 0 ? NULL : pare_arena_alloc(arena, (size_t)n + 1);
    if (text)
        vsnprintf(text, (size_t)n + 1, format, again);
    va_end(again);
    return text;
}
