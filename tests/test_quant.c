/* SPDX-License-Identifier: Apache-2.0 */
/* test_quant.c - histograms, observers, and the rules that give settings to layers */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "base/status.h"
#include "ops/op.h"
#include "quant/backend.h"
#include "quant/bins.h"
#include "quant/observer.h"
#include "quant/qconfig.h"
#include "tensor/qparams.h"

enum { MOST = 4096 };

static pare_tensor list(const float *x, int n)
{
    pare_tensor t = pare_tensor_of(PARE_f32, pare_shape_of(1, (const int64_t[]){ n }));

    t.data = (void *)(uintptr_t)x;
    return t;
}

static void see(const pare_observer *o, void *state, const float *x, int n)
{
    const pare_tensor t = list(x, n);

    if (o->see(state, &t) != PARE_OK)
        fail_msg("%s: %s", o->name, pare_error());
}

static void *state_of(const pare_observer *o)
{
    void *const state = pare_calloc(1, o->size);

    assert_non_null(state);
    return state;
}

/* ------------------------------------------------------------------------------------------------------------ sets */

/* Sets of numbers that are awkward for a histogram; each call continues the generator. */
typedef struct set {
    const char *name;
    float (*draw)(pare_rng *rng, int i);
} set;

static float gaussian(pare_rng *r, int i)
{
    (void)i;
    return pare_rng_normal(r);
}

static float wide(pare_rng *r, int i)
{
    return ldexpf(pare_rng_normal(r), i % 250 - 140);
}

static float positive(pare_rng *r, int i)
{
    return i % 3 ? fabsf(pare_rng_normal(r)) : 0;
}

static float negative(pare_rng *r, int i)
{
    (void)i;
    return -1000 - fabsf(pare_rng_normal(r)) * 1e-3f;
}

static float constant(pare_rng *r, int i)
{
    (void)r, (void)i;
    return -0.3f;
}

static float zero(pare_rng *r, int i)
{
    (void)r;
    return i % 2 ? 0.0f : -0.0f;
}

static float tiny(pare_rng *r, int i)
{
    return i % 5 ? pare_rng_normal(r) * 1e-43f : i % 2 ? -FLT_TRUE_MIN : FLT_TRUE_MIN;
}

static float tiny_and_large(pare_rng *r, int i)
{
    return i % 2 ? -1e-42f : 1e10f * pare_rng_normal(r);
}

static float huge(pare_rng *r, int i)
{
    return i % 7 == 0 ? FLT_MAX : i % 7 == 1 ? -FLT_MAX : pare_rng_normal(r) * 1e37f;
}

static float close_together(pare_rng *r, int i)
{
    (void)r;
    return i % 2 ? 1 : 1 + FLT_EPSILON;
}

static float outlier(pare_rng *r, int i)
{
    return i == 1234 ? 3e4f : pare_rng_normal(r);
}

static float codes(pare_rng *r, int i)
{
    (void)i;
    return (float)((int)(pare_rng_u64(r) % 256)) * 0.5f - 64;
}

static const set sets[] = {
    { "gaussian", gaussian }, { "wide", wide },
    { "positive", positive }, { "negative", negative },
    { "constant", constant }, { "zero", zero },
    { "tiny", tiny },         { "tiny_and_large", tiny_and_large },
    { "huge", huge },         { "close_together", close_together },
    { "outlier", outlier },   { "codes", codes },
};

enum { N_SETS = sizeof(sets) / sizeof(sets[0]) };

static void draw(const set *s, float *x, int n)
{
    pare_rng rng = pare_rng_seed(7);

    for (int i = 0; i < n; i++)
        x[i] = s->draw(&rng, i);
}

static void shuffle(float *x, int n, pare_rng *rng)
{
    for (int i = n - 1; i > 0; i--) {
        const int   j = (int)(pare_rng_u64(rng) % (uint64_t)(i + 1));
        const float t = x[i];

        x[i] = x[j];
        x[j] = t;
    }
}

/* ------------------------------------------------------------------------------------------------------------ bins */

/* The same numbers in another order, cut anywhere, into one state or into several that are merged. */
static void check_any_split(const pare_observer *o, const set *s, int n)
{
    float       x[MOST];
    pare_rng    rng = pare_rng_seed(3);
    void *const want = state_of(o);

    draw(s, x, n);
    see(o, want, x, n);
    for (int round = 0; round < 12; round++) {
        void *parts[3] = { state_of(o), state_of(o), state_of(o) };

        shuffle(x, n, &rng);
        for (int i = 0, m; i < n; i += m) {
            const int most = round % 3 == 0 ? 1 : round % 3 == 1 ? 40 : n;

            m = 1 + (int)(pare_rng_u64(&rng) % (uint64_t)most);
            m = m < n - i ? m : n - i;
            see(o, parts[round < 6 ? 0 : pare_rng_u64(&rng) % 3], x + i, m);
        }
        o->merge(parts[1], parts[2]);
        o->merge(parts[0], parts[1]);
        if (memcmp(parts[0], want, o->size) != 0)
            fail_msg("%s: another state for '%s', n %d, round %d", o->name, s->name, n, round);
        for (int k = 0; k < 3; k++)
            pare_free(parts[k]);
    }
    pare_free(want);
}

static void states_depend_on_the_set_only(void **state)
{
    const pare_observer *o;

    (void)state;
    for (int k = 0; (o = pare_observer_at(k)); k++)
        for (int i = 0; i < N_SETS && !o->ordered; i++)
            for (int n = 1; n <= MOST; n *= 8)
                check_any_split(o, &sets[i], n);
}

/* Every number is in the bin whose edges enclose it; counts, extremes and resolution are right. */
static void check_bins(const set *s, int n)
{
    float      x[MOST];
    pare_bins *b = pare_calloc(1, sizeof(*b));
    uint64_t   count[PARE_BINS] = { 0 };
    int64_t    zeros = 0;
    float      min = INFINITY, max = -INFINITY;

    draw(s, x, n);
    const pare_tensor t = list(x, n);

    assert_int_equal(pare_bins_see(b, &t), PARE_OK);
    for (int i = 0; i < n; i++) {
        min = fminf(min, x[i]), max = fmaxf(max, x[i]);
        if (x[i] == 0) {
            zeros++;
            continue;
        }
        int bin = 0;

        while (bin < PARE_BINS && !(pare_bins_left(b, bin) <= x[i] && x[i] < pare_bins_left(b, bin + 1)))
            bin++;
        if (bin == PARE_BINS)
            fail_msg("%s: %g is in no bin", s->name, (double)x[i]);
        count[bin]++;
    }
    assert_int_equal(b->seen, n);
    assert_int_equal(b->zeros, zeros);
    assert_true(b->min == min && b->max == max);
    assert_memory_equal(count, b->count, sizeof(count));
    /* Not wider than needed: at half the width the numbers would not fit, unless they are all the same. */
    int last = PARE_BINS - 1;

    while (last > 0 && !count[last])
        last--;
    if (b->counted && last > 0 && last < PARE_BINS / 2 - 1)
        fail_msg("%s: only %d bins are used", s->name, last + 1);
    pare_free(b);
}

static void bins_hold_their_numbers(void **state)
{
    (void)state;
    for (int i = 0; i < N_SETS; i++) {
        check_bins(&sets[i], 1);
        check_bins(&sets[i], 2);
        check_bins(&sets[i], 2000);
    }
}

/* Columns of a matrix with padding are counted like the same numbers in a row. */
static void strides_do_not_matter(void **state)
{
    float                matrix[6][40], dense[40 * 3];
    const pare_observer *o;
    pare_tensor          t = pare_tensor_of(PARE_f32, pare_shape_of(2, (const int64_t[]){ 40, 3 }));
    pare_rng             rng = pare_rng_seed(5);

    (void)state;
    for (int i = 0; i < 6; i++)
        for (int k = 0; k < 40; k++)
            matrix[i][k] = i % 2 ? NAN : pare_rng_normal(&rng);
    for (int i = 0; i < 40 * 3; i++)
        dense[i] = matrix[i % 3 * 2][i / 3];
    t.data = matrix;
    t.stride[0] = 1;
    t.stride[1] = 80;
    for (int k = 0; (o = pare_observer_at(k)); k++) {
        void *const a = state_of(o), *const b = state_of(o);

        assert_int_equal(o->see(a, &t), PARE_OK);
        see(o, b, dense, 40 * 3);
        assert_memory_equal(a, b, o->size);
        pare_free(a);
        pare_free(b);
    }
}

static void nan_and_infinity_are_refused(void **state)
{
    static const float   bad[] = { NAN, -NAN, INFINITY, -INFINITY };
    const pare_observer *o;

    (void)state;
    for (int k = 0; (o = pare_observer_at(k)); k++)
        for (int i = 0; i < 4; i++) {
            float       x[40] = { 1, 2, 3 };
            void *const a = state_of(o), *const b = state_of(o);

            see(o, a, x, 40);
            see(o, b, x, 40);
            x[i * 13] = bad[i];
            const pare_tensor t = list(x, 40);

            assert_int_equal(o->see(a, &t), PARE_ERR_NUMERIC);
            assert_non_null(strstr(pare_error(), "NaN"));
            assert_memory_equal(a, b, o->size); /* nothing of the batch counts */
            pare_free(a);
            pare_free(b);
        }
}

static void nothing_seen_has_no_range(void **state)
{
    const pare_observer *o;
    const pare_tensor    empty = list(NULL, 0);
    float                min, max;

    (void)state;
    for (int k = 0; (o = pare_observer_at(k)); k++) {
        void *const a = state_of(o), *const b = state_of(o);

        assert_int_equal(o->range(a, 256, &min, &max), PARE_ERR_NUMERIC);
        assert_int_equal(o->see(a, &empty), PARE_OK);
        assert_int_equal(o->range(a, 256, &min, &max), PARE_ERR_NUMERIC);
        if (o->merge) {
            see(o, b, (const float[]){ -1, 2 }, 2);
            o->merge(a, b);
            assert_memory_equal(a, b, o->size);
            memset(b, 0, o->size);
            o->merge(a, b);
            assert_int_equal(o->range(a, 256, &min, &max), PARE_OK);
        }
        pare_free(a);
        pare_free(b);
    }
}

/* ----------------------------------------------------------------------------------------------------------- ranges */

static void range_of(const char *observer, const float *x, int n, int levels, float *min, float *max)
{
    const pare_observer *o = pare_observer_find(observer);
    void *const          s = state_of(o);

    see(o, s, x, n);
    assert_int_equal(o->range(s, levels, min, max), PARE_OK);
    pare_free(s);
}

/* Mean squared error of quantizing with this range, as it will be done: by pare_qparams_choose. */
static double error_of(const float *x, int n, float min, float max, int levels)
{
    const pare_qrange range = { 0, levels - 1 };
    float             scale;
    int32_t           zero_point;
    double            sum = 0;

    if (pare_qparams_choose(min, max, PARE_AFFINE, range, 0, &scale, &zero_point) != PARE_OK)
        fail_msg("%s", pare_error());
    for (int i = 0; i < n; i++) {
        const int    q = pare_quantize_one(x[i], scale, zero_point, range);
        const double d = (double)x[i] - (double)((float)(q - zero_point) * scale);

        sum += d * d;
    }
    return sum / n;
}

/* The least error of all ranges whose ends are multiples of 1 / STEPS of the extremes. */
static double least_error(const float *x, int n, float min, float max, int levels)
{
    enum { STEPS = 60 };
    double least = INFINITY;

    for (int i = min < 0; i <= (min < 0 ? STEPS : 0); i++)
        for (int k = max > 0; k <= (max > 0 ? STEPS : 0); k++) {
            const double e = error_of(x, n, min * (float)i / STEPS, max * (float)k / STEPS, levels);

            least = e < least ? e : least;
        }
    return least;
}

static float uniform(pare_rng *r, int i)
{
    (void)i;
    return (float)(pare_rng_u64(r) >> 40) / 8388608.0f - 1;
}

static float relu(pare_rng *r, int i)
{
    (void)i;
    return fmaxf(pare_rng_normal(r), 0);
}

static float far_outlier(pare_rng *r, int i)
{
    return i == 100 ? 60 : i == 200 ? -35 : pare_rng_normal(r);
}

static float two_clusters(pare_rng *r, int i)
{
    return (i % 2 ? 4.0f : -1.0f) + 0.1f * pare_rng_normal(r);
}

static float only_negative(pare_rng *r, int i)
{
    (void)i;
    return -expf(pare_rng_normal(r));
}

static void histogram_finds_the_best_range(void **state)
{
    static const set shapes[] = {
        { "uniform", uniform },     { "gaussian", gaussian },         { "relu", relu },
        { "outlier", far_outlier }, { "two clusters", two_clusters }, { "negative", only_negative },
    };
    static const int levels[] = { 256, 16 };
    enum { N = 3000 };
    float x[N];

    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++)
        for (int k = 0; k < 2; k++) {
            float min, max, lo, hi;

            draw(&shapes[i], x, N);
            range_of("min_max", x, N, levels[k], &min, &max);
            range_of("histogram", x, N, levels[k], &lo, &hi);
            min = fminf(min, 0), max = fmaxf(max, 0);
            assert_true(lo >= min && hi <= max && lo <= 0 && hi >= 0);

            const double got = error_of(x, N, lo, hi, levels[k]), want = least_error(x, N, min, max, levels[k]);

            if (got > want * 1.03)
                fail_msg("%s, %d levels: [%g, %g] gives an error of %g, %g is possible", shapes[i].name, levels[k],
                         (double)lo, (double)hi, got, want);
            /* Where numbers are spread evenly nothing is cut off; of a normal distribution 4 bits cut the tails. */
            if (shapes[i].draw == uniform) {
                /* The outer levels may lie in the middle of what they stand for. */
                const float half = 1.5f / (float)levels[k];

                assert_true(lo < (1 - half) * min && hi > (1 - half) * max);
            }
            if (shapes[i].draw == gaussian && levels[k] == 16)
                assert_true(lo > 0.9f * min && hi < 0.9f * max);
        }
}

static void histogram_of_few_numbers(void **state)
{
    float min, max;

    (void)state;
    range_of("histogram", (const float[]){ 5, 5, 5 }, 3, 256, &min, &max);
    assert_true(min == 0 && fabsf(max - 5) < 1e-3f);
    range_of("histogram", (const float[]){ -FLT_MAX, FLT_MAX }, 2, 256, &min, &max);
    assert_true(isfinite(min) && isfinite(max) && min < -1e38f && max > 1e38f);
    range_of("histogram", (const float[]){ FLT_TRUE_MIN }, 1, 256, &min, &max);
    assert_true(min == 0 && max == FLT_TRUE_MIN);
    range_of("histogram", (const float[]){ 0, -0.0f }, 2, 256, &min, &max);
    assert_true(min == 0 && max == 0);
}

static void percentile_leaves_out_the_tails(void **state)
{
    enum { N = 100000 };
    float *const x = pare_calloc(N, sizeof(*x));
    float        min, max;

    (void)state;
    for (int i = 0; i < N; i++)
        x[i] = (float)(i + 1) / N;
    for (int i = 0; i < 4; i++)
        x[i] = 1000, x[i + 4] = -1000; /* 4 of 100,000 at each end; 5 may go */
    range_of("percentile", x, N, 256, &min, &max);
    assert_true(min <= 0 && min > -1e-3f * 1000);
    assert_true(max <= 1.5f && max >= 0.99f);

    for (int i = 0; i < 10; i++)
        x[i] = 1000, x[i + 10] = -1000;
    range_of("percentile", x, N, 256, &min, &max);
    assert_true(min == -1000 && max == 1000);

    for (int i = 0; i < N; i++)
        x[i] = i % 2 ? 2 : 3;
    range_of("percentile", x, N, 256, &min, &max);
    assert_true(min == 0 && max == 3);
    for (int i = 0; i < N; i++)
        x[i] = 0;
    range_of("percentile", x, N, 256, &min, &max);
    assert_true(min == 0 && max == 0);
    x[0] = -1; /* a single number in 100,000 is an outlier even among zeros */
    range_of("percentile", x, N, 256, &min, &max);
    assert_true(max == 0 && min <= 0 && min >= -1);
    pare_free(x);
}

static void min_max_and_moving_average(void **state)
{
    const pare_observer *o = pare_observer_find("moving_average");
    void *const          s = state_of(o);
    float                min, max;

    (void)state;
    range_of("min_max", (const float[]){ 3, -FLT_MAX, FLT_TRUE_MIN, -0.0f, 7.5f }, 5, 256, &min, &max);
    assert_true(min == -FLT_MAX && max == 7.5f);
    range_of("min_max", (const float[]){ -2 }, 1, 16, &min, &max);
    assert_true(min == -2 && max == -2);

    assert_true(o->ordered && !o->merge);
    see(o, s, (const float[]){ -1, 2 }, 2);
    assert_int_equal(o->range(s, 256, &min, &max), PARE_OK);
    assert_true(min == -1 && max == 2);
    see(o, s, (const float[]){ -3, 12 }, 2);
    assert_int_equal(o->range(s, 256, &min, &max), PARE_OK);
    assert_true(min == -1 + 0.01f * (-3 + 1) && max == 2 + 0.01f * (12 - 2));
    pare_free(s);
}

static void observers_are_listed(void **state)
{
    const pare_observer *o;
    int                  n = 0;

    (void)state;
    assert_string_equal(pare_observer_at(0)->name, "histogram"); /* the default */
    for (; (o = pare_observer_at(n)); n++) {
        assert_ptr_equal(pare_observer_find(o->name), o);
        assert_true(o->name[0] && o->doc[0] && o->size > 0 && o->see && o->range);
        assert_true(o->ordered == !o->merge);
    }
    assert_true(n >= 4);
    assert_null(pare_observer_at(-1));
    assert_null(pare_observer_find("histogra"));
    assert_null(pare_observer_find(""));
}

/* ------------------------------------------------------------------------------------------------------------ rules */

static void globs(void **state)
{
    static const struct {
        const char *pattern, *name;
        bool        match;
    } cases[] = {
        { "", "", true },
        { "", "a", false },
        { "*", "", true },
        { "*", "abc", true },
        { "a*", "abc", true },
        { "*c", "abc", true },
        { "a*c", "abc", true },
        { "a*c", "abcd", false },
        { "a?c", "abc", true },
        { "a?c", "ac", false },
        { "?", "", false },
        { "**", "x", true },
        { "*.conv?.*", "b.conv1.w", true },
        { "*.conv?.*", "conv1.w", false },
        { "a*b*c", "a-b-b-c", true },
        { "a*b*c", "a-c-b", false },
        { "*aab", "aaaab", true },
        { "ab", "abc", false },
        { "[a]", "a", false },
        { "[a]", "[a]", true },
        { "A", "a", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (pare_glob_match(cases[i].pattern, cases[i].name) != cases[i].match)
            fail_msg("'%s' against '%s'", cases[i].pattern, cases[i].name);
    /* Many stars take no time to fail. */
    assert_false(
        pare_glob_match("*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
}

static void stronger_rules_win_field_by_field(void **state)
{
    const pare_rule rules[] = {
        { PARE_RULE_NAME, "conv1", { .weight_bits = 4 } },
        { PARE_RULE_GLOB, "conv*", { .weight_bits = 5, .observer = "min_max" } },
        { PARE_RULE_OP, "conv", { .weight_bits = 6, .observer = "percentile", .granularity = 2 } },
        { PARE_RULE_GLOBAL, NULL, { .weight_bits = 7, .mode = PARE_QMODE_STATIC } },
        { PARE_RULE_GLOB, "*1", { .observer = "moving_average" } },
        { PARE_RULE_NAME, "fc", { .mode = PARE_QMODE_FLOAT } },
        { PARE_RULE_NAME, "fc", { .mode = PARE_QMODE_DYNAMIC } },
    };
    const pare_mapping m = { rules, 7 }, none = { 0 };

    (void)state;
    const pare_qconfig c1 = pare_mapping_find(&m, "conv", "conv1"), c2 = pare_mapping_find(&m, "conv", "conv2");
    const pare_qconfig fc = pare_mapping_find(&m, "gemm", "fc"), d = pare_mapping_find(&none, "conv", "conv1");

    assert_int_equal(c1.weight_bits, 4);
    assert_string_equal(c1.observer, "moving_average");
    assert_int_equal(c1.granularity, 2);
    assert_int_equal(c1.mode, PARE_QMODE_STATIC);
    assert_int_equal(c2.weight_bits, 5);
    assert_string_equal(c2.observer, "min_max");
    assert_int_equal(fc.weight_bits, 7);
    assert_int_equal(fc.mode, PARE_QMODE_DYNAMIC);
    assert_string_equal(fc.observer, "histogram");
    assert_int_equal(d.mode, PARE_QMODE_AUTO);
    assert_int_equal(d.weight_bits, 8);
    assert_int_equal(d.granularity, 1);
    assert_string_equal(d.observer, "histogram");
}

static void backends_name_ops_that_exist(void **state)
{
    static const char *const named[] = {
#define PARE_QRULE(op, role, s, d, scale, zero) #op,
#include "quant/backend_onnx.def"
#undef PARE_QRULE
    };

    (void)state;
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++) {
        const pare_qrule *r = pare_backend_rule(named[i]);

        if (!pare_op_find(named[i]))
            fail_msg("there is no op '%s'", named[i]);
        assert_string_equal(r->op, named[i]);
        assert_true(r->can_static || r->can_dynamic);
        assert_true(r->fixed_scale == 0 || (r->fixed_zero >= 0 && r->fixed_zero <= 255));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(named[k], named[i]);
    }
    assert_null(pare_backend_rule("softmax"));
    assert_null(pare_backend_rule(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_depend_on_the_set_only),
        cmocka_unit_test(bins_hold_their_numbers),
        cmocka_unit_test(strides_do_not_matter),
        cmocka_unit_test(nan_and_infinity_are_refused),
        cmocka_unit_test(nothing_seen_has_no_range),
        cmocka_unit_test(histogram_finds_the_best_range),
        cmocka_unit_test(histogram_of_few_numbers),
        cmocka_unit_test(percentile_leaves_out_the_tails),
        cmocka_unit_test(min_max_and_moving_average),
        cmocka_unit_test(observers_are_listed),
        cmocka_unit_test(globs),
        cmocka_unit_test(stronger_rules_win_field_by_field),
        cmocka_unit_test(backends_name_ops_that_exist),
    };

    return cmocka_run_group_tests_name("quant", tests, NULL, NULL);
}
