/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recurrent_int.c - the products of dynamic_lstm and dynamic_gru: rows of x and h are quantized as they come, weights
 * are s8 (NUMERICS.md 7)
 *
 * A product is (float)acc * (sx * sw[n]). Where the two parts are sums of their own (dynamic_gru) x's is product + Wb
 * and the state's product + Rb; a gate that goes on with x's part gets (x's + product) + Rb. In dynamic_lstm x's part
 * is the bare product and the gate is (x's + product) + (Wb + Rb).
 */
#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "kernels/qconv/qconv.h"
#include "kernels/quantize/quantize.h"
#include "ops/recurrent.h"

/* Whether x's part has a bias of its own: that of the first gate decides for all. */
static bool own_bias(const pare_recurrent *r)
{
    return pare_recurrent_splits(r, 0);
}

static float state_bias(const pare_recurrent *r, int64_t row)
{
    const float rb = pare_recurrent_rb(r, row);

    return own_bias(r) ? rb : pare_recurrent_wb(r, row) + rb;
}

/* ------------------------------------------------------------------------------------------------------- definition */

/* Codes of one row with gate row `row` of W or R. */
static float product(const pare_tensor *w, int d, int64_t row, const uint8_t *codes, float scale)
{
    const int8_t *const wr = (const int8_t *)w->data + d * w->stride[0] + row * w->stride[1];
    const float         sw = w->q->scale[w->q->n > 1 ? row : 0];
    int64_t             acc = 0;

    for (int64_t k = 0; k < w->shape.dim[2]; k++)
        acc += (codes[k] - 128) * wr[k * w->stride[2]];
    return (float)(int32_t)acc * (scale * sw);
}

/* By the definition: the last version is portable C. */
static float quantize_row(const float *x, uint8_t *codes, long n)
{
    const pare_quantize_kernel *kernel;

    pare_quantize_candidates(0, &kernel, 1);
    return pare_quantize_dynamic(kernel, x, codes, n);
}

static void ref_input(const pare_recurrent *r, const float *x, ptrdiff_t x_row, int rows, float *z)
{
    for (int i = 0; i < rows; i++) {
        const float scale = quantize_row(x + i * x_row, r->room.codes, (long)r->in);

        for (int64_t n = 0; n < r->width; n++) {
            const float v = product(r->call->in[PARE_RNN_W], r->d, n, r->room.codes, scale);
            z[i * r->width + n] = own_bias(r) ? v + pare_recurrent_wb(r, n) : v;
        }
    }
}

static void ref_state(const pare_recurrent *r, int which, const float *a, ptrdiff_t a_row, float *z, bool onto)
{
    int64_t first, count;

    pare_recurrent_span(r, which, &first, &count);
    for (int64_t b = 0; b < r->batch; b++) {
        const float scale = quantize_row(a + b * a_row, r->room.codes, (long)r->hidden);

        for (int64_t n = 0; n < count; n++) {
            float *const to = &z[b * r->width + n];
            const float  v = product(r->call->in[PARE_RNN_R], r->d, first + n, r->room.codes, scale);
            *to = (onto ? *to + v : v) + state_bias(r, first + n);
        }
    }
}

const pare_recurrent_products pare_recurrent_int_ref = { true, ref_input, ref_state };

/* --------------------------------------------------------------------------------------------------------- planned */

typedef struct packed_int {
    pare_recurrent_state        head;
    const pare_quantize_kernel *quantize;
    const char                 *kernel; /* of the products with R                                 */
    pare_step                  *step;   /* while it is prepared: its choice, and where weights go */
    struct {
        pare_qconv_plan *w, *sum[2], *onto[2]; /* R by itself, with the bias; and to be added: without */
        float           *bias;                 /* [G*H] state_bias                                     */
    } of[2];
} packed_int;

static void release(void *state)
{
    packed_int *const p = state;

    for (int d = 0; d < 2; d++) {
        pare_qconv_destroy(p->of[d].w);
        for (int i = 0; i < 2; i++) {
            pare_qconv_destroy(p->of[d].sum[i]);
            pare_qconv_destroy(p->of[d].onto[i]);
        }
        pare_free(p->of[d].bias);
    }
    pare_free(p);
}

static void quantize(const packed_int *p, const float *a, ptrdiff_t a_row, int64_t rows, int64_t n,
                     const pare_recurrent_room *room)
{
    for (int64_t i = 0; i < rows; i++)
        room->scale[i] = pare_quantize_dynamic(p->quantize, a + i * a_row, room->codes + i * n, (long)n);
}

static void input(const pare_recurrent *r, const float *x, ptrdiff_t x_row, int rows, float *z)
{
    const packed_int *const p = r->packed;

    quantize(p, x, x_row, rows, r->in, &r->room);
    const pare_qconv_args args = { .x = r->room.codes, .y = z, .row_scales = r->room.scale, .batch = rows };

    pare_qconv_run(p->of[r->d].w, &args, 0, 1);
}

static void state(const pare_recurrent *r, int which, const float *a, ptrdiff_t a_row, float *z, bool onto)
{
    const packed_int *const p = r->packed;
    int64_t                 first, count;

    pare_recurrent_span(r, which, &first, &count);
    quantize(p, a, a_row, r->batch, r->hidden, &r->room);
    const pare_qconv_args args = {
        .x = r->room.codes, .y = onto ? r->room.sum : z, .row_scales = r->room.scale, .batch = (int)r->batch
    };

    pare_qconv_run(onto ? p->of[r->d].onto[which] : p->of[r->d].sum[which], &args, 0, 1);
    for (int64_t b = 0; b < r->batch && onto; b++) {
        float *const       to = z + b * r->width;
        const float *const bias = p->of[r->d].bias + first, *const sum = r->room.sum + b * r->width;

        for (int64_t n = 0; n < count; n++)
            to[n] = (to[n] + sum[n]) + bias[n];
    }
}

/* Rows first .. first + n of W or R, and the bias that their products get, or NULL. */
typedef struct gate_rows {
    const pare_tensor *w;
    int64_t            first, n;
    const float       *bias;
} gate_rows;

/* Of the direction r->d; rows of the result are G*H floats. */
static pare_status pack(const pare_recurrent *r, packed_int *p, const gate_rows *g, pare_qconv_plan **out)
{
    const pare_tensor *const w = g->w;
    const int64_t            in = w->shape.dim[2];
    const int8_t *const      from = (const int8_t *)w->data + r->d * w->stride[0] + g->first * w->stride[1];
    int8_t *const            rows = pare_malloc((size_t)(g->n * in));
    const ptrdiff_t          x_step = (ptrdiff_t)in, y_step = (ptrdiff_t)(r->width * (int64_t)sizeof(float));
    const bool               per_row = w->q->n > 1;
    const pare_qconv_desc    desc = {
           .in_c = (int)in,
           .out_c = (int)g->n,
           .out_h = 1,
           .out_w = 1,
           .w = rows,
           .x = { x_step, x_step, x_step },
           .y = { y_step, y_step, y_step },
           .channels = { .sw = w->q->scale + (per_row ? g->first : 0),
                         .n_sw = per_row ? (int)g->n : 1,
                         .sx = 1,
                         .zx = 128 },
           .out = { .kind = PARE_QKIND_F32_ROWS, .bias_f32 = g->bias },
           .store = p->step->store,
    };
    const pare_qconv_kernel *kernel[PARE_MAX_CHOICES];

    if (!rows)
        return pare_fail_memory((size_t)(g->n * in), "recurrent weights");
    for (int64_t i = 0; i < g->n && !pare_store_is_filled(desc.store); i++)
        for (int64_t k = 0; k < in; k++)
            rows[i * in + k] = from[i * w->stride[1] + k * w->stride[2]];
    const int         i = pare_step_choose(p->step, pare_qconv_candidates(&desc, r->cpu, kernel, PARE_MAX_CHOICES));
    const pare_status status = pare_qconv_create(&desc, kernel[i], out);

    p->kernel = pare_qconv_kernel_name(kernel[i]);
    pare_free(rows);
    return status;
}

static pare_status fill(const pare_recurrent *r, packed_int *p)
{
    const int                d = r->d;
    const pare_tensor *const w = r->call->in[PARE_RNN_W], *const rec = r->call->in[PARE_RNN_R];
    float *const bias = pare_malloc(sizeof(*bias) * (size_t)r->width);

    p->of[d].bias = bias;
    if (!bias)
        return pare_fail_memory(sizeof(*bias) * (size_t)r->width, "biases");
    for (int64_t n = 0; n < r->width; n++)
        bias[n] = pare_recurrent_wb(r, n);
    PARE_TRY(pack(r, p, &(gate_rows){ w, 0, r->width, own_bias(r) ? bias : NULL }, &p->of[d].w));
    for (int64_t n = 0; n < r->width; n++)
        bias[n] = state_bias(r, n);
    for (int which = 0; which < 2; which++) {
        int64_t first, count;

        pare_recurrent_span(r, which, &first, &count);
        if (count == 0)
            continue;
        /* Only the first product of a cell whose two parts are sums of their own stands alone. */
        const bool alone = own_bias(r) && which == 0;

        PARE_TRY(pack(r, p, &(gate_rows){ rec, first, count, alone ? bias + first : NULL },
                      alone ? &p->of[d].sum[which] : &p->of[d].onto[which]));
    }
    return PARE_OK;
}

pare_status pare_recurrent_prepare_int(const pare_call *call, const pare_recurrent_cell *cell, pare_step *step)
{
    static const pare_recurrent_products planned = { true, input, state };
    pare_recurrent                       r;

    if (pare_shape_count(&call->in[PARE_RNN_W]->shape) == 0 || pare_shape_count(&call->in[PARE_RNN_R]->shape) == 0)
        return PARE_OK; /* the reference runs */
    packed_int *const p = pare_calloc(1, sizeof(*p));

    if (!p)
        return pare_fail_memory(sizeof(*p), "a recurrent op");
    step->state = p;
    step->release = release;
    p->head = (pare_recurrent_state){ cell, &planned };
    p->step = step;
    pare_quantize_candidates(step->cpu, &p->quantize, 1);
    pare_recurrent_of(call, cell, &planned, &r);
    r.cpu = step->cpu;
    for (r.d = 0; r.d < r.directions; r.d++)
        PARE_TRY(fill(&r, p));
    p->step = NULL;
    step->packed = 1 << PARE_RNN_W | 1 << PARE_RNN_R;
    step->kernel = p->kernel;
    step->scratch = pare_recurrent_scratch(&r);
    step->run = pare_recurrent_run;
    return PARE_OK;
}
