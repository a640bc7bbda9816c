/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recurrent_grad.h - back through time: gradients of an LSTM's and a GRU's sums before their gates, one direction
 *
 * All states are known from the forward pass, so the sums z of all steps come in as products of whole matrices, and so
 * do the gradients of weights from what goes out here; what is left is the way from step to step:
 *
 *   lstm_grad(z [T,B,4H], R [4H,H], dy [T,B,H], c0, dh, dc [B,H], lens s32 [B]) -> dz [T,B,4H], dh0, dc0
 *   gru_grad(zx, zs [T,B,3H], h [T,B,H], R [3H,H], dy [T,B,H], dh [B,H], lens s32 [B]) -> dzx, dzs [T,B,3H], dh0
 *
 * dy, c0, dh, dc and lens may be left out; dh and dc are those of the last states, h is the state before each step.
 * Gates and formulas are those of lstm.c and gru.c (linear_before_reset 1), each operation rounded; dh = dz R is one
 * chain of fmaf per element. Parts share the items of the batch.
 */
#ifndef PARE_OPS_RECURRENT_GRAD_H
#define PARE_OPS_RECURRENT_GRAD_H

#include "kernels/gemm_f32/gemm_f32.h"
#include "kernels/unary_f32/unary_f32.h"
#include "ops/op.h"

typedef struct pare_back pare_back;

/* What the two cells differ in. */
typedef struct pare_back_cell {
    int  gates;
    int  z, r;                       /* where sums and weights are                                          */
    int  dy, lens;                   /* and what may be left out                                            */
    bool keeps_c;                    /* room for c is wanted                                                */
    void (*run)(const pare_back *j); /* the whole way back                                                  */
} pare_back_cell;

/* One share of a call: items first .. first + n - 1. */
struct pare_back {
    const pare_call            *call;
    const pare_back_cell       *cell;
    const pare_gemm_f32_kernel *kernel; /* NULL: the definitions */
    unsigned                    cpu;
    bool                        reverse;                        /* the last step comes first */
    int64_t                     steps, first, n, hidden, width; /* width: a row of z */
    const float                *packed;                         /* R, for dz R       */
    float                      *c;                              /* [T+1][n][H]       */
    float                      *dh, *dc, *product;              /* [n][H]            */
    float                      *dz, *other;                     /* [n][width]        */
    float                      *row;                            /* [2 * width]       */
};

extern const pare_back_cell pare_lstm_back, pare_gru_back;

const pare_tensor *pare_back_input(const pare_back *j, int input); /* NULL: left out */
/* Step number s of the way forward, and whether item `item` of the share takes it. */
int64_t pare_back_step(const pare_back *j, int64_t s);
bool    pare_back_active(const pare_back *j, int64_t item, int64_t t);

/* Row `item` of step t of a tensor [T,B,n], as n numbers side by side. */
void pare_back_get(const pare_back *j, const pare_tensor *t, int64_t step, int64_t item, float *to);
/* dh of an item += dy of step t. */
void pare_back_add_dy(const pare_back *j, int64_t t, int64_t item);

/* States [B,H] between tensors and rows; inputs that are left out are zeros. */
void pare_back_load(const pare_back *j, int input, float *to);
void pare_back_store(const pare_back *j, int output, const float *from);
/* Rows [n][width] of step t. */
void pare_back_store_step(const pare_back *j, int output, int64_t t, const float *from);

void pare_back_apply(const pare_back *j, pare_unary_f32 f, int64_t n, float *x); /* x = f(x)       */
void pare_back_through(const pare_back *j, const float *dz);                     /* product = dz R */

/* Of both descriptors: rows of the attributes, and their functions. */
extern const pare_attr pare_back_attrs[];
enum { PARE_BACK_ATTRS_SIZE = sizeof(int64_t) };
pare_status pare_back_infer(const pare_call *call);
pare_status pare_back_forward(const pare_call *call);
pare_status pare_back_prepare(const pare_call *call, pare_step *step);

#endif
