/* SPDX-License-Identifier: Apache-2.0 */
/* pare.h - all of the library */
#ifndef PARE_PARE_H
#define PARE_PARE_H

#include <pare/buf.h>
#include <pare/comm.h>
#include <pare/compile.h>
#include <pare/cpu.h>
#include <pare/data.h>
#include <pare/eager.h>
#include <pare/evaluate.h>
#include <pare/graph.h>
#include <pare/io.h>
#include <pare/list.h>
#include <pare/loader.h>
#include <pare/models.h>
#include <pare/module.h>
#include <pare/nn.h>
#include <pare/optimizer.h>
#include <pare/payoff.h>
#include <pare/plan.h>
#include <pare/pool.h>
#include <pare/progress.h>
#include <pare/qat.h>
#include <pare/quantize.h>
#include <pare/recipe.h>
#include <pare/roofline.h>
#include <pare/state.h>
#include <pare/status.h>
#include <pare/tensor.h>
#include <pare/tensor_io.h>
#include <pare/train.h>
#include <pare/tokenizer.h>

#endif
