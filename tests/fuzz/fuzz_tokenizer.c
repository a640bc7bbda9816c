/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_tokenizer.c - a vocabulary up to the first zero byte, a table of sentences behind it: whatever is read is encoded,
 * and a vocabulary trained from the table loses nothing
 */
#include <pare/tokenizer.h>

#include "fuzz.h"

enum { ROOM = 64, LENGTH = 8 };

static void encode(const pare_tokenizer *t, const char *text, size_t size)
{
    int64_t       ids[ROOM], few[LENGTH];
    const int64_t n = pare_tokenizer_pieces(t, text, size, ids, ROOM);
    const int     used = pare_tokenizer_encode(t, text, size, few, LENGTH);

    assert(n >= 0 && used >= 2 && used <= LENGTH && (n + 2 < LENGTH ? used == n + 2 : used == LENGTH));
    for (int64_t i = 0; i < n && i < ROOM; i++)
        assert(pare_tokenizer_piece(t, (int)ids[i]) && (i >= used - 2 || few[i + 1] == ids[i]));
}

static void read_table(fuzz_watch *w, const pare_tokenizer *t, const pare_texts *texts)
{
    pare_tokenizer *trained;
    pare_tensor     ids, mask;
    size_t          n;

    for (int64_t i = 0; i < pare_texts_count(texts); i++) {
        const char *const text = pare_texts_at(texts, i, &n);

        assert(pare_texts_label(texts, i) < pare_texts_classes(texts));
        if (t)
            encode(t, text, n);
    }
    if (!fuzz_ok(w, pare_tokenizer_train_texts(texts, &(pare_tokenizer_options){ .vocabulary = 300 }, &trained)))
        return;
    assert(pare_tokenizer_count(trained) >= 260 && pare_tokenizer_count(trained) <= 300);
    assert(fuzz_ok(w, pare_texts_encode(texts, trained, LENGTH, &ids, &mask)));
    for (int64_t i = 0; i < pare_texts_count(texts) * LENGTH; i++)
        assert(((int64_t *)ids.data)[i] != pare_tokenizer_special(trained, PARE_SPECIAL_UNK));
    pare_tensor_release(&ids);
    pare_tensor_release(&mask);
    pare_tokenizer_destroy(trained);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    fuzz_watch           w = fuzz_begin();
    const uint8_t *const zero = size ? memchr(bytes, 0, size) : NULL;
    const size_t         first = zero ? (size_t)(zero - bytes) : size;
    pare_tokenizer      *t = NULL;
    pare_texts          *texts;

    if (!fuzz_ok(&w, pare_tokenizer_load(fuzz_file("a", bytes, first), &t)))
        assert(!t);
    if (zero && fuzz_ok(&w, pare_texts_load(fuzz_file("a", zero + 1, size - first - 1), &texts))) {
        read_table(&w, t, texts);
        pare_texts_destroy(texts);
    }
    pare_tokenizer_destroy(t);
    fuzz_end(&w);
    return 0;
}
