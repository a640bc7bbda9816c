/* SPDX-License-Identifier: Apache-2.0 */
/* onnx_run.h - do two graphs mean the same? For tests */
#ifndef PARE_TESTS_ONNX_RUN_H
#define PARE_TESTS_ONNX_RUN_H

#include "exec/interp.h"
#include "onnx_make.h"

enum { RUN_MAX = 8 };

/* Runs on ramps; symbolic sizes are 2. */
static inline pare_status run_on_ramps(const pare_graph *g, pare_tensor out[RUN_MAX])
{
    pare_tensor        in[RUN_MAX];
    const pare_tensor *ptr[RUN_MAX];

    assert(g->n_inputs <= RUN_MAX && g->n_outputs <= RUN_MAX);
    for (int i = 0; i < g->n_inputs; i++) {
        pare_shape shape = g->inputs[i]->t.shape;
        for (int k = 0; k < shape.rank; k++)
            if (shape.dim[k] == PARE_DIM_ANY)
                shape.dim[k] = 2;
        in[i] = pare_tensor_of(g->inputs[i]->t.dtype, shape);
        make_ramp(&in[i], NULL);
        ptr[i] = &in[i];
    }
    const pare_status status = pare_interp_run(g, ptr, out);
    for (int i = 0; i < g->n_inputs; i++)
        pare_tensor_release(&in[i]);
    return status;
}

/* True when both run and every output has the same dtype, shape and bytes; else says what differs. */
static inline bool same_results(const pare_graph *a, const pare_graph *b, const char *what)
{
    pare_tensor out_a[RUN_MAX], out_b[RUN_MAX];

    if (a->n_outputs != b->n_outputs) {
        printf("%s: %d outputs against %d\n", what, a->n_outputs, b->n_outputs);
        return false;
    }
    if (run_on_ramps(a, out_a) != PARE_OK) {
        printf("%s: %s\n", what, pare_error());
        return false;
    }
    bool same = run_on_ramps(b, out_b) == PARE_OK;
    if (!same)
        printf("%s: %s\n", what, pare_error());
    for (int i = 0; i < a->n_outputs; i++) {
        if (same && (out_a[i].dtype != out_b[i].dtype || !pare_shape_equal(&out_a[i].shape, &out_b[i].shape) ||
                     memcmp(out_a[i].data, out_b[i].data, (size_t)pare_tensor_bytes(&out_a[i])) != 0)) {
            char text_a[PARE_SHAPE_TEXT], text_b[PARE_SHAPE_TEXT];
            printf("%s: output %d differs: %s%s against %s%s\n", what, i, pare_dtype_name(out_a[i].dtype),
                   pare_shape_text(&out_a[i].shape, text_a), pare_dtype_name(out_b[i].dtype),
                   pare_shape_text(&out_b[i].shape, text_b));
            same = false;
        }
    }
    for (int i = 0; i < a->n_outputs; i++) {
        pare_tensor_release(&out_a[i]);
        if (same)
            pare_tensor_release(&out_b[i]);
    }
    return same;
}

#endif
