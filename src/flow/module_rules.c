/* SPDX-License-Identifier: Apache-2.0 */
/* module_rules.c - the settings of the parts of a network as rules over the nodes that they become */
#include "flow/module_rules.h"

#include "base/status.h"
#include "nn/module.h"

static int count_settings(const pare_module *m)
{
    int n = m->qconfig != NULL;

    for (const pare_module *c = m->first; c; c = c->next)
        n += count_settings(c);
    return n;
}

/* Nodes are named after the module that called them, "PATH" or "PATH.op". Parts come after what they are parts of, so
 * their rules are the stronger ones. */
static pare_status add_rules(const pare_module *m, pare_arena *arena, pare_rule *rules, int *n)
{
    char path[PARE_PATH];

    if (m->qconfig) {
        pare_module_path(m, NULL, path);
        const char *const exact = pare_arena_strdup(arena, path), *const below = pare_arena_printf(arena, "%s.*", path);

        if (!exact || !below)
            return pare_fail_memory(sizeof(path), "rules");
        rules[(*n)++] = (pare_rule){ path[0] ? PARE_RULE_GLOB : PARE_RULE_GLOBAL, exact, *m->qconfig };
        if (path[0])
            rules[(*n)++] = (pare_rule){ PARE_RULE_GLOB, below, *m->qconfig };
    }
    for (const pare_module *c = m->first; c; c = c->next)
        PARE_TRY(add_rules(c, arena, rules, n));
    return PARE_OK;
}

pare_status pare_module_rules(const pare_module *m, const pare_quantize_options *options, pare_qmode mode,
                              pare_arena *arena, pare_quantize_options *out)
{
    *out = options ? *options : (pare_quantize_options){ 0 };
    const int        given = out->mapping.n;
    pare_rule *const rules = pare_arena_alloc(arena, sizeof(*rules) * (size_t)(given + 1 + 2 * count_settings(m)));
    int              n = 0;

    if (!rules)
        return pare_fail_memory(sizeof(*rules), "rules");
    rules[n++] = (pare_rule){ .kind = PARE_RULE_GLOBAL, .config = { .mode = mode } };
    for (int i = 0; i < given; i++)
        rules[n++] = out->mapping.rules[i];
    PARE_TRY(add_rules(m, arena, rules, &n));
    out->mapping = (pare_mapping){ rules, n };
    return PARE_OK;
}
