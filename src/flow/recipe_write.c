/* SPDX-License-Identifier: Apache-2.0 */
/* recipe_write.c - a recipe back to JSON, so that what options and measurements said can be repeated elsewhere */
#include <string.h>

#include "base/outfile.h"
#include "base/status.h"
#include "flow/recipe.h"

/* Keys are separated by commas and spaces; `first` begins an object. */
static pare_status write_key(pare_outfile *to, const char *key, bool *first)
{
    const char *const comma = *first ? "" : ", ";

    *first = false;
    return pare_outfile_printf(to, "%s\"%s\": ", comma, key);
}

/* Quotes, backslashes and control characters need an escape; everything else may stand in JSON as it is. */
static pare_status write_text(pare_outfile *to, const char *key, const char *text, bool *first)
{
    PARE_TRY(write_key(to, key, first));
    PARE_TRY(pare_outfile_write(to, "\"", 1));
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;

        if (c < 0x20)
            PARE_TRY(pare_outfile_printf(to, "\\u%04x", c));
        else
            PARE_TRY(pare_outfile_printf(to, c == '"' || c == '\\' ? "\\%c" : "%c", c));
    }
    return pare_outfile_write(to, "\"", 1);
}

static pare_status write_int(pare_outfile *to, const char *key, int number, bool *first)
{
    PARE_TRY(write_key(to, key, first));
    return pare_outfile_printf(to, "%d", number);
}

static pare_status write_config(pare_outfile *to, const pare_qconfig *c, bool *first)
{
    if (c->mode)
        PARE_TRY(write_text(to, "mode", pare_recipe_mode_name(c->mode), first));
    if (c->observer)
        PARE_TRY(write_text(to, "observer", c->observer, first));
    if (c->weight_bits)
        PARE_TRY(write_int(to, "weight_bits", c->weight_bits, first));
    if (c->activation_bits)
        PARE_TRY(write_int(to, "activation_bits", c->activation_bits, first));
    if (c->granularity) {
        PARE_TRY(write_key(to, "per_tensor", first));
        PARE_TRY(pare_outfile_printf(to, c->granularity == PARE_PER_TENSOR ? "true" : "false"));
    }
    return PARE_OK;
}

static pare_status write_rule(pare_outfile *to, const pare_rule *rule, bool *first_rule)
{
    const char *const key = rule->kind == PARE_RULE_OP ? "op" : rule->kind == PARE_RULE_GLOB ? "glob" : "name";
    bool              first = true;

    PARE_TRY(pare_outfile_printf(to, "%s\n  {", *first_rule ? "" : ","));
    *first_rule = false;
    PARE_TRY(write_text(to, key, rule->pattern, &first));
    PARE_TRY(write_config(to, &rule->config, &first));
    if (rule->config.reason)
        PARE_TRY(write_text(to, "reason", rule->config.reason, &first));
    return pare_outfile_printf(to, "}");
}

static pare_status write_all(pare_outfile *to, const pare_recipe *r, const pare_quantize_options *o)
{
    const pare_mapping all = { r->rules, r->n };
    pare_qconfig       global = { 0 };
    bool               first = true, first_rule = true;

    for (int i = 0; i < all.n; i++)
        if (all.rules[i].kind == PARE_RULE_GLOBAL)
            pare_qconfig_overlay(&global, &all.rules[i].config);
    PARE_TRY(pare_outfile_printf(to, "{"));
    PARE_TRY(write_config(to, &global, &first));
    if (o->samples)
        PARE_TRY(write_int(to, "samples", o->samples, &first));
    if (o->target)
        PARE_TRY(write_text(to, "target", o->target, &first));
    PARE_TRY(write_key(to, "layers", &first));
    PARE_TRY(pare_outfile_printf(to, "["));
    for (int i = 0; i < all.n; i++)
        if (all.rules[i].kind != PARE_RULE_GLOBAL)
            PARE_TRY(write_rule(to, &all.rules[i], &first_rule));
    return pare_outfile_printf(to, "%s]}\n", first_rule ? "" : "\n");
}

pare_status pare_recipe_write(const pare_recipe *r, const pare_quantize_options *o, const char *path)
{
    pare_outfile *to;

    PARE_TRY(pare_outfile_open(path, &to));
    const pare_status status = write_all(to, r, o);

    if (status == PARE_OK)
        return pare_outfile_commit(to);
    pare_outfile_discard(to);
    return status;
}
