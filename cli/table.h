/* SPDX-License-Identifier: Apache-2.0 */
/* table.h - text in columns that are as wide as they must be */
#ifndef PARE_CLI_TABLE_H
#define PARE_CLI_TABLE_H

#include <pare/tensor.h>

typedef struct pare_table pare_table;

/* One letter per column, 16 at most: 'l' left, 'r' right. NULL: out of memory; all the functions take that. */
pare_table *pare_table_create(const char *columns);

/* The next cell, row by row. */
void pare_table_add(pare_table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Prints to stdout and destroys. `indent` spaces in front of every row. */
void pare_table_print(pare_table *t, int indent);

/* Words for tables: "1x3x224x224", "?" for open; "1.25 MB"; "12.3 M". `text` is returned. */
enum { PARE_WORD = 128 };
const char *pare_table_shape(const pare_shape *shape, char text[PARE_WORD]);
const char *pare_table_bytes(double bytes, char text[PARE_WORD]);
const char *pare_table_count(double count, char text[PARE_WORD]);

#endif
