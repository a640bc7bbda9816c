/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - a record from inside: variables, the graph, the path of the module that is being called */
#ifndef PARE_NN_RECORD_H
#define PARE_NN_RECORD_H

#include <pare/nn.h>

#include "base/arena.h"
#include "graph/graph.h"
#include "nn/single.h"

enum { PARE_PATH = 512 }; /* bytes of a dotted name */

struct pare_var {
    pare_record *record;
    pare_tensor  t;       /* data NULL: only dtype and shape                          */
    pare_value  *value;   /* NULL: nothing is recorded                                */
    bool         setting; /* a small constant: part of what is called, not of its data */
    pare_var    *next;    /* all of the record                                        */
};

struct pare_record {
    pare_record_options options;
    pare_arena         *arena; /* of variables                          */
    pare_var           *vars;
    pare_graph         *g;      /* NULL: only runs                      */
    pare_map            params; /* by full name                         */
    pare_singles        singles;
    pare_status         status;
    char               *sentence;        /* of the failure                     */
    char                path[PARE_PATH]; /* of the module that is called; "": the outermost one */
    bool                leaf;            /* it has no children: its first node has its name       */
};

bool pare_record_runs(const pare_record *r);
bool pare_record_records(const pare_record *r);

/* Keeps the failure and its sentence, with the path in front; returns it. The first one stays. */
pare_status pare_record_fail(pare_record *r, pare_status status);

/* A variable for a tensor that the record then owns (t->buf), and its value in the graph or NULL. NULL: failed. */
pare_var *pare_record_add(pare_record *r, const pare_tensor *t, pare_value *value);

/* "path.name", or one of them where the other is empty; cut to PARE_PATH. */
void pare_record_name(const pare_record *r, const char *name, char text[PARE_PATH]);

#endif
