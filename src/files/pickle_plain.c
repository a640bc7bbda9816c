/* SPDX-License-Identifier: Apache-2.0 */
/* pickle_plain.c - the instructions that push numbers and texts, or move single values */
#include "files/pickle_stack.h"

#include <stdlib.h>
#include <string.h>

#include "base/status.h"

typedef pare_pickle_vm    vm;
typedef pare_pickle_value value;

pare_status pare_pickle_op_mark(pare_pickle_vm *m, int arg)
{
    (void)arg;
    return pare_pickle_mark(m);
}

pare_status pare_pickle_op_stop(pare_pickle_vm *m, int arg)
{
    (void)arg;
    m->stopped = true;
    return PARE_OK;
}

pare_status pare_pickle_op_drop(pare_pickle_vm *m, int arg)
{
    value *v;
    int    height;

    (void)arg;
    /* Python's POP takes a mark away when nothing lies on it. */
    if (m->n_marks && m->marks[m->n_marks - 1] == m->n)
        return pare_pickle_unmark(m, &height);
    return pare_pickle_pop(m, &v);
}

pare_status pare_pickle_op_drop_to_mark(pare_pickle_vm *m, int arg)
{
    (void)arg;
    return pare_pickle_unmark(m, &m->n);
}

pare_status pare_pickle_op_duplicate(pare_pickle_vm *m, int arg)
{
    value *v;

    (void)arg;
    PARE_TRY(pare_pickle_top(m, &v));
    return pare_pickle_push(m, v);
}

pare_status pare_pickle_op_push_none(pare_pickle_vm *m, int arg)
{
    (void)arg;
    return pare_pickle_make(m, PARE_PICKLE_NONE, NULL);
}

static pare_status push_of(vm *m, pare_pickle_kind kind, int64_t integer)
{
    value *v;

    PARE_TRY(pare_pickle_make(m, kind, &v));
    v->integer = integer;
    return PARE_OK;
}

pare_status pare_pickle_op_push_bool(pare_pickle_vm *m, int arg)
{
    return push_of(m, PARE_PICKLE_BOOL, arg);
}

pare_status pare_pickle_op_push_int(pare_pickle_vm *m, int bytes)
{
    const uint64_t n = pare_pickle_number(m, bytes);

    return push_of(m, PARE_PICKLE_INT, bytes == 4 ? (int32_t)n : (int64_t)n);
}

pare_status pare_pickle_op_push_int_line(pare_pickle_vm *m, int arg)
{
    const char *const at = (const char *)m->in.at;
    const bool is_bool = pare_cursor_left(&m->in) >= 3 && (memcmp(at, "00\n", 3) == 0 || memcmp(at, "01\n", 3) == 0);
    long long  n;

    (void)arg;
    PARE_TRY(pare_pickle_line_number(m, &n));
    return push_of(m, is_bool ? PARE_PICKLE_BOOL : PARE_PICKLE_INT, n);
}

/* Two's complement, lowest byte first. */
pare_status pare_pickle_op_push_long(pare_pickle_vm *m, int bytes)
{
    const uint64_t       n = pare_pickle_number(m, bytes);
    const uint8_t *const at = pare_cursor_bytes(&m->in, (size_t)n);
    uint64_t             sum = 0;

    if (!at)
        return PARE_OK; /* the cursor is bad, and the loop says so */
    if (n > 8)
        return pare_pickle_make_text(m, PARE_PICKLE_LONG, at, (size_t)n);
    for (uint64_t i = 0; i < 8; i++)
        sum |= (uint64_t)(i < n ? at[i] : n && at[n - 1] & 0x80 ? 0xff : 0) << (8 * i);
    return push_of(m, PARE_PICKLE_INT, (int64_t)sum);
}

pare_status pare_pickle_op_push_real_line(pare_pickle_vm *m, int arg)
{
    char   text[PARE_PICKLE_LINE];
    value *v;

    (void)arg;
    PARE_TRY(pare_pickle_line(m, text));
    PARE_TRY(pare_pickle_make(m, PARE_PICKLE_FLOAT, &v));
    v->real = strtod(text, NULL);
    return PARE_OK;
}

/* Eight bytes, the highest first. */
pare_status pare_pickle_op_push_real(pare_pickle_vm *m, int arg)
{
    uint64_t bits = 0;
    value   *v;

    (void)arg;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | pare_cursor_u8(&m->in);
    PARE_TRY(pare_pickle_make(m, PARE_PICKLE_FLOAT, &v));
    memcpy(&v->real, &bits, sizeof(bits));
    return PARE_OK;
}

pare_status pare_pickle_op_push_text_line(pare_pickle_vm *m, int quoted)
{
    char   text[PARE_PICKLE_LINE];
    size_t from = 0, n;

    PARE_TRY(pare_pickle_line(m, text));
    n = strlen(text);
    if (strchr(text, '\\'))
        return pare_fail(PARE_ERR_UNSUPPORTED, "pickle of protocol 0 with an escaped text; save it with protocol 2");
    if (quoted) {
        if (n < 2 || text[0] != text[n - 1] || (text[0] != '\'' && text[0] != '"'))
            return pare_fail(PARE_ERR_DATA, "damaged pickle: a text without quotes");
        from = 1;
        n -= 2;
    }
    return pare_pickle_make_text(m, PARE_PICKLE_TEXT, (const uint8_t *)text + from, n);
}

static pare_status push_counted(vm *m, int bytes, pare_pickle_kind kind)
{
    const uint64_t       n = pare_pickle_number(m, bytes);
    const uint8_t *const at = n <= PARE_PICKLE_MAX ? pare_cursor_bytes(&m->in, (size_t)n) : NULL;

    if (!at)
        return pare_fail(PARE_ERR_DATA, "pickle ends inside a text of %llu bytes", (unsigned long long)n);
    return pare_pickle_make_text(m, kind, at, (size_t)n);
}

pare_status pare_pickle_op_push_text(pare_pickle_vm *m, int bytes)
{
    return push_counted(m, bytes, PARE_PICKLE_TEXT);
}

pare_status pare_pickle_op_push_bytes(pare_pickle_vm *m, int bytes)
{
    return push_counted(m, bytes, PARE_PICKLE_BYTES);
}
