/* SPDX-License-Identifier: Apache-2.0 */
/* module_rules.h - the settings of the parts of a network as rules over the nodes that they become */
#ifndef PARE_FLOW_MODULE_RULES_H
#define PARE_FLOW_MODULE_RULES_H

#include <pare/eager.h>

#include "base/arena.h"

/*
 * The options (NULL: defaults) with all rules, the weakest first: `mode` for everything (PARE_QMODE_DEFAULT: nothing),
 * those of the options, those of the parts. They live in the arena; strings of the options are borrowed.
 */
pare_status pare_module_rules(const pare_module *m, const pare_quantize_options *options, pare_qmode mode,
                              pare_arena *arena, pare_quantize_options *out);

#endif
