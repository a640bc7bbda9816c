/* SPDX-License-Identifier: Apache-2.0 */
/* token_words.h - text cut into words as BERT cuts it */
#ifndef PARE_DATA_TOKEN_WORDS_H
#define PARE_DATA_TOKEN_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Longer words are cut in two: nobody writes them, and so a word has a place on the stack. */
enum { PARE_WORD_SIZE = 1024 };

typedef struct pare_words {
    const uint8_t *at, *end; /* what is left of the text */
    bool           lower;    /* lower case, without accents on Latin letters */
    size_t         n;        /* bytes of the word */
    uint8_t        word[PARE_WORD_SIZE];
} pare_words;

/* The next word into words->word; false at the end. */
bool pare_words_next(pare_words *words);

/* Bytes of the character at the front of `size` > 0 bytes; 1 where it is not UTF-8. */
size_t pare_utf8_length(const uint8_t *at, size_t size);

#endif
