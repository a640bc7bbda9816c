/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_opsets.c - operator sets 18 to 21 against ONNX Runtime: cases of golden/opsets.def, outputs of golden/opsets.h
 *
 * Each case is read, run node by node and as a plan, written, read again and run again. `test_opsets --write FOLDER`
 * writes the cases as files for golden/opsets_make.js instead.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <unistd.h>

#include <pare/compile.h>
#include <pare/io.h>

#include "base/alloc.h"
#include "onnx_run.h"

#include "golden/opsets.h"

typedef struct opset_case {
    int         opset;
    const char *inputs, *nodes, *outputs;
} opset_case;

static const opset_case cases[] = {
#define PARE_CASE(opset, inputs, nodes, outputs) { opset, inputs, nodes, outputs },
#include "golden/opsets.def"
#undef PARE_CASE
};

enum { N_CASES = sizeof(cases) / sizeof(*cases) };

/* "f32[2,3]{1,2,3,4,5,6};" from *text, which moves on. */
static void read_expected(const char **text, pare_tensor *t)
{
    const char *const open = strchr(*text, '[');
    char              type[8], *at;
    int64_t           dim[16];
    int               rank = 0;

    snprintf(type, sizeof(type), "%.*s", (int)(open - *text), *text);
    for (at = (char *)(uintptr_t)open + 1; *at != ']'; at += *at == ',')
        dim[rank++] = strtoll(at, &at, 10);
    *t = pare_tensor_of(pare_dtype_parse(type), pare_shape_of(rank, dim));
    assert_int_equal(pare_tensor_alloc(t), PARE_OK);
    at += 2;
    for (int64_t i = 0; i < pare_shape_count(&t->shape); i++, at += *at == ',') {
        if (pare_dtype_kind(t->dtype) == PARE_KIND_FLOAT)
            pare_tensor_set_real(t, i, strtod(at, &at));
        else
            pare_tensor_set_int(t, i, strtoll(at, &at, 10));
    }
    assert_int_equal(*at, '}');
    *text = at[1] == ';' ? at + 2 : at + 1;
}

static bool equal(const pare_tensor *got, const pare_tensor *want, int64_t *at)
{
    if (got->dtype != want->dtype || !pare_shape_equal(&got->shape, &want->shape))
        return false;
    for (*at = 0; *at < pare_shape_count(&want->shape); ++*at) {
        const double a = pare_tensor_real(got, *at), b = pare_tensor_real(want, *at);

        if (pare_dtype_kind(want->dtype) != PARE_KIND_FLOAT
                ? pare_tensor_int(got, *at) != pare_tensor_int(want, *at)
                : !(a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= 2e-7 + 3e-6 * fabs(b)))
            return false;
    }
    return true;
}

/* How many of the outputs are not as expected. */
static int compare(int index, const char *how, const pare_tensor *got, int n)
{
    const char *text = golden_outputs[index];
    int         bad = 0;

    for (int i = 0; i < n; i++) {
        char        a[PARE_SHAPE_TEXT], b[PARE_SHAPE_TEXT];
        pare_tensor want;
        int64_t     at = 0;

        read_expected(&text, &want);
        if (!equal(&got[i], &want, &at)) {
            const bool both = at < pare_shape_count(&want.shape) && at < pare_shape_count(&got[i].shape);

            print_error("%d: %s, %s: output %d is %s%s, want %s%s; element %lld is %.9g, want %.9g\n",
                        cases[index].opset, cases[index].nodes, how, i, pare_dtype_name(got[i].dtype),
                        pare_shape_text(&got[i].shape, a), pare_dtype_name(want.dtype), pare_shape_text(&want.shape, b),
                        (long long)at, both ? pare_tensor_real(&got[i], at) : NAN,
                        both ? pare_tensor_real(&want, at) : NAN);
            bad++;
        }
        pare_tensor_release(&want);
    }
    assert_int_equal(*text, '\0');
    return bad;
}

static int run_nodes(int index, const char *how, const pare_graph *g)
{
    pare_tensor out[RUN_MAX];

    if (run_on_ramps(g, out) != PARE_OK) {
        print_error("%d: %s, %s: %s\n", cases[index].opset, cases[index].nodes, how, pare_error());
        return 1;
    }
    const int bad = compare(index, how, out, g->n_outputs);

    for (int i = 0; i < g->n_outputs; i++)
        pare_tensor_release(&out[i]);
    return bad;
}

static int run_plan(int index, const char *how, const pare_graph *g)
{
    pare_plan         *plan = NULL;
    pare_context      *ctx = NULL;
    pare_tensor        in[RUN_MAX], out[RUN_MAX];
    const pare_tensor *ptr[RUN_MAX];
    int                bad = 1;

    for (int i = 0; i < g->n_inputs; i++) {
        in[i] = pare_tensor_of(g->inputs[i]->t.dtype, g->inputs[i]->t.shape);
        ptr[i] = &in[i];
        make_ramp(&in[i], NULL);
    }
    if (pare_compile(g, NULL, &plan) == PARE_OK && pare_context_create(plan, &ctx) == PARE_OK &&
        pare_context_run(ctx, NULL, ptr, NULL, 0) == PARE_OK) {
        for (int i = 0; i < g->n_outputs; i++)
            out[i] = *pare_context_output(ctx, i);
        bad = compare(index, how, out, g->n_outputs);
    } else {
        print_error("%d: %s, %s: %s\n", cases[index].opset, cases[index].nodes, how, pare_error());
    }
    pare_context_destroy(ctx);
    pare_plan_destroy(plan);
    for (int i = 0; i < g->n_inputs; i++)
        pare_tensor_release(&in[i]);
    return bad;
}

static int run_case(int index)
{
    const opset_case *const c = &cases[index];
    char                    path[] = "test_opsets_XXXXXX.onnx";
    pare_graph             *g, *again;
    int                     bad = 0;

    if (make_and_load(c->opset, c->inputs, c->nodes, c->outputs, &g) != PARE_OK) {
        print_error("%d: %s: %s\n", c->opset, c->nodes, pare_error());
        return 1;
    }
    bad += run_nodes(index, "node by node", g) + run_plan(index, "planned", g);

    const int file = mkstemps(path, 5);
    assert_true(file >= 0);
    close(file);
    if (pare_graph_save(g, path, NULL) == PARE_OK && pare_graph_load(path, &again) == PARE_OK) {
        bad += run_nodes(index, "saved", again);
        pare_graph_destroy(again);
    } else {
        print_error("%d: %s: saving: %s\n", c->opset, c->nodes, pare_error());
        bad++;
    }
    unlink(path);
    pare_graph_destroy(g);
    return bad;
}

static void test_cases(void **state)
{
    int bad = 0;

    (void)state;
    _Static_assert(sizeof(golden_outputs) / sizeof(*golden_outputs) == N_CASES, "run opsets_make.js again");
    for (int i = 0; i < N_CASES; i++) {
        assert_non_null(golden_outputs[i]);
        bad += run_case(i);
    }
    print_message("%d cases, %d differences\n", N_CASES, bad);
    assert_int_equal(bad, 0);
}

/* The cases as NNN.onnx in a folder. */
static int write_cases(const char *folder)
{
    for (int i = 0; i < N_CASES; i++) {
        char      path[512];
        pare_wire w;

        snprintf(path, sizeof(path), "%s/%03d.onnx", folder, i);
        make_model(&w, cases[i].opset, cases[i].inputs, cases[i].nodes, cases[i].outputs);
        FILE *const f = fopen(path, "wb");

        if (!f || fwrite(w.bytes, 1, (size_t)w.size, f) != (size_t)w.size || fclose(f) != 0)
            return 1;
        pare_wire_free(&w);
    }
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_cases) };

    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return write_cases(argv[2]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
