/* SPDX-License-Identifier: Apache-2.0 */
/* token_table.c - numbered strings: open addressing, at most half full */
#include "data/token_table.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"

/* FNV-1a, 32 bits. */
static uint32_t hash_of(const uint8_t *text, size_t n)
{
    uint32_t h = 2166136261u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ text[i]) * 16777619u;
    return h;
}

/* The slot of a text, or the free one where it belongs. */
static int32_t *slot_of(const pare_token_table *t, const void *text, size_t n, uint32_t hash)
{
    const uint32_t mask = (uint32_t)t->n_slots - 1;
    uint32_t       i = hash & mask;

    for (; t->slots[i]; i = (i + 1) & mask) {
        const pare_token *const token = &t->tokens[t->slots[i] - 1];

        if (token->hash == hash && token->n == n && memcmp(token->text, text, n) == 0)
            break;
    }
    return &t->slots[i];
}

static bool grow(pare_token_table *t)
{
    const int      n = t->n_slots ? 2 * t->n_slots : 1024;
    int32_t *const slots = t->n_slots > INT_MAX / 4 ? NULL : pare_calloc((size_t)n, sizeof(*slots));

    if (!slots)
        return false;
    pare_free(t->slots);
    t->slots = slots;
    t->n_slots = n;
    for (int i = 0; i < t->n; i++)
        *slot_of(t, t->tokens[i].text, t->tokens[i].n, t->tokens[i].hash) = i + 1;
    return true;
}

int pare_token_table_find(const pare_token_table *table, const void *text, size_t n)
{
    return table->n_slots ? *slot_of(table, text, n, hash_of(text, n)) - 1 : -1;
}

int pare_token_table_add(pare_token_table *table, const void *text, size_t n)
{
    const uint32_t hash = hash_of(text, n);

    if (table->n >= table->n_slots / 2 && !grow(table))
        return -1;

    int32_t *const slot = slot_of(table, text, n, hash);

    if (*slot)
        return *slot - 1;

    char *const copy = n < UINT32_MAX ? pare_arena_alloc(table->arena, n + 1) : NULL;

    if (!copy || !pare_grow(&table->tokens, &table->cap, table->n + 1, sizeof(*table->tokens)))
        return -1;
    memcpy(copy, text, n);
    table->tokens[table->n] = (pare_token){ .text = copy, .n = (uint32_t)n, .hash = hash };
    *slot = ++table->n;
    return table->n - 1;
}

void pare_token_table_free(pare_token_table *table)
{
    pare_free(table->tokens);
    pare_free(table->slots);
}
