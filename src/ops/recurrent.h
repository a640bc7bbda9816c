/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recurrent.h - what lstm, gru, rnn and their integer forms share: attributes, shapes, the walk over time
 *
 * Inputs, in ONNX's places: x [T,B,I], W [D,G*H,I], R [D,G*H,H], bias [D,2*G*H] (Wb, then Rb), sequence_lens s32 [B],
 * initial_h [D,B,H], initial_c [D,B,H], peepholes [D,3*H] (i, o, f). Outputs: Y [T,D,B,H], Y_h [D,B,H], Y_c [D,B,H].
 * With layout 1 x and Y have B in front and the states are [B,D,H]. D is 2 for "bidirectional", G the number of gates.
 *
 * Every form is three pieces: a cell (the gates of one step), products (float chains or integer sums, each as the
 * definition and with packed weights) and the walk over time, which forward and run have in common.
 */
#ifndef PARE_OPS_RECURRENT_H
#define PARE_OPS_RECURRENT_H

#include "kernels/rows_f32/rows_f32.h"
#include "ops/op.h"

enum {
    PARE_RNN_X,
    PARE_RNN_W,
    PARE_RNN_R,
    PARE_RNN_B,
    PARE_RNN_LENS,
    PARE_RNN_H,
    PARE_RNN_C,
    PARE_RNN_P,
    PARE_RNN_INPUTS
};
enum { PARE_RNN_MAX_ACTIVATIONS = 3 };

typedef struct pare_recurrent_attrs {
    pare_floats activation_alpha, activation_beta;
    const char *activations; /* joined by commas; NULL: those of the op */
    float       clip;        /* 0: none                                 */
    const char *direction;   /* forward, reverse, bidirectional         */
    int64_t     hidden_size, layout;
    int64_t     input_forget;        /* lstm */
    int64_t     linear_before_reset; /* gru  */
} pare_recurrent_attrs;

/* Rows of their attribute tables; S is pare_recurrent_attrs. */
#define PARE_RECURRENT_ROWS(S)                                                               \
    PARE_ATTR_ROW_FLOATS(S, activation_alpha), PARE_ATTR_ROW_FLOATS(S, activation_beta),     \
        PARE_ATTR_ROW_STRINGS(S, activations), PARE_ATTR_ROW_FLOAT(S, clip, 0),              \
        PARE_ATTR_ROW_STRING(S, direction, "forward"), PARE_ATTR_ROW_INT(S, hidden_size, 0), \
        PARE_ATTR_ROW_INT(S, layout, 0)

/* One activation function of ONNX's list. */
typedef struct pare_gate {
    int   function; /* of unary_f32.def, or one of the two below */
    float param[2];
} pare_gate;
enum { PARE_GATE_AFFINE = -1, PARE_GATE_SCALED_TANH = -2 }; /* a * x + b, a * tanh(b * x) */

typedef struct pare_recurrent pare_recurrent;

/* Working memory of one direction; floats are aligned to 64 bytes. */
typedef struct pare_recurrent_room {
    float   *h, *c; /* [B][H]                                                                  */
    float   *z;     /* [block * B][G*H]                                                        */
    float   *s;     /* [B][G*H]: the state's part, where it is a sum of its own                */
    float   *x;     /* [block * B][I], when x's rows do not lie at one distance                */
    float   *scale; /* [block * B]: of codes                                                   */
    uint8_t *codes; /* [block * B][I] or [B][H], and 64 bytes behind                           */
    float   *sum;   /* [B][G*H]: integer products before they are added                        */
} pare_recurrent_room;

/* The gates of one cell type. */
typedef struct pare_recurrent_cell {
    int         gates, activations;
    const char *defaults; /* names of the activations, as in the attribute */
    bool        has_c;
    /* Whether x's part of a gate and the state's part are sums of their own, one with Wb, one with Rb; otherwise, and
     * where this is NULL, the state's part goes on with x's. */
    bool (*splits)(const pare_recurrent_attrs *a, int gate);
    /* So many gates are one product with h; the rest (gru without linear_before_reset) is another. NULL: all are one. */
    int (*first_product)(const pare_recurrent_attrs *a);
    /* From z [B][G*H], x's part, and the room's h and c the new ones, for the items that are active. */
    void (*step)(const pare_recurrent *r, int64_t t, float *z);
} pare_recurrent_cell;

/* The products of a form. Rows of z are G*H floats; a is [B] rows of H floats at distance a_row. */
typedef struct pare_recurrent_products {
    bool integer; /* room for codes is needed */
    /* z [rows][G*H] = x's part of all gates */
    void (*input)(const pare_recurrent *r, const float *x, ptrdiff_t x_row, int rows, float *z);
    /* z = the state's part of the gate rows of product `which`; `onto`: continuing what z holds */
    void (*state)(const pare_recurrent *r, int which, const float *a, ptrdiff_t a_row, float *z, bool onto);
} pare_recurrent_products;

/* One call, its views brought to layout 0. Tensors that are left out have no data. */
struct pare_recurrent {
    const pare_call               *call;
    const pare_recurrent_attrs    *a;
    const pare_recurrent_cell     *cell;
    const pare_recurrent_products *products;
    const void                    *packed; /* of the products, when planned */
    const pare_rows_f32_kernel    *rows;
    unsigned                       cpu; /* 0: portable C */
    int64_t                        steps, batch, in, hidden;
    int                            directions;
    int64_t                        width; /* G * H */
    pare_tensor                    x, y, y_h, y_c, h, c;
    pare_gate                      gate[2][PARE_RNN_MAX_ACTIVATIONS];
    bool                           plain; /* default activations, no clip, no peepholes, no coupled gates */
    int64_t                        block; /* steps whose input products are made at once */
    int                            d;     /* the direction that is under way, and its memory */
    pare_recurrent_room            room;
};

/* The gate rows of product `which`: the first, and how many. */
void pare_recurrent_span(const pare_recurrent *r, int which, int64_t *first, int64_t *n);

/* The biases of gate row `row`, 0 where there are none, and the cell's `splits` of its gate. */
float pare_recurrent_wb(const pare_recurrent *r, int64_t row);
float pare_recurrent_rb(const pare_recurrent *r, int64_t row);
bool  pare_recurrent_splits(const pare_recurrent *r, int64_t row);

/* Whether item `item` of the batch still has a step `t`. */
bool pare_recurrent_active(const pare_recurrent *r, int64_t item, int64_t t);

/* Checks and resolves activation names; out may be NULL (names are checked only). */
pare_status pare_gates_parse(const pare_recurrent_attrs *a, const pare_recurrent_cell *cell, int directions,
                             pare_gate out[2][PARE_RNN_MAX_ACTIVATIONS]);

/* v [n] = f(clip(v)) */
void pare_gate_apply(const pare_recurrent *r, const pare_gate *g, float *v);

extern const pare_recurrent_cell pare_lstm_cell, pare_gru_cell, pare_rnn_cell;

/* The pieces of descriptors. The op's name decides the cell, PARE_INTEGER the products. */
pare_status pare_recurrent_infer(const pare_call *call);
pare_status pare_recurrent_forward(const pare_call *call);
pare_status pare_recurrent_prepare(const pare_call *call, pare_step *step);
void        pare_recurrent_run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch);

/* For prepare: the call's views, and the scratch that run wants. */
size_t pare_recurrent_scratch(const pare_recurrent *r);
void pare_recurrent_of(const pare_call *call, const pare_recurrent_cell *cell, const pare_recurrent_products *products,
                       pare_recurrent *r);

/* The call on items first .. last - 1 of the batch; it points into the struct, which must stay where it is. */
typedef struct pare_recurrent_share {
    pare_call          call;
    const pare_tensor *in[PARE_RNN_INPUTS];
    pare_tensor       *out[3], t_in[PARE_RNN_INPUTS], t_out[3];
} pare_recurrent_share;

void pare_recurrent_share_of(const pare_call *call, int64_t first, int64_t last, pare_recurrent_share *s);

/* The plan-time state of every form begins with what run needs to find its pieces. */
typedef struct pare_recurrent_state {
    const pare_recurrent_cell     *cell;
    const pare_recurrent_products *products;
} pare_recurrent_state;

/* Both directions, with working memory in scratch. */
void pare_recurrent_walk(pare_recurrent *r, void *scratch);

extern const pare_recurrent_products pare_recurrent_f32_ref, pare_recurrent_int_ref;
/* Where the weights and the bias are constants. */
pare_status pare_recurrent_prepare_f32(const pare_call *call, const pare_recurrent_cell *cell, pare_step *step);
/* Where they are not, as in training: packed at every run. */
pare_status pare_recurrent_prepare_live(const pare_call *call, const pare_recurrent_cell *cell, pare_step *step);
pare_status pare_recurrent_prepare_int(const pare_call *call, const pare_recurrent_cell *cell, pare_step *step);

#endif
