/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - writing JSON, front to back */
#ifndef PARE_CLI_JSON_H
#define PARE_CLI_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include <pare/tensor.h>

/* `key` is NULL inside of lists and at the top. The outermost close ends the line. */
void pare_json_open(const char *key, char bracket);     /* '{' or '[' */
void pare_json_close(char bracket);                     /* '}' or ']' */
void pare_json_text(const char *key, const char *text); /* NULL: null */
void pare_json_int(const char *key, int64_t number);
void pare_json_real(const char *key, double number); /* NaN and infinity: null */
void pare_json_bool(const char *key, bool value);
void pare_json_shape(const char *key, const pare_shape *shape); /* open dimensions: null */

#endif
