/* SPDX-License-Identifier: Apache-2.0 */
/* measure.c - how good one output of one model is; sums in double, front to back */
#include "flow/measure.h"

#include <math.h>

#include "base/status.h"
#include "tensor/tensor.h"

/* The first of the largest; NaN is never larger. */
static int32_t largest(const float *y, int64_t n)
{
    int64_t best = 0;

    for (int64_t i = 1; i < n; i++)
        if (y[i] > y[best] || y[best] != y[best])
            best = i;
    return (int32_t)best;
}

/* How many outputs come before `label` when sorted, equal ones in their order; what is no number is never found. */
static int64_t rank_of(const float *y, int64_t n, int64_t label)
{
    int64_t rank = 0;

    for (int64_t i = 0; i < n; i++)
        rank += y[i] > y[label] || (i < label && y[i] == y[label]);
    return y[label] == y[label] ? rank : INT64_MAX;
}

static double minus_log_softmax(const float *y, int64_t n, int64_t label)
{
    const double most = y[largest(y, n)];
    double       sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += exp(y[i] - most);
    return log(sum) - (y[label] - most); /* cppcheck-suppress invalidFunctionArg */
}

/* Models that end in Softmax give probabilities: none negative, sum 1. Int8 ones are off by up to half a step each. */
static bool are_probabilities(const float *y, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++) {
        if (!(y[i] >= 0))
            return false;
        sum += y[i];
    }
    return fabs(sum - 1) < 1e-3 + (double)n / 512;
}

static double nll(const float *y, int64_t n, int64_t label)
{
    return are_probabilities(y, n) ? -log(fmax(y[label], 1e-12)) : minus_log_softmax(y, n, label);
}

/* One prediction. Equal outputs keep their order. */
static void measure_label(const float *y, int64_t n, int64_t label, bool logits, pare_measures *m)
{
    const int64_t rank = rank_of(y, n, label);

    m->labelled++;
    m->top1 += rank == 0;
    m->top5 += rank < 5;
    m->nll += logits ? minus_log_softmax(y, n, label) : nll(y, n, label);
}

/* out: [1, length, vocabulary]. Position p predicts token p + 1 of the window, the last one the label behind it. */
static pare_status measure_tokens(const pare_measured *what, const pare_tensor *out, pare_measures *m, int32_t *classes)
{
    const int64_t *const tokens = what->sample;
    const int64_t        length = pare_shape_count(&what->shape);
    const int64_t        width = out->shape.rank ? out->shape.dim[out->shape.rank - 1] : 0;

    if (out->shape.rank < 2 || pare_shape_count(&out->shape) != length * width)
        return pare_fail(PARE_ERR_SHAPE, "the first output must be [1, %lld, vocabulary] to predict tokens",
                         (long long)length);
    for (int64_t p = what->first_token; p < length; p++) {
        const float *const y = (const float *)out->data + p * width;
        const int64_t      token = p + 1 < length ? tokens[p + 1] : what->label;

        classes[m->predicted++] = largest(y, width);
        if (token >= width)
            return pare_fail(PARE_ERR_DATA, "token %lld is outside the vocabulary of %lld", (long long)token,
                             (long long)width);
        if (token >= 0)
            measure_label(y, width, token, true, m);
    }
    return PARE_OK;
}

static double squares(const float *a, const float *b, int64_t n)
{
    double sum = 0;

    for (int64_t i = 0; i < n; i++)
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sum;
}

/* Equal shapes apart from the batch in front of the output. */
static bool is_reconstruction(const pare_measured *what, const pare_tensor *out)
{
    if (out->shape.rank != what->shape.rank + 1 || what->shape.rank == 0)
        return false;
    for (int i = 0; i < what->shape.rank; i++)
        if (out->shape.dim[i + 1] != what->shape.dim[i])
            return false;
    return true;
}

/* One number per class: at most one dimension is not 1. The maps of a detector are something else. */
static bool is_choice(const pare_tensor *out)
{
    int wide = 0;

    for (int i = 0; i < out->shape.rank; i++)
        wide += out->shape.dim[i] != 1;
    return wide <= 1;
}

pare_status pare_measure(const pare_measured *what, const pare_tensor *out, pare_measures *m, int32_t *classes)
{
    const int64_t n = pare_shape_count(&out->shape);

    if (out->dtype != PARE_f32 || n < 1)
        return pare_fail(PARE_ERR_UNSUPPORTED, "the first output is %s, only f32 can be measured",
                         pare_dtype_name(out->dtype));
    /* A text is classified as a whole, or every token of it is to foretell the next. */
    if (what->dtype == PARE_s64 && !(is_choice(out) && pare_shape_count(&what->shape) > 1))
        return measure_tokens(what, out, m, classes);

    const float *const y = out->data;
    if (what->dtype == PARE_f32 && is_reconstruction(what, out)) {
        m->input_squares = squares(y, what->sample, n);
        m->input_compared = n;
        return PARE_OK;
    }
    if (!is_choice(out))
        return PARE_OK;
    classes[0] = largest(y, n);
    m->predicted = 1;
    if (what->label < 0)
        return PARE_OK;
    if (what->label >= n)
        return pare_fail(PARE_ERR_DATA, "the label is %d, but the model has %lld outputs", what->label, (long long)n);
    measure_label(y, n, what->label, false, m);
    return PARE_OK;
}

pare_status pare_measure_difference(const pare_tensor *out, const pare_tensor *first, pare_measures *m)
{
    if (out->dtype != PARE_f32 || first->dtype != PARE_f32 ||
        pare_shape_count(&out->shape) != pare_shape_count(&first->shape)) {
        char a[PARE_SHAPE_TEXT], b[PARE_SHAPE_TEXT];

        return pare_fail(PARE_ERR_SHAPE, "outputs cannot be compared: %s%s is expected, the model gives %s%s",
                         pare_dtype_name(first->dtype), pare_shape_text(&first->shape, b), pare_dtype_name(out->dtype),
                         pare_shape_text(&out->shape, a));
    }
    m->compared = pare_shape_count(&out->shape);
    m->squares = squares(out->data, first->data, m->compared);
    return PARE_OK;
}

void pare_measures_add(pare_measures *sum, const pare_measures *m)
{
    sum->predicted += m->predicted;
    sum->labelled += m->labelled;
    sum->top1 += m->top1;
    sum->top5 += m->top5;
    sum->nll += m->nll;
    sum->squares += m->squares;
    sum->compared += m->compared;
    sum->input_squares += m->input_squares;
    sum->input_compared += m->input_compared;
}
