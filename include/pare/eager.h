/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eager.h - quantizing modules by hand
 *
 *     pare_module_set_qconfig(pare_module_find(net, "head"), &(pare_qconfig){ .mode = PARE_QMODE_FLOAT });
 *     pare_module_prepare(net, 1, &input, NULL);
 *     pare_module_calibrate(net, data, NULL);          or pare_forward on batches of one's own
 *     pare_module_convert(net, NULL);
 *     pare_forward(net, record, x);                    runs on integers now
 *     pare_graph_save(pare_module_graph(net), "net.int8.onnx", NULL);
 *
 * A part of a network may be quantized by itself: the rest stays as it is, and tracing the whole puts both together.
 * Layers are fused, and quantize and dequantize nodes put in, where the graph of the calls wants them: no stubs, no
 * rewritten additions, and no list of modules to fuse. What is saved needs none of this code to run.
 */
#ifndef PARE_EAGER_H
#define PARE_EAGER_H

#include <pare/module.h>
#include <pare/quantize.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Observed form: m runs in float, and observers watch what its settings (pare_module_set_qconfig) and options->mapping,
 * the weaker one, want to be quantized. in[n_in]: as for pare_trace. Of the options mapping, target, pool and progress
 * count; they may be NULL, and strings and pool must live until convert. Weights are those of now.
 */
PARE_API pare_status pare_module_prepare(pare_module *m, int n_in, const pare_trace_input *in,
                                         const pare_quantize_options *options);

/* Runs samples of a data set through an observed module: options' calibration and samples (0 = 200). */
PARE_API pare_status pare_module_calibrate(pare_module *m, const pare_quantize_options *options);

/* Quantized form, with the ranges that the observers saw. `result` may be NULL; else pare_quantize_result_destroy. */
PARE_API pare_status pare_module_convert(pare_module *m, pare_quantize_result **result);

/* Dynamic form of a float module, at once: no data is needed. */
PARE_API pare_status pare_module_quantize_dynamic(pare_module *m, int n_in, const pare_trace_input *in,
                                                  const pare_quantize_options *options, pare_quantize_result **result);

/* m runs a graph, of which it keeps a copy, instead of its parts: what QAT makes, or what was saved. */
PARE_API pare_status pare_module_use_graph(pare_module *m, const pare_graph *graph, pare_form form);

/* A module without parts that runs a graph: a saved model as a part of a new network, without the code that made it. */
PARE_API pare_status pare_module_of_graph(const pare_graph *graph, pare_module **out);

/* Its parts again. Weights were never changed. */
PARE_API void pare_module_to_float(pare_module *m);

#ifdef __cplusplus
}
#endif
#endif
