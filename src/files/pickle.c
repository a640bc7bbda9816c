/* SPDX-License-Identifier: Apache-2.0 */
/* pickle.c - names, calls and the memo of a pickle, and running it; nothing outside of it is ever run */
#include "files/pickle.h"

#include <string.h>

#include "base/status.h"
#include "files/pickle_stack.h"

typedef pare_pickle_vm    vm;
typedef pare_pickle_value value;

static const char remedy[] = "save the weights alone, with torch.save(model.state_dict(), FILE)";

/* ------------------------------------------------------------------------------------------------------------ memo */

pare_status pare_pickle_op_put(pare_pickle_vm *m, int bytes)
{
    return pare_pickle_remember(m, pare_pickle_number(m, bytes));
}

pare_status pare_pickle_op_put_line(pare_pickle_vm *m, int arg)
{
    long long index;

    (void)arg;
    PARE_TRY(pare_pickle_line_number(m, &index));
    return pare_pickle_remember(m, (uint64_t)index);
}

pare_status pare_pickle_op_memoize(pare_pickle_vm *m, int arg)
{
    (void)arg;
    return pare_pickle_remember(m, (uint64_t)m->memorized);
}

pare_status pare_pickle_op_get(pare_pickle_vm *m, int bytes)
{
    return pare_pickle_recall(m, pare_pickle_number(m, bytes));
}

pare_status pare_pickle_op_get_line(pare_pickle_vm *m, int arg)
{
    long long index;

    (void)arg;
    PARE_TRY(pare_pickle_line_number(m, &index));
    return pare_pickle_recall(m, (uint64_t)index);
}

/* ------------------------------------------------------------------------------------------------- names and calls */

/* A name from the file, fit for a sentence. */
static const char *printable(const char *name, size_t n, char text[128])
{
    size_t i = 0;

    for (; i < n && i < 127; i++)
        text[i] = name[i] >= ' ' && name[i] <= '~' ? name[i] : '?';
    text[i] = '\0';
    return text;
}

static pare_pickle_use use_of(const vm *m, const value *global)
{
    for (int i = 0; i < m->rules->n; i++)
        if (strcmp(m->rules->globals[i].name, global->text) == 0)
            return m->rules->globals[i].use;
    return PARE_PICKLE_NAMED;
}

/* `name` has n bytes and no final 0. */
static pare_status push_global(vm *m, const char *name, size_t n)
{
    char text[128];

    for (int i = 0; i < m->rules->n; i++)
        if (strlen(m->rules->globals[i].name) == n && memcmp(m->rules->globals[i].name, name, n) == 0)
            return pare_pickle_make_text(m, PARE_PICKLE_GLOBAL, (const uint8_t *)name, n);
    return pare_fail(PARE_ERR_UNSUPPORTED,
                     "pickle asks to call %s; refused: only weights are read, nothing is run (%s)",
                     printable(name, n, text), remedy);
}

/* INST calls what it names at once. Nothing on the list is made that way, so it always is refused. */
pare_status pare_pickle_op_global_lines(pare_pickle_vm *m, int calls)
{
    char module[PARE_PICKLE_LINE], name[PARE_PICKLE_LINE], both[2 * PARE_PICKLE_LINE], text[128];

    PARE_TRY(pare_pickle_line(m, module));
    PARE_TRY(pare_pickle_line(m, name));

    const size_t n = strlen(module), k = strlen(name);

    memcpy(both, module, n);
    both[n] = '.';
    memcpy(both + n + 1, name, k);
    if (calls)
        return pare_fail(PARE_ERR_UNSUPPORTED, "pickle asks to make a %s; refused (%s)",
                         printable(both, n + 1 + k, text), remedy);
    return push_global(m, both, n + 1 + k);
}

pare_status pare_pickle_op_global_stacked(pare_pickle_vm *m, int arg)
{
    char   both[2 * PARE_PICKLE_LINE];
    value *module, *name;

    (void)arg;
    PARE_TRY(pare_pickle_pop(m, &name));
    PARE_TRY(pare_pickle_pop(m, &module));
    if (module->kind != PARE_PICKLE_TEXT || name->kind != PARE_PICKLE_TEXT)
        return pare_fail(PARE_ERR_DATA, "damaged pickle: a name that is no text");

    const size_t n = (size_t)module->n, k = (size_t)name->n;

    if (n >= PARE_PICKLE_LINE || k >= PARE_PICKLE_LINE)
        return pare_fail(PARE_ERR_UNSUPPORTED, "pickle with a name of more than %d bytes", PARE_PICKLE_LINE);
    memcpy(both, module->text, n);
    both[n] = '.';
    memcpy(both + n + 1, name->text, k);
    return push_global(m, both, n + 1 + k);
}

/* OrderedDict(), OrderedDict([(key, value), ...]) */
static pare_status make_dict(vm *m, const value *args)
{
    const value *const pairs = args->n == 1 ? args->items[0] : NULL;
    value             *dict;

    PARE_TRY(pare_pickle_make(m, PARE_PICKLE_DICT, &dict));
    if (args->n == 0)
        return PARE_OK;
    if (!pairs || (pairs->kind != PARE_PICKLE_LIST && pairs->kind != PARE_PICKLE_TUPLE))
        return pare_fail(PARE_ERR_DATA, "damaged pickle: a dict of what is no list of pairs");
    for (int i = 0; i < pairs->n; i++) {
        const value *const pair = pairs->items[i];

        if ((pair->kind != PARE_PICKLE_LIST && pair->kind != PARE_PICKLE_TUPLE) || pair->n != 2)
            return pare_fail(PARE_ERR_DATA, "damaged pickle: a dict of what is no list of pairs");
        PARE_TRY(pare_pickle_push(m, pair->items[0]));
        PARE_TRY(pare_pickle_push(m, pair->items[1]));
        PARE_TRY(pare_pickle_extend(m, dict, m->n - 2));
    }
    return PARE_OK;
}

pare_status pare_pickle_op_call(pare_pickle_vm *m, int arg)
{
    value *args, *what, *call;

    (void)arg;
    PARE_TRY(pare_pickle_pop(m, &args));
    PARE_TRY(pare_pickle_pop(m, &what));
    if (what->kind != PARE_PICKLE_GLOBAL || args->kind != PARE_PICKLE_TUPLE)
        return pare_fail(PARE_ERR_UNSUPPORTED, "pickle asks to call what is not a name; refused (%s)", remedy);
    switch (use_of(m, what)) {
    case PARE_PICKLE_MAKES_DICT:
        return make_dict(m, args);
    case PARE_PICKLE_CALLED:
        PARE_TRY(pare_pickle_make(m, PARE_PICKLE_CALL, &call));
        m->n--;
        PARE_TRY(pare_pickle_push(m, what));
        PARE_TRY(pare_pickle_push(m, args));
        PARE_TRY(pare_pickle_extend(m, call, m->n - 2));
        return pare_pickle_push(m, call);
    default:
        return pare_fail(PARE_ERR_UNSUPPORTED, "pickle asks to call %s; refused (%s)", what->text, remedy);
    }
}

/* State of an ordered dict (_metadata: versions of modules) means nothing here; nobody else may have one. */
pare_status pare_pickle_op_build(pare_pickle_vm *m, int arg)
{
    value *state, *object;

    (void)arg;
    PARE_TRY(pare_pickle_pop(m, &state));
    PARE_TRY(pare_pickle_top(m, &object));
    if (object->kind != PARE_PICKLE_DICT)
        return pare_fail(PARE_ERR_UNSUPPORTED, "pickle asks to set the state of an object%s%s; refused (%s)",
                         object->kind == PARE_PICKLE_CALL ? " made by " : "",
                         object->kind == PARE_PICKLE_CALL ? object->items[0]->text : "", remedy);
    return PARE_OK;
}

pare_status pare_pickle_op_persistent(pare_pickle_vm *m, int arg)
{
    value *id, *v;

    (void)arg;
    PARE_TRY(pare_pickle_pop(m, &id));
    PARE_TRY(pare_pickle_make(m, PARE_PICKLE_PERSISTENT, &v));
    m->n--;
    PARE_TRY(pare_pickle_push(m, id));
    PARE_TRY(pare_pickle_push(m, m->persistent));
    PARE_TRY(pare_pickle_extend(m, v, m->n - 2));
    m->persistent = v;
    return pare_pickle_push(m, v);
}

/* --------------------------------------------------------------------------------------------------------- running */

typedef struct instruction {
    uint8_t code;
    pare_status (*run)(vm *m, int arg);
    int         arg;
    const char *name;
} instruction;

static const instruction instructions[] = {
#define PARE_PICKLE_OP(code, run, arg, name) { code, pare_pickle_op_##run, arg, #name },
#include "files/pickle.def"
#undef PARE_PICKLE_OP
};

static const instruction *find(int code)
{
    for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]); i++)
        if (instructions[i].code == code)
            return &instructions[i];
    return NULL;
}

/* Objects of classes, numbers that stand for names, objects by text, buffers outside: none of it is in weights. */
pare_status pare_pickle_op_refuse(pare_pickle_vm *m, int code)
{
    const int    floor = m->n_marks ? m->marks[m->n_marks - 1] : 0;
    const value *what = NULL;

    for (int i = floor; i < m->n && !what; i++) /* the class lies below its arguments */
        what = m->stack[i]->kind == PARE_PICKLE_GLOBAL ? m->stack[i] : NULL;
    return pare_fail(PARE_ERR_UNSUPPORTED, "pickle with %s%s%s; refused: only weights are read, nothing is run (%s)",
                     find(code)->name, what ? " of " : "", what ? what->text : "", remedy);
}

pare_status pare_pickle_op_protocol(pare_pickle_vm *m, int arg)
{
    const int version = pare_cursor_u8(&m->in);

    (void)arg;
    return version <= 5 ? PARE_OK : pare_fail(PARE_ERR_UNSUPPORTED, "pickle of protocol %d; 0 to 5 are known", version);
}

/* Only tells how much to read at once. */
pare_status pare_pickle_op_frame(pare_pickle_vm *m, int arg)
{
    (void)arg;
    (void)pare_pickle_number(m, 8);
    return PARE_OK;
}

static pare_status run(vm *m)
{
    while (!m->stopped) {
        const int                code = pare_cursor_u8(&m->in);
        const instruction *const i = m->in.bad ? NULL : find(code);

        if (!m->in.bad && !i)
            return pare_fail(PARE_ERR_DATA, "damaged pickle: instruction 0x%02x at byte %lld", (unsigned)code,
                             (long long)(m->in.at - m->in.begin - 1));
        if (i)
            PARE_TRY(i->run(m, i->arg));
        if (m->in.bad)
            return pare_fail(PARE_ERR_DATA, "pickle ends too early");
    }
    return PARE_OK;
}

pare_status pare_pickle_read(const uint8_t *bytes, size_t size, const pare_pickle_rules *rules, pare_arena *arena,
                             pare_pickle *out)
{
    const size_t most = size < PARE_PICKLE_MAX ? size : PARE_PICKLE_MAX;
    vm           m = { .in = pare_cursor_of(bytes, most), .rules = rules, .arena = arena };
    pare_status  status = run(&m);

    *out = (pare_pickle){ 0 };
    if (status == PARE_OK)
        status = pare_pickle_pop(&m, &out->root);
    out->persistent = m.persistent;
    out->used = (size_t)(m.in.at - m.in.begin);
    pare_pickle_vm_free(&m);
    return status;
}

const pare_pickle_value *pare_pickle_get(const pare_pickle_value *dict, const char *key)
{
    for (int i = dict->kind == PARE_PICKLE_DICT ? dict->n - 2 : -1; i >= 0; i -= 2)
        if (dict->items[i]->kind == PARE_PICKLE_TEXT && strcmp(dict->items[i]->text, key) == 0)
            return dict->items[i + 1];
    return NULL;
}

bool pare_pickle_is(const pare_pickle_value *v, const char *global)
{
    return v->kind == PARE_PICKLE_GLOBAL && strcmp(v->text, global) == 0;
}
