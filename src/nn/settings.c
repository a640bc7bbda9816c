/* SPDX-License-Identifier: Apache-2.0 */
/* settings.c - how a module is made: NAME=VALUE, checked against what its kind knows */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/status.h"
#include "nn/module.h"

/* The next "name=value" of *text: lengths of both; false at the end. A value may be empty. */
static bool next_pair(const char **text, const char **name, size_t *n_name, const char **value, size_t *n_value)
{
    const char *p = *text + strspn(*text, " ");
    int         depth = 0;

    if (!*p)
        return false;
    *name = p;
    *n_name = strcspn(p, "= ");
    p += *n_name;
    p += *p == '=';
    *value = p;
    for (; *p && (*p != ' ' || depth > 0); p++)
        depth += (*p == '[') - (*p == ']');
    *n_value = (size_t)(p - *value);
    *text = p;
    return true;
}

static pare_setting *find(const pare_module *m, const char *name, size_t n)
{
    for (int i = 0; i < m->n_settings; i++)
        if (strncmp(m->settings[i].name, name, n) == 0 && !m->settings[i].name[n])
            return &m->settings[i];
    return NULL;
}

static pare_status no_memory(void)
{
    return pare_fail_memory(sizeof(pare_setting), "a module");
}

static pare_status take_defaults(pare_module *m)
{
    const char *text = m->kind->settings, *name, *value;
    size_t      n_name, n_value;
    int         n = 0;

    for (const char *p = text; p && *p; p++)
        n += *p == '=';
    m->settings = pare_arena_alloc(m->arena, sizeof(*m->settings) * (size_t)(n + 1));
    if (!m->settings)
        return no_memory();
    while (text && m->n_settings < n && next_pair(&text, &name, &n_name, &value, &n_value)) {
        pare_setting *const s = &m->settings[m->n_settings++];

        s->name = pare_arena_strndup(m->arena, name, n_name);
        s->value = n_value ? pare_arena_strndup(m->arena, value, n_value) : NULL;
        s->usual = true;
        if (!s->name || (n_value && !s->value))
            return no_memory();
    }
    return PARE_OK;
}

static pare_status take_given(pare_module *m, const char *text)
{
    const char *name, *value;
    size_t      n_name, n_value;

    while (text && next_pair(&text, &name, &n_name, &value, &n_value)) {
        pare_setting *const s = find(m, name, n_name);

        if (!s)
            return pare_fail(PARE_ERR_ARG, "%s has no setting '%.*s'; it takes %s", m->kind->name, (int)n_name, name,
                             m->kind->settings ? m->kind->settings : "none");
        if (!n_value)
            return pare_fail(PARE_ERR_ARG, "%s: setting '%s' has no value; write %s=VALUE", m->kind->name, s->name,
                             s->name);
        const char *const given = pare_arena_strndup(m->arena, value, n_value);
        if (!given)
            return no_memory();
        s->usual = s->value && strcmp(s->value, given) == 0;
        s->value = given;
    }
    for (int i = 0; i < m->n_settings; i++)
        if (!m->settings[i].value)
            return pare_fail(PARE_ERR_ARG, "%s needs the setting '%s'", m->kind->name, m->settings[i].name);
    return PARE_OK;
}

/* The settings as the text IR writes attributes: words are quoted. */
static pare_status write_attrs(pare_module *m)
{
    m->attrs = "";
    for (int i = 0; i < m->n_settings && m->attrs; i++) {
        const char *const v = m->settings[i].value;
        const char *const quote = strchr("[-.0123456789", *v) ? "" : "\"";

        m->attrs = pare_arena_printf(m->arena, "%s %s=%s%s%s", m->attrs, m->settings[i].name, quote, v, quote);
    }
    return m->attrs ? PARE_OK : no_memory();
}

pare_status pare_module_read_settings(pare_module *m, const char *text)
{
    PARE_TRY(take_defaults(m));
    PARE_TRY(take_given(m, text));
    return m->kind->op ? write_attrs(m) : PARE_OK;
}

/* ---------------------------------------------------------------------------------------------------------- reading */

static const char *value_of(const pare_module *m, const char *setting)
{
    const pare_setting *const s = find(m, setting, strlen(setting));

    if (!s)
        pare_module_fail(m, pare_fail(PARE_ERR_ARG, "%s has no setting '%s'", m->kind->name, setting));
    return s ? s->value : NULL;
}

static void wrong(const pare_module *m, const char *setting, const char *wanted)
{
    pare_module_fail(m, pare_fail(PARE_ERR_ARG, "%s: setting '%s' is '%s', but %s is wanted", m->kind->name, setting,
                                  value_of(m, setting), wanted));
}

const char *pare_module_word(const pare_module *m, const char *setting)
{
    const char *const value = value_of(m, setting);

    return value ? value : "";
}

int64_t pare_module_int(const pare_module *m, const char *setting)
{
    const char *const value = value_of(m, setting);
    char             *end;

    if (!value)
        return 0;
    errno = 0;
    const int64_t number = strtoll(value, &end, 10);
    if (*end || errno)
        wrong(m, setting, "a whole number");
    return number;
}

float pare_module_real(const pare_module *m, const char *setting)
{
    const char *const value = value_of(m, setting);
    char             *end;

    if (!value)
        return 0;
    const float number = strtof(value, &end);
    if (*end)
        wrong(m, setting, "a number");
    return number;
}

void pare_module_ints(const pare_module *m, const char *setting, int n, int values[])
{
    const char *p = value_of(m, setting);
    char       *end;

    memset(values, 0, sizeof(*values) * (size_t)n);
    if (!p)
        return;
    if (*p != '[') {
        const int64_t number = pare_module_int(m, setting);

        for (int i = 0; i < n; i++)
            values[i] = (int)number;
        return;
    }
    for (int i = 0; i < n; i++, p = end) {
        values[i] = (int)strtol(p + 1, &end, 10);
        if (end == p + 1 || *end != (i + 1 < n ? ',' : ']')) {
            wrong(m, setting, n == 1 ? "one number" : n == 2 ? "one number or [2,1]" : "one number or [3,2,1]");
            return;
        }
    }
}
