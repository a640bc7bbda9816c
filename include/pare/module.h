/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.h - networks as trees of modules: named parts with parameters
 *
 *     pare_module *net, *body;
 *     pare_module_create("sequential", &net, NULL);
 *     pare_module_add(net, "conv", "conv2d", "in=3 out=%d kernel=3 padding=1", width);
 *     pare_module_add(net, "act", "relu", NULL);
 *     status = pare_module_status(net);
 *
 * What a module is, its kind says (`pare list modules`); how it is made, its settings say: NAME=VALUE separated by
 * blanks, a value being a number, a list [2,1] or a word. Names of parameters are PyTorch's, so state dicts fit as
 * they are. A tree keeps its first failure: adding to a tree that failed does nothing, so one check at its end is
 * enough. The root owns all below it. Modules of one tree are used by one thread at a time.
 */
#ifndef PARE_MODULE_H
#define PARE_MODULE_H

#include <stddef.h>

#include <pare/nn.h>
#include <pare/quantize.h>
#include <pare/state.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct pare_module pare_module;

/*
 * A kind of module: one of the list, or the user's own, which must live as long as its modules. forward computes
 * out[n_out] (all NULL before) from in[n_in] by calls on the record; a failure stays in the record.
 */
typedef struct pare_module_kind {
    const char *name;     /* "conv2d"                                                                          */
    const char *about;    /* one line                                                                          */
    const char *settings; /* with defaults, "in= out= bias=1"; those without must be given; NULL: there are none */
    int         axes;     /* for kinds that differ by the number of spatial axes; else 0                        */
    int         max_in, max_out;   /* 0 = 1; -1: any number                                        */
    void (*build)(pare_module *m); /* adds parameters and parts; NULL: none                        */
    void (*forward)(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out, pare_var *out[]);
    const char *op; /* instead of forward: this operation, whose attributes are the settings                   */
} pare_module_kind;

PARE_API const pare_module_kind *pare_module_kind_at(int index);          /* the list; NULL past the end  */
PARE_API const pare_module_kind *pare_module_kind_find(const char *name); /* NULL: no such kind   */

/* ----------------------------------------------------------------------------------------------------------- making */

#if defined(__GNUC__)
#define PARE_SETTINGS(format_, first_) __attribute__((format(printf, format_, first_)))
#else
#define PARE_SETTINGS(format_, first_)
#endif

/* A root, by the name of its kind or by the kind; settings by printf, NULL: the defaults. */
PARE_API pare_status pare_module_create(const char *kind, pare_module **out, const char *settings, ...)
    PARE_SETTINGS(3, 4);
PARE_API pare_status pare_module_create_of(const pare_module_kind *kind, pare_module **out, const char *settings, ...)
    PARE_SETTINGS(3, 4);
PARE_API void pare_module_destroy(pare_module *root); /* NULL is fine */

/* A part of `parent` under a name without dots (NULL: its number). NULL: failed, and the tree knows why. */
PARE_API pare_module *pare_module_add(pare_module *parent, const char *name, const char *kind, const char *settings,
                                      ...) PARE_SETTINGS(4, 5);
PARE_API pare_module *pare_module_add_of(pare_module *parent, const char *name, const pare_module_kind *kind,
                                         const char *settings, ...) PARE_SETTINGS(4, 5);

/* Makes a root a part of another tree, which owns it from now on. */
PARE_API pare_status pare_module_adopt(pare_module *parent, const char *name, pare_module *root);

/* The first failure of the tree that m belongs to; its sentence becomes pare_error() again. NULL: PARE_ERR_ARG. */
PARE_API pare_status pare_module_status(const pare_module *m);

/* ------------------------------------------------------------------------------------- for kinds: settings, weights */

PARE_API int64_t     pare_module_int(const pare_module *m, const char *setting);
PARE_API float       pare_module_real(const pare_module *m, const char *setting);
PARE_API const char *pare_module_word(const pare_module *m, const char *setting);
/* values[n] from a list of n, or n times one number. */
PARE_API void pare_module_ints(const pare_module *m, const char *setting, int n, int values[]);

typedef enum pare_init_kind { PARE_INIT_CONSTANT, PARE_INIT_UNIFORM, PARE_INIT_NORMAL } pare_init_kind;

/* What a parameter starts as: all `value`, uniform in -value .. value, or normal with standard deviation `value`. */
typedef struct pare_init {
    pare_init_kind kind;
    float          value;
} pare_init;

/* A trained f32 parameter; it begins as zeros, see pare_module_init. */
PARE_API void pare_module_param(pare_module *m, const char *name, const pare_shape *shape, pare_init init);
/* What belongs to the state dict but is not trained: running statistics (all `value`). */
PARE_API void pare_module_buffer(pare_module *m, const char *name, pare_dtype dtype, const pare_shape *shape,
                                 float value);
PARE_API void pare_module_set_init(pare_module *m, const char *name,
                                   pare_init init); /* of a parameter that is there  */

/* The variable of a parameter or buffer of m, for forward; NULL when m has none of that name (a bias left out). */
PARE_API pare_var *pare_module_var(const pare_module *m, pare_record *r, const char *name);

/* ---------------------------------------------------------------------------------------------------------- looking */

PARE_API const pare_module_kind *pare_module_kind_of(const pare_module *m);
PARE_API const char             *pare_module_name(const pare_module *m); /* "" for a root */
PARE_API pare_module            *pare_module_parent(const pare_module *m);
PARE_API pare_module            *pare_module_child(const pare_module *m, int index);       /* NULL past the last */
PARE_API pare_module            *pare_module_find(const pare_module *m, const char *path); /* "layer1.0.conv1"; NULL */

/* Shows the tree line by line, indented, with the settings that are not the defaults. */
PARE_API void pare_module_print(const pare_module *m, void (*line)(void *user, const char *text), void *user);

/* ---------------------------------------------------------------------------------------------------------- weights */

/*
 * Fills all parameters below m as PyTorch's constructors do, buffers with their constants. Numbers follow from the
 * seed and the name of the parameter alone.
 */
PARE_API pare_status pare_module_init(pare_module *m, uint64_t seed);

/* Parameters and buffers below m by dotted names, in the order of PyTorch's state_dict(); put into `state`. */
PARE_API pare_status pare_module_state(const pare_module *m, pare_state *state);

typedef struct pare_load_options {
    const char *except; /* glob over names ("fc.*") that are neither wanted nor taken; NULL: none */
} pare_load_options;

/*
 * Takes all parameters and buffers below m from a state dict, bytes copied, half precision widened. All or nothing:
 * names that are missing, not expected or of another shape are listed together in the sentence (PARE_ERR_SHAPE).
 * Options may be NULL.
 */
PARE_API pare_status pare_module_load(pare_module *m, const pare_state *state, const pare_load_options *options);

PARE_API const pare_tensor *pare_module_tensor(const pare_module *m,
                                               const char        *path); /* "conv1.weight"; NULL: none  */
PARE_API pare_status pare_module_set(pare_module *m, const char *path, const pare_tensor *t); /* copied          */
PARE_API int64_t     pare_module_parameters(const pare_module *m); /* trained numbers below m */

/* -------------------------------------------------------------------------------------------------------------- use */

/* One variable in, one out. NULL when it failed; the record knows why. */
PARE_API pare_var *pare_forward(const pare_module *m, pare_record *r, pare_var *x);
/* The same of the part `name` of m. */
PARE_API pare_var *pare_forward_child(const pare_module *m, pare_record *r, const char *name, pare_var *x);
/* Any number; in[i] NULL: left out. */
PARE_API void pare_forward_all(const pare_module *m, pare_record *r, int n_in, pare_var *const in[], int n_out,
                               pare_var *out[]);

/*
 * What a module runs as. A module exists once: quantizing it (eager.h) gives it a graph that it runs instead of its
 * parts, by itself or inside of a larger network, which may be of any form.
 */
typedef enum pare_form {
    PARE_FORM_FLOAT = 0,      /* its parts                                                   */
    PARE_FORM_OBSERVED,       /* in float, while observers watch what runs through it        */
    PARE_FORM_FAKE_QUANTIZED, /* in float, rounded as the quantized one: while it is trained */
    PARE_FORM_QUANTIZED,      /* on integers with fixed scales                               */
    PARE_FORM_DYNAMIC,        /* on integers with scales chosen as it runs                   */
} pare_form;

PARE_API pare_form         pare_module_form(const pare_module *m);
PARE_API const char       *pare_form_name(pare_form form);          /* "float", "observed" ... */
PARE_API const pare_graph *pare_module_graph(const pare_module *m); /* what it runs; NULL: its parts */

/*
 * Settings of quantization for m and everything below it that has none of its own; copied, NULL takes them away. A
 * mode of PARE_QMODE_FLOAT keeps a part in float.
 */
PARE_API pare_status         pare_module_set_qconfig(pare_module *m, const pare_qconfig *config);
PARE_API const pare_qconfig *pare_module_qconfig(const pare_module *m); /* its own; NULL: none */

/* Takes weights back from a graph that pare_trace made of m and that was trained since: its constants, by their
 * names. */
PARE_API pare_status pare_module_take(pare_module *m, const pare_graph *trained);

/* One input of a network that is traced. */
typedef struct pare_trace_input {
    const char *name; /* NULL: "input", "input_1" ...                                */
    pare_dtype  dtype;
    pare_shape  shape; /* PARE_DIM_ANY in front: the graph is for any batch */
} pare_trace_input;

/*
 * The network as a graph, with its parameters as constants of their dotted names (bytes shared; later changes of the
 * module leave the graph as it is) and nodes named after the modules that called them. training: see
 * pare_record_options.
 */
PARE_API pare_status pare_trace(const pare_module *m, int n_in, const pare_trace_input *in, bool training,
                                pare_graph **out);

#ifdef __cplusplus
}
#endif
#endif
