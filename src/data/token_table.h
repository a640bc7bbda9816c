/* SPDX-License-Identifier: Apache-2.0 */
/* token_table.h - strings of bytes, each once, numbered in the order in which they came */
#ifndef PARE_DATA_TOKEN_TABLE_H
#define PARE_DATA_TOKEN_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"

typedef struct pare_token {
    const char *text; /* with a final 0 */
    uint32_t    n;    /* bytes          */
    uint32_t    hash;
    int64_t     count; /* the owner's: 0 when new */
} pare_token;

/* A zeroed struct with an arena is an empty table. */
typedef struct pare_token_table {
    pare_arena *arena; /* texts; the owner's */
    pare_token *tokens;
    int         n, cap;
    int32_t    *slots; /* [n_slots], a power of two: number + 1, 0: free */
    int         n_slots;
} pare_token_table;

int  pare_token_table_find(const pare_token_table *table, const void *text, size_t n); /* -1: not there      */
int  pare_token_table_add(pare_token_table *table, const void *text, size_t n);        /* -1: out of memory  */
void pare_token_table_free(pare_token_table *table);                                   /* not the arena      */

#endif
