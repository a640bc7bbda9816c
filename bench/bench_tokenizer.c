/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench_tokenizer.c - seconds to train a vocabulary, and tokens a second of encoding, on the sentences of a .tsv
 *
 * bench_tokenizer FILE.tsv [PIECES [TEST.tsv]]: also says how the sentences of TEST come out.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <pare/tokenizer.h>

enum { TRIES = 5 };

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static int by_value(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

static void encode(const pare_texts *texts, const pare_tokenizer *t, const char *what)
{
    double  seconds[TRIES];
    int64_t pieces = 0, most = 0, unknown = 0, ids[4096];
    size_t  bytes = 0, n;

    for (int k = 0; k < TRIES; k++) {
        const double start = now();

        pieces = 0;
        for (int64_t i = 0; i < pare_texts_count(texts); i++) {
            const char *const text = pare_texts_at(texts, i, &n);
            const int64_t     count = pare_tokenizer_pieces(t, text, n, ids, 4096);

            pieces += count;
            most = count > most ? count : most;
            bytes += k ? 0 : n;
            for (int64_t p = 0; k == 0 && p < count && p < 4096; p++)
                unknown += ids[p] == pare_tokenizer_special(t, PARE_SPECIAL_UNK) ||
                           pare_tokenizer_piece(t, (int)ids[p])[0] == '<';
        }
        seconds[k] = now() - start;
    }
    qsort(seconds, TRIES, sizeof(*seconds), by_value);
    printf("%s: %lld sentences, %zu bytes: %lld pieces (%.2f a sentence, at most %lld; %lld unknown or bytes), "
           "%.2f M pieces/s, %.1f MB/s\n",
           what, (long long)pare_texts_count(texts), bytes, (long long)pieces,
           (double)pieces / (double)pare_texts_count(texts), (long long)most, (long long)unknown,
           (double)pieces / seconds[TRIES / 2] * 1e-6, (double)bytes / seconds[TRIES / 2] * 1e-6);
}

int main(int argc, char **argv)
{
    const pare_tokenizer_options options = { .vocabulary = argc > 2 ? atoi(argv[2]) : 0 };
    pare_texts                  *texts, *test;
    pare_tokenizer              *t;
    double                       seconds[TRIES];

    if (argc < 2 || pare_texts_load(argv[1], &texts) != PARE_OK) {
        fprintf(stderr, "bench_tokenizer: %s\n", argc < 2 ? "FILE.tsv [PIECES [TEST.tsv]]" : pare_error());
        return 1;
    }
    for (int k = 0; k < TRIES; k++) {
        const double start = now();

        if (pare_tokenizer_train_texts(texts, &options, &t) != PARE_OK) {
            fprintf(stderr, "bench_tokenizer: %s\n", pare_error());
            return 1;
        }
        seconds[k] = now() - start;
        if (k + 1 < TRIES)
            pare_tokenizer_destroy(t);
    }
    qsort(seconds, TRIES, sizeof(*seconds), by_value);
    printf("trained %d pieces in %.3f s\n", pare_tokenizer_count(t), seconds[TRIES / 2]);
    encode(texts, t, "trained on");
    if (argc > 3 && pare_texts_load(argv[3], &test) == PARE_OK) {
        encode(test, t, "other text");
        pare_texts_destroy(test);
    }
    pare_tokenizer_destroy(t);
    pare_texts_destroy(texts);
    return 0;
}
