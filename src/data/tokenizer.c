/* SPDX-License-Identifier: Apache-2.0 */
/* tokenizer.c - vocabularies: their pieces, and files of them */
#include "data/tokenizer.h"

#include <stdio.h>
#include <string.h>

#include <pare/buf.h>

#include "base/alloc.h"
#include "base/outfile.h"
#include "base/status.h"

const char *pare_tokenizer_special_name(int which)
{
    static const char *const names[PARE_N_SPECIALS] = { "[PAD]", "[UNK]", "[CLS]", "[SEP]" };

    return names[which];
}

void pare_tokenizer_byte_name(int byte, char name[8])
{
    snprintf(name, 8, "<0x%02x>", (unsigned)byte & 0xff);
}

pare_status pare_tokenizer_create(pare_tokenizer **out)
{
    pare_tokenizer *const t = pare_calloc(1, sizeof(*t));

    *out = t;
    if (!t)
        return pare_fail_memory(sizeof(*t), "a tokenizer");
    t->arena = t->pieces.arena = pare_arena_create();
    if (t->arena)
        return PARE_OK;
    pare_free(t);
    *out = NULL;
    return pare_fail_memory(0, "a tokenizer");
}

void pare_tokenizer_destroy(pare_tokenizer *t)
{
    if (!t)
        return;
    pare_token_table_free(&t->pieces);
    pare_free(t->edges);
    pare_free(t->ends);
    pare_arena_destroy(t->arena);
    pare_free(t);
}

int pare_tokenizer_count(const pare_tokenizer *tokenizer)
{
    return tokenizer->pieces.n;
}

const char *pare_tokenizer_piece(const pare_tokenizer *tokenizer, int id)
{
    return id >= 0 && id < tokenizer->pieces.n ? tokenizer->pieces.tokens[id].text : NULL;
}

int pare_tokenizer_id(const pare_tokenizer *tokenizer, const char *piece)
{
    return pare_token_table_find(&tokenizer->pieces, piece, strlen(piece));
}

int pare_tokenizer_special(const pare_tokenizer *tokenizer, pare_special which)
{
    return tokenizer->special[which];
}

/* Lines may end as in DOS; a piece that comes twice would shift the numbers of all that follow. */
static pare_status read_lines(pare_tokenizer *t, const char *text, size_t size)
{
    for (size_t at = 0, line = 1; at < size; line++) {
        const char *const end = memchr(text + at, '\n', size - at);
        const size_t      n = end ? (size_t)(end - text) - at : size - at;
        const size_t      piece = n && text[at + n - 1] == '\r' ? n - 1 : n;

        if (piece >= PARE_WORD_SIZE || memchr(text + at, 0, piece))
            return pare_fail(PARE_ERR_DATA, "line %zu is no piece of a vocabulary", line);
        if (t->pieces.n == PARE_MAX_PIECES)
            return pare_fail(PARE_ERR_UNSUPPORTED, "more than %d pieces", PARE_MAX_PIECES);
        const int id = pare_token_table_add(&t->pieces, text + at, piece);
        if (id < 0)
            return pare_fail_memory(n, "a vocabulary");
        if ((size_t)id + 1 != line)
            return pare_fail(PARE_ERR_DATA, "'%s' is in lines %d and %zu", t->pieces.tokens[id].text, id + 1, line);
        at += n + 1;
    }
    return PARE_OK;
}

pare_status pare_tokenizer_load(const char *path, pare_tokenizer **out)
{
    pare_tokenizer *t = NULL;
    pare_buf       *file;
    pare_status     status;

    *out = NULL;
    PARE_TRY(pare_buf_map(path, &file));
    PARE_GOTO(pare_tokenizer_create(&t));
    status = read_lines(t, (const char *)pare_buf_bytes(file), pare_buf_size(file));
    if (status == PARE_OK)
        status = pare_tokenizer_finish(t);
    if (status != PARE_OK)
        (void)pare_fail_in(status, "%s", path);
out:
    pare_buf_unref(file);
    if (status == PARE_OK)
        *out = t;
    else
        pare_tokenizer_destroy(t);
    return status;
}

pare_status pare_tokenizer_save(const pare_tokenizer *tokenizer, const char *path)
{
    pare_outfile *file;
    pare_status   status;

    PARE_TRY(pare_outfile_open(path, &file));
    for (int i = 0; i < tokenizer->pieces.n; i++)
        PARE_GOTO(pare_outfile_printf(file, "%s\n", tokenizer->pieces.tokens[i].text));
    return pare_outfile_commit(file);
out:
    pare_outfile_discard(file);
    return status;
}
