/* SPDX-License-Identifier: Apache-2.0 */
/* cursor.h - a bounded reader with a sticky error: read a whole record, then check `bad` once */
#ifndef PARE_BASE_CURSOR_H
#define PARE_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Past the end every read returns 0 (or NULL) and sets `bad`; nothing outside [begin, end) is touched. */
typedef struct pare_cursor {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *begin;
    bool           bad;
} pare_cursor;

pare_cursor pare_cursor_of(const void *bytes, size_t size);

uint8_t        pare_cursor_u8(pare_cursor *c);
uint16_t       pare_cursor_u16le(pare_cursor *c);
uint32_t       pare_cursor_u32le(pare_cursor *c);
uint64_t       pare_cursor_u64le(pare_cursor *c);
uint64_t       pare_cursor_varint(pare_cursor *c);          /* protobuf base-128, at most 10 bytes  */
const uint8_t *pare_cursor_bytes(pare_cursor *c, size_t n); /* borrowed view of the next n bytes    */
pare_cursor    pare_cursor_sub(pare_cursor *c, size_t n);   /* a cursor over the next n bytes       */
size_t         pare_cursor_left(const pare_cursor *c);      /* 0 once bad                           */

#endif
