/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_passes.c - passes as text: tests/passes/FILE.ir holds cases between lines of ===. A case is a graph, then for
 * each step a line "--- pass pass ..." and the graph wanted after it ("same": unchanged). Before and after must also
 * compute the same bits from the same random inputs, or, with a step "--- pass ~1e-5", numbers that near.
 */
#include <dirent.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "exec/interp.h"
#include "passes/pass.h"

enum { MAX_FILES = 64, MAX_PASSES = 16, MAX_ENDS = 16 };

static char *read_file(const char *path)
{
    FILE *const f = fopen(path, "rb");
    char *const text = calloc(1, 1 << 20);

    assert_non_null(f);
    assert_non_null(text);
    assert_true(fread(text, 1, (1 << 20) - 1, f) > 0);
    fclose(f);
    return text;
}

/* Ends the piece at the next line that starts with `mark` and returns what is behind the mark, NULL: no such line. */
static char *cut(char *text, const char *mark)
{
    char *at = text;

    while (strncmp(at, mark, strlen(mark)) != 0) {
        at = strchr(at, '\n');
        if (!at)
            return NULL;
        at++;
    }
    *at = '\0';
    return at + strlen(mark);
}

static pare_graph *parse(const char *text, const char *where)
{
    pare_graph *g;

    if (pare_graph_parse(text, &g) != PARE_OK || pare_graph_infer(g, false) != PARE_OK ||
        pare_graph_verify(g) != PARE_OK)
        fail_msg("%s: %s", where, pare_error());
    return g;
}

static char *print(const pare_graph *g)
{
    char *text;

    assert_int_equal(pare_graph_print(g, &text), PARE_OK);
    return text;
}

/* ------------------------------------------------------------------------------------------------------ computing */

/* Random numbers for every input; open dimensions are 2. */
static void make_inputs(const pare_graph *g, pare_tensor in[MAX_ENDS])
{
    pare_rng rng = pare_rng_seed(1);

    for (int i = 0; i < g->n_inputs; i++) {
        pare_shape shape = g->inputs[i]->t.shape;

        for (int k = 0; k < shape.rank; k++)
            if (shape.dim[k] == PARE_DIM_ANY)
                shape.dim[k] = 2;
        in[i] = pare_tensor_of(g->inputs[i]->t.dtype, shape);
        assert_int_equal(pare_tensor_alloc(&in[i]), PARE_OK);
        for (int64_t k = 0; k < pare_shape_count(&shape); k++)
            pare_tensor_set_real(&in[i], k, (double)pare_rng_normal(&rng) * 3);
    }
}

static void compute(const pare_graph *g, pare_tensor out[MAX_ENDS], const char *where)
{
    pare_tensor        in[MAX_ENDS];
    const pare_tensor *given[MAX_ENDS];

    assert_true(g->n_inputs <= MAX_ENDS && g->n_outputs <= MAX_ENDS);
    make_inputs(g, in);
    for (int i = 0; i < g->n_inputs; i++)
        given[i] = &in[i];
    if (pare_interp_run(g, given, out) != PARE_OK)
        fail_msg("%s: %s", where, pare_error());
    for (int i = 0; i < g->n_inputs; i++)
        pare_tensor_release(&in[i]);
}

static void compare(const pare_graph *g, const pare_tensor *want, const pare_tensor *got, double near,
                    const char *where)
{
    for (int i = 0; i < g->n_outputs; i++) {
        assert_int_equal(want[i].dtype, got[i].dtype);
        assert_true(pare_shape_equal(&want[i].shape, &got[i].shape));
        for (int64_t k = 0; k < pare_shape_count(&want[i].shape); k++) {
            const double a = pare_tensor_real(&want[i], k), b = pare_tensor_real(&got[i], k);

            if (!(fabs(a - b) <= near * (1 + fabs(a))))
                fail_msg("%s: output '%s' [%d]: %.9g before, %.9g after", where, g->outputs[i]->name, (int)k, a, b);
        }
    }
}

/* ---------------------------------------------------------------------------------------------------------- running */

static void run_step(pare_graph *g, char *names, const char *where)
{
    const pare_pass *passes[MAX_PASSES + 1] = { NULL };
    pare_tensor      before[MAX_ENDS] = { { 0 } }, after[MAX_ENDS] = { { 0 } };
    double           near = 0;
    int              n = 0;

    for (char *name = strtok(names, " \n"); name; name = strtok(NULL, " \n")) {
        if (*name == '~') {
            near = strtod(name + 1, NULL);
            continue;
        }
        assert_true(n < MAX_PASSES);
        passes[n] = pare_pass_find(name);
        if (!passes[n++])
            fail_msg("%s: there is no pass '%s'", where, name);
    }
    compute(g, before, where);
    if (pare_passes_run(g, passes, NULL) != PARE_OK)
        fail_msg("%s: %s", where, pare_error());
    compute(g, after, where);
    compare(g, before, after, near, where);
    for (int i = 0; i < g->n_outputs; i++) {
        pare_tensor_release(&before[i]);
        pare_tensor_release(&after[i]);
    }
}

static void check_text(const pare_graph *g, const char *wanted, const char *before, const char *where)
{
    char *const got = print(g);
    char       *want;

    if (strncmp(wanted, "same", 4) == 0) {
        want = pare_strdup(before);
    } else if (strstr(wanted, "hash=")) {
        want = pare_strdup(wanted); /* tables and the like: as printed, since a hash cannot be read back */
    } else {
        pare_graph *const w = parse(wanted, where);

        want = print(w);
        pare_graph_destroy(w);
    }
    if (strcmp(want, got) != 0)
        fail_msg("%s\n--- want\n%s--- got\n%s", where, want, got);
    pare_free(want);
    pare_free(got);
}

static void run_case(char *text, const char *file)
{
    char       *names = cut(text, "--- ");
    pare_graph *g = parse(text, file);
    char        where[256];

    assert_non_null(names);
    while (names) {
        char *const wanted = strchr(names, '\n') + 1;
        char *const next = cut(wanted, "--- ");
        char *const before = print(g);

        wanted[-1] = '\0';
        snprintf(where, sizeof(where), "%s, graph %s, %s", file, g->name, names);
        run_step(g, names, where);
        check_text(g, wanted, before, where);
        pare_free(before);
        names = next;
    }
    pare_graph_destroy(g);
}

static void run_file(void **state)
{
    const char *const path = *state;
    char *const       text = read_file(path);
    const long        live = pare_alloc_live();

    for (char *at = text, *next; at; at = next) {
        next = cut(at, "===");
        run_case(at, strrchr(path, '/') + 1);
    }
    assert_int_equal(pare_alloc_live(), live);
    free(text);
}

/* ----------------------------------------------------------------------------------------------------------- driver */

static pare_status flip(pare_graph *g, pare_node *n, bool *changed)
{
    (void)g;
    n->prev = n; /* breaks the list: verification must see it */
    *changed = false;
    return PARE_OK;
}

static pare_status forever(pare_graph *g, pare_node *n, bool *changed)
{
    (void)g, (void)n;
    *changed = true;
    return PARE_OK;
}

static void driver_sees_bad_passes(void **state)
{
    static const pare_pass breaks = { .name = "breaks", .rewrite = flip };
    static const pare_pass endless = { .name = "endless", .rewrite = forever, .repeat = true };
    pare_graph            *g = parse("%x = input f32[2]\n%a = relu(%x)\n%b = neg(%a)\nreturn %b", "driver");

    (void)state;
    assert_int_equal(pare_passes_run(g, (const pare_pass *const[]){ &endless, NULL }, NULL), PARE_ERR_DATA);
    assert_non_null(strstr(pare_error(), "pass endless"));
    assert_int_equal(pare_passes_run(g, (const pare_pass *const[]){ &breaks, NULL }, NULL), PARE_ERR_DATA);
    assert_non_null(strstr(pare_error(), "pass breaks"));
    g->first->prev = NULL;
    g->last->prev = g->first;
    pare_graph_destroy(g);
}

static pare_status note(void *user, const pare_pass *pass, const pare_graph *g, int changes)
{
    char *const log = user;

    (void)g;
    sprintf(log + strlen(log), "%s %d;", pass->name, changes);
    return strcmp(pass->name, "remove_dead") == 0 ? PARE_ERR_CANCELLED : PARE_OK;
}

static void trace_watches_and_stops(void **state)
{
    char        log[256] = "";
    pare_graph *g = parse("%x = input f32[2]\n%a = identity(%x)\n%d = abs(%x)\n%b = neg(%a)\nreturn %b", "trace");
    const pare_pass *const passes[] = { pare_pass_find("remove_identity"), pare_pass_find("remove_dead"),
                                        pare_pass_find("fold_bn"), NULL };

    (void)state;
    assert_int_equal(pare_passes_run(g, passes, &(pare_pass_trace){ note, log }), PARE_ERR_CANCELLED);
    assert_string_equal(log, "remove_identity 1;remove_dead 1;");
    pare_graph_destroy(g);
}

/* Whatever allocation fails, the pass says so, the graph can be destroyed, and nothing is left. */
static void short_memory_leaks_nothing(void **state)
{
    static const char *const text = "%x = input f32[1,1,3,3]\n@w = const f32[2,1,1,1] {1,2}\n"
                                    "@g = const f32[2] {2,0.5}\n@b = const f32[2] {1,-1}\n@z = const f32[1] {1}\n"
                                    "%c = conv(%x, @w)\n%n = batch_normalization(%c, @g, @b, @g, @g)\n"
                                    "%k = neg(@z)\n%m = add(%n, %k)\n%r = relu(%m)\n%y = identity(%r)\nreturn %y";
    const pare_pass *const   passes[] = { pare_pass_find("fold_const"), pare_pass_find("remove_identity"),
                                          pare_pass_find("fold_bn"), pare_pass_find("fuse_relu"), NULL };
    const long               live = pare_alloc_live();
    pare_status              status = PARE_ERR_MEMORY;

    (void)state;
    for (long n = 1; status != PARE_OK; n++) {
        pare_graph *g = parse(text, "memory");

        pare_alloc_fail_after(n);
        status = pare_passes_run(g, passes, NULL);
        pare_alloc_fail_after(0);
        if (status != PARE_OK)
            assert_int_equal(status, PARE_ERR_MEMORY);
        pare_graph_destroy(g);
        assert_int_equal(pare_alloc_live(), live);
        assert_true(n < 1000);
    }
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct CMUnitTest *)a)->name, ((const struct CMUnitTest *)b)->name);
}

int main(void)
{
    static struct CMUnitTest tests[MAX_FILES];
    const char *const        folder = PARE_TEST_DIR "/passes";
    DIR *const               dir = opendir(folder);
    int                      n = 0;

    if (!dir)
        return 1;
    for (const struct dirent *entry; (entry = readdir(dir)) && n < MAX_FILES - 3;) {
        char *const path = malloc(strlen(folder) + strlen(entry->d_name) + 2);

        if (!strstr(entry->d_name, ".ir") || !path) {
            free(path);
            continue;
        }
        sprintf(path, "%s/%s", folder, entry->d_name);
        tests[n++] =
            (struct CMUnitTest){ .name = strrchr(path, '/') + 1, .test_func = run_file, .initial_state = path };
    }
    closedir(dir);
    qsort(tests, (size_t)n, sizeof(tests[0]), by_name);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(driver_sees_bad_passes);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(trace_watches_and_stops);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(short_memory_leaks_nothing);

    const int failed = _cmocka_run_group_tests("passes", tests, (size_t)n, NULL, NULL);
    for (int i = 0; i < n; i++)
        free(tests[i].initial_state);
    return failed;
}
