/* SPDX-License-Identifier: Apache-2.0 */
/* plan.h - the executable plan from inside: steps over values placed in one memory block */
#ifndef PARE_EXEC_PLAN_H
#define PARE_EXEC_PLAN_H

#include <pare/plan.h>

#include "graph/graph.h"

typedef struct pare_plan_options {
    unsigned cpu;       /* feature word kernels may use; 0 = pare_cpu_features()                */
    bool     reference; /* every step runs op->forward: the specification, slow (pare verify)   */
    bool     tune;      /* times every choice of every step and keeps the fastest; false: by rule */
    bool     bf16;      /* float products round their operands to bf16 where that is fast         */
    int64_t  slab;      /* samples that run together where they never meet; 0: by rule            */

    /* Of an earlier plan of the same graph (flow/plan_file.h); NULL: none. PARE_ERR_DATA where they do not fit. */
    const uint8_t *choices; /* [n_choices], one per step          */
    int            n_choices;
    pare_store    *packed; /* constants packed with these choices */
} pare_plan_options;

/*
 * Plans a graph whose shapes are all fixed and whose passes are done (flow/compile does both). Takes over the graph and
 * options->packed when it succeeds; on failure the caller still owns them. Constants that kernels have packed are
 * dropped from the graph.
 */
pare_status pare_plan_create(pare_graph *g, const pare_plan_options *options, pare_plan **out);

/* ------------------------------------------------------------------------------------------------ for context.c */

typedef enum pare_place_kind {
    PARE_PLACE_NONE,  /* nobody reads it                                        */
    PARE_PLACE_CONST, /* its bytes are in the graph                             */
    PARE_PLACE_INPUT, /* the caller's memory, given at each run (codes: BLOCK)  */
    PARE_PLACE_BLOCK, /* at `offset` of the context's block                     */
    PARE_PLACE_VIEW,  /* the bytes of value `root`, under another shape         */
    PARE_PLACE_SLICE, /* channels of value `root`, from byte `offset` of a pixel */
} pare_place_kind;

typedef struct pare_place {
    pare_place_kind kind;
    int             root;        /* VIEW, SLICE: id of the value that has the bytes               */
    int             input;       /* INPUT: index                                                  */
    size_t          offset;      /* BLOCK: first byte of its allocation; SLICE: see above         */
    size_t          bytes;       /* of the allocation, halo and guard included                    */
    size_t          interior;    /* bytes from the allocation's start to element [0, 0, ...]      */
    int             first, last; /* steps between which it must be kept                           */
} pare_place;

typedef struct pare_plan_step {
    const pare_node *node;
    pare_step        step;         /* kernel, state, scratch, run                    */
    bool             view;         /* nothing to do: what it makes is there already    */
    size_t           packed_bytes; /* of its constants in the store            */
} pare_plan_step;

struct pare_plan {
    pare_graph     *g;
    pare_plan_step *steps;
    int             n_steps;
    pare_tensor    *tensors; /* [n_values] strides as planned, data NULL except for constants */
    pare_place     *places;  /* [n_values]                                                    */
    int             n_values;
    int64_t         slabs;   /* runs of the steps for one inference: tensors have the samples of one       */
    pare_tensor    *whole;   /* [inputs + outputs] as the caller sees them                                 */
    bool           *carries; /* [n_values] has samples along axis 0                                      */
    size_t          block_bytes, scratch_bytes; /* scratch: per part */
    pare_store     *store;                      /* packed constants; NULL: none */
    unsigned        cpu;
    bool            reference, bf16;
    const char     *misfit; /* why a plan file was not used but written; NULL: it was used, or there is none */
};

/* The tensor of a value of the plan's graph, or of one around it: strides as planned, data for constants only. */
const pare_tensor *pare_plan_tensor(const pare_plan *p, const pare_value *v);

/* prepare.c: kernels and packed constants of all steps. On failure pare_plan_destroy cleans up. */
pare_status pare_plan_prepare(pare_plan *p, const pare_plan_options *options);

/* Prepares a step once more: candidate `choice`, constants into `store` (NULL: heap). Release it even after a failure. */
pare_status pare_plan_prepare_step(const pare_plan *p, const pare_plan_step *s, int choice, pare_store *store,
                                   pare_step *out);
void        pare_step_release(pare_step *step);

/* tune.c: the fastest choice of every step of a prepared plan, one byte per step; pare_free. */
pare_status pare_plan_tune(const pare_plan *p, uint8_t **choices);

/* context.c: the call of a step on the context's memory, once inputs are bound. */
const pare_call *pare_context_call(const pare_context *ctx, int step);

/* Writes the border of a channels-last value: 0, or its zero point. Part `part` of `parts`. */
void pare_halo_fill(const pare_value *v, const pare_tensor *t, int part, int parts);

/* The value whose border is written when step `step` makes output `output`: its home's, if nobody did yet; or NULL. */
const pare_value *pare_halo_owner(const pare_plan *p, int step, int output);

/* From the first to the last byte that this part of it writes. */
pare_span pare_halo_span(const pare_value *v, const pare_tensor *t, int part, int parts);

/* Strides and sizes of a value in its format; also used by choose_layout's cost notes. */
void pare_layout_of(const pare_value *v, pare_tensor *t, size_t *bytes, size_t *interior);

/* Offsets for places of kind BLOCK whose [first, last] overlap in time; returns the block's size. */
size_t pare_place_all(pare_place *places, int n);

#endif
