/* SPDX-License-Identifier: Apache-2.0 */
/* test_tokenizer.c - training, encoding and files of word pieces; tables of labelled sentences */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pare/tokenizer.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "data/tokenizer.h"
#include "data_helpers.h"

static const char bert[] =
    "[PAD]\n[unused0]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\nun\n##aff\n##able\nthe\na\n##b\nab\n,\n!\n##s\ncafe\n"
    "\xe4\xb8\xad\nstra\xc3\x9f"
    "e\n'\n";

static pare_tokenizer *load(const char *vocabulary)
{
    pare_tokenizer *t = NULL;

    write_text("vocab.txt", vocabulary);
    if (pare_tokenizer_load(in_folder("vocab.txt"), &t) != PARE_OK)
        fail_msg("%s", pare_error());
    return t;
}

static pare_tokenizer *train(const char *text, const pare_tokenizer_options *options)
{
    pare_tokenizer *t = NULL;

    if (pare_tokenizer_train(text, strlen(text), options, &t) != PARE_OK)
        fail_msg("%s", pare_error());
    return t;
}

/* The pieces of a text, with spaces between them. */
static const char *pieces(const pare_tokenizer *t, const char *text, size_t size)
{
    static char   out[1 << 16];
    int64_t       ids[2048];
    const int64_t n = pare_tokenizer_pieces(t, text, size, ids, 2048);
    size_t        at = 0;

    assert_true(n <= 2048);
    out[0] = '\0';
    for (int64_t i = 0; i < n; i++)
        at += (size_t)snprintf(out + at, sizeof(out) - at, "%s%s", i ? " " : "", pare_tokenizer_piece(t, (int)ids[i]));
    return out;
}

#define PIECES(t, text, want) assert_string_equal(pieces(t, text, sizeof(text) - 1), want)

/* ---------------------------------------------------------------------------------------------- BERT's vocabularies */

static void test_bert(void **state)
{
    pare_tokenizer *const t = load(bert);

    (void)state;
    assert_int_equal(pare_tokenizer_count(t), 20);
    assert_int_equal(pare_tokenizer_special(t, PARE_SPECIAL_PAD), 0);
    assert_int_equal(pare_tokenizer_special(t, PARE_SPECIAL_UNK), 2);
    assert_int_equal(pare_tokenizer_special(t, PARE_SPECIAL_SEP), 4);
    assert_int_equal(pare_tokenizer_id(t, "##aff"), 7);
    assert_int_equal(pare_tokenizer_id(t, "aff"), -1);
    assert_null(pare_tokenizer_piece(t, -1));
    assert_null(pare_tokenizer_piece(t, 20));

    PIECES(t, "unaffable", "un ##aff ##able");
    PIECES(t, "The unaffable, the UNABLE!", "the un ##aff ##able , the un ##able !");
    PIECES(t, "abs a bs ab", "ab ##s a [UNK] ab"); /* the longest first; a word is known or it is not */
    PIECES(t, "abx", "[UNK]");
    PIECES(t, " \t\r\n\xc2\xa0\xe3\x80\x80 ", "");
    PIECES(t, "", "");
    PIECES(t, "Caf\xc3\xa9 cafe\xcc\x81 CAF\xc3\x89s", "cafe cafe cafe ##s");
    PIECES(t,
           "stra\xc3\x9f"
           "e",
           "stra\xc3\x9f"
           "e");
    PIECES(t,
           "ab\xe4\xb8\xad"
           "ab",
           "ab \xe4\xb8\xad ab");
    PIECES(t, "a'b", "a ' [UNK]");
    PIECES(t,
           "a\xe2\x80\x99"
           "ab",
           "a [UNK] ab");
    PIECES(t, "t\xc2\xadh\0e", "the"); /* control characters are not there */
    PIECES(t, "[PAD] [CLS] [unused0]", "[UNK] [UNK] [UNK] [UNK] [UNK] [UNK] [UNK] [UNK] [UNK]");
    PIECES(t, "\xff\xfe", "[UNK]");
    pare_tokenizer_destroy(t);

    pare_tokenizer *const cased = load("[PAD]\r\n[UNK]\r\n[CLS]\r\n[SEP]\r\nThe\r\nthe\r\n");
    assert_int_equal(pare_tokenizer_count(cased), 6);
    PIECES(cased, "The the THE", "The the [UNK]");
    pare_tokenizer_destroy(cased);
}

static void test_encode(void **state)
{
    pare_tokenizer *const t = load(bert);
    int64_t               ids[8];
    static const char     text[] = "the unaffable";

    (void)state;
    assert_int_equal(pare_tokenizer_encode(t, text, strlen(text), ids, 8), 6);
    assert_memory_equal(ids, ((int64_t[]){ 3, 9, 6, 7, 8, 4, 0, 0 }), sizeof(ids));
    assert_int_equal(pare_tokenizer_encode(t, text, strlen(text), ids, 6), 6);
    assert_memory_equal(ids, ((int64_t[]){ 3, 9, 6, 7, 8, 4 }), 6 * 8);
    assert_int_equal(pare_tokenizer_encode(t, text, strlen(text), ids, 5), 5);
    assert_memory_equal(ids, ((int64_t[]){ 3, 9, 6, 7, 4 }), 5 * 8);
    assert_int_equal(pare_tokenizer_encode(t, text, strlen(text), ids, 2), 2);
    assert_memory_equal(ids, ((int64_t[]){ 3, 4 }), 2 * 8);
    assert_int_equal(pare_tokenizer_encode(t, "", 0, ids, 3), 2);
    assert_memory_equal(ids, ((int64_t[]){ 3, 4, 0 }), 3 * 8);
    ids[2] = 77;
    assert_int_equal(pare_tokenizer_pieces(t, text, strlen(text), ids, 2), 4);
    assert_memory_equal(ids, ((int64_t[]){ 9, 6, 77 }), 3 * 8);
    pare_tokenizer_destroy(t);
}

/* -------------------------------------------------------------------------------------------------------- training */

static void test_training(void **state)
{
    static const char corpus[] = "low low low low low lower lower newest newest newest newest newest newest widest "
                                 "widest widest X X";
    pare_tokenizer   *t = train(corpus, &(pare_tokenizer_options){ .no_bytes = true, .vocabulary = 26 });

    (void)state;
    /* 4 special ones, 16 characters in the order of their bytes, then the pairs: es 9, est 9, lo 7, low 7, ne 6, new 6 */
    assert_int_equal(pare_tokenizer_count(t), 26);
    static const char *const want[] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]", "##d", "##e", "##i", "##o", "##r",
                                        "##s",   "##t",   "##w",   "l",     "n",   "w",   "x",   "##es" };
    for (int i = 0; i < 16; i++)
        assert_string_equal(pare_tokenizer_piece(t, i), want[i]);
    PIECES(t, "lowest", "low ##est");
    PIECES(t, "LOW", "low");
    PIECES(t, "q", "[UNK]");
    pare_tokenizer_destroy(t);

    t = train(corpus, NULL);
    PIECES(t, "newest", "newest");
    PIECES(t, "widest lower", "widest lower");
    PIECES(t, "q\xc3\xb8", "<0x71> <0xc3> <0xb8>"); /* no piece: its bytes */
    PIECES(t, "lowq", "low <0x71>");
    PIECES(t, "low\xff", "low <0xff>");
    pare_tokenizer_destroy(t);

    t = train("Ab Ab ab", &(pare_tokenizer_options){ .keep_case = true });
    PIECES(t, "Ab ab", "Ab <0x61> ##b");
    pare_tokenizer_destroy(t);

    t = train("", NULL);
    assert_int_equal(pare_tokenizer_count(t), 260);
    PIECES(t, "a", "<0x61>");
    pare_tokenizer_destroy(t);

    assert_int_equal(pare_tokenizer_train("a", 1, &(pare_tokenizer_options){ .vocabulary = 260 }, &t), PARE_ERR_ARG);
    assert_int_equal(pare_tokenizer_train("a", 1, &(pare_tokenizer_options){ .vocabulary = 2000000 }, &t),
                     PARE_ERR_ARG);
    assert_int_equal(pare_tokenizer_train("a", 1, &(pare_tokenizer_options){ .min_count = -1 }, &t), PARE_ERR_ARG);
    assert_null(t);
}

/* Words of syllables, so that there is something to find. */
static bytes generated(int words, uint64_t seed)
{
    static const char *const syllables[] = {
        "ba", "ke", "lo", "mi", "nu", "tra", "sti", "er", "en", "\xc3\xa9", "ing"
    };
    pare_rng rng = pare_rng_seed(seed);
    bytes    b = { 0 };

    for (int i = 0; i < words; i++) {
        for (uint32_t k = 1 + pare_rng_below(&rng, 4); k > 0; k--) {
            const char *const s = syllables[pare_rng_below(&rng, pare_rng_below(&rng, 11) + 1)];
            put(&b, s, strlen(s));
        }
        put(&b, pare_rng_below(&rng, 9) ? " " : ". ", 1 + !pare_rng_below(&rng, 9));
    }
    return b;
}

/* The slow definition of training: all pairs counted anew for every piece. Words as rows of pieces, as text. */
typedef struct slow {
    char   *words[4096]; /* pieces of a word, a space behind each */
    int     n;
    int64_t counts[4096];
} slow;

static void add_slow(slow *s, const pare_words *w)
{
    char   row[4096];
    size_t n = 0;

    for (size_t at = 0, k; at < w->n; at += k) {
        k = pare_utf8_length(w->word + at, w->n - at);
        n += (size_t)snprintf(row + n, sizeof(row) - n, "%s%.*s ", at ? "##" : "", (int)k, w->word + at);
    }
    for (int i = 0; i < s->n; i++)
        if (strcmp(s->words[i], row) == 0) {
            s->counts[i]++;
            return;
        }
    assert_true(s->n < 4096);
    s->counts[s->n] = 1;
    s->words[s->n++] = strdup(row);
}

/* How often "LEFT RIGHT " comes in a word from the left, without overlaps; joins them when `joined` is not NULL. */
static int scan(char *row, const char *left, const char *right, const char *joined)
{
    char   both[512], out[4096] = "";
    int    found = 0;
    size_t n = 0;

    snprintf(both, sizeof(both), "%s %s ", left, right);
    for (const char *at = row; *at;) {
        const char *const end = strchr(at, ' ') + 1;

        if (strncmp(at, both, strlen(both)) == 0) {
            n += (size_t)snprintf(out + n, sizeof(out) - n, "%s ", joined ? joined : "");
            at += strlen(both);
            found++;
        } else {
            n += (size_t)snprintf(out + n, sizeof(out) - n, "%.*s", (int)(end - at), at);
            at = end;
        }
    }
    if (joined)
        strcpy(row, out);
    return found;
}

/* How often the pair that comes most often does, where pairs are counted as they lie. */
static int64_t most_frequent(const slow *s)
{
    static struct {
        char    text[64];
        int64_t count;
    } pairs[8192];
    int     n = 0;
    int64_t most = 0;

    for (int i = 0; i < s->n; i++)
        for (const char *at = s->words[i], *second, *third; (second = strchr(at, ' ')) && second[1]; at = second + 1) {
            int k = 0;

            third = strchr(second + 1, ' ');
            while (k < n && (strncmp(pairs[k].text, at, (size_t)(third - at)) || pairs[k].text[third - at]))
                k++;
            if (k == n) {
                assert_true(n < 8192 && third - at < 64);
                snprintf(pairs[n].text, sizeof(pairs[n].text), "%.*s", (int)(third - at), at);
                pairs[n++].count = 0;
            }
            pairs[k].count += s->counts[i];
            most = pairs[k].count > most ? pairs[k].count : most;
        }
    return most;
}

/* Every piece that training adds is a pair of two older ones that at that moment came as often as any. */
static void test_training_follows_its_definition(void **state)
{
    const bytes     b = generated(400, 3);
    pare_tokenizer *t;
    static slow     s;
    pare_words      w = { .at = b.at, .end = b.at + b.n, .lower = true };
    int             checked = 0;

    (void)state;
    while (pare_words_next(&w))
        add_slow(&s, &w);
    assert_int_equal(pare_tokenizer_train((const char *)b.at, b.n,
                                          &(pare_tokenizer_options){ .vocabulary = 120, .no_bytes = true }, &t),
                     PARE_OK);
    for (int p = 0; p < pare_tokenizer_count(t); p++) {
        const char *const name = pare_tokenizer_piece(t, p);
        const bool        inner = strncmp(name, "##", 2) == 0;
        const size_t      n = strlen(name);
        int64_t           best = 0;
        char              left[64], right[64], bleft[64] = "", bright[64] = "";

        if (name[0] == '[')
            continue;
        /* The cut of the piece into two older pieces that lie beside each other most often. */
        for (size_t k = 1 + 2 * inner; k < n; k++) {
            int64_t count = 0;

            snprintf(left, sizeof(left), "%.*s", (int)k, name);
            snprintf(right, sizeof(right), "##%s", name + k);
            for (int i = 0; i < s.n; i++)
                count += s.counts[i] * scan(s.words[i], left, right, NULL);
            if (count > best) {
                best = count;
                strcpy(bleft, left);
                strcpy(bright, right);
            }
        }
        if (!best)
            continue; /* a character */
        assert_true(best >= 2);
        if (strcmp(bleft + 2 * inner, bright + 2) !=
            0) /* "nana" in "nanana" counts twice as it lies, once without overlap */
            assert_int_equal(best, most_frequent(&s));
        for (int i = 0; i < s.n; i++)
            scan(s.words[i], bleft, bright, name);
        checked++;
    }
    assert_true(checked > 60);
    for (int i = 0; i < s.n; i++)
        free(s.words[i]);
    pare_tokenizer_destroy(t);
    free(b.at);
}

/* Equal vocabularies from equal text; nothing is lost of any text; a file says all there is. */
static void test_round_trip(void **state)
{
    const bytes     b = generated(3000, 5);
    pare_tokenizer *t, *again;
    pare_rng        rng = pare_rng_seed(6);

    (void)state;
    assert_int_equal(pare_tokenizer_train((const char *)b.at, b.n, &(pare_tokenizer_options){ .vocabulary = 500 }, &t),
                     PARE_OK);
    assert_int_equal(
        pare_tokenizer_train((const char *)b.at, b.n, &(pare_tokenizer_options){ .vocabulary = 500 }, &again), PARE_OK);
    assert_int_equal(pare_tokenizer_count(t), pare_tokenizer_count(again));
    for (int i = 0; i < pare_tokenizer_count(t); i++)
        assert_string_equal(pare_tokenizer_piece(t, i), pare_tokenizer_piece(again, i));
    pare_tokenizer_destroy(again);

    assert_int_equal(pare_tokenizer_save(t, in_folder("trained.txt")), PARE_OK);
    assert_int_equal(pare_tokenizer_load(in_folder("trained.txt"), &again), PARE_OK);
    for (int round = 0; round < 2000; round++) {
        uint8_t    text[64];
        int64_t    a[256], c[256];
        char       glued[1024] = "", want[1024] = "";
        size_t     n = pare_rng_below(&rng, sizeof(text)), g = 0, k = 0;
        pare_words w = { .at = text, .end = text + n, .lower = true };

        for (size_t i = 0; i < n; i++)
            text[i] = round % 2 ? (uint8_t)pare_rng_u64(&rng) : b.at[(round * 64 + (int)i) % (int)b.n];

        const int64_t m = pare_tokenizer_pieces(t, (const char *)text, n, a, 256);

        assert_true(m <= 256);
        assert_int_equal(pare_tokenizer_pieces(again, (const char *)text, n, c, 256), m);
        assert_memory_equal(a, c, (size_t)m * 8);
        while (pare_words_next(&w)) {
            memcpy(want + k, w.word, w.n);
            k += w.n;
        }
        for (int64_t i = 0; i < m; i++) {
            const char *piece = pare_tokenizer_piece(t, (int)a[i]);
            unsigned    byte;

            if (sscanf(piece, "<0x%2x>", &byte) == 1) {
                glued[g++] = (char)byte;
                continue;
            }
            piece += strlen(piece) > 2 && strncmp(piece, "##", 2) == 0 ? 2 : 0;
            memcpy(glued + g, piece, strlen(piece));
            g += strlen(piece);
        }
        assert_int_equal(g, k);
        assert_memory_equal(glued, want, g);
    }
    pare_tokenizer_destroy(again);
    pare_tokenizer_destroy(t);
    free(b.at);
}

static void test_bad_vocabularies(void **state)
{
    static const char *const cases[][2] = {
        { "", "without [PAD]" },
        { "[PAD]\n[UNK]\n[CLS]\n", "without [SEP]" },
        { "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\na\n", "'a' is in lines 5 and 7" },
    };
    pare_tokenizer *t;

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        write_text("vocab.txt", cases[i][0]);
        assert_int_equal(pare_tokenizer_load(in_folder("vocab.txt"), &t), PARE_ERR_DATA);
        assert_null(t);
        assert_non_null(strstr(pare_error(), cases[i][1]));
        assert_non_null(strstr(pare_error(), "vocab.txt"));
    }
    write_file("vocab.txt", "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\0b\n", 28);
    assert_int_equal(pare_tokenizer_load(in_folder("vocab.txt"), &t), PARE_ERR_DATA);
    assert_int_equal(pare_tokenizer_load(in_folder("nothing.txt"), &t), PARE_ERR_IO);
    pare_tokenizer_destroy(NULL);
}

/* --------------------------------------------------------------------------------------------------------- tables */

static void test_texts(void **state)
{
    pare_tokenizer *const t = load(bert);
    pare_texts           *texts;
    pare_tensor           ids, mask;
    size_t                n;

    (void)state;
    write_text("a.tsv", "id\tsentence\tlabel\r\n7\tthe unaffable\t1\r\n\r\n8\t\t0\n9\ta, ab!\t12");
    assert_int_equal(pare_texts_load(in_folder("a.tsv"), &texts), PARE_OK);
    assert_int_equal(pare_texts_count(texts), 3);
    assert_int_equal(pare_texts_classes(texts), 13);
    assert_int_equal(pare_texts_label(texts, 2), 12);
    assert_memory_equal(pare_texts_at(texts, 2, &n), "a, ab!", 6);
    assert_int_equal(n, 6);

    assert_int_equal(pare_texts_encode(texts, t, 0, &ids, &mask), PARE_OK);
    assert_int_equal(ids.shape.dim[0], 3);
    assert_int_equal(ids.shape.dim[1], 6);
    assert_memory_equal(ids.data, ((int64_t[]){ 3, 9, 6, 7, 8, 4, 3, 4, 0, 0, 0, 0, 3, 10, 13, 12, 14, 4 }), 18 * 8);
    assert_memory_equal(mask.data, ((int64_t[]){ 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1 }), 18 * 8);
    pare_tensor_release(&ids);
    pare_tensor_release(&mask);
    assert_int_equal(pare_texts_encode(texts, t, 3, &ids, NULL), PARE_OK);
    assert_memory_equal(ids.data, ((int64_t[]){ 3, 9, 4, 3, 4, 0, 3, 10, 4 }), 9 * 8);
    pare_tensor_release(&ids);
    assert_int_equal(pare_texts_encode(texts, t, 1, &ids, NULL), PARE_ERR_ARG);
    assert_int_equal(pare_texts_encode(texts, t, -1, &ids, NULL), PARE_ERR_ARG);
    pare_texts_destroy(texts);

    write_text("a.tsv", "text\na\tb\n");
    assert_int_equal(pare_texts_load(in_folder("a.tsv"), &texts), PARE_ERR_DATA);
    assert_non_null(strstr(pare_error(), "a.tsv: line 2 has 2 columns"));
    write_text("a.tsv", "text\nthe\n");
    assert_int_equal(pare_texts_load(in_folder("a.tsv"), &texts), PARE_OK);
    assert_int_equal(pare_texts_classes(texts), 0);
    assert_int_equal(pare_texts_label(texts, 0), -1);
    pare_texts_destroy(texts);
    write_text("a.tsv", "words\tlabel\na\t1\n");
    assert_int_equal(pare_texts_load(in_folder("a.tsv"), &texts), PARE_ERR_DATA);
    write_text("a.tsv", "");
    assert_int_equal(pare_texts_load(in_folder("a.tsv"), &texts), PARE_ERR_DATA);
    write_text("a.tsv", "\x1f\x8b\x08");
    assert_int_equal(pare_texts_load(in_folder("a.tsv"), &texts), PARE_ERR_UNSUPPORTED);
    assert_non_null(strstr(pare_error(), "gunzip"));
    static const char *const labels[] = { "", "-1", "1.0", "x", "1000000", "99999999999999999999" };
    for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++) {
        char table[64];

        snprintf(table, sizeof(table), "text\tlabel\na\t%s\n", labels[i]);
        write_text("a.tsv", table);
        assert_int_equal(pare_texts_load(in_folder("a.tsv"), &texts), PARE_ERR_DATA);
        assert_null(texts);
    }
    pare_texts_destroy(NULL);
    pare_tokenizer_destroy(t);
}

static void test_dataset(void **state)
{
    pare_tokenizer *const t = load(bert);
    pare_texts           *texts;
    pare_dataset         *ds;
    int64_t               row[4];
    char                  name[32];
    int                   label = 7;

    (void)state;
    write_text("a.tsv", "sentence\tlabel\nthe\t1\na, ab!\t0\n");
    assert_int_equal(pare_texts_load(in_folder("a.tsv"), &texts), PARE_OK);
    assert_int_equal(pare_texts_dataset(texts, t, 4, &ds), PARE_OK);
    pare_texts_destroy(texts);
    assert_int_equal(pare_dataset_count(ds), 2);
    assert_int_equal(pare_dataset_dtype(ds), PARE_s64);
    const pare_shape item = pare_dataset_item(ds);
    assert_int_equal(item.rank, 1);
    assert_int_equal(item.dim[0], 4);
    assert_true(pare_dataset_has_labels(ds));
    assert_int_equal(pare_dataset_read(ds, 1, row, &label), PARE_OK);
    assert_memory_equal(row, ((int64_t[]){ 3, 10, 13, 4 }), sizeof(row));
    assert_int_equal(label, 0);
    assert_int_equal(pare_dataset_read(ds, 0, row, &label), PARE_OK);
    assert_memory_equal(row, ((int64_t[]){ 3, 9, 4, 0 }), sizeof(row));
    assert_int_equal(label, 1);
    assert_int_equal(pare_dataset_read(ds, 2, row, &label), PARE_ERR_ARG);
    pare_dataset_name(ds, 1, name, sizeof(name));
    assert_string_equal(name, "a.tsv[1]");
    pare_dataset_close(ds);

    write_text("a.tsv", "sentence\n");
    assert_int_equal(pare_texts_load(in_folder("a.tsv"), &texts), PARE_OK);
    assert_int_equal(pare_texts_dataset(texts, t, 4, &ds), PARE_ERR_DATA);
    assert_null(ds);
    pare_texts_destroy(texts);
    pare_tokenizer_destroy(t);
}

/* Every allocation fails in turn. */
static void test_short_memory(void **state)
{
    const bytes     b = generated(60, 9);
    const long      live = pare_alloc_live();
    pare_status     status = PARE_ERR_MEMORY;
    pare_tokenizer *t;

    (void)state;
    for (long n = 1; status != PARE_OK && n < 5000; n++) {
        pare_alloc_fail_after(n);
        status = pare_tokenizer_train((const char *)b.at, b.n, NULL, &t);
        pare_alloc_fail_after(0);
        pare_tokenizer_destroy(t);
        assert_int_equal(pare_alloc_live(), live);
    }
    assert_int_equal(status, PARE_OK);
    free(b.at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bert),         cmocka_unit_test(test_encode),
        cmocka_unit_test(test_training),     cmocka_unit_test(test_training_follows_its_definition),
        cmocka_unit_test(test_round_trip),   cmocka_unit_test(test_bad_vocabularies),
        cmocka_unit_test(test_texts),        cmocka_unit_test(test_dataset),
        cmocka_unit_test(test_short_memory),
    };

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
