/* SPDX-License-Identifier: Apache-2.0 */
/* pickle_stack.h - the machine that a pickle is a program for: stack, marks, memo, instructions */
#ifndef PARE_FILES_PICKLE_STACK_H
#define PARE_FILES_PICKLE_STACK_H

#include "base/cursor.h"
#include "files/pickle.h"

typedef struct pare_pickle_vm {
    pare_cursor              in;
    const pare_pickle_rules *rules;
    pare_arena              *arena;
    pare_pickle_value      **stack;
    int                      n, cap;
    int                     *marks; /* heights of the stack */
    int                      n_marks, cap_marks;
    pare_pickle_value      **memo; /* NULL where nothing was put */
    int                      n_memo, cap_memo;
    int                      memorized; /* how many are not NULL */
    int                      pushes;
    pare_pickle_value       *persistent; /* the last one */
    bool                     stopped;
} pare_pickle_vm;

void pare_pickle_vm_free(pare_pickle_vm *vm); /* not the arena */

/* A new value on the stack; *out (may be NULL) points to it. */
pare_status pare_pickle_make(pare_pickle_vm *vm, pare_pickle_kind kind, pare_pickle_value **out);
pare_status pare_pickle_push(pare_pickle_vm *vm, pare_pickle_value *v);
pare_status pare_pickle_pop(pare_pickle_vm *vm, pare_pickle_value **out);
pare_status pare_pickle_top(pare_pickle_vm *vm, pare_pickle_value **out);

/* A new text, bytes or long of a copy of these bytes. */
pare_status pare_pickle_make_text(pare_pickle_vm *vm, pare_pickle_kind kind, const uint8_t *bytes, size_t n);

pare_status pare_pickle_mark(pare_pickle_vm *vm);
/* Takes the last mark away; *height is where it stood: the items above are stack[height .. n-1]. */
pare_status pare_pickle_unmark(pare_pickle_vm *vm, int *height);

pare_status pare_pickle_remember(pare_pickle_vm *vm, uint64_t index);
pare_status pare_pickle_recall(pare_pickle_vm *vm, uint64_t index);

/* Puts the values from `height` of the stack on at the end of a list, tuple or dict; they leave the stack. */
pare_status pare_pickle_extend(pare_pickle_vm *vm, pare_pickle_value *into, int height);

/* Arguments of instructions: a little-endian number of 1, 2, 4 or 8 bytes; a line, without its end; a number on one. */
enum { PARE_PICKLE_LINE = 4096, PARE_PICKLE_MAX = 64 << 20 };
uint64_t    pare_pickle_number(pare_pickle_vm *vm, int bytes);
pare_status pare_pickle_line(pare_pickle_vm *vm, char text[PARE_PICKLE_LINE]);
pare_status pare_pickle_line_number(pare_pickle_vm *vm, long long *out);

/* The instructions, in pickle_plain.c, pickle_items.c and pickle.c. */
#define PARE_PICKLE_OP(code, run, arg, name) pare_status pare_pickle_op_##run(pare_pickle_vm *vm, int number);
#include "files/pickle.def"
#undef PARE_PICKLE_OP

#endif
