/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.h - a vocabulary and the tree that finds the longest piece */
#ifndef PARE_DATA_TOKENIZER_H
#define PARE_DATA_TOKENIZER_H

#include <pare/tokenizer.h>

#include "data/token_table.h"
#include "data/token_words.h"

enum { PARE_N_SPECIALS = 4, PARE_MAX_PIECES = 1000000 };

/* An edge of the tree: from a node along a byte to another. Free: child 0, which is a root and nobody's child. */
typedef struct pare_token_edge {
    uint32_t from, child;
    uint8_t  byte;
} pare_token_edge;

struct pare_tokenizer {
    pare_arena      *arena;
    pare_token_table pieces;
    int              special[PARE_N_SPECIALS];
    int              byte[256]; /* numbers of "<0x00>" ...; only where has_bytes */
    bool             has_bytes, lower;
    /* Root 0 is for pieces at the front of a word, root 1 for those behind ("##"). */
    pare_token_edge *edges; /* [n_edges], a power of two, hashed */
    int              n_edges;
    int32_t         *ends; /* [n_nodes] the piece that ends in a node, or -1 */
    int              n_nodes;
};

/* An empty vocabulary; pieces are added with pare_token_table_add, then it is finished once. */
pare_status pare_tokenizer_create(pare_tokenizer **out);
pare_status pare_tokenizer_finish(pare_tokenizer *t);

/* "[PAD]" ..., and "<0x0a>" of a byte. */
const char *pare_tokenizer_special_name(int which);
void        pare_tokenizer_byte_name(int byte, char name[8]);

/* Trains from `n` texts that `text(context, i, &size)` gives. */
pare_status pare_tokenizer_train_from(int64_t     n, const char *(*text)(const void *context, int64_t i, size_t *size),
                                      const void *context, const pare_tokenizer_options *options, pare_tokenizer **out);

#endif
