/* SPDX-License-Identifier: Apache-2.0 */
/* tape.h - what one walk back through a graph knows, by value; for this folder's files only */
#ifndef PARE_AUTOGRAD_TAPE_H
#define PARE_AUTOGRAD_TAPE_H

#include "autograd/autograd.h"

typedef struct pare_tape_entry {
    const pare_value *value;
    pare_value       *grad; /* the sum so far; NULL: none */
    bool              wanted;
} pare_tape_entry;

struct pare_tape {
    pare_graph      *g;
    const pare_node *at;      /* whose rule runs: nodes are named after it        */
    pare_tape_entry *entries; /* [n] of the values that were there before, by id  */
    int              n;
};

/* NULL: the value is none of them, but one that the walk has made. */
pare_tape_entry *pare_tape_entry_of(const pare_tape *t, const pare_value *v);

#endif
