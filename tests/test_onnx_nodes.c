/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_onnx_nodes.c - ONNX's own node tests, one op each, through the interpreter.
 *
 * A claim is op x dtype: the op is in the list, and every tensor is f32, s64, s32, bool, u8 or s8 (cast: any dtype we
 * have). No claimed test may fail, neither as read nor after saving and reading again. The rest is counted by reason.
 * The tests are those of the Debian package libonnx-testdata; PARE_ONNX_TESTDATA names another folder that has
 * node/test_*.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "exec/interp.h"
#include "io/onnx.h"
#include "tensor/tensor.h"

enum { MAX_TENSORS = 16, MAX_REASONS = 400, REASON = 96 };

typedef enum verdict { PASSED, FAILED, NOT_CLAIMED } verdict;

typedef struct tally {
    int    count[3];
    char   reason[MAX_REASONS][REASON];
    int    times[MAX_REASONS];
    int    n_reasons;
    double worst; /* relative error among the passed */
    char   worst_test[128];
} tally;

/* One test: its folder, its model, one data set. */
typedef struct data_set {
    char        folder[512];
    pare_tensor in[MAX_TENSORS], want[MAX_TENSORS], got[MAX_TENSORS];
    int         n_in, n_want, n_got;
} data_set;

static void count_reason(tally *t, const char *reason)
{
    int i = 0;

    while (i < t->n_reasons && strcmp(t->reason[i], reason) != 0)
        i++;
    if (i == MAX_REASONS)
        return;
    if (i == t->n_reasons)
        snprintf(t->reason[t->n_reasons++], REASON, "%s", reason);
    t->times[i]++;
}

/* ---------------------------------------------------------------------------------------------------------- tensors */

static bool read_tensor(const char *path, pare_tensor *out)
{
    pare_source source = { .name = path };
    pare_onnx   file = { .source = &source, .arena = pare_arena_create() };
    const char *name;
    bool        ok = false;

    if (pare_buf_map(path, &source.bytes) == PARE_OK) {
        const pare_cursor all = pare_cursor_of(pare_buf_bytes(source.bytes), pare_buf_size(source.bytes));
        ok = pare_onnx_read_tensor(&file, all, out, &name) == PARE_OK;
        pare_buf_unref(source.bytes);
    }
    pare_arena_destroy(file.arena);
    return ok;
}

static int read_tensors(const char *folder, const char *kind, pare_tensor *out)
{
    char path[640];
    int  n = 0;

    for (; n < MAX_TENSORS; n++) {
        struct stat info;
        snprintf(path, sizeof(path), "%s/%s_%d.pb", folder, kind, n);
        if (stat(path, &info) != 0)
            return n;
        if (!read_tensor(path, &out[n])) {
            while (n-- > 0)
                pare_tensor_release(&out[n]);
            return -1;
        }
    }
    return n;
}

/* ONNX's own rule: |got - want| <= 1e-7 + 1e-3 * |want|; NaN equals NaN; integers are equal. */
static bool equal(const pare_tensor *got, const pare_tensor *want, double *error)
{
    if (got->dtype != want->dtype || !pare_shape_equal(&got->shape, &want->shape))
        return false;
    for (int64_t i = 0; i < pare_shape_count(&want->shape); i++) {
        if (pare_dtype_kind(want->dtype) != PARE_KIND_FLOAT) {
            if (pare_tensor_int(got, i) != pare_tensor_int(want, i))
                return false;
            continue;
        }
        const double a = pare_tensor_real(got, i), b = pare_tensor_real(want, i);
        if (a == b || (isnan(a) && isnan(b)))
            continue;
        if (!(fabs(a - b) <= 1e-7 + 1e-3 * fabs(b)) || isinf(a) || isinf(b))
            return false;
        if (fabs(b) > 1e-3 && fabs(a - b) / fabs(b) > *error)
            *error = fabs(a - b) / fabs(b);
    }
    return true;
}

/* ----------------------------------------------------------------------------------------------------------- claims */

static bool dtype_is_claimed(const pare_graph *g, pare_dtype dtype)
{
    static const pare_dtype claimed[] = { PARE_f32, PARE_s64, PARE_s32, PARE_bool, PARE_u8, PARE_s8 };

    for (size_t i = 0; i < sizeof(claimed) / sizeof(*claimed); i++)
        if (dtype == claimed[i])
            return true;
    return g && g->first && !g->first->next && strncmp(g->first->op->name, "cast", 4) == 0;
}

/* NULL: claimed. Without a graph (the reader refused it) by the data alone. */
static const char *why_not_claimed(const pare_graph *g, const data_set *d)
{
    static char reason[REASON];

    for (int i = 0; i < d->n_in + d->n_want; i++) {
        const pare_dtype dtype = i < d->n_in ? d->in[i].dtype : d->want[i - d->n_in].dtype;
        if (!dtype_is_claimed(g, dtype)) {
            snprintf(reason, sizeof(reason), "dtype %s", pare_dtype_name(dtype));
            return reason;
        }
    }
    return NULL;
}

/* What the reader refuses for good, in a few words; false: it should have been read if its dtypes are claimed. */
static bool refusal(char reason[REASON])
{
    static const struct {
        const char *sentence, *reason;
    } known[] = {
        { "training", "training" },
        { "only dense tensors", "sequence, map or optional" },
        { "string", "strings" },
        { "the model uses ONNX operator set", "operator set before 7" },
        { "element type", "dtype we do not have" },
    };
    const char *const text = pare_error(), *const open = strchr(text, '(');
    const char *const close = open ? strchr(open, ')') : NULL;

    if (close && (strstr(text, "this op is not supported") || strstr(text, "ops of the domain"))) {
        snprintf(reason, REASON, "op unknown: %.*s", (int)(close - open - 1), open + 1);
        return true;
    }
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
        if (strstr(text, known[i].sentence)) {
            snprintf(reason, REASON, "%s", known[i].reason);
            return true;
        }
    return false;
}

/* Expected data of ONNX 1.12 that later releases and ONNX Runtime contradict. */
static const struct {
    const char *test, *why;
} disputed[] = {
    { "test_cast_FLOAT_to_BFLOAT16", "expected data truncates to bfloat16, the rule is to round" },
    { "test_castlike_FLOAT_to_BFLOAT16_expanded", "expected data truncates to bfloat16, the rule is to round" },
    { "test_resize_downsample_scales_cubic_align_corners", "expected data uses a fractional output size" },
    { "test_resize_downsample_scales_linear_align_corners", "expected data uses a fractional output size" },
};

static const char *why_disputed(const char *name)
{
    for (size_t i = 0; i < sizeof(disputed) / sizeof(*disputed); i++)
        if (strcmp(name, disputed[i].test) == 0)
            return disputed[i].why;
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------------ tests */

/* The files keep bfloat16 data as the bits in a uint16 tensor. */
static void retype(pare_tensor *t, const pare_value *v)
{
    if (t->dtype == PARE_u16 && v->t.dtype == PARE_bf16)
        t->dtype = PARE_bf16;
}

/* Runs one data set; a sentence about what is wrong goes to `wrong`. */
static bool run(const pare_graph *g, data_set *d, double *error, char wrong[256])
{
    const pare_tensor *in[MAX_TENSORS];

    for (int i = 0; i < d->n_in; i++)
        in[i] = &d->in[i];
    if (pare_interp_run(g, in, d->got) != PARE_OK) {
        snprintf(wrong, 256, "%s", pare_error());
        return false;
    }
    d->n_got = d->n_want;
    for (int i = 0; i < d->n_want; i++) {
        if (!equal(&d->got[i], &d->want[i], error)) {
            char got[PARE_SHAPE_TEXT], want[PARE_SHAPE_TEXT];
            snprintf(wrong, 256, "output %d is %s%s, expected %s%s, or has other values", i,
                     pare_dtype_name(d->got[i].dtype), pare_shape_text(&d->got[i].shape, got),
                     pare_dtype_name(d->want[i].dtype), pare_shape_text(&d->want[i].shape, want));
            return false;
        }
    }
    return true;
}

static void release(pare_tensor *t, int n)
{
    for (int i = 0; i < n; i++)
        pare_tensor_release(&t[i]);
}

/* The same after saving and reading again. */
static bool run_saved(const pare_graph *g, data_set *d, char wrong[256])
{
    static const char path[] = "test_onnx_nodes.tmp.onnx";
    pare_graph       *back = NULL;
    double            error = 0;
    bool              ok = pare_graph_save(g, path, NULL) == PARE_OK && pare_graph_load(path, &back) == PARE_OK;

    if (!ok) {
        snprintf(wrong, 256, "saved: %s", pare_error());
    } else {
        release(d->got, d->n_got);
        d->n_got = 0;
        ok = run(back, d, &error, wrong);
    }
    pare_graph_destroy(back);
    remove(path);
    return ok;
}

/* `g` NULL: the reader refused it with the sentence `refused`, though we have the op. */
static verdict judge(tally *t, const char *name, const pare_graph *g, data_set *d, const char *refused)
{
    char        wrong[256] = "";
    double      error = 0;
    const char *why = NULL;

    if (d->n_in < 0 || d->n_want < 0)
        why = "strings, sequences or optionals as data";
    else
        why = why_disputed(name);
    if (g && !why && (g->n_inputs != d->n_in || g->n_outputs != d->n_want)) {
        printf("FAILED %s: the model has %d inputs and %d outputs, the data %d and %d\n", name, g->n_inputs,
               g->n_outputs, d->n_in, d->n_want);
        return FAILED;
    }
    for (int i = 0; g && !why && i < d->n_in; i++)
        retype(&d->in[i], g->inputs[i]);
    for (int i = 0; g && !why && i < d->n_want; i++)
        retype(&d->want[i], g->outputs[i]);
    if (!why)
        why = why_not_claimed(g, d);
    if (!why && g && !run(g, d, &error, wrong) && strstr(wrong, "training"))
        why = "training";
    if (!why && g && !wrong[0])
        run_saved(g, d, wrong);
    if (why) {
        count_reason(t, why);
        return NOT_CLAIMED;
    }
    if (!g || wrong[0]) {
        printf("FAILED %s: %s\n", name, g ? wrong : refused);
        return FAILED;
    }
    if (error > t->worst) {
        t->worst = error;
        snprintf(t->worst_test, sizeof(t->worst_test), "%s", name);
    }
    return PASSED;
}

static verdict run_data_sets(tally *t, const char *folder, const char *name, const pare_graph *g, const char *refused)
{
    verdict     result = NOT_CLAIMED;
    struct stat info;

    for (int set = 0; set < 100; set++) {
        data_set d = { .n_in = 0 };
        snprintf(d.folder, sizeof(d.folder), "%.400s/%.80s/test_data_set_%d", folder, name, set);
        if (stat(d.folder, &info) != 0)
            break;
        d.n_in = read_tensors(d.folder, "input", d.in);
        d.n_want = read_tensors(d.folder, "output", d.want);
        const verdict one = judge(t, name, g, &d, refused);
        if (set == 0 || one == FAILED)
            result = one;
        release(d.in, d.n_in);
        release(d.want, d.n_want);
        release(d.got, d.n_got);
    }
    return result;
}

static verdict test_node(tally *t, const char *folder, const char *name)
{
    char        path[640], reason[REASON], refused[256];
    pare_graph *g;

    snprintf(path, sizeof(path), "%s/%s/model.onnx", folder, name);
    const pare_status status = pare_graph_load(path, &g);
    if (status == PARE_ERR_UNSUPPORTED && refusal(reason)) {
        count_reason(t, reason);
        return NOT_CLAIMED;
    }
    snprintf(refused, sizeof(refused), "%s", pare_error());
    if (status != PARE_OK && status != PARE_ERR_UNSUPPORTED) {
        printf("FAILED %s: %s\n", name, refused);
        return FAILED;
    }
    const verdict result = run_data_sets(t, folder, name, g, refused);
    pare_graph_destroy(g);
    return result;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the folder's tests in order; the caller frees. */
static char **list_tests(const char *folder, int *n)
{
    DIR *const dir = opendir(folder);
    char     **names = NULL;
    int        cap = 0;

    *n = 0;
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir)) {
        if (strncmp(e->d_name, "test_", 5) != 0)
            continue;
        assert_true(pare_grow(&names, &cap, *n + 1, sizeof(*names)));
        names[(*n)++] = pare_strdup(e->d_name);
    }
    if (dir)
        closedir(dir);
    if (names)
        qsort(names, (size_t)*n, sizeof(*names), by_name);
    return names;
}

static void node_tests(void **state)
{
    static tally      t;
    const char *const asked = getenv("PARE_ONNX_TESTDATA");
    char              folder[512];
    int               n;

    (void)state;
    snprintf(folder, sizeof(folder), "%.500s/node", asked ? asked : "/usr/share/libonnx-testdata/data");
    char **const names = list_tests(folder, &n);
    if (n == 0) {
        printf("no ONNX node tests in %s: install libonnx-testdata or set PARE_ONNX_TESTDATA\n", folder);
        skip();
    }
    for (int i = 0; i < n; i++) {
        t.count[test_node(&t, folder, names[i])]++;
        pare_free(names[i]);
    }
    pare_free(names);

    printf("%d node tests: %d passed, %d failed, %d not claimed\n", n, t.count[PASSED], t.count[FAILED],
           t.count[NOT_CLAIMED]);
    printf("largest relative error of the passed: %.2g (%s)\n", t.worst, t.worst_test);
    for (int i = 0; i < t.n_reasons; i++)
        printf("  not claimed %3d: %s\n", t.times[i], t.reason[i]);
    assert_int_equal(t.count[FAILED], 0);
    assert_true(t.count[PASSED] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(node_tests) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
