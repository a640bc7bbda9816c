/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.h - text to numbers: word pieces, trained from a corpus or as BERT's vocab.txt has them; labelled sentences */
#ifndef PARE_TOKENIZER_H
#define PARE_TOKENIZER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pare/data.h>
#include <pare/status.h>
#include <pare/tensor.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A vocabulary of pieces. Text is cut at spaces; punctuation marks and Chinese characters are words of their own. Every
 * word becomes the longest piece that it begins with, then the longest of the rest ("##ing"), and so on. What no piece
 * fits becomes its bytes ("<0x0a>") where the vocabulary has them, else the whole word becomes [UNK]. A vocabulary
 * without a capital letter takes text in lower case and Latin letters without their accents, as BERT's uncased ones.
 * Text that is not UTF-8 is taken byte by byte. Several threads may encode with one tokenizer.
 */
typedef struct pare_tokenizer pare_tokenizer;
typedef struct pare_texts     pare_texts;

/* The first pieces of a trained vocabulary; BERT's have them elsewhere (pare_tokenizer_special). */
typedef enum pare_special {
    PARE_SPECIAL_PAD = 0, /* behind the end  */
    PARE_SPECIAL_UNK = 1, /* no piece fits   */
    PARE_SPECIAL_CLS = 2, /* in front        */
    PARE_SPECIAL_SEP = 3, /* at the end      */
} pare_special;

typedef struct pare_tokenizer_options {
    int  vocabulary; /* pieces in all, at most 1000000; 0 = 8000. A small corpus gives fewer.         */
    int  min_count;  /* characters and pairs that come less often are no pieces; 0 = 2                */
    bool keep_case;  /* false = lower case, without accents                                           */
    bool no_bytes;   /* false = 256 pieces for single bytes, so that nothing is ever [UNK]            */
} pare_tokenizer_options;

/*
 * Trains by joining, again and again, the pair of pieces that comes most often in words (byte-pair encoding); of pairs
 * that come equally often the older. Equal text and options give equal vocabularies. Options may be NULL. Release with
 * pare_tokenizer_destroy.
 */
PARE_API pare_status pare_tokenizer_train(const char *text, size_t size, const pare_tokenizer_options *options,
                                          pare_tokenizer **out);
PARE_API pare_status pare_tokenizer_train_texts(const pare_texts *texts, const pare_tokenizer_options *options,
                                                pare_tokenizer **out);
PARE_API void        pare_tokenizer_destroy(pare_tokenizer *tokenizer); /* NULL is fine */

/* One piece in a line, its number is its line: also BERT's vocab.txt, which must have the four special pieces. */
PARE_API pare_status pare_tokenizer_load(const char *path, pare_tokenizer **out);
PARE_API pare_status pare_tokenizer_save(const pare_tokenizer *tokenizer, const char *path);

PARE_API int         pare_tokenizer_count(const pare_tokenizer *tokenizer);
PARE_API const char *pare_tokenizer_piece(const pare_tokenizer *tokenizer, int id);         /* NULL: no such number */
PARE_API int         pare_tokenizer_id(const pare_tokenizer *tokenizer, const char *piece); /* -1: no such piece */
PARE_API int         pare_tokenizer_special(const pare_tokenizer *tokenizer, pare_special which);

/*
 * [CLS], the pieces, [SEP], then [PAD] up to ids[length]; length >= 2. Of a text that is too long the end is left out.
 * The number of ids before the padding. Cannot fail.
 */
PARE_API int pare_tokenizer_encode(const pare_tokenizer *tokenizer, const char *text, size_t size, int64_t *ids,
                                   int length);

/*
 * The pieces alone: how many there are, of which the first `room` are written to ids (may be NULL when room is 0).
 */
PARE_API int64_t pare_tokenizer_pieces(const pare_tokenizer *tokenizer, const char *text, size_t size, int64_t *ids,
                                       int64_t room);

/*
 * Labelled sentences: a .tsv whose first line names the columns. The text is in `sentence` or `text`, the class (a
 * number from 0) in `label` or `class`, which may be missing; other columns are passed over.
 */
PARE_API pare_status pare_texts_load(const char *path, pare_texts **out);
PARE_API void        pare_texts_destroy(pare_texts *texts); /* NULL is fine */
PARE_API const char *pare_texts_path(const pare_texts *texts);
PARE_API int64_t     pare_texts_count(const pare_texts *texts);
PARE_API int         pare_texts_classes(const pare_texts *texts); /* highest label + 1; 0: no labels */
PARE_API const char *pare_texts_at(const pare_texts *texts, int64_t index, size_t *size); /* without a final 0 */
PARE_API int         pare_texts_label(const pare_texts *texts, int64_t index);            /* -1: none          */

/*
 * All texts as numbers: *ids s64 [count, length], padded; *mask s64 [count, length], 1 up to [SEP] and 0 behind it.
 * length 0: as long as the longest text needs. mask may be NULL. Release both with pare_tensor_release.
 */
PARE_API pare_status pare_texts_encode(const pare_texts *texts, const pare_tokenizer *tokenizer, int length,
                                       pare_tensor *ids, pare_tensor *mask);

/*
 * The same as a data set of s64 [length] with labels, for loaders and evaluation; texts and tokenizer may go afterwards.
 * A mask is where the numbers are not [PAD]'s.
 */
PARE_API pare_status pare_texts_dataset(const pare_texts *texts, const pare_tokenizer *tokenizer, int length,
                                        pare_dataset **out);

#ifdef __cplusplus
}
#endif
#endif
