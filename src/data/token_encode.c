/* SPDX-License-Identifier: Apache-2.0 */
/* token_encode.c - text cut into the longest pieces that fit, found in a tree of bytes */
#include "data/tokenizer.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

enum { MAX_BYTES = 1 << 28 }; /* of all pieces: four edges for each still have a number */

/* -------------------------------------------------------------------------------------------------------- the tree */

/* The edge, or the free one where it belongs. */
static pare_token_edge *edge_of(const pare_tokenizer *t, uint32_t from, uint8_t byte)
{
    const uint32_t mask = (uint32_t)t->n_edges - 1;
    uint32_t       i = (from * 256 + byte) * 2654435769u >> 7 & mask; /* 2^32 / golden ratio: spreads neighbours */

    while (t->edges[i].child && (t->edges[i].from != from || t->edges[i].byte != byte))
        i = (i + 1) & mask;
    return &t->edges[i];
}

/* "<0x0a>" */
static bool is_byte(const pare_token *p)
{
    return p->n == 6 && strncmp(p->text, "<0x", 3) == 0 && strspn(p->text + 3, "0123456789abcdef") == 2 &&
           p->text[5] == '>';
}

/* Pieces that stand for something else than themselves. */
static bool is_text(const pare_token *p)
{
    for (int i = 0; i < PARE_N_SPECIALS; i++)
        if (strcmp(p->text, pare_tokenizer_special_name(i)) == 0)
            return false;
    return !is_byte(p) && strcmp(p->text, "[MASK]") != 0 && strncmp(p->text, "[unused", 7) != 0;
}

static void grow_tree(pare_tokenizer *t, int piece)
{
    const pare_token *const p = &t->pieces.tokens[piece];
    const bool              inner = p->n > 2 && memcmp(p->text, "##", 2) == 0;
    uint32_t                node = inner;

    for (uint32_t i = 2 * inner; i < p->n; i++) {
        pare_token_edge *const e = edge_of(t, node, (uint8_t)p->text[i]);

        if (!e->child)
            *e = (pare_token_edge){ .from = node, .child = (uint32_t)t->n_nodes++, .byte = (uint8_t)p->text[i] };
        node = e->child;
    }
    t->ends[node] = piece;
}

/* Pieces share their beginnings, so there are far fewer nodes than bytes: a smaller table stays in the cache. */
static pare_status shrink_tree(pare_tokenizer *t)
{
    pare_tokenizer smaller = *t;

    smaller.n_edges = 1024;
    while (smaller.n_edges < 2 * t->n_nodes)
        smaller.n_edges *= 2;
    smaller.edges = pare_calloc((size_t)smaller.n_edges, sizeof(*smaller.edges));
    if (!smaller.edges)
        return pare_fail_memory((size_t)smaller.n_edges * sizeof(*smaller.edges), "a tokenizer");
    for (int i = 0; i < t->n_edges; i++)
        if (t->edges[i].child)
            *edge_of(&smaller, t->edges[i].from, t->edges[i].byte) = t->edges[i];
    pare_free(t->edges);
    t->edges = smaller.edges;
    t->n_edges = smaller.n_edges;
    return PARE_OK;
}

pare_status pare_tokenizer_finish(pare_tokenizer *t)
{
    size_t bytes = 0;
    char   name[8];

    for (int i = 0; i < PARE_N_SPECIALS; i++) {
        const char *const special = pare_tokenizer_special_name(i);

        t->special[i] = pare_token_table_find(&t->pieces, special, strlen(special));
        if (t->special[i] < 0)
            return pare_fail(PARE_ERR_DATA, "a vocabulary without %s", special);
    }
    t->has_bytes = t->lower = true;
    for (int b = 0; b < 256; b++) {
        pare_tokenizer_byte_name(b, name);
        t->byte[b] = pare_token_table_find(&t->pieces, name, strlen(name));
        t->has_bytes &= t->byte[b] >= 0;
    }
    for (int i = 0; i < t->pieces.n; i++) {
        const pare_token *const p = &t->pieces.tokens[i];

        bytes += p->n;
        if (is_text(p))
            t->lower &= !p->text[strcspn(p->text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")];
    }

    if (bytes > MAX_BYTES)
        return pare_fail(PARE_ERR_UNSUPPORTED, "pieces of %zu bytes in all; %d are the most", bytes, MAX_BYTES);

    /* A node for each byte of all pieces at most; edges are half full at most. */
    t->n_edges = 1024;
    while ((size_t)t->n_edges < 2 * bytes)
        t->n_edges *= 2;
    t->edges = pare_calloc((size_t)t->n_edges, sizeof(*t->edges));
    t->ends = pare_malloc((bytes + 2) * sizeof(*t->ends));
    if (!t->edges || !t->ends)
        return pare_fail_memory((size_t)t->n_edges * sizeof(*t->edges), "a tokenizer");
    memset(t->ends, 0xff, (bytes + 2) * sizeof(*t->ends));
    t->n_nodes = 2;
    for (int i = 0; i < t->pieces.n; i++)
        if (t->pieces.tokens[i].n && is_text(&t->pieces.tokens[i]))
            grow_tree(t, i);
    return shrink_tree(t);
}

/* ------------------------------------------------------------------------------------------------------------ text */

typedef struct writer {
    int64_t *ids;
    int64_t  n, room;
} writer;

static inline void write_id(writer *w, int id)
{
    if (w->n < w->room)
        w->ids[w->n] = id;
    w->n++;
}

/* The longest piece at the front of word[n], -1: none; *length is that of its text. */
static int longest(const pare_tokenizer *t, const uint8_t *word, size_t n, uint32_t root, size_t *length)
{
    uint32_t node = root;
    int      best = -1;

    for (size_t i = 0; i < n; i++) {
        node = edge_of(t, node, word[i])->child;
        if (!node)
            break;
        if (t->ends[node] >= 0) {
            best = t->ends[node];
            *length = i + 1;
        }
    }
    return best;
}

static void encode_word(const pare_tokenizer *t, const uint8_t *word, size_t n, writer *w)
{
    const int64_t start = w->n;
    size_t        length;

    for (size_t at = 0; at < n; at += length) {
        const int piece = longest(t, word + at, n - at, at > 0, &length);

        if (piece >= 0) {
            write_id(w, piece);
        } else if (t->has_bytes) {
            length = pare_utf8_length(word + at, n - at);
            for (size_t i = 0; i < length; i++)
                write_id(w, t->byte[word[at + i]]);
        } else {
            w->n = start;
            write_id(w, t->special[PARE_SPECIAL_UNK]);
            return;
        }
    }
}

/* Stops once there is no room, when only the room is asked for. */
static void encode(const pare_tokenizer *t, const char *text, size_t size, bool all, writer *w)
{
    pare_words words = { .at = (const uint8_t *)text, .end = (const uint8_t *)text + size, .lower = t->lower };

    while ((all || w->n < w->room) && pare_words_next(&words))
        encode_word(t, words.word, words.n, w);
}

int64_t pare_tokenizer_pieces(const pare_tokenizer *tokenizer, const char *text, size_t size, int64_t *ids,
                              int64_t room)
{
    writer w = { ids, 0, room };

    encode(tokenizer, text, size, true, &w);
    return w.n;
}

int pare_tokenizer_encode(const pare_tokenizer *tokenizer, const char *text, size_t size, int64_t *ids, int length)
{
    writer w = { ids, 0, length - 1 };

    write_id(&w, tokenizer->special[PARE_SPECIAL_CLS]);
    encode(tokenizer, text, size, false, &w);

    const int used = (int)(w.n < length - 1 ? w.n : length - 1) + 1;

    ids[used - 1] = tokenizer->special[PARE_SPECIAL_SEP];
    for (int i = used; i < length; i++)
        ids[i] = tokenizer->special[PARE_SPECIAL_PAD];
    return used;
}
