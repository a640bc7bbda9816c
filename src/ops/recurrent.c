/* SPDX-License-Identifier: Apache-2.0 */
/* recurrent.c - shapes of recurrent ops, and the walk over time that all of them share */
#include "ops/recurrent.h"

#include <string.h>

#include "base/alloc.h"
#include "base/status.h"
#include "ops/call.h"
#include "tensor/tensor.h"

enum { BLOCK_FLOATS = 1 << 16 }; /* of x's part: 256 KB, which a second-level cache holds */

static const struct {
    const char                *op;
    const pare_recurrent_cell *cell;
} cells[] = {
    { "lstm", &pare_lstm_cell },       { "dynamic_lstm", &pare_lstm_cell }, { "gru", &pare_gru_cell },
    { "dynamic_gru", &pare_gru_cell }, { "rnn", &pare_rnn_cell },
};

static const pare_recurrent_cell *cell_of(const pare_op *op)
{
    int i = 0;

    while (strcmp(cells[i].op, op->name) != 0)
        i++;
    return cells[i].cell;
}

static bool is_integer(const pare_op *op)
{
    return op->traits & PARE_INTEGER;
}

/* ----------------------------------------------------------------------------------------------------------- shapes */

static pare_status expect(const pare_call *call, int input, pare_dtype dtype, int rank, const int64_t *want)
{
    if (!pare_call_has(call, input))
        return PARE_OK;
    const pare_tensor *const t = call->in[input];

    if (t->dtype != dtype)
        return pare_op_bad_dtype(call, input);
    for (int i = 0; i < rank || t->shape.rank != rank; i++) {
        char text[PARE_SHAPE_TEXT], need[PARE_SHAPE_TEXT];
        if (t->shape.rank == rank && (t->shape.dim[i] == want[i] || t->shape.dim[i] < 0 || want[i] < 0))
            continue;
        const pare_shape wanted = pare_shape_of(rank, want);
        return pare_fail(PARE_ERR_SHAPE, "input %d has shape %s, expected %s", input, pare_shape_text(&t->shape, text),
                         pare_shape_text(&wanted, need));
    }
    return PARE_OK;
}

static int directions_of(const char *direction)
{
    if (!strcmp(direction, "bidirectional"))
        return 2;
    return !strcmp(direction, "forward") || !strcmp(direction, "reverse") ? 1 : 0;
}

static pare_status check_scales(const pare_call *call, int input, int64_t width)
{
    const pare_qparams *const q = call->in[input]->q;

    if (!q || q->block != 0 || (q->n > 1 && (q->axis != 1 || q->n != width)))
        return pare_fail(PARE_ERR_SHAPE, "the weights in input %d need one scale, or one per gate row (axis 1)", input);
    for (int i = 0; q->zero && i < q->n; i++)
        if (q->zero[i] != 0)
            return pare_fail(PARE_ERR_UNSUPPORTED, "weights with a zero point have no integer kernel");
    return PARE_OK;
}

static void set_outputs(const pare_call *call, bool batch_first, int64_t steps, int64_t batch, int64_t d, int64_t h)
{
    const pare_shape y = batch_first ? pare_shape_of(4, (const int64_t[]){ batch, steps, d, h })
                                     : pare_shape_of(4, (const int64_t[]){ steps, d, batch, h });
    const pare_shape state = batch_first ? pare_shape_of(3, (const int64_t[]){ batch, d, h })
                                         : pare_shape_of(3, (const int64_t[]){ d, batch, h });

    pare_call_out(call, 0, PARE_f32, &y);
    pare_call_out(call, 1, PARE_f32, &state);
    pare_call_out(call, 2, PARE_f32, &state);
}

pare_status pare_recurrent_infer(const pare_call *call)
{
    const pare_recurrent_cell  *cell = cell_of(call->op);
    const bool                  integer = is_integer(call->op);
    const pare_recurrent_attrs *a = call->attrs;
    const pare_shape           *x = &call->in[PARE_RNN_X]->shape, *r = &call->in[PARE_RNN_R]->shape;
    const int                   d = directions_of(a->direction);
    const pare_dtype            dtype = integer ? PARE_s8 : PARE_f32;

    if (d == 0)
        return pare_fail(PARE_ERR_ARG, "direction '%s' is not forward, reverse or bidirectional", a->direction);
    if (a->layout != 0 && a->layout != 1)
        return pare_fail(PARE_ERR_ARG, "layout is %lld, neither 0 nor 1", (long long)a->layout);
    if (x->rank != 3 || r->rank != 3)
        return pare_fail(PARE_ERR_SHAPE, "x and R have rank %d and %d, both need 3", x->rank, r->rank);
    const int64_t h = r->dim[2], width = cell->gates * h;
    const int64_t batch = x->dim[a->layout ? 0 : 1], steps = x->dim[a->layout ? 1 : 0];
    const int64_t state[3] = { a->layout ? batch : d, a->layout ? d : batch, h };

    if (h < 1 || (a->hidden_size > 0 && a->hidden_size != h) || width > INT32_MAX / 64 || x->dim[2] > INT32_MAX / 64)
        return pare_fail(PARE_ERR_SHAPE, "hidden_size is %lld, R has %lld columns", (long long)a->hidden_size,
                         (long long)h);
    PARE_TRY(expect(call, PARE_RNN_X, PARE_f32, 3, x->dim));
    PARE_TRY(expect(call, PARE_RNN_W, dtype, 3, (const int64_t[]){ d, width, x->dim[2] }));
    PARE_TRY(expect(call, PARE_RNN_R, dtype, 3, (const int64_t[]){ d, width, h }));
    PARE_TRY(expect(call, PARE_RNN_B, PARE_f32, 2, (const int64_t[]){ d, 2 * width }));
    PARE_TRY(expect(call, PARE_RNN_LENS, PARE_s32, 1, (const int64_t[]){ batch }));
    PARE_TRY(expect(call, PARE_RNN_H, PARE_f32, 3, state));
    PARE_TRY(expect(call, PARE_RNN_C, PARE_f32, 3, state));
    PARE_TRY(expect(call, PARE_RNN_P, PARE_f32, 2, (const int64_t[]){ d, 3 * h }));
    for (int i = PARE_RNN_W; i <= PARE_RNN_R && integer; i++)
        PARE_TRY(check_scales(call, i, width));
    PARE_TRY(pare_gates_parse(a, cell, d, NULL));
    set_outputs(call, a->layout == 1, steps, batch, d, h);
    return PARE_OK;
}

/* ------------------------------------------------------------------------------------------------------------ views */

static pare_tensor view(const pare_tensor *t, bool batch_first, const int *perm)
{
    if (!t)
        return (pare_tensor){ 0 };
    return batch_first ? pare_tensor_permuted(t, perm) : *t;
}

static const pare_tensor *input(const pare_call *call, int i)
{
    return pare_call_has(call, i) ? call->in[i] : NULL;
}

static const pare_tensor *output(const pare_call *call, int i)
{
    return i < call->n_out ? call->out[i] : NULL;
}

/* Files like to name the default activations. */
static bool default_gates(const pare_recurrent *r)
{
    static const pare_recurrent_attrs none;
    pare_gate                         gate[2][PARE_RNN_MAX_ACTIVATIONS];

    pare_gates_parse(&none, r->cell, r->directions, gate);
    for (int d = 0; d < r->directions; d++)
        for (int i = 0; i < r->cell->activations; i++)
            if (r->gate[d][i].function != gate[d][i].function)
                return false;
    return true;
}

void pare_recurrent_of(const pare_call *call, const pare_recurrent_cell *cell, const pare_recurrent_products *products,
                       pare_recurrent *r)
{
    static const int            swap[] = { 1, 0, 2 }, unroll[] = { 1, 2, 0, 3 };
    const pare_recurrent_attrs *a = call->attrs;
    const bool                  swapped = a->layout == 1;

    *r = (pare_recurrent){ .call = call, .a = a, .cell = cell, .products = products, .rows = &pare_rows_f32_ref };
    r->x = view(call->in[PARE_RNN_X], swapped, swap);
    r->h = view(input(call, PARE_RNN_H), swapped, swap);
    r->c = view(input(call, PARE_RNN_C), swapped, swap);
    r->y = view(output(call, 0), swapped, unroll);
    r->y_h = view(output(call, 1), swapped, swap);
    r->y_c = view(output(call, 2), swapped, swap);
    r->steps = r->x.shape.dim[0];
    r->batch = r->x.shape.dim[1];
    r->in = r->x.shape.dim[2];
    r->hidden = call->in[PARE_RNN_R]->shape.dim[2];
    r->width = cell->gates * r->hidden;
    r->directions = directions_of(a->direction);
    pare_gates_parse(a, cell, r->directions, r->gate); /* as infer did, so it cannot fail */
    r->plain = default_gates(r) && !(a->clip > 0) && !input(call, PARE_RNN_P) && !a->input_forget;
    r->block = r->batch > 0 ? BLOCK_FLOATS / (r->batch * r->width) : 1;
    r->block = r->block < 1 ? 1 : r->block > r->steps ? r->steps : r->block;
}

void pare_recurrent_span(const pare_recurrent *r, int which, int64_t *first, int64_t *n)
{
    const int64_t split = r->cell->first_product ? r->cell->first_product(r->a) * r->hidden : r->width;

    *first = which ? split : 0;
    *n = which ? r->width - split : split;
}

bool pare_recurrent_splits(const pare_recurrent *r, int64_t row)
{
    return r->cell->splits && r->cell->splits(r->a, (int)(row / r->hidden));
}

static float bias(const pare_recurrent *r, int64_t i)
{
    const pare_tensor *const b = input(r->call, PARE_RNN_B);

    return b ? ((const float *)b->data)[r->d * b->stride[0] + i * b->stride[1]] : 0;
}

float pare_recurrent_wb(const pare_recurrent *r, int64_t row)
{
    return bias(r, row);
}

float pare_recurrent_rb(const pare_recurrent *r, int64_t row)
{
    return bias(r, r->width + row);
}

bool pare_recurrent_active(const pare_recurrent *r, int64_t item, int64_t t)
{
    const pare_tensor *const lens = input(r->call, PARE_RNN_LENS);

    return !lens || t < ((const int32_t *)lens->data)[item * lens->stride[0]];
}

/* -------------------------------------------------------------------------------------------------- working memory */

/* The next `size` bytes, from a multiple of 64 on; `base` NULL only counts. */
static void *take(char *base, size_t *used, int64_t size)
{
    void *const at = base ? base + *used : NULL;

    *used += ((size_t)size + 63) / 64 * 64;
    return at;
}

/* Whether the rows of all steps and items lie at one distance, their floats side by side. */
static bool even_rows(const pare_tensor *x)
{
    return (x->stride[2] == 1 || x->shape.dim[2] == 1) &&
           (x->shape.dim[0] == 1 || x->shape.dim[1] == 1 || x->stride[0] == x->shape.dim[1] * x->stride[1]);
}

static size_t lay_out(const pare_recurrent *r, char *base, pare_recurrent_room *room)
{
    const int64_t f = sizeof(float), rows = r->block * r->batch;
    const int64_t codes = rows * r->in > r->batch * r->hidden ? rows * r->in : r->batch * r->hidden;
    const bool    integer = r->products->integer;
    size_t        used = 0;

    room->h = take(base, &used, f * r->batch * r->hidden);
    room->c = take(base, &used, r->cell->has_c ? f * r->batch * r->hidden : 0);
    room->z = take(base, &used, f * rows * r->width);
    room->s = take(base, &used, f * r->batch * r->width);
    room->x = take(base, &used, even_rows(&r->x) ? 0 : f * rows * r->in);
    room->scale = take(base, &used, integer ? f * (rows > r->batch ? rows : r->batch) : 0);
    room->codes = take(base, &used, integer ? codes + 64 : 0);
    room->sum = take(base, &used, integer ? f * r->batch * r->width : 0);
    return used;
}

size_t pare_recurrent_scratch(const pare_recurrent *r)
{
    pare_recurrent_room room;

    return lay_out(r, NULL, &room);
}

/* ------------------------------------------------------------------------------------------------------------ time */

static void copy_row(float *to, int64_t to_step, const float *from, int64_t from_step, int64_t n)
{
    if (to_step == 1 && from_step == 1)
        memcpy(to, from, sizeof(*to) * (size_t)n);
    else
        for (int64_t i = 0; i < n; i++)
            to[i * to_step] = from[i * from_step];
}

/* Row (i, j) of a view [.., .., n]. */
static float *row_of(const pare_tensor *t, int64_t i, int64_t j)
{
    return (float *)t->data + i * t->stride[0] + j * t->stride[1];
}

static void load_state(const pare_recurrent *r, const pare_tensor *from, float *to)
{
    if (!from->data) {
        memset(to, 0, sizeof(*to) * (size_t)(r->batch * r->hidden));
        return;
    }
    for (int64_t b = 0; b < r->batch; b++)
        copy_row(to + b * r->hidden, 1, row_of(from, r->d, b), from->stride[2], r->hidden);
}

static void store_state(const pare_recurrent *r, const pare_tensor *to, const float *from)
{
    for (int64_t b = 0; b < r->batch && to->data; b++)
        copy_row(row_of(to, r->d, b), to->stride[2], from + b * r->hidden, 1, r->hidden);
}

/* The states after step t, zeros for items that have ended. */
static void store_step(const pare_recurrent *r, int64_t t)
{
    static const float zero = 0;

    for (int64_t b = 0; b < r->batch && r->y.data; b++) {
        float *const y = (float *)r->y.data + t * r->y.stride[0] + r->d * r->y.stride[1] + b * r->y.stride[2];

        if (pare_recurrent_active(r, b, t))
            copy_row(y, r->y.stride[3], r->room.h + b * r->hidden, 1, r->hidden);
        else
            copy_row(y, r->y.stride[3], &zero, 0, r->hidden);
    }
}

/* x's part of `count` steps from step `first` on. */
static void input_block(const pare_recurrent *r, int64_t first, int64_t count)
{
    const int64_t rows = count * r->batch;
    const float  *x = row_of(&r->x, first, 0);
    int64_t       step = r->batch > 1 ? r->x.stride[1] : r->x.stride[0];

    if (!even_rows(&r->x)) {
        for (int64_t i = 0; i < rows; i++) {
            const float *const from = row_of(&r->x, first + i / r->batch, i % r->batch);
            copy_row(r->room.x + i * r->in, 1, from, r->x.stride[2], r->in);
        }
        x = r->room.x;
        step = r->in;
    }
    r->products->input(r, x, (ptrdiff_t)step, (int)rows, r->room.z);
}

static void run_direction(pare_recurrent *r, int d)
{
    const pare_recurrent_room *const room = &r->room;
    const bool                       backward = d == 1 || !strcmp(r->a->direction, "reverse");

    r->d = d;
    load_state(r, &r->h, room->h);
    if (r->cell->has_c)
        load_state(r, &r->c, room->c);
    for (int64_t done = 0, count; done < r->steps; done += count) {
        count = r->steps - done < r->block ? r->steps - done : r->block;
        const int64_t first = backward ? r->steps - done - count : done;

        input_block(r, first, count);
        for (int64_t i = 0; i < count; i++) {
            const int64_t at = backward ? count - 1 - i : i;

            r->cell->step(r, first + at, room->z + at * r->batch * r->width);
            store_step(r, first + at);
        }
    }
    store_state(r, &r->y_h, room->h);
    if (r->cell->has_c)
        store_state(r, &r->y_c, room->c);
}

pare_status pare_recurrent_forward(const pare_call *call)
{
    pare_recurrent r;

    pare_recurrent_of(call, cell_of(call->op), is_integer(call->op) ? &pare_recurrent_int_ref : &pare_recurrent_f32_ref,
                      &r);
    const size_t bytes = pare_recurrent_scratch(&r);
    char *const  base = pare_malloc_aligned(bytes);

    if (!base)
        return pare_fail_memory(bytes, "recurrent states");
    lay_out(&r, base, &r.room);
    for (int d = 0; d < r.directions; d++)
        run_direction(&r, d);
    pare_free_aligned(base);
    return PARE_OK;
}

void pare_recurrent_walk(pare_recurrent *r, void *scratch)
{
    lay_out(r, scratch, &r->room);
    for (int d = 0; d < r->directions; d++)
        run_direction(r, d);
}

/* A step needs the one before it: only the directions, which know nothing of each other, are shared out. */
void pare_recurrent_run(const pare_step *step, const pare_call *call, int part, int parts, void *scratch)
{
    const pare_recurrent_state *const s = step->state;
    pare_recurrent                    r;

    pare_recurrent_of(call, s->cell, s->products, &r);
    r.packed = s;
    r.cpu = step->cpu;
    r.rows = pare_rows_f32_best(step->cpu);
    lay_out(&r, scratch, &r.room);
    for (int d = part; d < r.directions; d += parts)
        run_direction(&r, d);
}

static bool constant_weights(const pare_call *call)
{
    return call->in[PARE_RNN_W]->data && call->in[PARE_RNN_R]->data &&
           (!pare_call_has(call, PARE_RNN_B) || call->in[PARE_RNN_B]->data);
}

pare_status pare_recurrent_prepare(const pare_call *call, pare_step *step)
{
    if (pare_shape_count(&call->in[PARE_RNN_X]->shape) <= 0 || (!constant_weights(call) && is_integer(call->op)))
        return PARE_OK; /* the reference runs */
    if (!constant_weights(call))
        return pare_recurrent_prepare_live(call, cell_of(call->op), step);
    if (is_integer(call->op))
        return pare_recurrent_prepare_int(call, cell_of(call->op), step);
    return pare_recurrent_prepare_f32(call, cell_of(call->op), step);
}
