/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_pairs.c - byte-pair encoding: the pair that comes most often in all words becomes a piece, again and again
 *
 * Only the words that have the pair change, and only the counts of the pairs beside it. A heap that keeps old counts too
 * (they are seen to be old when they come up) finds the next pair.
 */
#include "data/token_pairs.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

typedef pare_token_word      word;
typedef pare_token_pair      pair;
typedef pare_token_candidate candidate;
typedef pare_token_trainer   trainer;

enum { BREAK = -1, SHORT = -2 };

static pare_status short_of(void)
{
    return pare_fail_memory(0, "training a tokenizer");
}

/* True when a should come up before b: more often, or older. */
static bool before(const candidate *a, const candidate *b)
{
    return a->count != b->count ? a->count > b->count : a->pair < b->pair;
}

static pare_status push(trainer *r, int p)
{
    const candidate c = { r->pairs[p].count, p };
    int             i = r->n_heap;

    if (!pare_grow(&r->heap, &r->cap_heap, r->n_heap + 1, sizeof(*r->heap)))
        return short_of();
    for (r->n_heap++; i > 0 && before(&c, &r->heap[(i - 1) / 2]); i = (i - 1) / 2)
        r->heap[i] = r->heap[(i - 1) / 2];
    r->heap[i] = c;
    return PARE_OK;
}

static candidate pop(trainer *r)
{
    const candidate top = r->heap[0], last = r->heap[--r->n_heap];
    int             i = 0;

    for (;;) {
        int child = 2 * i + 1;

        if (child + 1 < r->n_heap && before(&r->heap[child + 1], &r->heap[child]))
            child++;
        if (child >= r->n_heap || !before(&r->heap[child], &last))
            break;
        r->heap[i] = r->heap[child];
        i = child;
    }
    r->heap[i] = last;
    return top;
}

/* The number of a pair, which is new when it never was; BREAK: none; SHORT: out of memory. */
static int pair_of(trainer *r, int left, int right)
{
    const int both[2] = { left, right };

    if (left == BREAK || right == BREAK)
        return BREAK;

    const int p = pare_token_table_add(&r->names, both, sizeof(both));

    if (p < 0 || !pare_grow(&r->pairs, &r->cap_pairs, p + 1, sizeof(*r->pairs)))
        return SHORT;
    r->pairs[p].left = left;
    r->pairs[p].right = right;
    return p;
}

/* A pair comes to word w, or goes from it. */
static pare_status count_pair(trainer *r, int w, int left, int right, int sign)
{
    const int p = pair_of(r, left, right);

    if (p == BREAK)
        return PARE_OK;
    if (p < 0)
        return short_of();

    pair *const it = &r->pairs[p];

    it->count += sign * r->words[w].count;
    if (sign < 0)
        return PARE_OK;
    if (!it->n || it->words[it->n - 1] != w) {
        if (!pare_grow(&it->words, &it->cap, it->n + 1, sizeof(*it->words)))
            return short_of();
        it->words[it->n++] = w;
    }
    if (!it->grew) {
        if (!pare_grow(&r->grown, &r->cap_grown, r->n_grown + 1, sizeof(*r->grown)))
            return short_of();
        r->grown[r->n_grown++] = p;
        it->grew = true;
    }
    return PARE_OK;
}

/* Pairs that grew go on the heap with what they count now. */
static pare_status push_grown(trainer *r)
{
    for (int i = 0; i < r->n_grown; i++) {
        r->pairs[r->grown[i]].grew = false;
        PARE_TRY(push(r, r->grown[i]));
    }
    r->n_grown = 0;
    return PARE_OK;
}

/* ---------------------------------------------------------------------------------------------------------- joining */

/* The piece of two others; a piece may come about in several ways. */
static int join(trainer *r, const pair *p)
{
    const pare_token *const a = &r->t->pieces.tokens[p->left], *const b = &r->t->pieces.tokens[p->right];
    char text[2 * PARE_WORD_SIZE];

    memcpy(text, a->text, a->n);
    memcpy(text + a->n, b->text + 2, b->n - 2); /* what stands on the right never begins a word */
    return pare_token_table_add(&r->t->pieces, text, a->n + b->n - 2);
}

/* In one word: every left, right becomes `piece`, in place from the left, and the pairs beside it change. */
static pare_status replace(trainer *r, int w, int left, int right, int piece)
{
    word *const it = &r->words[w];
    int *const  row = it->pieces;
    int         n = 0;

    for (int k = 0; k < it->n; n++) {
        if (k + 1 == it->n || row[k] != left || row[k + 1] != right) {
            row[n] = row[k++];
            continue;
        }
        PARE_TRY(count_pair(r, w, left, right, -1));
        if (n > 0) {
            PARE_TRY(count_pair(r, w, row[n - 1], left, -1));
            PARE_TRY(count_pair(r, w, row[n - 1], piece, 1));
        }
        if (k + 2 < it->n) {
            PARE_TRY(count_pair(r, w, right, row[k + 2], -1));
            PARE_TRY(count_pair(r, w, piece, row[k + 2], 1));
        }
        row[n] = piece;
        k += 2;
    }
    it->n = n;
    return PARE_OK;
}

/* A pair on the heap with an old count has a newer entry when it grew; when it shrank it is put back. */
pare_status pare_token_pairs_join(pare_token_trainer *r)
{
    PARE_TRY(push_grown(r));
    while (r->t->pieces.n < r->vocabulary && r->n_heap) {
        const candidate c = pop(r);
        pair *const     p = &r->pairs[c.pair];

        if (c.count != p->count) {
            if (p->count >= r->least && p->count < c.count)
                PARE_TRY(push(r, c.pair));
            continue;
        }
        if (c.count < r->least)
            return PARE_OK;

        const int  left = p->left, right = p->right, n = p->n, piece = join(r, p);
        int *const words = p->words;

        p->words = NULL; /* pairs may move in memory, and this one may come back when its left is made another way */
        p->n = p->cap = 0;
        pare_status status = piece < 0 ? short_of() : PARE_OK;
        for (int i = 0; status == PARE_OK && i < n; i++)
            status = replace(r, words[i], left, right, piece);
        pare_free(words);
        PARE_TRY(status);
        PARE_TRY(push_grown(r));
    }
    return PARE_OK;
}

pare_status pare_token_pairs_count(pare_token_trainer *r, int w)
{
    const word *const it = &r->words[w];

    for (int k = 0; k + 1 < it->n; k++)
        PARE_TRY(count_pair(r, w, it->pieces[k], it->pieces[k + 1], 1));
    return PARE_OK;
}

void pare_token_pairs_free(pare_token_trainer *r)
{
    for (int p = 0; p < r->names.n && p < r->cap_pairs; p++)
        pare_free(r->pairs[p].words);
    pare_free(r->pairs);
    pare_free(r->heap);
    pare_free(r->grown);
    pare_token_table_free(&r->names);
}
