/* SPDX-License-Identifier: Apache-2.0 */
/* compile.h - from a model to an executable plan */
#ifndef PARE_COMPILE_H
#define PARE_COMPILE_H

#include <pare/graph.h>
#include <pare/plan.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means default. */
typedef struct pare_compile_options {
    int64_t           batch;     /* for a symbolic first dimension of the inputs; 0 = 1                        */
    const pare_shape *shapes;    /* [inputs] whole shapes instead, where rank > 0 or dims differ; NULL: the file's */
    bool              reference; /* no lowering, no kernels: every node by its definition (slow)               */
    bool              unfused;   /* integer ops but no kernels and no fusion across nodes: what `verify` compares */
    int64_t           slab;      /* samples of a batch that run together where they never meet; 0 = as many as their
                                  * activations and the weights make cheap. Must divide the batch; equal results      */
    bool              taps;      /* what hooks will look at stays: no fusion across nodes, but kernels and formats    */
    bool              tune;      /* times the kernels that every step could use, and keeps the fastest; equal results */
    bool              bf16; /* float convolutions and matrix products round their operands to bfloat16 where the CPU
                                  * multiplies these (AVX512-BF16). Outside the promise of equal bits: bits then depend
                                  * on the CPU. Without such a CPU nothing changes                                   */
    const char       *plan_file; /* keeps packed weights and kernel choices for the next start: read when it fits the
                                  * model, its shapes, the CPU and this build of Pare, else written. A damaged one is
                                  * PARE_ERR_DATA. Ignored with reference and unfused. NULL: none                   */
} pare_compile_options;

/*
 * Copies the graph, fixes its shapes, lowers Q/DQ pairs to integer ops, chooses layout and kernels. `graph` is only read
 * and not needed afterwards. PARE_ERR_DYNAMIC: a shape depends on values; such a model runs with pare_graph_run.
 */
PARE_API pare_status pare_compile(const pare_graph *graph, const pare_compile_options *options, pare_plan **out);

/*
 * Evaluates the graph node by node on in[inputs], slowly: the definition of what a model means, and the way to run
 * models whose shapes depend on values. out[outputs] are dense tensors of their own: pare_tensor_release each.
 */
PARE_API pare_status pare_graph_run(const pare_graph *graph, const pare_tensor *const *in, pare_tensor *out);

#ifdef __cplusplus
}
#endif
#endif
