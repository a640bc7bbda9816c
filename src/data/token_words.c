/* SPDX-License-Identifier: Apache-2.0 */
/* token_words.c - text cut into words: at spaces, around punctuation and around Chinese characters */
#include "data/token_words.h"

#include <string.h>

enum { NOT_UTF8 = 0x110000 }; /* a byte b that is no UTF-8 is the character NOT_UTF8 + b */

static size_t read_char(const uint8_t *at, size_t size, uint32_t *out)
{
    const uint8_t         first = at[0];
    const size_t          n = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
    static const uint8_t  bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
    static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
    uint32_t              c = first & bits[n];

    *out = NOT_UTF8 + first;
    if ((first >= 0x80 && first < 0xc2) || first > 0xf4 || n > size)
        return 1;
    for (size_t i = 1; i < n; i++) {
        if (at[i] >> 6 != 2)
            return 1;
        c = c << 6 | (at[i] & 0x3f);
    }
    if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        return 1;
    *out = c;
    return n;
}

size_t pare_utf8_length(const uint8_t *at, size_t size)
{
    uint32_t c;

    return read_char(at, size, &c);
}

static size_t write_char(uint32_t c, uint8_t *out)
{
    if (c >= NOT_UTF8 || c < 0x80) {
        out[0] = (uint8_t)c;
        return 1;
    }
    const size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

    for (size_t i = n - 1; i > 0; i--, c >>= 6)
        out[i] = (uint8_t)(0x80 | (c & 0x3f));
    out[0] = (uint8_t)((0xf00 >> n & 0xff) | c);
    return n;
}

static bool is_space(uint32_t c)
{
    return c == ' ' || (c >= '\t' && c <= '\r') || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
           c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

/* Control and format characters are left out of words: BERT's cleaning. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xad || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x202a && c <= 0x202e) || (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0xfffd;
}

/* ASCII that is neither letter, digit nor space, and Unicode's punctuation in the ranges that are common. */
static bool is_mark(uint32_t c)
{
    if (c < 0x80)
        return (c > ' ' && c < '0') || (c > '9' && c < 'A') || (c > 'Z' && c < 'a') || (c > 'z' && c < 0x7f);
    return c == 0xa1 || c == 0xa7 || c == 0xab || c == 0xb6 || c == 0xb7 || c == 0xbb || c == 0xbf ||
           (c >= 0x2010 && c <= 0x2027) || (c >= 0x2030 && c <= 0x205e && c != 0x2044 && c != 0x2052) ||
           (c >= 0x3001 && c <= 0x3003) || (c >= 0x3008 && c <= 0x3011) || (c >= 0x3014 && c <= 0x301f) ||
           (c >= 0xff01 && c <= 0xff0f && c != 0xff04 && c != 0xff0b);
}

/* CJK ideographs: what BERT cuts around. */
static bool is_ideograph(uint32_t c)
{
    return (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x4e00 && c <= 0x9fff) || (c >= 0xf900 && c <= 0xfaff) ||
           (c >= 0x20000 && c <= 0x2ceaf) || (c >= 0x2f800 && c <= 0x2fa1f);
}

/* Lower case without accents; 0: the character goes (an accent that stands alone). */
static uint32_t fold(uint32_t c)
{
    /* U+00C0 to U+017F; a space: it has no base letter. */
    static const char base[] = "aaaaaa ceeeeiiii nooooo  uuuuy  aaaaaa ceeeeiiii nooooo  uuuuy yaaaaaaccccccccdd  "
                               "eeeeeeeeeegggggggghh  iiiiiiiii   jjkk llllll    nnnnnn   oooooo  rrrrrrsssssssstttt  "
                               "uuuuuuuuuuuuwwyyyzzzzzz ";

    _Static_assert(sizeof(base) == 0x180 - 0xc0 + 1, "one letter for each character");
    if (c < 0x80)
        return c >= 'A' && c <= 'Z' ? c + 32 : c;
    if (c >= 0x300 && c < 0x370)
        return 0;
    if (c >= 0xc0 && c < 0x180 && base[c - 0xc0] != ' ')
        return (uint32_t)base[c - 0xc0];
    if ((c >= 0xc0 && c < 0xdf && c != 0xd7) || (c >= 0x391 && c <= 0x3a9) || (c >= 0x410 && c <= 0x42f))
        return c + 32;
    if (c >= 0x400 && c <= 0x40f)
        return c + 80;
    if (c == 0x110 || c == 0x126 || c == 0x132 || c == 0x13f || c == 0x141 || c == 0x14a || c == 0x152 || c == 0x166)
        return c == 0x13f || c == 0x141 ? c + 1 : c | 1;
    return c;
}

bool pare_words_next(pare_words *words)
{
    words->n = 0;
    while (words->at < words->end) {
        const uint8_t byte = *words->at;
        uint32_t      c;

        if (((byte | 32) >= 'a' && (byte | 32) <= 'z') || (byte >= '0' && byte <= '9')) { /* nearly all there is */
            if (words->n + 4 > PARE_WORD_SIZE)
                return true;
            words->word[words->n++] = words->lower ? byte | 32 : byte; /* digits have that bit */
            words->at++;
            continue;
        }
        const size_t n = read_char(words->at, (size_t)(words->end - words->at), &c);

        if (is_space(c) || is_mark(c) || is_ideograph(c) || words->n + 4 > PARE_WORD_SIZE) {
            if (words->n)
                return true; /* the character waits for the next call */
            words->at += n;
            if (is_space(c))
                continue;
            words->n = write_char(c, words->word);
            return true;
        }
        words->at += n;
        if (is_control(c))
            continue;
        if (words->lower)
            c = fold(c);
        if (c)
            words->n += write_char(c, words->word + words->n);
    }
    return words->n > 0;
}
