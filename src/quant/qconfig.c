/* SPDX-License-Identifier: Apache-2.0 */
/* qconfig.c - rules that give settings to layers */
#include "quant/qconfig.h"

#include <string.h>

/* Only the last star ever takes more: what an earlier one matched, a later one could match as well. */
bool pare_glob_match(const char *pattern, const char *name)
{
    const char *star = NULL, *from = NULL; /* behind the last star; where the name went on behind it */

    while (*name) {
        if (*pattern == '*') {
            star = ++pattern;
            from = name;
        } else if (*pattern == '?' || *pattern == *name) {
            pattern++, name++;
        } else if (star) {
            pattern = star;
            name = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return !*pattern;
}

static bool applies(const pare_rule *r, const char *op, const char *node)
{
    switch (r->kind) {
    case PARE_RULE_GLOBAL:
        return true;
    case PARE_RULE_OP:
        return strcmp(r->pattern, op) == 0;
    case PARE_RULE_GLOB:
        return pare_glob_match(r->pattern, node);
    default:
        return strcmp(r->pattern, node) == 0;
    }
}

void pare_qconfig_overlay(pare_qconfig *c, const pare_qconfig *with)
{
    c->reason = with->mode ? with->reason : c->reason; /* it belongs to the mode */
    c->mode = with->mode ? with->mode : c->mode;
    c->observer = with->observer ? with->observer : c->observer;
    c->weight_bits = with->weight_bits ? with->weight_bits : c->weight_bits;
    c->activation_bits = with->activation_bits ? with->activation_bits : c->activation_bits;
    c->granularity = with->granularity ? with->granularity : c->granularity;
}

pare_qconfig pare_qconfig_resolve(const pare_qconfig *config)
{
    pare_qconfig c = { .mode = PARE_QMODE_AUTO,
                       .observer = "histogram",
                       .weight_bits = 8,
                       .activation_bits = 8,
                       .granularity = PARE_PER_CHANNEL };

    pare_qconfig_overlay(&c, config);
    return c;
}

pare_qconfig pare_mapping_find(const pare_mapping *mapping, const char *op, const char *node)
{
    pare_qconfig c = { 0 };

    for (int kind = PARE_RULE_GLOBAL; kind <= PARE_RULE_NAME; kind++)
        for (int i = 0; i < mapping->n; i++)
            if ((int)mapping->rules[i].kind == kind && applies(&mapping->rules[i], op, node))
                pare_qconfig_overlay(&c, &mapping->rules[i].config);
    return pare_qconfig_resolve(&c);
}
