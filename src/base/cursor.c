/* SPDX-License-Identifier: Apache-2.0 */
/* cursor.c - a bounded reader with a sticky error */
#include "base/cursor.h"

pare_cursor pare_cursor_of(const void *bytes, size_t size)
{
    const uint8_t *const begin = bytes;

    return (pare_cursor){ .at = begin, .end = size ? begin + size : begin, .begin = begin };
}

size_t pare_cursor_left(const pare_cursor *c)
{
    return c->bad ? 0 : (size_t)(c->end - c->at);
}

const uint8_t *pare_cursor_bytes(pare_cursor *c, size_t n)
{
    if (c->bad || n > (size_t)(c->end - c->at)) {
        c->bad = true;
        return NULL;
    }

    const uint8_t *const bytes = c->at;
    if (n)
        c->at += n;
    return bytes;
}

pare_cursor pare_cursor_sub(pare_cursor *c, size_t n)
{
    const uint8_t *const bytes = pare_cursor_bytes(c, n);
    pare_cursor          sub = pare_cursor_of(bytes, bytes ? n : 0);

    sub.bad = c->bad;
    return sub;
}

/* `n` bytes, the lowest first; 0 past the end. */
static uint64_t little_endian(pare_cursor *c, size_t n)
{
    const uint8_t *const bytes = pare_cursor_bytes(c, n);
    uint64_t             value = 0;

    for (size_t i = 0; bytes && i < n; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

uint8_t pare_cursor_u8(pare_cursor *c)
{
    return (uint8_t)little_endian(c, 1);
}

uint16_t pare_cursor_u16le(pare_cursor *c)
{
    return (uint16_t)little_endian(c, 2);
}

uint32_t pare_cursor_u32le(pare_cursor *c)
{
    return (uint32_t)little_endian(c, 4);
}

uint64_t pare_cursor_u64le(pare_cursor *c)
{
    return little_endian(c, 8);
}

/* Nine bytes carry 63 bits, so the tenth may only be 0 or 1: anything else does not fit 64 bits. */
uint64_t pare_cursor_varint(pare_cursor *c)
{
    uint64_t value = 0;

    for (int shift = 0; shift < 70; shift += 7) {
        const uint8_t byte = pare_cursor_u8(c);

        if (c->bad || (shift == 63 && byte > 1))
            break;
        value |= (uint64_t)(byte & 127) << shift;
        if (byte < 128)
            return value;
    }
    c->bad = true;
    return 0;
}
