/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_recipe.c - recipes in JSON, for a model with one body */
#include <pare/recipe.h>

#include "fuzz.h"
#include "graph/graph.h"
#include "quant/observer.h"

static const char model_text[] = "%x = input f32[1,4]\n"
                                 "%c = input bool[]\n"
                                 "@w = const f32[4,4] seed=1\n"
                                 "%fc1 = matmul(%x, @w)\n"
                                 "%head/fc2 = matmul(%fc1, @w)\n"
                                 "%y = if(%c) then_branch={\n"
                                 "    %inner = relu(%fc1)\n"
                                 "    return %inner\n"
                                 "} else_branch={\n"
                                 "    return %head/fc2\n"
                                 "}\n"
                                 "return %y\n";

static void check(const pare_recipe *r)
{
    pare_quantize_options o = { 0 };

    pare_recipe_apply(r, &o);
    assert(o.samples >= 0);
    for (int i = 0; i < o.mapping.n; i++) {
        const pare_rule *rule = &o.mapping.rules[i];

        assert(rule->pattern && rule->config.mode >= PARE_QMODE_DEFAULT && rule->config.mode <= PARE_QMODE_FLOAT);
        assert(!rule->config.observer || pare_observer_find(rule->config.observer));
        assert(rule->config.weight_bits == 0 || (rule->config.weight_bits >= 2 && rule->config.weight_bits <= 8));
        (void)rule;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static pare_graph *model;
    char *const        text = fuzz_text(bytes, size);
    pare_recipe       *r;

    if (!model && pare_graph_parse(model_text, &model) != PARE_OK)
        abort();
    fuzz_watch w = fuzz_begin();

    if (fuzz_ok(&w, pare_recipe_create(model, &r))) {
        if (fuzz_ok(&w, pare_recipe_parse(r, text, "fuzz.json")))
            check(r);
        if (fuzz_ok(&w, pare_recipe_read(r, fuzz_file("fuzz.json", bytes, size))))
            check(r);
        pare_recipe_destroy(r);
    }
    free(text);
    fuzz_end(&w);
    return 0;
}
