/* SPDX-License-Identifier: Apache-2.0 */
/* test_models.c - real trained models reproduce the outputs that ONNX Runtime gave for them (needs PARE_DATA) */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <pare/compile.h>
#include <pare/io.h>

#include "tensor/tensor.h"

enum { MAX_ROWS = 64, MAX_IO = 8 };

/* One line of golden/index.tsv. */
typedef struct row {
    char model[64], role[8], tensor[64], type[8], dims[64], file[128];
} row;

static const char *data_dir(void)
{
    return getenv("PARE_DATA");
}

static int read_index(row rows[MAX_ROWS])
{
    char  path[512];
    int   n = 0;
    FILE *f;

    snprintf(path, sizeof(path), "%s/golden/index.tsv", data_dir());
    f = fopen(path, "r");
    assert_non_null(f);
    for (char line[512]; n < MAX_ROWS && fgets(line, sizeof(line), f);)
        if (sscanf(line, "%63s %7s %63s %7s %63s %127s", rows[n].model, rows[n].role, rows[n].tensor, rows[n].type,
                   rows[n].dims, rows[n].file) == 6)
            n++;
    fclose(f);
    return n;
}

static pare_shape parse_dims(const char *text)
{
    pare_shape shape = { 0 };

    for (const char *at = text; *at && shape.rank < PARE_MAX_RANK; at += strcspn(at, "x"), at += *at == 'x')
        if (*at >= '0' && *at <= '9')
            shape.dim[shape.rank++] = strtoll(at, NULL, 10);
    return shape;
}

static pare_tensor read_golden(const row *r)
{
    pare_tensor t = pare_tensor_of(strcmp(r->type, "f32") == 0 ? PARE_f32 : PARE_s64, parse_dims(r->dims));
    char        path[512];
    FILE       *f;

    assert_int_equal(pare_tensor_alloc(&t), PARE_OK);
    snprintf(path, sizeof(path), "%s/golden/%s", data_dir(), r->file);
    f = fopen(path, "rb");
    assert_non_null(f);
    assert_int_equal(fread(t.data, 1, (size_t)pare_tensor_bytes(&t), f), pare_tensor_bytes(&t));
    fclose(f);
    return t;
}

/* The golden input of a name; models keep the file's spelling, golden/ has '_' for '.'. */
static bool same_name(const char *golden, const char *name)
{
    for (; *golden && *name; golden++, name++)
        if (*golden != (*name == '.' ? '_' : *name) && *golden != *name)
            return false;
    return !*golden && !*name;
}

static int64_t argmax(const float *x, int64_t n)
{
    int64_t best = 0;

    for (int64_t i = 1; i < n; i++)
        best = x[i] > x[best] ? i : best;
    return best;
}

static void compare(const char *what, const pare_tensor *got, const pare_tensor *want)
{
    const int64_t n = pare_shape_count(&want->shape),
                  last = want->shape.rank ? want->shape.dim[want->shape.rank - 1] : 1;
    const float *x = got->data, *y = want->data;
    double       largest = 0, error = 0;

    assert_true(pare_shape_equal(&got->shape, &want->shape));
    for (int64_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)y[i]));
        error = fabs((double)x[i] - (double)y[i]) <= error ? error : fabs((double)x[i] - (double)y[i]);
    }
    print_message("%-40s relative error %.2g\n", what, error / largest);
    assert_true(error <= 1e-4 * largest);
    if (want->shape.rank == 2)
        for (int64_t i = 0; i < n; i += last)
            assert_int_equal(argmax(x + i, last), argmax(y + i, last));
}

/* The model on its golden inputs: by the plan when shapes can be fixed, else node by node. */
static void run_model(const pare_graph *g, const pare_tensor *const *in, const pare_shape *shapes,
                      pare_tensor out[MAX_IO])
{
    pare_plan        *plan;
    pare_context     *ctx;
    const pare_status status = pare_compile(g, &(pare_compile_options){ .shapes = shapes }, &plan);

    if (status == PARE_ERR_DYNAMIC) {
        print_message("(shapes depend on values: interpreted) ");
        if (pare_graph_run(g, in, out) != PARE_OK)
            fail_msg("%s", pare_error());
        return;
    }
    if (status != PARE_OK)
        fail_msg("%s", pare_error());
    assert_int_equal(pare_context_create(plan, &ctx), PARE_OK);
    if (pare_context_run(ctx, NULL, in, NULL, 0) != PARE_OK)
        fail_msg("%s", pare_error());
    for (int i = 0; i < pare_plan_n_outputs(plan); i++) {
        const pare_tensor *t = pare_context_output(ctx, i);

        out[i] = pare_tensor_of(t->dtype, t->shape);
        assert_int_equal(pare_tensor_alloc(&out[i]), PARE_OK);
        pare_tensor_copy(&out[i], t);
    }
    pare_context_destroy(ctx);
    pare_plan_destroy(plan);
}

static void check_model(const char *model, const row *rows, int n)
{
    pare_tensor        in[MAX_IO] = { 0 }, out[MAX_IO] = { 0 };
    const pare_tensor *ptr[MAX_IO];
    pare_shape         shapes[MAX_IO];
    pare_graph        *g;
    char               path[512];

    snprintf(path, sizeof(path), "%s/models/%s.onnx", data_dir(), model);
    if (pare_graph_load(path, &g) != PARE_OK)
        fail_msg("%s", pare_error());
    const int n_in = pare_graph_n_inputs(g), n_out = pare_graph_n_outputs(g);

    for (int i = 0; i < n_in; i++) {
        pare_dtype  dtype;
        pare_shape  shape;
        const char *name = pare_graph_input(g, i, &dtype, &shape);

        for (int r = 0; r < n; r++)
            if (!strcmp(rows[r].model, model) && !strcmp(rows[r].role, "in") && same_name(rows[r].tensor, name))
                in[i] = read_golden(&rows[r]);
        assert_non_null(in[i].data);
        ptr[i] = &in[i];
        shapes[i] = in[i].shape;
    }
    run_model(g, ptr, shapes, out);
    for (int i = 0; i < n_out; i++) {
        pare_dtype  dtype;
        pare_shape  shape;
        const char *name = pare_graph_output(g, i, &dtype, &shape);

        for (int r = 0; r < n; r++)
            if (!strcmp(rows[r].model, model) && !strcmp(rows[r].role, "out") && same_name(rows[r].tensor, name)) {
                pare_tensor want = read_golden(&rows[r]);
                char        what[160];

                snprintf(what, sizeof(what), "%s %s", model, name);
                compare(what, &out[i], &want);
                pare_tensor_release(&want);
            }
    }
    for (int i = 0; i < MAX_IO; i++) {
        pare_tensor_release(&in[i]);
        pare_tensor_release(&out[i]);
    }
    pare_graph_destroy(g);
}

static void golden_outputs(void **state)
{
    static row rows[MAX_ROWS];
    int        n, models = 0;

    (void)state;
    if (!data_dir()) {
        print_message("PARE_DATA is not set: real models are not tested\n");
        skip();
    }
    n = read_index(rows);
    for (int i = 0; i < n; i++)
        if (strcmp(rows[i].role, "out") == 0 &&
            (i == 0 || strcmp(rows[i - 1].model, rows[i].model) != 0 || strcmp(rows[i - 1].role, "in") == 0)) {
            check_model(rows[i].model, rows, n);
            models++;
        }
    print_message("%d models\n", models);
    assert_true(models > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(golden_outputs) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
