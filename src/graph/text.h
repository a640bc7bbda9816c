/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h - reading the text IR word by word.
 *
 *     graph NAME
 *     meta "pare.dynamic" "1"                     # of the file; only keys that begin with "pare." are printed
 *     %x = input f32[N,3,32,32]                     # N: not fixed yet; also ?; input f32 without shape
 *     @s = const s64[2] {1,2}
 *     @w = const f32[4,3,3,3] seed=7                # reproducible numbers, for tests; printed as hash=0x...
 *     @k = const s8[4,3,3,3] seed=3 q([0.1,0.2,0.3,0.4], axis=0)
 *     %1 = conv(%x, @w, ?) strides=[2,2] clamp_lo=0   # ? = left out
 *     %2 : u8 q(0.5, 3) = quantize_linear(...)      # qparams, format (channels_last), halo, home of a result
 *     %a, ? = dropout(%1)
 *     %y = if(%c) then_branch={
 *         return %a
 *     } else_branch={
 *         return %1
 *     }
 *     return %y
 *
 * Statements need no line ends. A name may be read before it is defined, in the same body. Names with other characters
 * than letters, digits and _ . / : - are quoted.
 */
#ifndef PARE_GRAPH_TEXT_H
#define PARE_GRAPH_TEXT_H

#include "base/arena.h"
#include "tensor/tensor.h"

/* Elements of a constant, or scales, that are written out; of more, only a hash is. */
enum { PARE_TEXT_MAX_ITEMS = 16 };

typedef struct pare_text {
    const char *at;
    pare_arena *arena; /* for names and lists */
    int         line;
    int         depth; /* of the body that is read */
} pare_text;

bool pare_text_is_bare(char c); /* needs no quotes in a name */

pare_status pare_text_fail(const pare_text *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Skips spaces and comments, then takes `mark` if it is next. */
bool        pare_text_try(pare_text *t, const char *mark);
pare_status pare_text_expect(pare_text *t, const char *mark);
bool        pare_text_end(pare_text *t);

/* A word of letters, digits and _; false: none is next, and nothing is taken. It lives in the arena. */
bool        pare_text_word(pare_text *t, const char **word);
pare_status pare_text_name(pare_text *t, const char **name);     /* bare or quoted */
pare_status pare_text_string(pare_text *t, const char **string); /* quoted         */
pare_status pare_text_int(pare_text *t, int64_t *value);
pare_status pare_text_real(pare_text *t, double *value); /* also inf, nan  */

/* "[1,2]"; at most `max` */
pare_status pare_text_ints(pare_text *t, int64_t *values, int max, int *n);

/* "f32[2,3]": dim_name [PARE_MAX_RANK] takes names of dimensions that are not fixed, NULL: those are refused. */
pare_status pare_text_type(pare_text *t, pare_tensor *type, bool *has_shape, const char **dim_name);

/* "{1,2}" or "seed=3" into a tensor whose dtype and shape are set; allocates it. */
pare_status pare_text_data(pare_text *t, pare_tensor *tensor);

/* What follows "q": "(0.5, 3)", "([0.1,0.2], [0,1], offset=[0,0], axis=0, block=32)". Lives in the arena. */
pare_status pare_text_qparams(pare_text *t, const pare_qparams **q);

#endif
