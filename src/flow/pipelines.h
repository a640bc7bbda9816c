/* SPDX-License-Identifier: Apache-2.0 */
/* pipelines.h - the lists of passes that the workflows share; each reads like a recipe */
#ifndef PARE_FLOW_PIPELINES_H
#define PARE_FLOW_PIPELINES_H

#include "passes/pass.h"

/* Before anything else: constants folded, normalization and activations merged into the layers before them. */
extern const pare_pass *const pare_simplify_passes[];

/* One quantized form: Q/DQ pairs, u8 activations, s8 weights. */
extern const pare_pass *const pare_unify_passes[];

/* From the Q/DQ form to integer ops. */
extern const pare_pass *const pare_lower_passes[];

/* What only makes it faster, with equal bits: fusion across nodes, memory formats, halos. */
extern const pare_pass *const pare_speed_passes[];

/* The same where every value stays, because somebody looks at it. */
extern const pare_pass *const pare_tapped_passes[];

/* What target "onnxruntime" writes otherwise than target "onnx". */
extern const pare_pass *const pare_onnxruntime_passes[];

#endif
