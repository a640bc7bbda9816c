/* SPDX-License-Identifier: Apache-2.0 */
/* module.c - making trees of modules, and finding things in them */
#include "nn/module.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/status.h"

enum { SETTINGS = 1024 };

pare_module *pare_module_root(const pare_module *m)
{
    while (m->parent)
        m = m->parent;
    return (pare_module *)(uintptr_t)m;
}

void pare_module_path(const pare_module *m, const pare_module *top, char text[PARE_PATH])
{
    if (m == top || !m->parent) {
        text[0] = '\0';
        return;
    }
    pare_module_path(m->parent, top, text);
    const size_t n = strlen(text);
    snprintf(text + n, PARE_PATH - n, "%s%s", n ? "." : "", m->name);
}

pare_status pare_module_fail(const pare_module *m, pare_status status)
{
    pare_module *const root = pare_module_root(m);
    char               path[PARE_PATH];

    if (root->status != PARE_OK)
        return root->status;
    pare_module_path(m, NULL, path);
    if (path[0])
        pare_fail_in(status, "%s", path);
    root->status = status;
    root->sentence = pare_arena_strdup(root->arena, pare_error());
    return status;
}

pare_status pare_module_status(const pare_module *m)
{
    if (!m)
        return pare_fail(PARE_ERR_ARG, "there is no module");
    const pare_module *const root = pare_module_root(m);

    if (root->status != PARE_OK)
        pare_error_set(root->sentence ? root->sentence : "out of memory");
    return root->status;
}

/* ----------------------------------------------------------------------------------------------------------- making */

static pare_module *child_named(const pare_module *m, const char *name, size_t length)
{
    for (pare_module *c = m->first; c; c = c->next)
        if (strncmp(c->name, name, length) == 0 && !c->name[length])
            return c;
    return NULL;
}

static const char *number_name(const pare_module *parent)
{
    int n = 0;

    for (const pare_module *c = parent->first; c; c = c->next)
        n++;
    return pare_arena_printf(parent->arena, "%d", n);
}

static pare_status link_child(pare_module *parent, const char *name, pare_module *m)
{
    const char *const kept = name ? pare_arena_strdup(parent->arena, name) : number_name(parent);

    if (!kept)
        return pare_fail_memory(sizeof(*m), "a module");
    if (!*kept || strchr(kept, '.'))
        return pare_fail(PARE_ERR_ARG, "'%s' is no name of a module: it is empty or has a dot", kept);
    if (child_named(parent, kept, strlen(kept)))
        return pare_fail(PARE_ERR_ARG, "there are two parts named '%s'", kept);
    m->name = kept;
    m->parent = parent;
    if (parent->last)
        parent->last->next = m;
    else
        parent->first = m;
    parent->last = m;
    return PARE_OK;
}

/* Settings and parts of a module that has its place. */
static pare_status complete(pare_module *m, const char *settings)
{
    const pare_status status = pare_module_read_settings(m, settings);

    if (status != PARE_OK)
        return pare_module_fail(m, status);
    if (m->kind->build)
        m->kind->build(m);
    return pare_module_root(m)->status;
}

static pare_status create(const pare_module_kind *kind, const char *settings, pare_module **out)
{
    pare_arena *const  arena = pare_arena_create();
    pare_module *const m = arena ? pare_arena_alloc(arena, sizeof(*m)) : NULL;

    *out = NULL;
    if (!m) {
        pare_arena_destroy(arena);
        return pare_fail_memory(sizeof(*m), "a module");
    }
    *m = (pare_module){ .kind = kind, .name = "", .arena = arena, .owns_arena = true };
    complete(m, settings);
    const pare_status status = pare_module_status(m);
    if (status == PARE_OK)
        *out = m;
    else
        pare_module_destroy(m);
    return status;
}

static pare_module *add(pare_module *parent, const char *name, const pare_module_kind *kind, const char *settings)
{
    pare_module *const m = pare_arena_alloc(parent->arena, sizeof(*m));
    pare_status        status;

    if (m)
        *m = (pare_module){ .kind = kind, .name = "", .arena = parent->arena };
    status = m ? link_child(parent, name, m) : pare_fail_memory(sizeof(*m), "a module");
    if (status != PARE_OK)
        pare_module_fail(parent, status);
    else
        status = complete(m, settings);
    return status == PARE_OK ? m : NULL;
}

/* Settings by printf; one that is too long fails. */
static pare_status format(char text[SETTINGS], const char *settings, va_list args)
{
    text[0] = '\0';
    if (settings && vsnprintf(text, SETTINGS, settings, args) >= SETTINGS)
        return pare_fail(PARE_ERR_ARG, "settings of more than %d letters", SETTINGS - 1);
    return PARE_OK;
}

static pare_status find_kind(const char *name, const pare_module_kind **out)
{
    const char *names[256], *near;
    int         n = 0;

    *out = pare_module_kind_find(name);
    if (*out)
        return PARE_OK;
    for (; n < 256 && pare_module_kind_at(n); n++)
        names[n] = pare_module_kind_at(n)->name;
    near = pare_nearest_name(name, names, n);
    return pare_fail(PARE_ERR_ARG, "there is no kind of module '%s'%s%s%s", name, near ? "; did you mean '" : "",
                     near ? near : "", near ? "'?" : "");
}

pare_status pare_module_create_of(const pare_module_kind *kind, pare_module **out, const char *settings, ...)
{
    char    text[SETTINGS];
    va_list args;

    va_start(args, settings);
    const pare_status status = format(text, settings, args);
    va_end(args);
    return status == PARE_OK ? create(kind, text, out) : status;
}

pare_status pare_module_create(const char *kind, pare_module **out, const char *settings, ...)
{
    const pare_module_kind *found;
    char                    text[SETTINGS];
    va_list                 args;

    va_start(args, settings);
    const pare_status status = format(text, settings, args);
    va_end(args);
    *out = NULL;
    PARE_TRY(status);
    PARE_TRY(find_kind(kind, &found));
    return create(found, text, out);
}

pare_module *pare_module_add_of(pare_module *parent, const char *name, const pare_module_kind *kind,
                                const char *settings, ...)
{
    char    text[SETTINGS];
    va_list args;

    if (!parent || pare_module_root(parent)->status != PARE_OK)
        return NULL;
    va_start(args, settings);
    const pare_status status = format(text, settings, args);
    va_end(args);
    if (status == PARE_OK)
        return add(parent, name, kind, text);
    pare_module_fail(parent, status);
    return NULL;
}

pare_module *pare_module_add(pare_module *parent, const char *name, const char *kind, const char *settings, ...)
{
    const pare_module_kind *found;
    char                    text[SETTINGS];
    va_list                 args;

    if (!parent || pare_module_root(parent)->status != PARE_OK)
        return NULL;
    va_start(args, settings);
    pare_status status = format(text, settings, args);
    va_end(args);
    if (status == PARE_OK)
        status = find_kind(kind, &found);
    if (status == PARE_OK)
        return add(parent, name, found, text);
    pare_module_fail(parent, status);
    return NULL;
}

pare_status pare_module_adopt(pare_module *parent, const char *name, pare_module *root)
{
    PARE_TRY(pare_module_status(parent));
    PARE_TRY(pare_module_status(root));
    if (root->parent || pare_module_root(parent) == root)
        return pare_fail(PARE_ERR_ARG, "only a root can become a part of another tree");
    return link_child(parent, name, root);
}

/* Tensors first, arenas of adopted trees last: modules lie in them. */
static void release(pare_module *m)
{
    pare_module_set_body(m, NULL);
    for (pare_slot *s = m->slots; s; s = s->next)
        pare_tensor_release(&s->t);
    for (pare_module *c = m->first, *next; c; c = next) {
        next = c->next;
        release(c);
    }
    if (m->owns_arena)
        pare_arena_destroy(m->arena);
}

void pare_module_destroy(pare_module *root)
{
    if (root)
        release(root);
}

/* ---------------------------------------------------------------------------------------------------------- looking */

const pare_module_kind *pare_module_kind_of(const pare_module *m)
{
    return m->kind;
}

const char *pare_module_name(const pare_module *m)
{
    return m->name;
}

pare_module *pare_module_parent(const pare_module *m)
{
    return m->parent;
}

pare_module *pare_module_child(const pare_module *m, int index)
{
    pare_module *c = m->first;

    while (c && index-- > 0)
        c = c->next;
    return c;
}

pare_module *pare_module_find(const pare_module *m, const char *path)
{
    while (m && *path) {
        const size_t n = strcspn(path, ".");

        m = child_named(m, path, n);
        path += n + (path[n] == '.');
    }
    return (pare_module *)(uintptr_t)m;
}
