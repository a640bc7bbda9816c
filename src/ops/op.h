/* SPDX-License-Identifier: Apache-2.0 */
/*
 * op.h - what an operation is: a const descriptor over an attribute struct, and a call of it on tensors.
 *
 * Ops know tensors, not graphs. Running one is always infer -> (allocate outputs) -> forward, or, planned once and run
 * often, infer -> prepare -> run. Eager calls, the interpreter and the planner all go this way.
 */
#ifndef PARE_OPS_OP_H
#define PARE_OPS_OP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/store.h"
#include "tensor/tensor.h"

typedef struct pare_op   pare_op;
typedef struct pare_call pare_call;
typedef struct pare_step pare_step;

enum { PARE_MAX_CHOICES = 16 }; /* candidates of one step that the planner may choose from */
enum { PARE_MAX_OUTPUTS = 8, PARE_MAX_INTS = 16, PARE_MAX_FLOATS = 8 };

/* -------------------------------------------------------------------------------------------------- attributes */

typedef enum pare_attr_type {
    PARE_ATTR_INT,     /* int64_t                                              */
    PARE_ATTR_FLOAT,   /* float                                                */
    PARE_ATTR_STRING,  /* const char *, never NULL after defaults unless .s is */
    PARE_ATTR_STRINGS, /* as STRING: the list's entries joined by commas       */
    PARE_ATTR_INTS,    /* pare_ints                                            */
    PARE_ATTR_FLOATS,  /* pare_floats                                          */
    PARE_ATTR_DTYPE,   /* pare_dtype; ONNX spells it as its TensorProto number */
    PARE_ATTR_TENSOR,  /* const pare_tensor *, NULL when absent                */
    PARE_ATTR_GRAPH,   /* struct pare_graph *: a body (ops with PARE_HAS_BODY) */
} pare_attr_type;

/* A short list; n == 0 means "not given". ONNX lists longer than the room are refused by the importer. */
typedef struct pare_ints {
    int     n;
    int64_t v[PARE_MAX_INTS];
} pare_ints;

typedef struct pare_floats {
    int   n;
    float v[PARE_MAX_FLOATS];
} pare_floats;

/* One row of an op's attribute table. ONNX import and export, text IR and verifier read only this. */
typedef struct pare_attr {
    const char    *name; /* the ONNX name                                       */
    pare_attr_type type;
    size_t         offset;   /* in the op's attribute struct                        */
    int64_t        i;        /* default of INT and DTYPE                            */
    float          f;        /* default of FLOAT                                    */
    const char    *s;        /* default of STRING and STRINGS                       */
    bool           internal; /* ours, not ONNX's: never written to ONNX files      */
} pare_attr;

/* ------------------------------------------------------------------------------------------------------ traits */

enum {
    PARE_CAN_CLAMP = 1 << 0,           /* attribute struct has clamp_lo, clamp_hi: applied to the float result       */
    PARE_SELECTS = 1 << 1,             /* each output element is an input element (or zero): commutes with quantize  */
    PARE_ELEMENTWISE = 1 << 2,         /* out[i] depends on in[..][i] only (with broadcasting): any memory format    */
    PARE_WANTS_CHANNELS_LAST = 1 << 3, /* in[0] and out[0] are channels-last when planned (rank >= 3)                */
    PARE_HAS_BODY = 1 << 4,            /* holds graphs in attributes; exec runs them                                 */
    PARE_VIEW = 1 << 5,                /* out[0] is in[0]'s bytes under another shape when dense (reshape ...)       */
    PARE_SHAPE_ONLY = 1 << 6,          /* reads only the shape of in[0]: foldable as soon as shapes are known        */
    PARE_INTEGER = 1 << 7,             /* works on quantized integers through qparams (qconv, qadd ...)              */
    PARE_LINEAR_OP = 1 << 8,           /* y = x * w + b with weights in in[1], bias in in[2]: quantize weighted      */
};

/* ------------------------------------------------------------------------------------------------------- calls */

struct pare_call {
    const pare_op      *op;
    const void         *attrs; /* the op's struct, defaults filled in                  */
    int                 n_in, n_out;
    const pare_tensor **in;  /* [n_in]; NULL: optional input left out                */
    pare_tensor       **out; /* [n_out]; NULL: optional output not wanted            */
};

/* Bytes begin .. end-1, counted from the first element of an operand; none where end <= begin. */
typedef struct pare_span {
    ptrdiff_t begin, end;
} pare_span;

/* What planning one call leaves behind. The planner zeroes it before prepare and owns it afterwards. */
struct pare_step {
    unsigned    cpu;       /* in: feature word the kernels may use                                             */
    bool        bf16;      /* in: products of floats may round their operands to bf16, where that is fast      */
    int         choice;    /* in: which candidate to take; 0: the one that is best by rule                     */
    pare_store *store;     /* in: where packed constants go; NULL: heap memory of their own                    */
    int         n_choices; /* out: candidates that there are, all with equal bits; 0 or 1: nothing to choose */
    unsigned    packed;    /* out: bit i: run does not read in[i], a constant, any more: its bytes may go      */
    const char *kernel;    /* out: the version chosen, e.g. "conv_f32_12x32_avx512", for `pare plan`           */
    void       *state;     /* out: packed weights, tables; read-only once prepared, shared by all contexts     */
    void (*release)(void *state);
    size_t scratch; /* out: bytes wanted per part, 64-byte aligned                                      */
    /* out: does share `part` of `parts`; cannot fail, allocate, lock or start threads. NULL: the planner calls
     * op->forward on one thread. */
    void (*run)(const pare_step *step, const pare_call *call, int part, int parts, void *scratch);
    /* out, optional: which bytes of an operand that part of run reads (operand k < n_in: in[k]) or writes (out[k - n_in]).
     * They may be more than those that matter to it, not less. Parts wait for each other where these meet; NULL:
     * everywhere (ops/span.h). */
    pare_span (*span)(const pare_step *step, const pare_call *call, int operand, int part, int parts);
};

/*
 * For prepare: which of `n` candidates, best first and portable C last, step->choice means. Portable C is no choice
 * where there is anything else.
 */
int pare_step_choose(pare_step *step, int n);

/* -------------------------------------------------------------------------------------------------- descriptor */

struct pare_op {
    const char      *name;           /* snake_case, unique                                                          */
    const char      *onnx;           /* ONNX op_type, or NULL: ours (lowered ops, layout changes)                   */
    int              min_in, max_in; /* inputs; max_in -1: any number                                             */
    int              min_out, max_out;
    unsigned         traits;
    const pare_attr *attrs; /* ends with name == NULL; NULL: none                                      */
    size_t           attrs_size;

    /* Fills dtype, shape (and q, for integer ops) of every wanted output. Inputs have dtype and shape; their data is
     * set only where the values are known. PARE_ERR_DYNAMIC: the shape depends on data that is not known. */
    pare_status (*infer)(const pare_call *call);

    /* The reference: one thread, any strides, all data there. May fail on run-time data (index out of range). */
    pare_status (*forward)(const pare_call *call);

    /* Optional: plan time. in[i]->data is set for constants only; strides are final. */
    pare_status (*prepare)(const pare_call *call, pare_step *step);

    /*
     * Optional: whether sample i of every output, along axis 0, is made of sample i of the inputs in `carries` (bit k:
     * in[k]) and of the others, which are the same for all samples. Then a batch may run in pieces, whose calls differ in
     * dim[0] of those tensors only. NULL: as the traits ELEMENTWISE, WANTS_CHANNELS_LAST and VIEW say, else false.
     */
    bool (*by_sample)(const pare_call *call, unsigned carries);

    /*
     * Cases for the generic tests, one per line, ended by NULL: "f32[2,3,5,5] f32[4,3,3,3] ? strides=[2,2]". "?" is an
     * input left out, "s64{1,2}" a constant list, "s64[2,1]{1,2}" with a shape, "s64:5" a constant scalar, "u8[4]~0.5,7"
     * has scale and zero point, "-> 3" asks for that many outputs (else all up to three). NULL: has its own test.
     */
    const char *const *samples;
};

/* The list (ops.def). */
const pare_op *pare_op_find(const char *name); /* NULL: no such op */
const pare_op *pare_op_find_onnx(const char *onnx_type);
const pare_op *pare_op_at(int index); /* NULL past the end */

/* Fills an attribute struct with the table's defaults. */
void             pare_attrs_default(const pare_op *op, void *attrs);
const pare_attr *pare_attr_find(const pare_op *op, const char *name);

/* Checks input and output counts and dtypes known, then op->infer. The sentence starts with the op's name. */
pare_status pare_op_infer(const pare_call *call);

/* infer + allocate outputs (dense) + forward: the eager call. Of the outputs only q is read, by integer ops: zero the
 * structs otherwise. Outputs are released by the caller. */
pare_status pare_op_eval(const pare_call *call);

/* Messages for infer functions. Both return PARE_ERR_SHAPE or PARE_ERR_UNSUPPORTED / PARE_ERR_DYNAMIC. */
pare_status pare_op_bad_dtype(const pare_call *call, int input);
pare_status pare_op_needs_value(const pare_call *call, int input, const char *what);

#endif
