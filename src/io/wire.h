/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h - protobuf's wire format, read from a bounded cursor and written front to back.
 *
 * Reading never allocates: a field is a view. Errors are sticky in the message's cursor: walk all fields, then check
 * `bad` once. Fields that nobody asks for are skipped by walking on.
 */
#ifndef PARE_IO_WIRE_H
#define PARE_IO_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/cursor.h"
#include "base/outfile.h"

enum {
    PARE_WIRE_DEPTH = 64,                  /* messages inside messages when reading, graphs' when writing */
    PARE_WIRE_OPEN = PARE_WIRE_DEPTH + 16, /* all of them when writing                                    */
};

typedef enum pare_wire_type {
    PARE_WIRE_VARINT = 0,
    PARE_WIRE_64 = 1,
    PARE_WIRE_BYTES = 2,
    PARE_WIRE_32 = 5,
} pare_wire_type;

typedef struct pare_field {
    uint32_t     number;
    int          type;    /* pare_wire_type                                    */
    uint64_t     value;   /* of all types but BYTES: the bits                  */
    pare_cursor  bytes;   /* of BYTES: a message, text, raw or packed numbers  */
    pare_cursor *message; /* where it stands; whatever is wrong sets its `bad` */
    bool         taken;   /* an unpacked number that was handed out            */
} pare_field;

/* The next field; false at the end of the message or when it is damaged. */
bool pare_field_next(pare_cursor *message, pare_field *field);

/*
 * The numbers of one occurrence of a repeated field: one when written unpacked, all of it when packed. `type` is how
 * each is stored. False when there are no more.
 */
bool pare_field_number(pare_field *field, pare_wire_type type, uint64_t *value);

/* What a field must be; anything else sets `bad` and gives 0 or an empty cursor. */
int64_t     pare_field_int(pare_field *field);
float       pare_field_float(pare_field *field);
pare_cursor pare_field_bytes(pare_field *field);

/* Text, copied into the arena. A zero byte inside sets `bad`; in a name so does any control character. NULL and not
 * `bad`: out of memory. */
char *pare_field_text(pare_field *field, pare_arena *arena);
char *pare_field_name(pare_field *field, pare_arena *arena);

/*
 * The writer: small bytes are kept in one growing buffer, large ones (weights) are borrowed until pare_wire_flush.
 * Lengths of messages are put in when the message ends. Running out of memory is sticky and reported by flush.
 */
typedef struct pare_wire_blob {
    size_t      at; /* comes before bytes[at] */
    const void *data;
    size_t      size;
} pare_wire_blob;

typedef struct pare_wire { /* zeroed: empty */
    uint8_t        *bytes;
    int             size, cap;
    pare_wire_blob *blobs;
    int             n_blobs, blobs_cap;
    int             open[PARE_WIRE_OPEN], open_blobs[PARE_WIRE_OPEN]; /* messages begun and not ended */
    int             depth;
    bool            failed;
} pare_wire;

void pare_wire_begin(pare_wire *w, int number);
void pare_wire_end(pare_wire *w);
void pare_wire_int(pare_wire *w, int number, int64_t value);
void pare_wire_float(pare_wire *w, int number, float value);
void pare_wire_bytes(pare_wire *w, int number, const void *data, size_t size); /* copied   */
void pare_wire_text(pare_wire *w, int number, const char *text);
void pare_wire_blob_of(pare_wire *w, int number, const void *data, size_t size); /* borrowed */

uint64_t    pare_wire_size(const pare_wire *w); /* of everything written so far */
pare_status pare_wire_flush(const pare_wire *w, pare_outfile *file);
void        pare_wire_free(pare_wire *w);

#endif
