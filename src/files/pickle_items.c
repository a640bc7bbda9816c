/* SPDX-License-Identifier: Apache-2.0 */
/* pickle_items.c - the instructions that make lists, tuples and dicts */
#include "files/pickle_stack.h"

#include "base/status.h"

typedef pare_pickle_vm    vm;
typedef pare_pickle_value value;

pare_status pare_pickle_op_push_list(pare_pickle_vm *m, int arg)
{
    (void)arg;
    return pare_pickle_make(m, PARE_PICKLE_LIST, NULL);
}

pare_status pare_pickle_op_push_dict(pare_pickle_vm *m, int arg)
{
    (void)arg;
    return pare_pickle_make(m, PARE_PICKLE_DICT, NULL);
}

/* Values from `height` on become one value. */
static pare_status gather(vm *m, pare_pickle_kind kind, int height)
{
    value *v;

    PARE_TRY(pare_pickle_make(m, kind, &v));
    m->n--;
    PARE_TRY(pare_pickle_extend(m, v, height));
    return pare_pickle_push(m, v);
}

pare_status pare_pickle_op_tuple_of(pare_pickle_vm *m, int n)
{
    const int floor = m->n_marks ? m->marks[m->n_marks - 1] : 0;

    if (m->n - floor < n)
        return pare_fail(PARE_ERR_DATA, "damaged pickle: a tuple of %d where there are %d", n, m->n - floor);
    return gather(m, PARE_PICKLE_TUPLE, m->n - n);
}

static pare_status gather_marked(vm *m, pare_pickle_kind kind)
{
    int height;

    PARE_TRY(pare_pickle_unmark(m, &height));
    if (kind == PARE_PICKLE_DICT && (m->n - height) % 2)
        return pare_fail(PARE_ERR_DATA, "damaged pickle: a key without a value");
    return gather(m, kind, height);
}

pare_status pare_pickle_op_list_of_marked(pare_pickle_vm *m, int arg)
{
    (void)arg;
    return gather_marked(m, PARE_PICKLE_LIST);
}

pare_status pare_pickle_op_tuple_of_marked(pare_pickle_vm *m, int arg)
{
    (void)arg;
    return gather_marked(m, PARE_PICKLE_TUPLE);
}

pare_status pare_pickle_op_dict_of_marked(pare_pickle_vm *m, int arg)
{
    (void)arg;
    return gather_marked(m, PARE_PICKLE_DICT);
}

/* The values from `height` on go into the list (step 1) or dict (step 2) below them. */
static pare_status extend(vm *m, int height, int step)
{
    const int floor = m->n_marks ? m->marks[m->n_marks - 1] : 0;

    if (height - 1 < floor)
        return pare_fail(PARE_ERR_DATA, "damaged pickle: items without a list");

    value *const into = m->stack[height - 1];

    if (into->kind != (step == 1 ? PARE_PICKLE_LIST : PARE_PICKLE_DICT) || (m->n - height) % step)
        return pare_fail(PARE_ERR_DATA, "damaged pickle: items for what is no %s", step == 1 ? "list" : "dict");
    return pare_pickle_extend(m, into, height);
}

pare_status pare_pickle_op_append(pare_pickle_vm *m, int step)
{
    return extend(m, m->n - step, step);
}

pare_status pare_pickle_op_append_marked(pare_pickle_vm *m, int step)
{
    int height;

    PARE_TRY(pare_pickle_unmark(m, &height));
    return extend(m, height, step);
}
