/* SPDX-License-Identifier: Apache-2.0 */
/* token_pairs.h - words as rows of pieces, and pairs of pieces that become one: byte-pair encoding */
#ifndef PARE_DATA_TOKEN_PAIRS_H
#define PARE_DATA_TOKEN_PAIRS_H

#include "data/tokenizer.h"

typedef struct pare_token_word {
    int    *pieces; /* [n] in the arena of `seen` */
    int     n;
    int64_t count;
} pare_token_word;

typedef struct pare_token_pair {
    int64_t count;
    int    *words; /* where it may be; a word may be there twice, or no more have it */
    int     n, cap;
    int     left, right;
    bool    grew; /* in the joining that goes on */
} pare_token_pair;

/* A pair on the heap, with what it counted then. */
typedef struct pare_token_candidate {
    int64_t count;
    int     pair;
} pare_token_candidate;

typedef struct pare_token_trainer {
    pare_tokenizer       *t;
    pare_token_table      seen; /* words as text, with their counts */
    pare_token_word      *words;
    pare_token_table      names; /* of pairs: two numbers as bytes */
    pare_token_pair      *pairs; /* [names.n] */
    int                   cap_pairs;
    int                  *grown; /* pairs that grew */
    int                   n_grown, cap_grown;
    pare_token_candidate *heap;
    int                   n_heap, cap_heap;
    int                   vocabulary;
    int64_t               least;
} pare_token_trainer;

/* The pieces in a word begin to count: those of word w of `words`. */
pare_status pare_token_pairs_count(pare_token_trainer *r, int w);

/* Joins until the vocabulary is full, or nothing comes often enough. */
pare_status pare_token_pairs_join(pare_token_trainer *r);

void pare_token_pairs_free(pare_token_trainer *r);

#endif
