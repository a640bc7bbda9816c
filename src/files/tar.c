/* SPDX-License-Identifier: Apache-2.0 */
/* tar.c - tar archives, read only: POSIX.1-1988 (ustar), POSIX.1-2001 (pax) and the GNU long-name entries */
#include "files/tar.h"

#include <string.h>

#include "base/status.h"

enum { BLOCK = 512 };

/* Where the fields of a header block are: offset and length in bytes. */
enum {
    NAME_AT = 0,
    NAME_LEN = 100,
    SIZE_AT = 124,
    SIZE_LEN = 12,
    SUM_AT = 148,
    SUM_LEN = 8,
    TYPE_AT = 156,
    MAGIC_AT = 257,
    PREFIX_AT = 345,
    PREFIX_LEN = 155,
};

/* What extension entries say about the file that follows them. */
typedef struct extension {
    bool     has_name;
    bool     has_size;
    uint64_t size;
} extension;

pare_tar pare_tar_of(const uint8_t *bytes, size_t size)
{
    return (pare_tar){ .bytes = bytes, .size = size };
}

/* Octal digits, spaces around them; or, with the top bit set, a big-endian binary number (GNU). False: neither. */
static bool parse_number(const uint8_t *field, int length, uint64_t *out)
{
    uint64_t value = 0;
    int      i = 0;

    if (field[0] & 0x80) {
        value = field[0] & 0x7f;
        for (i = 1; i < length; i++) {
            if (value >> 55)
                return false;
            value = value << 8 | field[i];
        }
        *out = value;
        return true;
    }
    while (i < length && field[i] == ' ')
        i++;
    for (; i < length && field[i] >= '0' && field[i] <= '7'; i++)
        value = value << 3 | (uint64_t)(field[i] - '0'); /* at most 12 digits: 36 bits */
    if (i < length && field[i] != ' ' && field[i] != '\0')
        return false;
    *out = value;
    return true;
}

static bool is_end_mark(const uint8_t *block)
{
    for (int i = 0; i < BLOCK; i++)
        if (block[i])
            return false;
    return true;
}

/* The checksum is the sum of the header's bytes, its own field counted as spaces. */
static bool has_good_sum(const uint8_t *block)
{
    uint64_t want = 0, sum = 0;

    for (int i = 0; i < BLOCK; i++)
        sum += i >= SUM_AT && i < SUM_AT + SUM_LEN ? ' ' : block[i];
    return parse_number(block + SUM_AT, SUM_LEN, &want) && want == sum;
}

static pare_status set_name(pare_tar *tar, const uint8_t *bytes, size_t n)
{
    const uint8_t *end = memchr(bytes, 0, n);

    if (end)
        n = (size_t)(end - bytes);
    if (n >= PARE_TAR_MAX_NAME)
        return pare_fail(PARE_ERR_UNSUPPORTED, "a name of %zu bytes; the limit is %d", n, PARE_TAR_MAX_NAME - 1);
    memcpy(tar->name, bytes, n);
    tar->name[n] = '\0';
    return PARE_OK;
}

/* The name in the header itself: ustar may put leading folders into the prefix field. */
static pare_status header_name(pare_tar *tar, const uint8_t *block)
{
    uint8_t text[PREFIX_LEN + 1 + NAME_LEN];
    size_t  n = 0;

    if (memcmp(block + MAGIC_AT, "ustar\0", 6) == 0 && block[PREFIX_AT]) {
        n = strnlen((const char *)block + PREFIX_AT, PREFIX_LEN);
        memcpy(text, block + PREFIX_AT, n);
        text[n++] = '/';
    }

    const size_t length = strnlen((const char *)block + NAME_AT, NAME_LEN);

    memcpy(text + n, block + NAME_AT, length);
    return set_name(tar, text, n + length);
}

static bool parse_decimal(const uint8_t *text, size_t n, uint64_t *out)
{
    uint64_t value = 0;

    for (size_t i = 0; i < n; i++) {
        if (text[i] < '0' || text[i] > '9' || value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(text[i] - '0');
    }
    *out = value;
    return n > 0;
}

/* One pax record is "LENGTH key=value\n"; LENGTH counts all of it. Takes it off the front of *at. */
static bool next_record(const uint8_t **at, const uint8_t *end, const uint8_t **text, size_t *n)
{
    const uint8_t *space = memchr(*at, ' ', (size_t)(end - *at));
    uint64_t       length = 0;

    if (!space || !parse_decimal(*at, (size_t)(space - *at), &length) || length > (uint64_t)(end - *at))
        return false;

    const uint8_t *const stop = *at + length;
    if (stop < space + 2 || stop[-1] != '\n')
        return false;
    *text = space + 1;
    *n = (size_t)(stop - 1 - *text);
    *at = stop;
    return true;
}

static pare_status read_pax(pare_tar *tar, const uint8_t *bytes, size_t size, extension *ext)
{
    const uint8_t *at = bytes, *const end = bytes + size, *text = NULL;
    size_t n = 0;

    while (at < end) {
        if (!next_record(&at, end, &text, &n))
            return pare_fail(PARE_ERR_DATA, "damaged pax header");
        if (n > 5 && memcmp(text, "path=", 5) == 0) {
            PARE_TRY(set_name(tar, text + 5, n - 5));
            ext->has_name = true;
        } else if (n > 5 && memcmp(text, "size=", 5) == 0) {
            if (!parse_decimal(text + 5, n - 5, &ext->size))
                return pare_fail(PARE_ERR_DATA, "damaged size in a pax header");
            ext->has_size = true;
        }
    }
    return PARE_OK;
}

static pare_status check_header(const pare_tar *tar)
{
    const uint8_t *const block = tar->bytes + tar->at;

    if (has_good_sum(block))
        return PARE_OK;
    if (tar->at > 0)
        return pare_fail(PARE_ERR_DATA, "damaged tar header at byte %zu, after '%s'", tar->at, tar->name);
    if (block[0] == 0x1f && block[1] == 0x8b)
        return pare_fail(PARE_ERR_UNSUPPORTED, "compressed tar; unpack it with gunzip first");
    return pare_fail(PARE_ERR_DATA, "not a tar archive");
}

pare_status pare_tar_next(pare_tar *tar, pare_tar_entry *out, bool *more)
{
    extension ext = { 0 };

    *more = false;
    for (;;) {
        if (tar->size == 0)
            return pare_fail(PARE_ERR_DATA, "the file is empty");
        if (tar->size - tar->at < BLOCK)
            return pare_fail(PARE_ERR_DATA, "archive ends without its end mark, after '%s'", tar->name);

        const uint8_t *const block = tar->bytes + tar->at;
        uint64_t             size = 0;

        if (is_end_mark(block))
            return PARE_OK;
        PARE_TRY(check_header(tar));
        if (!parse_number(block + SIZE_AT, SIZE_LEN, &size))
            return pare_fail(PARE_ERR_DATA, "damaged size in the tar header at byte %zu", tar->at);

        const char   type = (char)block[TYPE_AT];
        const bool   is_extension = type == 'x' || type == 'g' || type == 'L' || type == 'K';
        const size_t offset = tar->at + BLOCK;
        const size_t left = tar->size - offset;

        if (!is_extension && ext.has_size)
            size = ext.size;
        if (!is_extension && !ext.has_name)
            PARE_TRY(header_name(tar, block));
        if (size > left || (BLOCK - size % BLOCK) % BLOCK > left - size)
            return pare_fail(PARE_ERR_DATA, "archive ends inside '%s'", is_extension ? "a long name" : tar->name);
        tar->at = offset + (size_t)(size + (BLOCK - size % BLOCK) % BLOCK);

        if (type == 'x')
            PARE_TRY(read_pax(tar, tar->bytes + offset, (size_t)size, &ext));
        else if (type == 'L') {
            PARE_TRY(set_name(tar, tar->bytes + offset, (size_t)size));
            ext.has_name = true;
        } else if (type == '0' || type == '\0' || type == '7') {
            *out = (pare_tar_entry){ .name = tar->name, .offset = offset, .size = (size_t)size };
            *more = true;
            return PARE_OK;
        } else if (!is_extension) {
            ext = (extension){ 0 };
        }
    }
}
