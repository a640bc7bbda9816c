/* SPDX-License-Identifier: Apache-2.0 */
/* module.h - a module from inside */
#ifndef PARE_NN_MODULE_H
#define PARE_NN_MODULE_H

#include <pare/module.h>

#include "base/arena.h"
#include "nn/record.h"

/* A parameter or a buffer. Its bytes are never written to once they are shared: new ones take their place. */
typedef struct pare_slot {
    const char       *name;
    pare_tensor       t;
    pare_init         init;
    bool              trained;
    struct pare_slot *next;
} pare_slot;

typedef struct pare_setting {
    const char *name, *value; /* value NULL: not given yet */
    bool        usual;        /* it is the default         */
} pare_setting;

/* What a module runs instead of its parts. run fills out[n_out] with tensors of their own. All zero: nothing. */
typedef struct pare_module_body {
    pare_form         form;
    const pare_graph *graph; /* what calls append where they are recorded; NULL: they cannot be; `state` has it */
    pare_status (*run)(void *state, pare_pool *pool, int n_in, const pare_tensor *const in[], int n_out,
                       pare_tensor out[]);
    void (*release)(void *state);
    void *state;
} pare_module_body;

struct pare_module {
    const pare_module_kind *kind;
    const char             *name;
    pare_arena             *arena; /* the root's where it was made */
    bool                    owns_arena;
    pare_module            *parent, *first, *last, *next;
    pare_slot              *slots, *last_slot;
    pare_setting           *settings; /* [n_settings] */
    int                     n_settings;
    const char             *attrs; /* settings as attributes of kind->op */
    pare_module_body        body;
    const pare_qconfig     *qconfig; /* NULL: none of its own */
    pare_status             status;  /* of the tree: the root's counts     */
    const char             *sentence;
};

#define PARE_MODULE_KIND(name_) extern const pare_module_kind pare_module_kind_##name_;
#include "nn/modules.def"
#undef PARE_MODULE_KIND

pare_module *pare_module_root(const pare_module *m);

/* Keeps the tree's first failure with the path of m in front; returns it. */
pare_status pare_module_fail(const pare_module *m, pare_status status);

/* "layer1.0.conv1" from the root, or from `top` where it lies above m. Cut to PARE_PATH. */
void pare_module_path(const pare_module *m, const pare_module *top, char text[PARE_PATH]);

/* Fills m->settings from its kind's defaults and the text (NULL: none). */
pare_status pare_module_read_settings(pare_module *m, const char *text);

/* Calls fn for every slot below m, in the order of a state dict, with its dotted name from m. Stops at a failure. */
pare_status pare_module_each_slot(const pare_module *m,
                                  pare_status (*fn)(void *user, const char *path, pare_slot *slot), void *user);

/* Gives it something else to run, and releases what it had; NULL: its parts again. */
void pare_module_set_body(pare_module *m, const pare_module_body *body);

/* Calls the body of a module that has one. */
void pare_module_run_body(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                          pare_var *out[]);

pare_slot *pare_module_slot(const pare_module *m, const char *name); /* of m alone; NULL: none */

/* The forward of sequential, for other kinds whose parts come one after the other. */
void pare_sequential_forward(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                             pare_var *out[]);

#endif
