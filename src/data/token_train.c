/* SPDX-License-Identifier: Apache-2.0 */
/* token_train.c - a vocabulary from a corpus: its words, its characters, then pairs of pieces (token_pairs.c) */
#include "data/token_pairs.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

typedef pare_token_word    word;
typedef pare_token_trainer trainer;

enum { MAX_WORDS = 1 << 26 };

static pare_status short_of(void)
{
    return pare_fail_memory(0, "training a tokenizer");
}

/* ----------------------------------------------------------------------------------------------- words, characters */

static pare_status count_words(trainer *r, const char *text, size_t size, bool lower)
{
    pare_words w = { .at = (const uint8_t *)text, .end = (const uint8_t *)text + size, .lower = lower };

    while (pare_words_next(&w)) {
        const int i = pare_token_table_add(&r->seen, w.word, w.n);

        if (i < 0 || r->seen.n > MAX_WORDS)
            return short_of();
        r->seen.tokens[i].count++;
    }
    return PARE_OK;
}

/* "##" in front of what does not begin a word; the number of bytes. */
static size_t name_of(const char *text, size_t n, bool inner, char name[8])
{
    memcpy(name, "##", 2);
    memcpy(name + 2 * inner, text, n);
    return n + 2 * inner;
}

/* Most frequent first, then by their bytes. */
static int by_count(const void *a, const void *b)
{
    const pare_token *const s = a, *const t = b;

    return s->count != t->count ? (s->count < t->count) - (s->count > t->count) : strcmp(s->text, t->text);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(((const pare_token *)a)->text, ((const pare_token *)b)->text);
}

/* The characters that come often enough become the first pieces. */
static pare_status add_characters(trainer *r)
{
    pare_token_table chars = { .arena = r->seen.arena };
    char             name[8];
    pare_status      status = PARE_OK;

    for (int i = 0; status == PARE_OK && i < r->seen.n; i++) {
        const pare_token *const w = &r->seen.tokens[i];

        for (size_t at = 0, n; status == PARE_OK && at < w->n; at += n) {
            n = pare_utf8_length((const uint8_t *)w->text + at, w->n - at);
            const int c = pare_token_table_add(&chars, name, name_of(w->text + at, n, at > 0, name));

            if (c < 0)
                status = short_of();
            else
                chars.tokens[c].count += w->count;
        }
    }
    if (status == PARE_OK && chars.n) {
        int n = 0;

        qsort(chars.tokens, (size_t)chars.n, sizeof(*chars.tokens), by_count);
        while (n < chars.n && n < r->vocabulary - r->t->pieces.n && chars.tokens[n].count >= r->least)
            n++;
        qsort(chars.tokens, (size_t)n, sizeof(*chars.tokens), by_text);
        for (int i = 0; i < n && status == PARE_OK; i++)
            if (pare_token_table_add(&r->t->pieces, chars.tokens[i].text, chars.tokens[i].n) < 0)
                status = short_of();
    }
    pare_token_table_free(&chars);
    return status;
}

static pare_status split_words(trainer *r)
{
    char name[8];

    r->words = pare_calloc((size_t)r->seen.n + 1, sizeof(*r->words));
    if (!r->words)
        return short_of();
    for (int i = 0; i < r->seen.n; i++) {
        const pare_token *const s = &r->seen.tokens[i];
        word *const             w = &r->words[i];

        w->count = s->count;
        w->pieces = pare_arena_alloc(r->seen.arena, s->n * sizeof(*w->pieces));
        if (!w->pieces)
            return short_of();
        for (size_t at = 0, n; at < s->n; at += n) {
            n = pare_utf8_length((const uint8_t *)s->text + at, s->n - at);
            w->pieces[w->n++] = pare_token_table_find(&r->t->pieces, name, name_of(s->text + at, n, at > 0, name));
        }
        PARE_TRY(pare_token_pairs_count(r, i));
    }
    return PARE_OK;
}

/* ------------------------------------------------------------------------------------------------------------ whole */

static pare_status add_reserved(pare_tokenizer *t, bool bytes)
{
    char name[8];

    for (int i = 0; i < PARE_N_SPECIALS; i++) {
        const char *const special = pare_tokenizer_special_name(i);

        if (pare_token_table_add(&t->pieces, special, strlen(special)) < 0)
            return short_of();
    }
    for (int b = 0; bytes && b < 256; b++) {
        pare_tokenizer_byte_name(b, name);
        if (pare_token_table_add(&t->pieces, name, strlen(name)) < 0)
            return short_of();
    }
    return PARE_OK;
}

pare_status pare_tokenizer_train_from(int64_t     n, const char *(*text)(const void *context, int64_t i, size_t *size),
                                      const void *context, const pare_tokenizer_options *options, pare_tokenizer **out)
{
    const pare_tokenizer_options o = options ? *options : (pare_tokenizer_options){ 0 };
    trainer     r = { .vocabulary = o.vocabulary ? o.vocabulary : 8000, .least = o.min_count ? o.min_count : 2 };
    const int   reserved = PARE_N_SPECIALS + (o.no_bytes ? 0 : 256);
    pare_arena *scratch;
    pare_status status;

    *out = NULL;
    if (r.vocabulary <= reserved || r.vocabulary > PARE_MAX_PIECES || r.least < 1)
        return pare_fail(PARE_ERR_ARG, "a vocabulary of %d pieces; more than %d and at most %d are possible",
                         r.vocabulary, reserved, PARE_MAX_PIECES);
    scratch = pare_arena_create();
    if (!scratch)
        return short_of();
    r.seen.arena = r.names.arena = scratch;
    PARE_GOTO(pare_tokenizer_create(&r.t));
    PARE_GOTO(add_reserved(r.t, !o.no_bytes));
    for (int64_t i = 0; i < n; i++) {
        size_t            size;
        const char *const one = text(context, i, &size);

        PARE_GOTO(count_words(&r, one, size, !o.keep_case));
    }
    PARE_GOTO(add_characters(&r));
    PARE_GOTO(split_words(&r));
    PARE_GOTO(pare_token_pairs_join(&r));
    status = pare_tokenizer_finish(r.t);
out:
    pare_token_pairs_free(&r);
    pare_free(r.words);
    pare_token_table_free(&r.seen);
    pare_arena_destroy(scratch);
    if (status == PARE_OK)
        *out = r.t;
    else
        pare_tokenizer_destroy(r.t);
    return status;
}

typedef struct block {
    const char *text;
    size_t      size;
} block;

static const char *whole(const void *context, int64_t i, size_t *size)
{
    (void)i;
    *size = ((const block *)context)->size;
    return ((const block *)context)->text;
}

pare_status pare_tokenizer_train(const char *text, size_t size, const pare_tokenizer_options *options,
                                 pare_tokenizer **out)
{
    const block b = { text, size };

    return pare_tokenizer_train_from(1, whole, &b, options, out);
}
