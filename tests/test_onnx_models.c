/* SPDX-License-Identifier: Apache-2.0 */
/* test_onnx_models.c - the real models of PARE_DATA are read, typed through, and written so that they come back equal */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <pare/io.h>

#include "graph/graph.h"

static void must(pare_status status)
{
    if (status != PARE_OK)
        fail_msg("%s: %s", pare_status_name(status), pare_error());
}

/* Saved, read and saved again: equal bytes, equally many nodes. */
static void assert_round_trip(const pare_graph *g)
{
    static const char first[] = "test_onnx_models.1.onnx", again[] = "test_onnx_models.2.onnx";
    pare_graph       *back;
    pare_buf         *a, *b;

    must(pare_graph_save(g, first, NULL));
    must(pare_graph_load(first, &back));
    must(pare_graph_save(back, again, NULL));
    assert_int_equal(pare_graph_n_nodes(back), pare_graph_n_nodes(g));
    pare_graph_destroy(back);
    must(pare_buf_map(first, &a));
    must(pare_buf_map(again, &b));
    assert_int_equal(pare_buf_size(a), pare_buf_size(b));
    assert_memory_equal(pare_buf_bytes(a), pare_buf_bytes(b), pare_buf_size(a));
    pare_buf_unref(a);
    pare_buf_unref(b);
    remove(first);
    remove(again);
}

static void print_ops(const pare_graph *g, const char *name)
{
    printf("%s (opset %d):", name, g->opset);
    for (int i = 0; pare_op_at(i); i++) {
        int n = 0;
        for (const pare_node *node = g->first; node; node = node->next)
            n += node->op == pare_op_at(i);
        if (n > 0)
            printf(" %s %d", pare_op_at(i)->name, n);
    }
    printf("\n");
}

static void real_models(void **state)
{
    const char *const data = getenv("PARE_DATA");
    char              path[512];
    int               loaded = 0, failed = 0;

    (void)state;
    if (!data) {
        printf("PARE_DATA is not set: real models are not read\n");
        skip();
    }
    snprintf(path, sizeof(path), "%s/models", data);
    DIR *const dir = opendir(path);
    assert_non_null(dir);
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        pare_graph *g;
        if (!strstr(e->d_name, ".onnx"))
            continue;
        snprintf(path, sizeof(path), "%s/models/%s", data, e->d_name);
        if (pare_graph_load(path, &g) != PARE_OK) {
            printf("%s\n", pare_error());
            failed++;
            continue;
        }
        loaded++;
        print_ops(g, e->d_name);
        must(pare_graph_verify(g));
        for (int i = 0; i < g->n_outputs; i++)
            assert_true(g->outputs[i]->has_shape);
        assert_round_trip(g);
        pare_graph_destroy(g);
    }
    closedir(dir);
    printf("%d real models read\n", loaded);
    assert_int_equal(failed, 0);
    assert_true(loaded > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(real_models) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
