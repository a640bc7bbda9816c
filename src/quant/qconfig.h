/* SPDX-License-Identifier: Apache-2.0 */
/* qconfig.h - what is to be done to which layer: settings, and rules that give settings to layers */
#ifndef PARE_QUANT_QCONFIG_H
#define PARE_QUANT_QCONFIG_H

#include <pare/quantize.h>

/* What `with` says replaces what *c says. */
void pare_qconfig_overlay(pare_qconfig *c, const pare_qconfig *with);

/* Fills a qconfig's zero fields with the defaults. */
pare_qconfig pare_qconfig_resolve(const pare_qconfig *config);

/*
 * The settings for a layer: the rules of a mapping by rising priority: global, op type, glob, exact name; among
 * equals the later one. A field that a stronger rule leaves at zero falls through to the weaker ones.
 */
pare_qconfig pare_mapping_find(const pare_mapping *mapping, const char *op, const char *node);

/* Shell pattern with * and ? against a whole name. */
bool pare_glob_match(const char *pattern, const char *name);

#endif
