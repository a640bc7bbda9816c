/* SPDX-License-Identifier: Apache-2.0 */
/* pickle_stack.c - stack, marks and memo of the pickle machine, all bounded */
#include "files/pickle_stack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"

/* Pushes: each is one instruction, and 8 million are a hundred times those of the largest state dicts. */
enum { MAX_PUSHES = 1 << 23 };

void pare_pickle_vm_free(pare_pickle_vm *vm)
{
    pare_free(vm->stack);
    pare_free(vm->marks);
    pare_free(vm->memo);
}

pare_status pare_pickle_push(pare_pickle_vm *vm, pare_pickle_value *v)
{
    if (++vm->pushes > MAX_PUSHES)
        return pare_fail(PARE_ERR_UNSUPPORTED, "pickle of more than %d values", MAX_PUSHES);
    if (!pare_grow(&vm->stack, &vm->cap, vm->n + 1, sizeof(*vm->stack)))
        return pare_fail_memory(sizeof(*vm->stack), "a pickle");
    vm->stack[vm->n++] = v;
    return PARE_OK;
}

pare_status pare_pickle_make(pare_pickle_vm *vm, pare_pickle_kind kind, pare_pickle_value **out)
{
    pare_pickle_value *const v = pare_arena_alloc(vm->arena, sizeof(*v));

    if (!v)
        return pare_fail_memory(sizeof(*v), "a pickle");
    v->kind = kind;
    if (out)
        *out = v;
    return pare_pickle_push(vm, v);
}

/* What lies under the last mark is out of reach until the mark is gone. */
static pare_status need(const pare_pickle_vm *vm)
{
    const int floor = vm->n_marks ? vm->marks[vm->n_marks - 1] : 0;

    return vm->n > floor ? PARE_OK : pare_fail(PARE_ERR_DATA, "damaged pickle: it takes a value where there is none");
}

pare_status pare_pickle_pop(pare_pickle_vm *vm, pare_pickle_value **out)
{
    PARE_TRY(need(vm));
    *out = vm->stack[--vm->n];
    return PARE_OK;
}

pare_status pare_pickle_top(pare_pickle_vm *vm, pare_pickle_value **out)
{
    PARE_TRY(need(vm));
    *out = vm->stack[vm->n - 1];
    return PARE_OK;
}

pare_status pare_pickle_make_text(pare_pickle_vm *vm, pare_pickle_kind kind, const uint8_t *bytes, size_t n)
{
    pare_pickle_value *v = NULL;
    char *const        copy = pare_arena_alloc(vm->arena, n + 1);

    if (!copy)
        return pare_fail_memory(n + 1, "a text in a pickle");
    PARE_TRY(pare_pickle_make(vm, kind, &v));
    memcpy(copy, bytes, n);
    v->text = copy;
    v->n = (int)n; /* the whole pickle has less than 2^31 bytes */
    return PARE_OK;
}

pare_status pare_pickle_mark(pare_pickle_vm *vm)
{
    if (++vm->pushes > MAX_PUSHES)
        return pare_fail(PARE_ERR_UNSUPPORTED, "pickle of more than %d values", MAX_PUSHES);
    if (!pare_grow(&vm->marks, &vm->cap_marks, vm->n_marks + 1, sizeof(*vm->marks)))
        return pare_fail_memory(sizeof(*vm->marks), "a pickle");
    vm->marks[vm->n_marks++] = vm->n;
    return PARE_OK;
}

pare_status pare_pickle_unmark(pare_pickle_vm *vm, int *height)
{
    if (!vm->n_marks)
        return pare_fail(PARE_ERR_DATA, "damaged pickle: it goes back to a mark where there is none");
    *height = vm->marks[--vm->n_marks];
    return PARE_OK;
}

/* There cannot be more things to remember than the pickle has bytes, so a larger number is damage. */
pare_status pare_pickle_remember(pare_pickle_vm *vm, uint64_t index)
{
    pare_pickle_value *v;

    PARE_TRY(pare_pickle_top(vm, &v));
    if (index >= (uint64_t)(vm->in.end - vm->in.begin) || index >= MAX_PUSHES)
        return pare_fail(PARE_ERR_DATA, "damaged pickle: place %llu of the memo", (unsigned long long)index);

    const int i = (int)index;

    if (!pare_grow(&vm->memo, &vm->cap_memo, i + 1, sizeof(*vm->memo)))
        return pare_fail_memory((size_t)i * sizeof(*vm->memo), "a pickle");
    if (vm->n_memo <= i)
        vm->n_memo = i + 1;
    vm->memorized += !vm->memo[i];
    vm->memo[i] = v;
    return PARE_OK;
}

pare_status pare_pickle_recall(pare_pickle_vm *vm, uint64_t index)
{
    if (index >= (uint64_t)vm->n_memo || !vm->memo[index])
        return pare_fail(PARE_ERR_DATA, "damaged pickle: nothing was put at %llu of the memo",
                         (unsigned long long)index);
    return pare_pickle_push(vm, vm->memo[index]);
}

pare_status pare_pickle_extend(pare_pickle_vm *vm, pare_pickle_value *into, int height)
{
    const int more = vm->n - height;

    if (into->n + more > into->cap) {
        /* Old room stays in the arena; doubling keeps all of it under the size of the new. */
        const int           cap = into->n + more > 2 * into->cap ? into->n + more : 2 * into->cap;
        pare_pickle_value **items = pare_arena_alloc(vm->arena, (size_t)cap * sizeof(*items));

        if (!items)
            return pare_fail_memory((size_t)cap * sizeof(*items), "a list in a pickle");
        if (into->n)
            memcpy(items, into->items, (size_t)into->n * sizeof(*items));
        into->items = items;
        into->cap = cap;
    }
    if (more)
        memcpy(into->items + into->n, vm->stack + height, (size_t)more * sizeof(*into->items));
    into->n += more;
    vm->n = height;
    return PARE_OK;
}

/* A little-endian number of 1, 2, 4 or 8 bytes. */
uint64_t pare_pickle_number(pare_pickle_vm *m, int bytes)
{
    return bytes == 1   ? pare_cursor_u8(&m->in)
           : bytes == 2 ? pare_cursor_u16le(&m->in)
           : bytes == 4 ? pare_cursor_u32le(&m->in)
                        : pare_cursor_u64le(&m->in);
}

/* The rest of a line without its end, as text; at most PARE_PICKLE_LINE - 1 bytes. */
pare_status pare_pickle_line(pare_pickle_vm *m, char text[PARE_PICKLE_LINE])
{
    int n = 0, byte;

    while ((byte = pare_cursor_u8(&m->in)) != '\n' && !m->in.bad)
        if (n < PARE_PICKLE_LINE)
            text[n++] = (char)byte;
    if (m->in.bad)
        return pare_fail(PARE_ERR_DATA, "pickle ends too early");
    if (n == PARE_PICKLE_LINE)
        return pare_fail(PARE_ERR_UNSUPPORTED, "pickle with a line of %d bytes or more", PARE_PICKLE_LINE);
    text[n] = '\0';
    return PARE_OK;
}

/* A decimal number on a line of its own, maybe with Python 2's L behind it. */
pare_status pare_pickle_line_number(pare_pickle_vm *m, long long *out)
{
    char text[PARE_PICKLE_LINE], *end;

    PARE_TRY(pare_pickle_line(m, text));
    errno = 0;
    *out = strtoll(text, &end, 10);
    if (errno == ERANGE)
        return pare_fail(PARE_ERR_UNSUPPORTED, "pickle with a line of more than 64 bits");
    if (end == text || (*end && strcmp(end, "L") != 0))
        return pare_fail(PARE_ERR_DATA, "damaged pickle: '%.20s' is no number", text);
    return PARE_OK;
}
